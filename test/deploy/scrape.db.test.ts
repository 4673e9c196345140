/** A real Prometheus on the running monitor: what it has is what the API says. */
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Served, serve } from '../../src/app.js';
import { parseConfig } from '../../src/config.js';
import { createLog } from '../../src/log.js';
import { redisInstalled, startRedis, type TestRedis } from '../alerts/redis.js';
import { celeryInstalled, killWorkers, send, startWorker } from '../celery/real.js';
import { freshDatabase, type TestDatabase } from '../setup/database.js';
import { until } from '../source/collector.js';
import { type Api, counted, EXPECTED } from './api-numbers.js';
import { chosen, dashboard, FILES, panelsOf, readRoot } from './expressions.js';
import { installed, type RealPrometheus, startPrometheus } from './real-prometheus.js';
import { keyOf, labelled, recorded, seriesOf } from './samples.js';

if (!installed) console.log('prometheus is not installed (apt-get install prometheus): not tested with it');

const TOKENS = { AUTH_TOKEN: 'admin-token', METRICS_TOKEN: 'metrics-token' };

/** Panels that have nothing to show here: without Celery, and what it does on a bad day alone. */
const OF_CELERY =
  /^(Workers online|On their way|Broker|Queues|Tasks by state|Run time|Waiting p95|What was not)/;
const isEmptyHere = (name: string): boolean => !celeryInstalled && OF_CELERY.test(name);

const TASKS = [
  ...Array.from({ length: 5 }, (_, n) => ['sync_customer', [`c${n}@example.com`]] as const),
  ['broken', ['x@example.com']] as const,
];

/** For the objective alone, which looks further back than the windows. */
const OLD_ROWS = `INSERT INTO customer_sync_logs (operation_type, status, created_at)
  SELECT 'sync_changes', CASE WHEN n <= 5 THEN 'error' ELSE 'success' END, now() - interval '2 days'
  FROM generate_series(1, 100) n`;

/**
 * Rows of every kind that a panel or a rule asks about; pending ones too. Late by what the objective needs to see them at
 * its next look: it counts whole minutes.
 */
const ROWS = `INSERT INTO customer_sync_logs (operation_type, status, customer_id, duration_ms, correlation_id, details, created_at)
  SELECT type, status, customer, duration, 'run-' || n, details::jsonb, now() - interval '70 s'
  FROM (VALUES
    ('sync_changes', 'success', 40, 3000, '{}'),
    ('sync_changes', 'warning', 2, NULL, '{"email_sent": true}'),
    ('created', 'skipped', 3, 7, '{}'),
    ('import_from_1c', 'error', 200, 250, '{}'),
    ('import_from_1c', 'failed', 130, 40, '{}'),
    ('import_from_1c', 'success', 9, 90, '{"email_sent": true}'),
    ('export_to_1c', 'success', 5, 420, '{}'),
    ('export_to_1c', 'pending', 1001, NULL, '{}'),
    ('conflict_resolution', 'success', 3, 30, '{"conflict_source": "portal_registration"}'),
    ('conflict_resolution', 'success', 2, 30, '{"conflict_type": "data_import"}'),
    ('conflict_resolution', 'error', 1, 30, '{"conflict_source": "data_import"}'),
    ('customer_identification', 'success', 4, 12, '{"search_method": "tax_id"}'),
    ('customer_identification', 'success', 1, 12, '{"search_method": "email"}'),
    ('batch_operation', 'failed', 1, 5000, '{"operation_name": "night"}'),
    ('of_a_new_kind', 'odd', 6, 80, '{}')
  ) AS kinds (type, status, many, duration, details), generate_series(1, many) n, LATERAL (SELECT n % 37) c (customer)`;

describe.skipIf(!installed)('a real Prometheus', () => {
  let db: TestDatabase;
  let client: pg.Client;
  let redis: TestRedis | undefined;
  let served: Served;
  let prometheus: RealPrometheus;

  async function ask<T>(path: string): Promise<T> {
    const headers = { authorization: `Bearer ${TOKENS.AUTH_TOKEN}` };
    const response = await fetch(new URL(path, served.address), { headers });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return (await (path.startsWith('/metrics') ? response.text() : response.json())) as T;
  }

  beforeAll(async () => {
    db = await freshDatabase();
    client = new pg.Client(db.url);
    await client.connect();
    await client.query(OLD_ROWS);
    if (redisInstalled) redis = await startRedis();
    if (redis && celeryInstalled) {
      const worker = startWorker(redis.url, 'worker@test', ['-E'], { SENT_EVENTS: '1' });
      await until(() => worker.output().includes('ready'), 'the worker of Celery is ready');
    }
    const env = {
      ...{ DATABASE_URL: db.url, PORT: '0', METRICS_CACHE_TTL: '0', ...TOKENS },
      ...{ HEALTH_CHECK_DISK_PATH: tmpdir(), HEALTH_CHECK_INTERVAL: '1' },
      ...(redis ? { REDIS_URL: redis.url, CELERY_MONITOR_WORKERS: String(celeryInstalled) } : {}),
    };
    const result = parseConfig({ env, dotenv: {}, flags: {}, readSecret: () => '' });
    if (!('config' in result)) throw new Error(result.problems.join('\n'));
    const log = createLog({ level: 'error', format: 'text', write: (line) => console.error(line) });
    served = await serve(result.config, { log });
    prometheus = await startPrometheus(new URL(served.address).host, TOKENS.METRICS_TOKEN);
    if (redis && celeryInstalled) {
      await send(redis.url, TASKS, { SENT_EVENTS: '1' });
      const done = 'celery_tasks_total{task="portal.broken",state="failed"} 1';
      await until(async () => (await ask<string>('/metrics/celery')).includes(done), 'Celery did its tasks');
    }
  }, 120_000);
  afterAll(async () => {
    await prometheus?.stop();
    await served?.stop();
    await client?.end();
    await killWorkers();
    await redis?.kill();
    await db?.drop();
  });

  async function api(): Promise<Api> {
    const [operations, business, realtime, slo, alerts] = await Promise.all([
      ask<Api['operations']>('/api/monitoring/operations/'),
      ask<Api['business']>('/api/monitoring/business/'),
      ask<Api['realtime']>('/api/monitoring/realtime/'),
      ask<Api['slo']>('/api/monitoring/slo/'),
      ask<{ alerts: readonly { rule: string }[] }>('/api/alerts/?state=active'),
    ]);
    return { operations, business, realtime, slo, firing: alerts.alerts.map(({ rule }) => rule).sort() };
  }

  /** What every panel of the three dashboards asks. */
  const panels = FILES.flatMap((file) =>
    panelsOf(dashboard(file)).flatMap(({ title, targets = [] }) =>
      targets.map(({ refId, expr }) => ({ name: `${title} ${refId}`, expr })),
    ),
  );

  it('has no alert of a monitor that is well', async () => {
    await until(
      async () => (await prometheus.query('sync:numbers:trusted == 1')).length === 1,
      'it is trusted',
    );
    const firing = (await prometheus.alerts()).filter(({ state }) => state === 'firing');
    expect(firing).toEqual([]);
  });

  it('fires what the monitor itself fires, once rows make it', async () => {
    await client.query(ROWS);
    const expected = [
      ...['batch_failure', 'failed_operations_spike', 'high_error_rate', 'pending_operations'],
      ...['queue_overflow', 'realtime_error_rate', 'slo_fast_burn', 'slo_slow_burn', 'slow_response'],
    ];
    await until(async () => (await api()).firing.length === expected.length, 'the monitor fires', 90_000);
    expect((await api()).firing).toEqual(expected);
    const firing = async () =>
      (await prometheus.alerts())
        .filter(({ state, labels }) => state === 'firing' && labels.rule !== undefined)
        .map(({ labels }) => labels);
    const rules = async () => [...new Set((await firing()).map(({ rule }) => rule))].sort();
    await until(async () => (await rules()).length >= expected.length, 'Prometheus fires');
    expect(await rules()).toEqual(expected);
    expect((await firing()).map(({ alertname }) => alertname)).toContain('SyncSloSteadyBurn');
    for (const { instance } of await firing()) expect(instance).toBe(new URL(served.address).host);
    for (const { annotations } of await prometheus.alerts()) {
      expect(annotations.summary).not.toMatch(/<no value>|<error|NaN/);
    }
  }, 180_000);

  describe('at one instant', () => {
    let at: number;
    let said: Api;
    let before: ReadonlyMap<string, number>;
    let after: ReadonlyMap<string, number>;

    beforeAll(async () => {
      // Rates need two scrapes after the rows.
      await prometheus.scraped();
      before = seriesOf(await ask<string>('/metrics'));
      await prometheus.scraped();
      at = await prometheus.lastScrape();
      after = seriesOf(await ask<string>('/metrics'));
      said = await api();
    });

    it.each(panels)('$name has data: $expr', async ({ name, expr }) => {
      const found = await prometheus.query(chosen(expr), at);
      expect(found.length > 0).toBe(!isEmptyHere(name));
    });

    it.each(panels.filter(({ name }) => name in EXPECTED))('$name is what the API says', async (panel) => {
      const found = labelled(await prometheus.query(counted(recorded(chosen(panel.expr))), at));
      const expected = EXPECTED[panel.name]?.(said) ?? {};
      expect(Object.keys(expected).length).toBeGreaterThan(0);
      for (const [label, value] of Object.entries(expected)) {
        // Percent of the API have two decimals, its hours likewise.
        expect(
          found[label] ?? (value === 0 ? 0 : undefined),
          `${label} of ${JSON.stringify(found)}`,
        ).toBeCloseTo(value, 2);
      }
      // What is not in the answer has nothing to show.
      for (const [label, value] of Object.entries(found)) {
        if (!(label in expected) && !WINDOWS_OF_ROWS.has(label)) expect(value, label).toBe(0);
      }
    });

    it('compares every panel that it says it does', () => {
      const names = new Set(panels.map(({ name }) => name));
      for (const name of Object.keys(EXPECTED)) expect(names, name).toContain(name);
    });

    it('has the quantile of the histogram beside that of the window', async () => {
      const [panel] = panels.filter(({ name }) => name === 'p95 and average, with exemplars A');
      const [found] = await prometheus.query(counted(chosen(panel?.expr ?? '')), at);
      // 3 s lies in the bucket of 2.5 to 5 s.
      expect(said.operations.duration_p95_ms).toBeCloseTo(3_000, -2);
      expect(found?.value).toBeGreaterThan(2.5);
      expect(found?.value).toBeLessThanOrEqual(5);
    });

    it('has data for every recording rule', async () => {
      const { groups } = parse(readRoot('dashboards/prometheus/rules/recording.yml'));
      for (const { record, expr } of groups[0].rules) {
        const [kept, asked] = [await prometheus.query(record, at), await prometheus.query(expr, at)];
        expect(kept.length, record).toBeGreaterThan(0);
        expect(kept.length, record).toBe(asked.length);
      }
    });

    it('has the series that are exposed, and no other', async () => {
      const found = await prometheus.query(
        '{job="customer-sync-monitor",__name__!~"up|scrape_.+|ALERTS.*|sync:.+"}',
        at,
      );
      const kept = new Map(found.map(({ labels, value }) => [keyOf(labels), value]));
      expect(kept.size).toBe(found.length);
      const both = (name: string) => before.has(name) && after.has(name);
      const exposed = [...after.keys()].filter(both);
      expect(exposed.length).toBeGreaterThan(800);
      expect(exposed.filter((name) => !kept.has(name))).toEqual([]);
      expect([...kept.keys()].filter((name) => !before.has(name) && !after.has(name))).toEqual([]);
      const still = exposed.filter((name) => before.get(name) === after.get(name));
      expect(still.length).toBeGreaterThan(800);
      const other = still.filter((name) => kept.get(name) !== after.get(name));
      // A value may have gone there and back in between.
      expect(
        other.filter(
          (name) =>
            !/^(nodejs|process|sync_(db|component|host)|sync_monitor_(lag|unsealed|seal))_/.test(name),
        ),
      ).toEqual([]);
    });

    it('reads names and units that promtool has nothing against, of Celery too', async () => {
      const { stderr, status } = spawnSync('promtool', ['check', 'metrics'], {
        ...{ input: await ask<string>('/metrics/celery'), encoding: 'utf8' },
      });
      expect(stderr).toBe('');
      expect(status).toBe(0);
    });

    it('has the correlation ids of durations as exemplars', async () => {
      const query = encodeURIComponent('sync_operation_duration_seconds_bucket');
      const found = await prometheus.get<{ exemplars: { labels: Record<string, string> }[] }[]>(
        `/api/v1/query_exemplars?query=${query}&start=${at - 600}&end=${at + 600}`,
      );
      const ids = found.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.correlation_id));
      expect(ids.length).toBeGreaterThan(0);
      for (const id of ids) expect(id).toMatch(/^run-\d+$/);
    });
  });

  it('loses the series of a type that has left its window, and keeps no other', async () => {
    const brief = 'sync_window_error_ratio{window="1m",operation_type="brief"}';
    const there = async () => (await prometheus.query(brief)).length;
    await client.query(`INSERT INTO customer_sync_logs (operation_type, status, created_at)
      VALUES ('brief', 'error', now() - interval '50 s')`);
    await until(async () => (await there()) === 1, 'the type is there');
    await until(async () => (await there()) === 0, 'the type has gone');
    const [hour] = await prometheus.query(brief.replace('1m', '1h'));
    expect(hour?.value).toBe(1);
  });

  it('met no sample twice, none out of order, and no scrape that failed', async () => {
    const jobs = await prometheus.query('min_over_time(up[10m])');
    expect(jobs.map(({ value }) => value)).toEqual([1, 1]);
    expect(await prometheus.faults()).toEqual([]);
  });

  it.runIf(redisInstalled)(
    'fires when a component goes, as the monitor does',
    async () => {
      await redis?.kill();
      const wanted = celeryInstalled ? ['celery_workers_down', 'redis_unavailable'] : ['redis_unavailable'];
      const among = (rules: readonly (string | undefined)[]) => wanted.filter((rule) => rules.includes(rule));
      await until(
        async () => among((await api()).firing).length === wanted.length,
        'the monitor fires',
        90_000,
      );
      const firing = async () =>
        (await prometheus.alerts())
          .filter(({ state }) => state === 'firing')
          .map(({ labels }) => labels.rule);
      await until(async () => among(await firing()).length === wanted.length, 'Prometheus fires', 90_000);
    },
    240_000,
  );
});

/** The rows of this test may have left the shortest window. */
const WINDOWS_OF_ROWS = new Set(['1m']);
