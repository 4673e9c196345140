import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { tailPast } from '../../src/cli/tail-past.js';
import { createAccess } from '../../src/http/auth.js';
import { LiveHub } from '../../src/http/live.js';
import { createApp } from '../../src/http/routes.js';
import { startServer } from '../../src/http/server.js';
import { run as runCommand } from '../../src/main.js';
import { HandDrivenView, row } from '../http/view.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** The real HTTP side over a hand-driven monitor that gives at most `page` events at once. */
async function monitor(rows: number, token?: string) {
  const view = new HandDrivenView();
  view.fold(Array.from({ length: rows }, () => row({ status: 'error' })));
  const access = createAccess({ host: '127.0.0.1', authToken: token });
  const onError = (error: unknown) => expect.fail(String(error));
  const hub = new LiveHub(view, { onError });
  const app = createApp(view, { access, liveStats: () => hub.stats(), version: '0', onError });
  const server = await startServer({ host: '127.0.0.1', port: 0, app, hub, access, onError });
  cleanups.push(() => server.close());
  return { view, url: `${server.url.replace('http', 'ws')}ws` };
}

async function run(url: string, more: Partial<Parameters<typeof tailPast>[0]> = {}) {
  const [lines, notes]: [string[], string[]] = [[], []];
  const well = await tailPast({
    ...{ url, filter: {}, since: null, until: null, json: true, colours: false },
    print: (line) => void lines.push(line),
    note: (text) => void notes.push(text),
    signal: new AbortController().signal,
    ...more,
  });
  return { well, lines, notes, ids: lines.map((line) => JSON.parse(line).id as number) };
}

describe('tail --no-follow', () => {
  it('shows the last 100 events, oldest first, and ends', async () => {
    const { url } = await monitor(150);
    const { well, ids, notes } = await run(url);
    expect(well).toBe(true);
    expect(ids).toHaveLength(100);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(notes).toEqual(['100 events']);
  });

  it('asks for what was asked, page by page', async () => {
    const { url, view } = await monitor(1_200);
    const filter = {
      operation_types: ['a', 'b'],
      statuses: ['error'],
      correlation_id: 'x',
      customer_id: '7',
    };
    const [since, until] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 2)];
    const { well, ids } = await run(url, { filter, since, until });
    expect([well, ids.length]).toEqual([true, 1_200]);
    expect(view.eventRequests).toHaveLength(3);
    expect(view.eventRequests[0]).toEqual({
      limit: 500,
      filter: {
        ...{ types: ['a', 'b'], statuses: ['error'], correlationId: 'x', customerId: '7' },
        ...{ since: new Date(since), until: new Date(until) },
      },
    });
    expect(view.eventRequests[1]?.beforeId).toBe(String(ids.at(-500)));
  });

  it('says why nothing can be read', async () => {
    const { url, view } = await monitor(1, 'right');
    expect(await run(url)).toMatchObject({
      well: false,
      notes: [expect.stringMatching(/HTTP 401: A token is needed/)],
    });
    expect(await run(url, { token: 'right' })).toMatchObject({ well: true, notes: ['1 events'] });
    view.failure = Object.assign(new Error('down'), { code: 'database_unavailable' });
    const down = await run(url, { token: 'right' });
    expect(down).toMatchObject({
      well: false,
      notes: [expect.stringMatching(/HTTP 503: The database does not/)],
    });
    const left = createServer().listen(0, '127.0.0.1');
    await once(left, 'listening');
    const { port } = left.address() as AddressInfo;
    left.close();
    await once(left, 'close');
    const nobody = await run(`ws://127.0.0.1:${port}/ws`);
    expect(nobody).toMatchObject({
      well: false,
      notes: [expect.stringMatching(/cannot read .*ECONNREFUSED/)],
    });
  });

  it('is not taken in by another server', async () => {
    const other = createServer((_request, response) => response.end('<html>')).listen(0, '127.0.0.1');
    cleanups.push(() => other.close());
    await once(other, 'listening');
    const { well, notes } = await run(`ws://127.0.0.1:${(other.address() as AddressInfo).port}/ws`);
    expect([well, notes[0]]).toEqual([false, expect.stringMatching(/what answers there is no monitor$/)]);
  });

  it('ends without a word when it is told to', async () => {
    const { url } = await monitor(1);
    expect(await run(url, { signal: AbortSignal.abort() })).toMatchObject({
      well: true,
      notes: [],
      lines: [],
    });
  });

  it('is what --no-follow and --until mean on the command line', async () => {
    const { url, view } = await monitor(3);
    const command = async (...args: string[]) => {
      const [out, err]: [string[], string[]] = [[], []];
      const code = await runCommand(['tail', '--url', url, ...args], {
        print: (line) => void out.push(line),
        note: (line) => void err.push(line),
        ...{
          signal: new AbortController().signal,
          colours: false,
          columns: () => 80,
          env: {},
          folder: tmpdir(),
        },
      });
      return { code, out, err: err.join('\n') };
    };
    const { code, out } = await command('--no-follow', '--status', 'error', 'failed');
    expect([code, out.length, out[0]?.length]).toEqual([0, 3, 80]);
    expect(view.eventRequests.at(-1)).toEqual({ limit: 100, filter: { statuses: ['error', 'failed'] } });
    expect(await command('--until', '2026-01-01', '--json')).toMatchObject({ code: 0 });
    expect(view.eventRequests.at(-1)?.filter.until).toEqual(new Date('2026-01-01'));
    expect(await command('--until', 'noon')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/--until is "noon"; allowed/),
    });
    expect(await command('--since', '1h', '--until', '2h')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/HTTP 400: until is not after since/),
    });
  });
});
