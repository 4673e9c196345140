/** From real rows to a real receiver: the whole way, with nothing put in between. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alertsConfig } from '../../src/alert-settings.js';
import { parseConfig } from '../../src/config.js';
import { type CustomerSyncMonitor, startMonitor } from '../../src/monitor.js';
import type { MonitorConfig } from '../../src/monitor-types.js';
import type { AlertMessage } from '../../streams/alerts-view.js';
import { freshDatabase, sharedVersions, type TestDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { until } from '../source/collector.js';
import { type Receiver, SECRET, say, startReceiver, verify } from './receiver.js';
import { redisInstalled, startRedis } from './redis.js';

const RULE = 'realtime_error_rate';
/** Every other standard rule over errors would fire with it: one is enough to count. */
const only = (rule: string) => `rules:
  ${rule}: { resolve_for: 1s }
  ${[RULE, 'high_error_rate', 'failed_operations_spike', 'slo_fast_burn', 'slo_slow_burn', 'monitor_degraded']
    .filter((name) => name !== rule)
    .map((name) => `${name}: { enabled: false }`)
    .join('\n  ')}
`;
const ONLY_ONE = only(RULE);
/**
 * From the commit of the row that crosses the line to the notice in the receiver's hands, ms. The issue asks for 5 s; it
 * takes one or two, a step of the rules being each second. More here, so that a machine that is busy with other tests
 * does not fail it.
 */
const LATEST_NOTICE_MS = 10_000;
const EMAIL = 'ivan.petrov@example.org';
const PHONE = '+7 916 123-45-67';
const TAX_NUMBER = '7707083893';
const PERSONAL = new RegExp(
  `${EMAIL.replaceAll('.', '\\.')}|ivan\\.petrov|916.?123.?45.?67|9161234567|${TAX_NUMBER}`,
);

describe.each(sharedVersions())('alerts beside a monitor on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let client: pg.Client;
  let receiver: Receiver;
  let folder: string;
  let log: string[];
  const running: CustomerSyncMonitor[] = [];

  beforeEach(async () => {
    db = await freshDatabase(version);
    client = new pg.Client(db.url);
    await client.connect();
    receiver = await startReceiver();
    folder = await mkdtemp(join(tmpdir(), 'alerts-'));
    log = [];
  });
  afterEach(async () => {
    for (const monitor of running.splice(0)) await monitor.stop();
    await client.end();
    await receiver.close();
    await db.drop();
    await rm(folder, { recursive: true });
  });

  async function start(
    rules = ONLY_ONE,
    more: Partial<MonitorConfig> = {},
    settings: Record<string, string> = {},
  ): Promise<CustomerSyncMonitor> {
    await writeFile(join(folder, 'rules.yaml'), rules);
    const env = {
      WEBHOOK_ALERT_URL: receiver.url,
      WEBHOOK_SECRET: SECRET,
      ALERT_RULES_FILE: 'rules.yaml',
      ALERT_RATE_LIMIT_SECONDS: '0',
      ...settings,
    };
    const result = parseConfig({ env, dotenv: {}, flags: {}, readSecret: () => '' });
    if (!('config' in result)) throw new Error(result.problems.join('\n'));
    const write = (level: string) => (fields: object, message: string) =>
      void log.push(
        `${level} ${message} ${JSON.stringify(fields, (_, value) => (value instanceof Error ? `${value}` : value))}`,
      );
    const monitor = await startMonitor({
      databaseUrl: db.url,
      alerts: alertsConfig(result.config, folder),
      log: { info: write('info'), warn: write('warn'), error: write('error') },
      ...more,
    });
    running.push(monitor);
    return monitor;
  }

  async function stop(monitor: CustomerSyncMonitor): Promise<void> {
    running.splice(running.indexOf(monitor), 1);
    await monitor.stop();
  }

  const view = (monitor: CustomerSyncMonitor) => {
    const alerts = monitor.alerts();
    if (!alerts) throw new Error('no alerts');
    return alerts;
  };
  const decides = (monitor: CustomerSyncMonitor) =>
    until(
      () =>
        view(monitor)
          .rules()
          .some(({ reason }) => reason === 'no_data'),
      'the first decisions',
    );
  const stateOf = (monitor: CustomerSyncMonitor) =>
    view(monitor)
      .rules()
      .find(({ name }) => name === RULE)?.state;

  const errors = (count: number) =>
    client.query(
      `INSERT INTO customer_sync_logs (operation_type, status, customer_id, customer_email, correlation_id, error_message)
       SELECT 'export_to_1c', 'error', n, $2, 'run-' || n, $3 FROM generate_series(1, $1::int) n`,
      [count, EMAIL, `customer ${EMAIL}, phone ${PHONE}, INN ${TAX_NUMBER}: 1C refused`],
    );
  const successes = (count: number) =>
    client.query(
      `INSERT INTO customer_sync_logs (operation_type, status, customer_id) SELECT 'export_to_1c', 'success', n
       FROM generate_series(1, $1::int) n`,
      [count],
    );
  const bodies = () => receiver.received.map(({ body }) => JSON.parse(body));
  const told = () => bodies().map(({ rule, state }) => `${rule} ${state}`);

  test('tells once that it fires and once that it is over, signed, and nothing of persons', async () => {
    const monitor = await start();
    const messages: AlertMessage[] = [];
    view(monitor).transitions$.subscribe((message) => messages.push(message));
    await decides(monitor);
    await errors(9);
    await successes(1);
    await until(() => told().length > 0, 'a notice');
    await errors(20);
    await until(() => monitor.latest()?.windows['5m'].error_count === 29, 'the second errors');
    expect(
      view(monitor)
        .rules()
        .find(({ name }) => name === RULE),
    ).toMatchObject({
      ...{ state: 'firing', reason: 'over', threshold: 20 },
    });
    const [active] = await view(monitor).list({ state: 'active', limit: 10 });
    expect(active).toMatchObject({ rule: RULE, severity: 'critical', state: 'firing', ack: null });
    await successes(400);
    await until(() => told().length > 1, 'the notice of the end');
    expect(told()).toEqual([`${RULE} firing`, `${RULE} resolved`]);
    expect(new Set(receiver.ids()).size).toBe(2);
    for (const one of receiver.received) verify(one);
    expect(messages.map(({ kind }) => kind)).toEqual(['firing', 'resolved']);
    expect(messages[0]?.id).toBe(active?.id);
    expect(await view(monitor).list({ state: 'active', limit: 10 })).toEqual([]);
    const past = await view(monitor).list({ state: 'past', limit: 10 });
    expect(past).toMatchObject([{ rule: RULE, state: 'resolved' }]);
    const [fired] = bodies();
    const [crossing] = await ask(
      db.url,
      'SELECT created_at FROM customer_sync_logs ORDER BY id OFFSET 9 LIMIT 1',
    );
    // One clock: the database and the receiver are on this machine.
    const crossedAt = Number(crossing?.created_at);
    const decided = Date.parse(fired.starts_at) - crossedAt;
    const received = (receiver.received[0]?.at ?? Number.NaN) - crossedAt;
    console.log(
      `the row that crosses the line: alert ${decided} ms later, notice received ${received} ms later`,
    );
    expect(decided).toBeLessThan(LATEST_NOTICE_MS);
    expect(received).toBeLessThan(LATEST_NOTICE_MS);
    expect(fired.evidence).toMatchObject({ window: '5m', errors: 9, affected_customers_count: 9 });
    expect(fired.evidence.top_errors[0].message).toContain('1C refused');
    expect(fired.evidence.sample_correlation_ids[0]).toMatch(/^run-/);
    expect(fired.evidence.tail_command).toContain('tail');
    expect(view(monitor).deliveries()).toMatchObject({ delivered: 2, retry: 0 });
    expect(view(monitor).slo()?.fast.rate).toBeGreaterThan(0);
    const said = JSON.stringify([receiver.received, messages, past, log]);
    expect(said).toContain('1C refused');
    expect(said).not.toMatch(PERSONAL);
  });

  test('reads the long windows of the objective, and the hour of last week, out of history', async () => {
    const past = (ago: string, good: number, bad: number) =>
      client.query(
        `INSERT INTO customer_sync_logs (operation_type, status, created_at)
         SELECT 'sync_changes', CASE WHEN n <= $2 THEN 'success' ELSE 'error' END, now() - $1::interval
         FROM generate_series(1, $2::int + $3::int) n`,
        [ago, good, bad],
      );
    await past('7 days 30 minutes', 6, 2);
    await past('2 days', 300, 0);
    await past('2 hours', 92, 8);
    const monitor = await start();
    await until(() => view(monitor).slo()?.counts?.total === 408, 'the whole window');
    expect(view(monitor).slo()).toMatchObject({
      counts: { errors: 10, total: 408 },
      burnRates: { '5m': null, '30m': null, '1h': null, '6h': 8, '3d': 2 },
      steady: { rate: 2, enough: true },
    });
    await errors(20);
    await until(() => told().length > 0, 'a notice');
    expect(bodies()[0].evidence.compared).toEqual({
      this_hour: { operations: 20, errors: 20, error_rate: 100 },
      last_week: { operations: 8, errors: 2, error_rate: 25 },
    });
  });

  test('says how long the error budget lasts, in the language of the receiver', async () => {
    await client.query(
      `INSERT INTO customer_sync_logs (operation_type, status, created_at)
       SELECT 'sync_changes', 'success', now() - interval '2 days' FROM generate_series(1, 300)`,
    );
    const russian = `receivers:\n  russian: { url: "${receiver.url}", locale: ru }\n`;
    const monitor = await start(only('slo_fast_burn') + russian);
    await until(() => view(monitor).slo()?.counts?.total === 300, 'the whole window');
    // Nothing but errors burns a budget of 1 % of 30 days in 7.2 hours.
    await errors(60);
    await until(() => told().length === 2, 'both to be told');
    expect(told()).toEqual(['slo_fast_burn firing', 'slo_fast_burn firing']);
    const messages: string[] = bodies().map(({ message }) => message);
    expect(messages).toContainEqual(expect.stringContaining('at this rate the budget is gone in 7 hours.'));
    expect(messages).toContainEqual(expect.stringContaining('при таком темпе он закончится через 7 часов.'));
  });

  test('goes on after a restart: what was decided is delivered under the same id, and is not decided again', async () => {
    const first = await start();
    await decides(first);
    receiver.answer = say(500);
    await errors(20);
    await until(() => receiver.received.length > 0, 'an attempt');
    await stop(first);
    const [id] = receiver.ids();
    receiver.answer = say(200);
    const attempts = receiver.received.length;
    const second = await start();
    await until(() => receiver.received.length > attempts, 'the attempt of the second monitor');
    await until(() => stateOf(second) === 'firing', 'the state of before');
    await successes(400);
    await until(() => told().includes(`${RULE} resolved`), 'the end');
    const ids = receiver.ids();
    expect(new Set(ids)).toEqual(new Set([id, ids.at(-1)]));
    expect(told().slice(attempts)).toEqual([`${RULE} firing`, `${RULE} resolved`]);
  });

  test('a standby decides nothing, and takes over what the leader knew without a second notice', async () => {
    const leader = await start();
    await decides(leader);
    const standby = await start();
    await until(() => standby.source().role === 'standby', 'a standby');
    await errors(20);
    await until(() => told().length > 0, 'a notice');
    expect(view(standby).rules()).toEqual([]);
    expect(view(standby).slo()).toBeNull();
    // It can be asked, and somebody may say there that he has it in hand.
    await until(
      async () => (await view(standby).list({ state: 'active', limit: 10 })).length === 1,
      'the alert as the standby sees it',
    );
    await stop(leader);
    await until(() => stateOf(standby) === 'firing', 'the standby to lead');
    await successes(400);
    await until(() => told().length > 1, 'the end');
    expect(told()).toEqual([`${RULE} firing`, `${RULE} resolved`]);
  });

  test('has no alerts where this role may not keep them, and says so once', async () => {
    await stop(await start());
    const role = `reader_${db.name}`;
    await ask(db.url, `CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
    try {
      await ask(db.url, `GRANT SELECT ON customer_sync_logs TO ${role}`);
      await ask(db.url, `GRANT SELECT ON SEQUENCE customer_sync_logs_id_seq TO ${role}`);
      await ask(db.url, `GRANT USAGE ON SCHEMA sync_monitor TO ${role}`);
      const url = new URL(db.url);
      url.username = role;
      url.password = 'x';
      log.length = 0;
      const monitor = await start(ONLY_ONE, { databaseUrl: url.href });
      expect(monitor.alerts()).toBeUndefined();
      expect(log.filter((line) => line.includes('alerts_off'))).toHaveLength(1);
      await stop(monitor);
    } finally {
      await ask(db.url, `DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  test.runIf(redisInstalled)('shares the rate limit through Redis, and tells without it', async () => {
    const redis = await startRedis();
    try {
      const monitor = await start(
        `${ONLY_ONE}  batch_failure: { resolve_for: 1s }\n`,
        {},
        { REDIS_URL: redis.url, ALERT_RATE_LIMIT_SECONDS: '300' },
      );
      await decides(monitor);
      await errors(20);
      await until(() => told().length === 1, 'a notice');
      expect(log.join('\n')).not.toContain('cooldown_store_down');
      await redis.kill();
      await client.query(
        `INSERT INTO customer_sync_logs (operation_type, status, details) VALUES ('batch_operation', 'failed', '{}')`,
      );
      await until(() => told().length === 2, 'a notice without Redis');
      expect(told()).toEqual([`${RULE} firing`, 'batch_failure firing']);
      expect(log.filter((line) => line.includes('cooldown_store_down'))).toHaveLength(1);
    } finally {
      await redis.kill();
    }
  });

  test('without configured alerts there are none', async () => {
    const monitor = await startMonitor({ databaseUrl: db.url });
    running.push(monitor);
    expect(monitor.alerts()).toBeUndefined();
  });
});
