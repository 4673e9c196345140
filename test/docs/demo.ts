/** The running demo that dashboards/API.md was taken from, and what its WebSocket says. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { run } from '../../src/main.js';
import type { Document } from '../http/document.js';
import { until } from '../source/collector.js';
import type { Known } from './requests.js';

/** As the document shows it, whatever port the demo of a test has. */
export const ADDRESS = 'http://127.0.0.1:8080';
export const SUBSCRIBE = {
  type: 'subscribe',
  topics: ['snapshot', 'events', 'alerts', 'health'],
  filter: { statuses: ['error'] },
};
export const MESSAGES = ['hello', 'snapshot', 'events', 'health', 'alert'] as const;

const DAY_MS = 86_400_000;
/** On a machine that has other work as well. */
const PATIENCE_MS = 90_000;
const DEMO = ['demo', '--port', '0', '--rate', '100', '--incident', 'errors', '--seed', '8'];

export interface Demo {
  readonly document: Document;
  readonly known: Known;
  /** The last message of each type. */
  readonly messages: ReadonlyMap<string, unknown>;
  get(url: string, init?: RequestInit): Promise<Response>;
  stop(): Promise<void>;
}

/** Starts `sync-monitor demo` in a folder of its own and waits until an alert fires, always of the same rule. */
export async function startDemo(): Promise<Demo> {
  const folder = await mkdtemp(join(tmpdir(), 'csm-docs-'));
  // PostgreSQL runs as another user where we are root, and has to reach its data.
  await chmod(folder, 0o755);
  const stop = new AbortController();
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  const host = { print: say, note: say, signal: stop.signal, colours: false, env: {}, folder };
  let ended: number | undefined;
  const code = run(DEMO, host).then((value) => {
    ended = value;
  });
  const end = async () => {
    stop.abort();
    await code;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const opened = () => /^Open (\S+?)\/?(?:\s|$)/m.exec(said.join('\n'))?.[1];
    await until(() => opened() !== undefined || ended !== undefined, 'the demo serves', PATIENCE_MS);
    const address = opened();
    if (address === undefined) throw new Error(said.join('\n'));
    const messages = listen(address);
    const get = (url: string, init?: RequestInit) => fetch(url.replace(ADDRESS, address), init);
    await until(() => MESSAGES.every((type) => messages.has(type)), 'a message of each type', PATIENCE_MS);
    const alertId = await firstAlert(get);
    const now = Date.now();
    const day = (at: number) => new Date(at).toISOString().slice(0, 10);
    return {
      document: (await (await get(`${ADDRESS}/openapi.json`)).json()) as Document,
      known: {
        yesterday: day(now - DAY_MS),
        today: day(now),
        later: `${new Date(now + DAY_MS / 12).toISOString().slice(0, 16)}Z`,
        alertId,
        silenceId: '',
      },
      messages,
      get,
      stop: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

function listen(address: string): Map<string, unknown> {
  const messages = new Map<string, unknown>();
  const socket = new WebSocket(`${address.replace('http', 'ws')}/ws`);
  socket.on('open', () => socket.send(JSON.stringify(SUBSCRIBE)));
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as { readonly type: string };
    messages.set(message.type, message);
  });
  // The monitor ends before its listeners do.
  socket.on('error', () => undefined);
  return messages;
}

async function firstAlert(get: Demo['get']): Promise<string> {
  let id: string | undefined;
  await until(
    async () => {
      const answer = await get(`${ADDRESS}/api/alerts/?rule=failed_operations_spike&limit=1`);
      const { alerts } = (await answer.json()) as { readonly alerts: readonly { readonly id: string }[] };
      id = alerts[0]?.id;
      return id !== undefined;
    },
    'an alert fires',
    PATIENCE_MS,
  );
  if (id === undefined) throw new Error('no alert');
  return id;
}
