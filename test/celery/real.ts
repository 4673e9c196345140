/** A real Celery: Debian's python3-celery on a real Redis, and the service under test that watches it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type CeleryConfig, CeleryService } from '../../src/celery-service.js';

/** Debian's own, whatever other Python comes first in the path. */
const PYTHON = '/usr/bin/python3';
const HERE = fileURLToPath(new URL('.', import.meta.url));

export const celeryInstalled =
  spawnSync(PYTHON, ['-c', 'import celery, redis']).status === 0 &&
  spawnSync('redis-server', ['--version']).status === 0;

export type Call = readonly [
  task: string,
  args: readonly unknown[],
  options?: Readonly<Record<string, unknown>>,
];

/** Settings of the portal (portal.py). */
export interface Portal {
  readonly SENT_EVENTS?: '1';
  readonly TEN_PRIORITIES?: '1';
}

export interface Worker {
  readonly name: string;
  signal(signal: NodeJS.Signals): void;
  /** What it wrote so far, for a test that fails. */
  output(): string;
  /** Waits for its end. */
  ended(): Promise<void>;
}

const running = new Set<ChildProcess>();

/** A worker with `-E`, or with the given options instead. */
export function startWorker(
  broker: string,
  name: string,
  options: readonly string[] = ['-E'],
  portal: Portal = {},
): Worker {
  const child = spawn(
    PYTHON,
    ['-m', 'celery', '-A', 'portal', 'worker', '-n', name, '-c', '2', '-l', 'INFO', ...options],
    // Its children are in its group, and end with it when it is killed.
    {
      cwd: HERE,
      env: { ...environment(broker), ...portal },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    },
  );
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      output = (output + data.toString()).slice(-20_000);
    });
  const closed = once(child, 'close').then(() => running.delete(child));
  return {
    name,
    signal: (signal) => signalGroup(child, signal),
    output: () => output,
    ended: async () => {
      await closed;
    },
  };
}

/** Sends tasks as the portal does; answers with their ids. */
export async function send(broker: string, calls: readonly Call[], portal: Portal = {}): Promise<string[]> {
  const child = spawn(PYTHON, ['portal.py'], {
    cwd: HERE,
    env: { ...environment(broker), ...portal },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
  });
  child.stdin.end(
    calls.map(([task, args, options = {}]) => JSON.stringify([task, args, options])).join('\n'),
  );
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`the portal could not send: exit code ${code}`);
  return output.trim().split('\n');
}

/** The service with the shortest of ping intervals. */
export function watchCelery(url: string, config: Partial<CeleryConfig> = {}) {
  const lines: string[] = [];
  const say = (_fields: unknown, message: string) => void lines.push(message);
  const service = new CeleryService(
    {
      url,
      certain: true,
      queues: ['celery'],
      watchWorkers: true,
      watchQueues: true,
      pingIntervalSeconds: 1,
      ...config,
    },
    { info: say, warn: say },
  );
  service.start();
  return { service, lines };
}

/** SIGKILL for all that a test left. */
export async function killWorkers(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      const closed = once(child, 'close');
      signalGroup(child, 'SIGKILL');
      await closed;
    }),
  );
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-child.pid, signal);
}

function environment(broker: string): NodeJS.ProcessEnv {
  return {
    PATH: '/usr/bin:/bin',
    HOME: '/tmp',
    LANG: 'C.UTF-8',
    BROKER: broker,
    PYTHONDONTWRITEBYTECODE: '1',
  };
}
