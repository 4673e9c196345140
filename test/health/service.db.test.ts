/** Health of a real monitor with everything around it: up, down, hanging, not there. */
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { type AlertsConfig, alertsConfig } from '../../src/alert-settings.js';
import { parseConfig } from '../../src/config.js';
import { type HealthConfig, healthConfig } from '../../src/health-settings.js';
import { createAccess } from '../../src/http/auth.js';
import { resourcesAnswer, schedulesAnswer, systemHealth } from '../../src/http/health-schemas.js';
import { createApp } from '../../src/http/routes.js';
import { startMonitor } from '../../src/monitor.js';
import { redisInstalled, startRedis } from '../alerts/redis.js';
import { startProxy } from '../faults/proxy.js';
import { NO_CLIENTS } from '../http/view.js';
import { freshDatabase, newestVersion } from '../setup/database.js';
import { ask, startCluster } from '../setup/postgres.js';
import { until } from '../source/collector.js';
import { createTable } from '../source/tables.js';
import { httpStandIn, tcpStandIn } from './stand-in.js';

const ends: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** What the settings make of alerts and health. */
function settings(env: Readonly<Record<string, string>>): { alerts: AlertsConfig; health: HealthConfig } {
  const result = parseConfig({ env, dotenv: {}, flags: {}, readSecret: () => '' });
  if (!('config' in result)) throw new Error(result.problems.join('\n'));
  return { alerts: alertsConfig(result.config), health: healthConfig(result.config) };
}

const FAST = { HEALTH_CHECK_INTERVAL: '1', HEALTH_CHECK_TIMEOUT: '0.6' };

async function open(databaseUrl: string, env: Readonly<Record<string, string>> = {}) {
  const log: string[] = [];
  const say = (_: object, message: string) => void log.push(message);
  const monitor = await startMonitor({
    ...{ databaseUrl, log: { info: say, warn: say, error: say } },
    ...settings({ ...FAST, ...env }),
  });
  ends.push(() => monitor.stop());
  const failures: unknown[] = [];
  const app = createApp(monitor, {
    ...{ access: createAccess({ host: '127.0.0.1' }), liveStats: () => NO_CLIENTS, version: '0' },
    ...{ metricsCacheTtl: 0, onError: (error) => failures.push(error) },
  });
  ends.push(() => expect(failures).toEqual([]));
  const get = async (path: string) => app.request(path);
  await until(() => monitor.latest()?.completeness.state === 'complete', 'it follows');
  return {
    ...{ monitor, get, log },
    health: async () => {
      const response = await get('/api/monitoring/health/');
      return { code: response.status, ...systemHealth.parse(await response.json()) };
    },
    schedules: async () =>
      schedulesAnswer.parse(await (await get('/api/monitoring/schedules/')).json()).schedules,
    resources: async () => resourcesAnswer.parse(await (await get('/api/monitoring/resources/')).json()),
    metrics: async () => (await get('/metrics')).text(),
    component: (name: string) => monitor.getSystemHealth().components[name],
    rule: (name: string) =>
      monitor
        .alerts()
        ?.rules()
        .find((rule) => rule.name === name),
  };
}

async function database(version?: 15 | 18): Promise<string> {
  const db = await freshDatabase(version);
  ends.push(() => db.drop());
  return db.url;
}

describe('what is not configured', () => {
  it('is shown as such, has no metric, and alerts nobody', async () => {
    const it = await open(await database());
    await until(() => it.component('cpu') !== undefined, 'the first checks');
    await until(() => it.component('database')?.details !== undefined, 'the database too');
    await until(() => it.monitor.getSystemHealth().status === 'healthy', 'nothing is wanting');
    const { components, code } = await it.health();
    expect(code).toBe(200);
    for (const [name, variable] of [
      ['redis', 'REDIS_URL'],
      ['disk', 'HEALTH_CHECK_DISK_PATH'],
      ['onec_api', 'HEALTH_CHECK_1C_API_URL'],
    ] as const)
      expect(components[name]).toMatchObject({
        ...{ available: false, status: 'not_configured', message: `${variable} is not set` },
        ...{ response_time_ms: null, consecutive_failures: 0 },
      });
    await until(() => it.rule('api_unavailable') !== undefined, 'the rules decide');
    for (const name of ['api_unavailable', 'redis_unavailable', 'disk_space'])
      await until(() => it.rule(name)?.reason === 'no_data', `${name} has nothing to judge`);
    const metrics = await it.metrics();
    expect(metrics).not.toMatch(/component="(redis|disk|onec_api)"/);
    expect(metrics).not.toMatch(/^sync_disk_used_ratio/m);
    expect(metrics).toContain('sync_component_up{component="database"} 1\n');
  });
});

describe.each(newestVersion())('the database (PostgreSQL %i)', (version) => {
  it('has its connections counted by state as the server counts them', async () => {
    const url = await database(version);
    const others = await Promise.all([1, 2, 3].map(() => connect(url)));
    const [first, second] = others;
    await first?.query('BEGIN');
    await second?.query('BEGIN');
    await second?.query('SELECT 1 / 0').catch(() => undefined);
    const it = await open(url);
    await until(() => {
      const found = it.component('database')?.details?.connections as Record<string, number> | undefined;
      return found?.idle_in_transaction === 1 && found.idle_in_transaction_aborted === 1;
    }, 'those in a transaction are seen');
    const { now } = await it.resources();
    const [{ max } = {}] = await ask(url, `SELECT current_setting('max_connections')::int AS max`);
    expect(now.db_connections_max).toBe(max);
    const all = Object.values(now.db_connections ?? {}).reduce((sum, n) => sum + n, 0);
    expect(now.db_connections_used).toBe(all);
    const metrics = await it.metrics();
    expect(metrics).toContain('sync_db_connections{state="idle_in_transaction_aborted"} 1\n');
    expect(metrics).toMatch(new RegExp(`^sync_db_connections_max ${max}$`, 'm'));
    expect(metrics).toMatch(/^sync_host_memory_used_bytes \d{7,}$/m);
    await until(async () => /^sync_host_cpu_ratio [01]/m.test(await it.metrics()), 'the CPU is measured');
    expect(metrics).toMatch(/^sync_component_response_seconds\{component="database"\} \d+(\.\d+)?$/m);
  });

  it('is crowded above nine tenths of its connections, for a role that may see little too', async () => {
    const cluster = await startCluster({ version, fsync: false, settings: { max_connections: '30' } });
    ends.push(() => cluster.destroy());
    const url = cluster.url(await cluster.createDatabase());
    await ask(url, createTable('customer_sync_logs'));
    await ask(
      url,
      `CREATE ROLE small LOGIN; GRANT SELECT ON customer_sync_logs TO small;
      GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO small`,
    );
    const small = new URL(url);
    small.username = 'small';
    const it = await open(small.href);
    await until(() => it.component('database')?.details !== undefined, 'the first check');
    expect(it.component('database')?.status).toBe('healthy');
    for (let used = Number(it.component('database')?.details?.connections_used); used <= 27; used++)
      await connect(url);
    await until(() => it.component('database')?.status === 'degraded', 'it is crowded');
    expect(it.component('database')).toMatchObject({
      ...{
        available: true,
        message: expect.stringMatching(/^answers; (28|29|30) of 30 connections are used$/),
      },
      details: { connections: { hidden: expect.any(Number) }, connections_max: 30 },
    });
    // No alerts for a role that may not keep them; health tells.
    expect(await it.health()).toMatchObject({ code: 200, status: 'degraded' });
  });
});

it('a database that is stopped is told of at once, since when, and recovers by itself', async () => {
  const cluster = await startCluster({ fsync: false });
  ends.push(() => cluster.destroy());
  const url = cluster.url(await cluster.createDatabase());
  await ask(url, createTable('customer_sync_logs'));
  const it = await open(url);
  await until(() => it.component('database')?.details !== undefined, 'the first check');
  const well = it.component('database');
  await until(() => it.rule('database_connection') !== undefined, 'the rules decide');
  await cluster.stop('fast');
  await until(async () => (await it.get('/api/health/')).status === 503, 'it is told');
  const down = await it.health();
  expect(down).toMatchObject({
    ...{ code: 503, status: 'unhealthy', critical_issues: [{ component: 'database' }] },
    components: { database: { available: false, response_time_ms: null } },
  });
  expect(down.critical_issues).toHaveLength(1);
  await until(() => /ECONNREFUSED/.test(it.component('database')?.message ?? ''), 'the check knows why');
  await until(
    () => (it.component('database')?.consecutive_failures ?? 0) >= 3,
    'it is asked again and again',
  );
  const still = it.component('database');
  expect(still?.since).toBe(down.components.database?.since);
  expect(Date.parse(still?.since ?? '')).toBeGreaterThan(Date.parse(well?.since ?? ''));
  await until(() => it.rule('database_connection')?.state === 'firing', 'the rule fires');
  expect(await it.metrics()).toContain('sync_component_up{component="database"} 0\n');
  const schedule = (await it.schedules()).find(({ name }) => name === 'health:database');
  expect(schedule).toMatchObject({ last_outcome: 'failed', last_message: expect.any(String) });

  await cluster.start();
  await until(async () => (await it.get('/api/health/')).status === 200, 'it recovers');
  await until(() => it.component('database')?.response_time_ms != null, 'and is asked');
  const again = it.component('database');
  expect(again).toMatchObject({ available: true, status: 'healthy', consecutive_failures: 0 });
  expect(Date.parse(again?.since ?? '')).toBeGreaterThan(Date.parse(still?.since ?? ''));
});

it.runIf(redisInstalled)('every check hangs at the same time, and health answers at once', async () => {
  const redis = await startRedis();
  ends.push(() => redis.kill());
  const onec = await tcpStandIn(() => undefined);
  ends.push(() => onec.close());
  const direct = await database();
  const [toDatabase, toRedis] = await Promise.all(
    [direct, redis.url].map((url) => startProxy(Number(new URL(url).port))),
  );
  if (!toDatabase || !toRedis) throw new Error('no proxies');
  ends.push(() => Promise.all([toDatabase.close(), toRedis.close()]));
  const it = await open(toDatabase.url(direct), {
    REDIS_URL: toRedis.url(redis.url),
    HEALTH_CHECK_1C_API_URL: onec.url,
  });
  await until(() => it.component('redis')?.status === 'healthy', 'Redis is up');
  const running = async (name: string) =>
    (await it.schedules()).find((one) => one.name === `health:${name}`)?.running;
  toDatabase.blackhole();
  toRedis.blackhole();
  const names = ['database', 'redis', 'onec_api'];
  await until(async () => {
    const all = await Promise.all(names.map(running));
    return all.every((one) => one === true);
  }, 'all of them hang');
  const times: number[] = [];
  for (let i = 0; i < 20; i++) {
    const began = performance.now();
    const response = await it.get('/api/health/');
    await response.text();
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  console.log(`with every check hanging /api/health/ took ${times[10]?.toFixed(1)} ms (median of 20)`);
  expect(times[10]).toBeLessThan(100);
  for (const name of names)
    await until(() => it.component(name)?.available === false, `${name} is found to hang`);
  expect(it.component('redis')?.message).toBe('no answer within 0.6 s');
  expect(onec.connections.most).toBeLessThanOrEqual(2);
  await until(
    () => (it.component('onec_api')?.consecutive_failures ?? 0) >= 3,
    'it is asked again and again',
  );
  expect(onec.connections.most).toBeLessThanOrEqual(2);
  toDatabase.heal();
  toRedis.heal();
  await until(() => it.component('redis')?.status === 'healthy', 'Redis is back');
  await until(() => it.component('database')?.status === 'healthy', 'the database is back');
});

it('HEALTH_CRITICAL makes the whole unhealthy by what would degrade it', async () => {
  let up = true;
  const onec = await httpStandIn((_, response) => void response.writeHead(up ? 200 : 500).end());
  ends.push(() => onec.close());
  const url = await database();
  const env = { HEALTH_CHECK_1C_API_URL: onec.url.replace('//', '//u:s3cret@') };
  const critical = await open(url, { ...env, HEALTH_CRITICAL: 'onec_api' });
  // On another database: not only the standby of the first.
  const usual = await open(await database(), env);
  for (const one of [critical, usual])
    await until(() => one.component('onec_api')?.status === 'healthy', '1C is up');
  up = false;
  for (const one of [critical, usual])
    await until(() => one.component('onec_api')?.available === false, '1C is down');
  expect(await critical.health()).toMatchObject({
    ...{ code: 503, status: 'unhealthy', critical_issues: [{ component: 'onec_api' }] },
  });
  const open503 = await critical.get('/api/health/');
  expect(open503.status).toBe(503);
  expect(await open503.json()).toMatchObject({
    ...{ status: 'unhealthy', error: { code: 'unhealthy', message: 'Unhealthy: onec_api.' } },
  });
  // It has numbers to serve all the same.
  expect((await critical.get('/readyz')).status).toBe(200);
  expect(await usual.health()).toMatchObject({ code: 200, status: 'degraded', critical_issues: [] });
  expect((await usual.get('/api/health/')).status).toBe(200);
  await until(() => usual.rule('api_unavailable')?.state === 'pending', 'the rule waits for its minute');
  expect(usual.log.filter((line) => line.startsWith('onec_api is degraded: answers 500'))).toHaveLength(1);
  up = true;
  await until(() => usual.log.some((line) => line.startsWith('onec_api is healthy')), 'its end is told');
  expect(usual.log.join('\n')).not.toContain('s3cret');
});

it('schedules are there with their last run and their next', async () => {
  const it = await open(await database());
  const done = async (name: string) => (await it.schedules()).find((one) => one.name === name);
  for (const name of ['health:database', 'health:memory', 'health:cpu', 'flush', 'audit'])
    await until(async () => (await done(name))?.last_outcome === 'succeeded', `${name} has run`);
  const all = await it.schedules();
  expect(all.map(({ name, every_seconds, cron }) => [name, every_seconds ?? cron])).toEqual([
    ['health:database', 1],
    ['health:memory', 1],
    ['health:cpu', 1],
    ['flush', 3],
    ['audit', 10],
    ['coarse', 20],
    ['retention', '0 3 * * *'],
  ]);
  const retention = all.at(-1);
  expect(retention).toMatchObject({ runs: 0, last_run_at: null, last_outcome: null, running: false });
  expect(new Date(retention?.next_run_at ?? '').getHours()).toBe(3);
  const first = await done('health:database');
  expect(first?.last_duration_ms).toBeGreaterThan(0);
  await until(async () => ((await done('health:database'))?.runs ?? 0) > (first?.runs ?? 0), 'it runs again');
});

it('a schedule that fails says why, is tried again soon, and goes on', async () => {
  const url = await database();
  const it = await open(url);
  const flush = async () => (await it.schedules()).find(({ name }) => name === 'flush');
  await until(async () => (await flush())?.last_outcome === 'succeeded', 'it is flushed');
  await ask(url, 'ALTER TABLE sync_monitor.checkpoint RENAME TO hidden');
  await ask(url, `INSERT INTO customer_sync_logs (operation_type, status) VALUES ('created', 'success')`);
  await until(async () => ((await flush())?.consecutive_failures ?? 0) >= 2, 'it fails again and again');
  const failing = await flush();
  expect(failing).toMatchObject({
    last_outcome: 'failed',
    last_message: expect.stringMatching(/checkpoint/),
  });
  expect(Date.parse(failing?.next_run_at ?? '') - Date.now()).toBeLessThan(30_000);
  await ask(url, 'ALTER TABLE sync_monitor.hidden RENAME TO checkpoint');
  await until(async () => (await flush())?.last_outcome === 'succeeded', 'it is flushed again');
  expect(await flush()).toMatchObject({ consecutive_failures: 0, last_message: null });
});

it('an import shows what was used while its rows flowed', async () => {
  const url = await database();
  const it = await open(url);
  await until(() => it.component('memory') !== undefined, 'the first check');
  const client = await connect(url);
  const insert = (id: string, status: string) =>
    client.query(
      `INSERT INTO customer_sync_logs (operation_type, status, correlation_id)
       VALUES ('import_from_1c', $2, $1), ('export_to_1c', 'success', $1)`,
      [id, status],
    );
  await insert('run-1', 'success');
  await insert('run-1', 'error');
  const run = async () =>
    (await it.resources()).imports.running.find(({ correlation_id }) => correlation_id === 'run-1');
  await until(async () => (await run())?.rows === 2, 'its rows are seen');
  await until(async () => {
    const { memory_used_bytes, cpu_used_ratio, db_connections_used } = (await run())?.peak ?? {};
    return (memory_used_bytes ?? 0) > 0 && cpu_used_ratio != null && (db_connections_used ?? 0) > 0;
  }, 'what was used is measured');
  expect(await run()).toMatchObject({ errors: 1, running: true });
  const crowd = await Promise.all([1, 2, 3, 4, 5].map(() => connect(url)));
  const before = (await run())?.peak.db_connections_used ?? 0;
  await until(async () => ((await run())?.peak.db_connections_used ?? 0) >= before + 5, 'the peak rises');
  await Promise.all(crowd.map((one) => one.end()));
  await until(
    async () => ((await it.resources()).now.db_connections_used ?? 0) < before + 5,
    'they are gone',
  );
  expect((await run())?.peak.db_connections_used).toBeGreaterThanOrEqual(before + 5);
});

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  // Its database is dropped under it at the end.
  client.on('error', () => undefined);
  await client.connect();
  ends.push(() => client.end());
  return client;
}
