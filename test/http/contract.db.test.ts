/** The document against the real thing: a monitor of a real table behind a real socket. */
import { once } from 'node:events';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createAccess } from '../../src/http/auth.js';
import { LiveHub } from '../../src/http/live.js';
import { createApp } from '../../src/http/routes.js';
import { type RunningServer, startServer } from '../../src/http/server.js';
import { type CustomerSyncMonitor, startMonitor } from '../../src/monitor.js';
import { freshDatabase, type TestDatabase } from '../setup/database.js';
import { until } from '../source/collector.js';
import { page } from './app.js';
import { type Document, Judge } from './document.js';

const failures: unknown[] = [];
let db: TestDatabase;
let client: pg.Client;
let monitor: CustomerSyncMonitor;
let server: RunningServer;
let judge: Judge;

beforeAll(async () => {
  db = await freshDatabase();
  client = new pg.Client(db.url);
  await client.connect();
  await client.query(`INSERT INTO customer_sync_logs (operation_type, status, customer_id, customer_email, duration_ms, error_message, details)
    SELECT (ARRAY['export_to_1c', 'import_from_1c', 'conflict_resolution', 'batch_operation', 'of_a_new_kind'])[n % 5 + 1],
      (ARRAY['success', 'error', 'pending', 'odd'])[n % 4 + 1], n, 'ivan@example.com', n, 'refused',
      '{"conflict_source": "data_import", "operation_name": "night", "total_count": 3, "email_sent": true}'
    FROM generate_series(1, 200) n`);
  monitor = await startMonitor({ databaseUrl: db.url, hourCost: 20 });
  await until(() => monitor.latest()?.windows['1h'].total_operations === 200, 'the rows are counted');
  const access = createAccess({ host: '127.0.0.1' });
  const onError = (error: unknown) => failures.push(error);
  const hub = new LiveHub(monitor, { onError, limits: { heartbeatMs: 300, sweepMs: 100 } });
  const app = createApp(monitor, { access, page, liveStats: () => hub.stats(), version: '0', onError });
  server = await startServer({ host: '127.0.0.1', port: 0, app, hub, access, onError });
  judge = new Judge((await (await get('/openapi.json')).json()) as Document);
});

afterAll(async () => {
  await server?.close();
  await monitor?.stop();
  await client?.end();
  await db?.drop();
  expect(failures).toEqual([]);
});

const get = (path: string, init?: RequestInit) => fetch(new URL(path, server.url), init);

describe('the document', () => {
  it('tells the truth about every path, with and without its last slash', async () => {
    const paths = Object.keys(judge.document.paths);
    expect(paths).toContain('/api/events/');
    for (const path of paths) {
      expect(Object.keys(judge.document.paths[path] ?? {})).toEqual(['get']);
      for (const url of new Set([path, path.replace(/(.)\/$/, '$1'), path.replace(/\/?$/, '/')])) {
        const response = await get(url);
        expect([url, response.status]).toEqual([url, path === '/ws' ? 426 : 200]);
        await judge.judge(path, 'get', response);
      }
    }
  });

  it.each([
    ['/api/monitoring/operations/', 'start_date=2026-01-01&end_date=2026-01-02', 200],
    ['/api/monitoring/operations/', 'start_date=2026-01-02&end_date=2026-01-01', 400],
    ['/api/monitoring/operations/', 'start_date=2020-01-01', 400],
    ['/api/monitoring/business/', 'end_date=2026-01-02', 200],
    ['/api/monitoring/business/', 'end_date=noon', 400],
    ['/api/monitoring/operations/', 'start_date=2026-01-01&end_date=2026-01-02&compare=day,week', 200],
    ['/api/monitoring/operations/', 'compare=month', 400],
    ['/api/monitoring/business/', 'compare=week', 200],
    ['/api/monitoring/hourly/', 'start_date=2026-10-24&end_date=2026-10-26&tz=Europe/Berlin', 200],
    ['/api/monitoring/hourly/', 'tz=Asia/Kathmandu&compare=day,week', 200],
    ['/api/monitoring/hourly/', 'tz=Asia/Kathmando', 400],
    ['/api/monitoring/daily/', 'end_date=2026-01-02&tz=America/New_York&compare=day', 200],
    ['/api/monitoring/daily/', 'start_date=2020-01-01', 400],
    ['/api/monitoring/daily/', 'tz=', 400],
    ['/api/events/', 'type=export_to_1c,of_a_new_kind&type=batch_operation&status=error&limit=500', 200],
    ['/api/events/', 'customer_id=7&since=2026-01-01&until=9999-01-01&before_id=9223372036854775807', 200],
    ['/api/events/', 'correlation_id=x&onec_id=y', 200],
    ['/api/events/', 'since=2026-01-02&until=2026-01-01', 400],
    ['/api/events/', 'limit=501', 400],
    ['/api/events/', 'customer_id=9223372036854775808', 400],
    ['/api/events/', 'status=', 400],
    ['/api/events/', 'onec_id=%00', 400],
    ['/api/events/', 'before_id=1&before_id=2', 400],
    ['/api/events/', 'statuses=error', 400],
  ])('tells the truth about %s?%s', async (path, query, status) => {
    const response = await get(`${path}?${query}`);
    expect(response.status).toBe(status);
    await judge.judge(path, 'get', response);
    const named = judge.document.paths[path]?.get?.parameters?.map((one) => one.name) ?? [];
    if (status === 200) for (const name of new URLSearchParams(query).keys()) expect(named).toContain(name);
  });

  it.each(['UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'Australia/Lord_Howe'])(
    'has the hours and days of %s as SQL has them',
    async (tz) => {
      for (const [path, unit] of [
        ['hourly', 'hour'],
        ['daily', 'day'],
      ] as const) {
        const response = await get(`/api/monitoring/${path}/?tz=${tz}`);
        const { rows } = (await response.json()) as { rows: Record<string, unknown>[] };
        const { rows: expected } = await client.query(
          `SELECT date_trunc('${unit}', created_at, '${tz}') AS at, count(*)::int AS n,
             count(*) FILTER (WHERE status = 'success')::int AS well, percentile_disc(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95,
             count(*) FILTER (WHERE operation_type = 'batch_operation')::int AS batches
           FROM customer_sync_logs GROUP BY 1 ORDER BY 1`,
        );
        const full = rows.filter((row) => row.total_operations !== 0);
        expect(
          full.map((row) => [
            new Date(String(row[unit])),
            row.total_operations,
            row.successful_operations,
            row.p95_duration_ms,
            (row.by_type as Record<string, { total_operations: number }>).batch_operation?.total_operations,
          ]),
        ).toEqual(expected.map(({ at, n, well, p95, batches }) => [at, n, well, p95, batches]));
        expect(rows.length).toBeGreaterThanOrEqual(unit === 'hour' ? 24 : 7);
      }
    },
  );

  it('tells the truth about the messages of the WebSocket, in both directions', async () => {
    const seen = new Set<string>();
    const faults: unknown[] = [];
    const listen = async () => {
      const socket = new WebSocket(new URL('/ws', server.url.replace('http', 'ws')));
      socket.on('message', (data) => {
        const message = JSON.parse(String(data));
        seen.add(message.type);
        try {
          judge.component('ServerMessage', message);
        } catch (error) {
          faults.push(error);
        }
      });
      await once(socket, 'open');
      return socket;
    };
    // One that asks for nothing gets heartbeats.
    const [socket, silent] = [await listen(), await listen()];
    const subscribe = {
      type: 'subscribe',
      topics: ['snapshot', 'events', 'health'],
      filter: { statuses: ['success'] },
      since: { epoch: 'another', seq: 1 },
    };
    judge.component('SubscribeMessage', subscribe);
    socket.send(JSON.stringify(subscribe));
    socket.send('nonsense');
    await client.query(
      "INSERT INTO customer_sync_logs (operation_type, status) VALUES ('batch_operation', 'success')",
    );
    const wanted = ['hello', 'snapshot', 'gap', 'health', 'error', 'events', 'heartbeat'];
    await until(() => wanted.every((type) => seen.has(type)), 'a message of each type');
    for (const one of [socket, silent]) one.terminate();
    expect(faults).toEqual([]);
  });

  it('notices what is not described', async () => {
    const answer = (await (await get('/api/monitoring/realtime/')).json()) as object;
    judge.component('RealTimeAnswer', answer);
    expect(() => judge.component('RealTimeAnswer', { ...answer, more: 1 })).toThrow(/more/);
    expect(() => judge.component('RealTimeAnswer', { ...answer, timestamp: null })).toThrow(/timestamp/);
    expect(() => judge.component('ServerMessage', { type: 'news' })).toThrow();
    expect(() => judge.component('SubscribeMessage', { type: 'subscribe', topics: ['news'] })).toThrow();
  });
});

describe('no input', () => {
  const words = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom(
      '',
      '0',
      '-1',
      '1',
      '9223372036854775807',
      '-9223372036854775807',
      '2026-01-01',
      '9999-12-31',
    ),
    fc.constantFrom(
      'error',
      "'; DROP TABLE x --",
      '%00',
      '\u0000',
      '\ud800',
      '__proto__',
      '[]',
      'NaN',
      '1e3',
    ),
  );
  const names = fc.constantFrom(
    ...['type', 'status', 'correlation_id', 'customer_id', 'onec_id', 'since', 'until', 'before_id', 'limit'],
    ...['start_date', 'end_date', 'tz', 'compare', '__proto__', ''],
  );
  const wellFormed = (text: string) => Buffer.from(text).toString();
  const queries = fc
    .array(fc.tuple(names, words), { maxLength: 4 })
    .map((pairs) =>
      pairs.map(([name, value]) => `${name}=${encodeURIComponent(wellFormed(value))}`).join('&'),
    );

  it('of path, query or header gets an answer that is not described, or a 500', async () => {
    const described = Object.keys(judge.document.paths);
    const headers = fc.dictionary(
      fc.constantFrom(
        'authorization',
        'accept',
        'origin',
        'if-none-match',
        'content-type',
        'range',
        'x-forwarded-for',
      ),
      fc.string({ maxLength: 40 }).map((text) => text.trim()),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...described), queries, headers, async (path, query, sent) => {
        const response = await get(`${path}?${query}`, { headers: sent });
        if (response.status === 304) return; // the page, by If-None-Match: *
        expect(response.status).not.toBe(500);
        await judge.judge(path, 'get', response);
      }),
      { numRuns: 400 },
    );
  });

  it('that is no path of ours gets anything but the error form', async () => {
    const parts = fc.array(
      fc.oneof(
        fc.constantFrom('api', 'events', 'monitoring', 'ws', '..', '%2e%2e', '%', '%ff', 'page.js'),
        words,
      ),
      { maxLength: 5 },
    );
    const methods = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS');
    await fc.assert(
      fc.asyncProperty(parts, methods, async (all, method) => {
        const path = all
          .map((part) => (part.startsWith('%') ? part : encodeURIComponent(wellFormed(part))))
          .join('/');
        const response = await get(`/${path}`.replace(/^\/+/, '/'), { method });
        expect(response.status).toBeLessThan(500);
        const body = await response.text();
        if (response.status >= 400) judge.component('Error', JSON.parse(body));
      }),
      { numRuns: 400 },
    );
  });

  it('on the WebSocket ends the monitor, and each is answered in the protocol', async () => {
    const subscriptions = fc.record(
      {
        type: fc.constantFrom('subscribe', 'publish'),
        topics: fc.oneof(fc.subarray(['snapshot', 'events', 'alerts', 'health']), fc.jsonValue()),
        filter: fc.oneof(
          fc.record({ statuses: fc.array(words), customer_id: fc.jsonValue() }),
          fc.jsonValue(),
        ),
        since: fc.oneof(fc.record({ epoch: words, seq: fc.integer() }), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    const messages = fc.oneof(
      subscriptions.map((one) => JSON.stringify(one)),
      fc.json(),
      fc.string({ unit: 'binary' }),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(messages, { minLength: 1, maxLength: 12 }), async (all) => {
        const socket = new WebSocket(new URL('/ws', server.url.replace('http', 'ws')));
        const faults: unknown[] = [];
        socket.on('message', (data) => {
          try {
            judge.component('ServerMessage', JSON.parse(String(data)));
          } catch (error) {
            faults.push(error);
          }
        });
        await once(socket, 'open');
        for (const message of all) socket.send(message);
        socket.close();
        const [code] = await once(socket, 'close');
        expect(faults).toEqual([]);
        expect([1000, 1005, 1003, 1007, 1008]).toContain(code);
      }),
      { numRuns: 60 },
    );
    expect((await get('/livez')).status).toBe(200);
  });
});
