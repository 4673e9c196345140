/** The document against the real thing. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../source/collector.js';
import { openRealMonitor } from './real-monitor.js';

let real: Awaited<ReturnType<typeof openRealMonitor>>;

beforeAll(async () => {
  real = await openRealMonitor();
});

afterAll(async () => {
  await real?.close();
  expect(real.failures).toEqual([]);
});

/** What asking without anything is answered with, where it is not 200. */
const EMPTY: Readonly<Record<string, number>> = {
  'get /ws': 426,
  'post /api/alerts/{id}/ack': 404,
  'post /api/silences/': 400,
  'delete /api/silences/{id}': 404,
};

describe('the document', () => {
  it('tells the truth about every path, with and without its last slash', async () => {
    const paths = Object.keys(real.judge.document.paths);
    expect(paths).toContain('/api/events/');
    for (const path of paths) {
      for (const method of Object.keys(real.judge.document.paths[path] ?? {})) {
        // Empty, and of an alert and a silence that there are not.
        const status = EMPTY[`${method} ${path}`] ?? (method === 'get' ? 200 : undefined);
        const asked = path.replace('{id}', '7');
        for (const url of new Set([asked, asked.replace(/(.)\/$/, '$1'), asked.replace(/\/?$/, '/')])) {
          const response = await real.get(url, { method });
          expect([method, url, response.status]).toEqual([method, url, status]);
          await real.judge.judge(path, method, response);
        }
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
    ['/api/monitoring/series/', 'start_date=2026-01-01&end_date=2026-01-02&points=100', 200],
    ['/api/monitoring/series/', 'points=401', 400],
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
    ['/api/alerts/', 'state=past&rule=high_error_rate&before=2026-01-01&limit=200', 200],
    ['/api/alerts/', 'limit=201', 400],
    ['/api/silences/', 'past=true', 200],
    ['/api/silences/', 'past=', 400],
  ])('tells the truth about %s?%s', async (path, query, status) => {
    const response = await real.get(`${path}?${query}`);
    expect(response.status).toBe(status);
    await real.judge.judge(path, 'get', response);
    const named = real.judge.document.paths[path]?.get?.parameters?.map((one) => one.name) ?? [];
    if (status === 200) for (const name of new URLSearchParams(query).keys()) expect(named).toContain(name);
  });

  it.each(['UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'Australia/Lord_Howe'])(
    'has the hours and days of %s as SQL has them',
    async (tz) => {
      for (const [path, unit] of [
        ['hourly', 'hour'],
        ['daily', 'day'],
      ] as const) {
        const response = await real.get(`/api/monitoring/${path}/?tz=${tz}`);
        const { rows } = (await response.json()) as { rows: Record<string, unknown>[] };
        const { rows: expected } = await real.client.query(
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
      const socket = new WebSocket(real.socketUrl);
      socket.on('message', (data) => {
        const message = JSON.parse(String(data));
        seen.add(message.type);
        try {
          real.judge.component('ServerMessage', message);
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
      topics: ['snapshot', 'events', 'alerts', 'health'],
      filter: { statuses: ['success'] },
      since: { epoch: 'another', seq: 1 },
    };
    real.judge.component('SubscribeMessage', subscribe);
    socket.send(JSON.stringify(subscribe));
    socket.send('nonsense');
    await real.client.query(
      "INSERT INTO customer_sync_logs (operation_type, status) VALUES ('batch_operation', 'success')",
    );
    // More than ALERT_FAILED_OPERATIONS_THRESHOLD with the 50 that there are.
    await real.client.query(
      "INSERT INTO customer_sync_logs (operation_type, status) SELECT 'created', 'error' FROM generate_series(1, 9)",
    );
    const wanted = ['hello', 'snapshot', 'gap', 'health', 'error', 'events', 'heartbeat', 'alert'];
    await until(() => wanted.every((type) => seen.has(type)), 'a message of each type');
    for (const one of [socket, silent]) one.terminate();
    expect(faults).toEqual([]);
  });

  it('tells the truth about the alerts of its rules', async () => {
    // A quarter of the rows are errors, and there are batches among them.
    const firing = async () => {
      const response = await real.get('/api/alerts/?state=active');
      await real.judge.judge('/api/alerts/', 'get', response.clone());
      const { alerts } = (await response.json()) as { alerts: { rule: string }[] };
      return alerts.map(({ rule }) => rule);
    };
    for (const rule of ['high_error_rate', 'realtime_error_rate', 'batch_failure'])
      await until(async () => (await firing()).includes(rule), `${rule} is in the list`);
    let metrics = '';
    // An exposition may be a second old.
    await until(async () => {
      metrics = await (await real.get('/metrics')).text();
      return metrics.includes('sync_alert_firing{rule="high_error_rate",severity="critical"} 1\n');
    }, 'the metrics say that it fires').catch(() => expect(metrics).toContain('high_error_rate'));
    expect(metrics).toContain('sync_alert_firing{rule="queue_overflow",severity="critical"} 0\n');
    expect(metrics).toMatch(/^sync_slo_burn_rate\{window="1h"\} \d/m);
  });

  it('notices what is not described', async () => {
    const answer = (await (await real.get('/api/monitoring/realtime/')).json()) as object;
    real.judge.component('RealTimeAnswer', answer);
    expect(() => real.judge.component('RealTimeAnswer', { ...answer, more: 1 })).toThrow(/more/);
    expect(() => real.judge.component('RealTimeAnswer', { ...answer, timestamp: null })).toThrow(/timestamp/);
    expect(() => real.judge.component('ServerMessage', { type: 'news' })).toThrow();
    expect(() => real.judge.component('SubscribeMessage', { type: 'subscribe', topics: ['news'] })).toThrow();
  });
});
