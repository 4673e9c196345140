/** The public class, as a program that imports the package sees it. */
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type CustomerSyncMonitor,
  type MonitorConfig,
  NotReadyError,
  startMonitor,
  TableError,
} from '../../src/index.js';
import type { FeedEvent } from '../../streams/event.js';
import type { Snapshot } from '../../streams/snapshot.js';
import { freshDatabase, sharedVersions, type TestDatabase } from '../setup/database.js';
import { ask, type Cluster, startCluster } from '../setup/postgres.js';
import { until } from '../source/collector.js';
import { createTable } from '../source/tables.js';
import { agree } from './agree.js';
import { businessDifferences, operationDifferences } from './oracle.js';

const HOUR = 3_600_000;

describe.each(sharedVersions())('CustomerSyncMonitor on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let client: pg.Client;
  let monitor: CustomerSyncMonitor;
  let log: string[];

  beforeEach(async () => {
    db = await freshDatabase(version);
    client = new pg.Client(db.url);
    await client.connect();
    log = [];
  });
  afterEach(async () => {
    await monitor?.stop();
    await client.end();
    await db.drop();
  });

  async function start(config: Partial<MonitorConfig> = {}): Promise<CustomerSyncMonitor> {
    const say = (_: object, message: string) => void log.push(message);
    monitor = await startMonitor({
      databaseUrl: db.url,
      log: { info: say, warn: say, error: say },
      ...config,
    });
    return monitor;
  }

  const ready = () =>
    until(() => monitor.latest()?.completeness.state === 'complete', 'the first full snapshot');

  const insert = (values: string) =>
    client.query(
      `INSERT INTO customer_sync_logs (operation_type, status, customer_id, duration_ms, details, created_at) ${values}`,
    );

  test('gives the live windows without bounds and any period with them, and both agree with the table', async () => {
    await insert(`SELECT 'conflict_resolution', 'success', n, n, '{"conflict_source": "data_import"}', now() - n * interval '1 minute'
      FROM generate_series(1, 300) n`);
    await start({ manualResolutionMinutes: 30, hourCost: 10 });
    await insert(
      `VALUES ('import_from_1c', 'failed', 1, 5, NULL, now()), ('export_to_1c', 'pending', 2, NULL, NULL, now())`,
    );
    await agree(monitor, client);

    const live = await monitor.getOperationMetrics();
    expect(live).not.toHaveProperty('business');
    expect(live.total_operations).toBe(302);
    expect(await operationDifferences(client, 'live', live, 'customer_sync_logs')).toEqual([]);
    const period = [new Date(Date.now() - 2 * HOUR), new Date(Date.now() - HOUR)] as const;
    const past = await monitor.getOperationMetrics(...period);
    expect(past.period_start).toBe(period[0].toISOString());
    expect(past.total_operations).toBeGreaterThan(50);
    expect(await operationDifferences(client, 'past', past, 'customer_sync_logs')).toEqual([]);
    // A start alone runs until now, an end alone begins a day before it.
    const since = await monitor.getOperationMetrics(period[0]);
    expect(Date.parse(since.period_end)).toBeGreaterThan(Date.parse(past.period_end));
    const until24 = await monitor.getOperationMetrics(undefined, period[1]);
    expect(Date.parse(until24.period_end) - Date.parse(until24.period_start)).toBe(24 * HOUR);

    const business = await monitor.getBusinessMetrics();
    expect(business).toMatchObject({
      conflicts_resolved: { data_import: 300 },
      automation_hours_saved: 150,
      automation_money_saved: 1_500,
    });
    const ofPeriod = await monitor.getBusinessMetrics(...period);
    expect(await businessDifferences(client, 'past', ofPeriod, 'customer_sync_logs')).toEqual([]);
    expect(ofPeriod.automation_money_saved).toBe(ofPeriod.total_conflicts_resolved * 5);

    const now = monitor.getRealTimeMetrics();
    const window = monitor.latest()?.windows['5m'];
    expect(now).toMatchObject({
      operations_last_5min: window?.total_operations,
      errors_last_5min: 1,
      current_error_rate: window?.error_rate,
      pending_operations: 1,
      duration_p95_ms: window?.duration_p95_ms,
      completeness: { state: 'complete', ratio: 1, reasons: [] },
    });

    const hours = await monitor.getHourlyBreakdown(new Date(Date.now() - 7 * HOUR), new Date());
    expect(hours).toHaveLength(8);
    expect(hours[0]).toEqual({
      hour: expect.stringMatching(/T\d\d:00:00\.000Z$/),
      total_operations: 0,
      successful_operations: 0,
      failed_operations: 0,
      success_rate: null,
      avg_duration_ms: null,
      p95_duration_ms: null,
      p99_duration_ms: null,
      by_type: {},
    });
    expect(hours.reduce((sum, hour) => sum + hour.total_operations, 0)).toBe(302);
    const failed = hours.find((hour) => hour.failed_operations > 0);
    expect(failed?.by_type.import_from_1c).toMatchObject({ failed_operations: 1, avg_duration_ms: 5 });

    const series = await monitor.getSeries(new Date(Date.now() - 6 * HOUR), new Date(Date.now() + HOUR), 300);
    const { points } = series;
    expect(points.reduce((sum, point) => sum + point.total_operations, 0)).toBe(302);
    // None of the future, and only the newest one is not over.
    expect(points.filter(({ partial }) => partial)).toEqual([points.at(-1)]);
    expect(Date.parse(series.period_end)).toBe(Date.parse(points.at(-1)?.start ?? '') + 300_000);
    // What waited before the monitor came is not known.
    expect([points[0]?.pending_max, points.at(-1)?.pending_max, points.at(-1)?.export_queue_max]).toEqual([
      ...[null, 1, 1],
    ]);
    const tomorrow = [new Date(Date.now() + HOUR), new Date(Date.now() + 2 * HOUR)] as const;
    expect((await monitor.getSeries(...tomorrow, 60)).points).toEqual([]);
  });

  test('hands on immutable snapshots and each live row once, and can replay them', async () => {
    await insert(`VALUES ('created', 'success', NULL, NULL, NULL, now())`);
    await start();
    const snapshots: Snapshot[] = [];
    const events: FeedEvent[] = [];
    monitor.snapshots$.subscribe((one) => void snapshots.push(one));
    monitor.events$.subscribe((some) => void events.push(...some));
    await ready();
    expect(monitor.totals()).toBeDefined();
    const first = monitor.latest() as Snapshot;
    const text = JSON.stringify(first);
    await insert(`VALUES ('updated', 'pending', 7, NULL, NULL, now())`);
    await client.query(`UPDATE customer_sync_logs SET status = 'success' WHERE status = 'pending'`);
    await until(() => events.some(({ status }) => status === 'success'), 'the event');
    await until(() => monitor.latest()?.windows['1m'].success_count === 2, 'the new snapshot');
    expect(JSON.stringify(first)).toBe(text);
    expect(snapshots.at(-1)).toBe(monitor.latest());
    // What was there before is no event. Seen pending or not, it arrives as one row.
    expect(new Set(events.map(({ id }) => id)).size).toBe(1);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
    expect(monitor.replay({ epoch: monitor.epoch, seq: 0 })).toEqual({ events });
    expect(monitor.replay({ epoch: 'another', seq: 0 })).toEqual({
      gap: { from_seq: 1, to_seq: events.length },
    });
  });

  test('says how it is: healthy, then deaf where its trigger was taken away', async () => {
    await start();
    await until(() => monitor.source().bell.mode === 'armed', 'armed');
    await ready();
    expect(monitor.getSystemHealth()).toMatchObject({
      is_healthy: true,
      status: 'healthy',
      components: {
        database: { component: 'database', available: true, status: 'healthy', message: 'answers' },
        listener: { component: 'listener', available: true, status: 'healthy' },
      },
      critical_issues: [],
    });
    await client.query('DROP TRIGGER sync_monitor_bell ON customer_sync_logs');
    await until(() => monitor.source().bell.mode === 'dead', 'the bell is found dead');
    const health = monitor.getSystemHealth();
    expect(health).toMatchObject({ is_healthy: false, status: 'degraded' });
    expect(health.components.listener?.message).toBe(
      'the bell is dead: its trigger is not on the table; rows are found by polling',
    );
    await insert(`VALUES ('created', 'success', NULL, NULL, NULL, now())`);
    await agree(monitor, client);
  });

  test('fails at once where it cannot work at all', async () => {
    await expect(start({ table: 'nowhere' })).rejects.toThrow(TableError);
    const wrong = new URL(db.url);
    wrong.pathname = '/no_such_database';
    await expect(start({ databaseUrl: wrong.href })).rejects.toThrow('does not exist');
    await expect(start({ databaseUrl: 'postgres://127.0.0.1:1/x' })).rejects.toThrow('ECONNREFUSED');
    await start({ migrate: false });
    await ready();
    expect(await ask(db.url, `SELECT to_regnamespace('sync_monitor')::text AS schema`)).toEqual([
      { schema: null },
    ]);
    expect(monitor.source().bell.mode).toBe('dead');
  });

  test('has no live numbers before the first scan, and leaves no connection behind', async () => {
    await insert(`SELECT 'created', 'success', NULL, n, NULL, now() FROM generate_series(1, 10) n`);
    await start();
    // In the same turn: nothing can have been read yet.
    expect(() => monitor.getRealTimeMetrics()).toThrow(NotReadyError);
    expect(() => monitor.getRealTimeMetrics()).toThrow(expect.objectContaining({ code: 'starting' }));
    // What the window does not hold yet the table answers.
    const day = await monitor.getOperationMetrics();
    expect(await operationDifferences(client, 'the day', day, 'customer_sync_logs')).toEqual([]);
    await ready();
    await monitor.stop();
    await monitor.stop();
    expect(monitor.source().role).toBe('stopped');
    await until(async () => {
      const { rows } = await client.query(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
      return rows[0].n === 0;
    }, 'every connection is closed');
  });

  test('every connection of it carries its name, whatever the URL says', async () => {
    const url = new URL(db.url);
    url.searchParams.set('application_name', 'somebody else');
    await start({ databaseUrl: url.href });
    await ready();
    await monitor.getOperationMetrics(new Date(0));
    const { rows } = await client.query(
      `SELECT application_name AS name, count(*)::int AS n FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid() GROUP BY 1`,
    );
    expect(rows.map(({ name }) => name)).toEqual(['customer-sync-monitor']);
    expect(rows[0].n).toBeLessThanOrEqual(6);
  });

  test('answers for a table that the owner changes meanwhile', async () => {
    await client.query(createTable('changing', { created_at: 'timestamptz DEFAULT clock_timestamp()' }));
    await start({ table: 'changing' });
    await ready();
    const add = () =>
      client.query(`INSERT INTO changing (operation_type, status) VALUES ('conflict_resolution', 'success')`);
    const counted = (n: number) =>
      until(() => monitor.latest()?.windows['1h'].total_operations === n, `${n} rows`);
    await add();
    await counted(1);
    await client.query(
      'ALTER TABLE changing DROP COLUMN duration_ms, DROP COLUMN details, DROP COLUMN customer_id',
    );
    await add();
    await counted(2);
    const period = [new Date(Date.now() - HOUR), new Date(Date.now() + HOUR)] as const;
    expect(await monitor.getOperationMetrics(...period)).toMatchObject({
      total_operations: 2,
      duration_count: 0,
    });
    expect(await monitor.getBusinessMetrics(...period)).toMatchObject({
      total_conflicts: 2,
      conflicts_resolved: { unknown: 2 },
    });
    expect(monitor.source().warnings).toHaveLength(3);
    await client.query('ALTER TABLE changing ADD COLUMN duration_ms int, ADD COLUMN details jsonb');
    await client.query(`ALTER TABLE changing ALTER status TYPE text, ALTER operation_type TYPE varchar(80)`);
    await add();
    await counted(3);
    expect(monitor.source()).toMatchObject({ connected: true, resets: 0 });
  });
});

test('an outage is said once, numbers are refused for what cannot be asked, and all of it heals', async () => {
  const cluster: Cluster = await startCluster({ fsync: false });
  let monitor: CustomerSyncMonitor | undefined;
  try {
    const url = cluster.url(await cluster.createDatabase());
    await ask(url, createTable('customer_sync_logs'));
    const log: string[] = [];
    const say = (level: string) => (_: object, message: string) => void log.push(`${level}: ${message}`);
    monitor = await startMonitor({
      databaseUrl: url,
      log: { info: say('info'), warn: say('warn'), error: say('error') },
    });
    const here = monitor;
    await until(() => here.latest()?.completeness.state === 'complete', 'it follows');
    await cluster.stop('fast');
    await until(() => !here.source().connected, 'the outage is seen');
    expect(here.getSystemHealth()).toMatchObject({
      is_healthy: false,
      status: 'unhealthy',
      components: { database: { status: 'unhealthy' } },
      critical_issues: [{ component: 'database' }],
    });
    await until(() => here.latest()?.completeness.state === 'unknown', 'the snapshot says it');
    expect(here.latest()?.lag_ms).toBeNull();
    await expect(here.getOperationMetrics(new Date(0), new Date())).rejects.toThrow(
      expect.objectContaining({ code: 'database_unavailable' }),
    );
    await cluster.start();
    await ask(url, `INSERT INTO customer_sync_logs (operation_type, status) VALUES ('created', 'success')`);
    await until(() => here.latest()?.windows['1h'].total_operations === 1, 'it follows again');
    await until(() => here.getSystemHealth().is_healthy, 'it is healthy again');
    expect((await here.getOperationMetrics(new Date(Date.now() - HOUR), new Date())).total_operations).toBe(
      1,
    );
    expect(log.filter((line) => line.startsWith('error'))).toHaveLength(1);
    expect(log.filter((line) => line.includes('reading again after'))).toHaveLength(1);
    expect(here.source().resets).toBe(1);
  } finally {
    await monitor?.stop();
    await cluster.destroy();
  }
});
