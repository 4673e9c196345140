/** A whole monitor with alerts on a database of its own, with a real receiver, for each test of a file. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach } from 'vitest';
import { alertsConfig } from '../../src/alert-settings.js';
import { parseConfig } from '../../src/config.js';
import { type CustomerSyncMonitor, startMonitor } from '../../src/monitor.js';
import type { MonitorConfig } from '../../src/monitor-types.js';
import { freshDatabase, type TestDatabase } from '../setup/database.js';
import type { Version } from '../setup/postgres.js';
import { until } from '../source/collector.js';
import { type Receiver, SECRET, startReceiver } from './receiver.js';

export const RULE = 'realtime_error_rate';
/** Every other standard rule over errors would fire with it: one is enough to count. */
export const only = (rule: string) => `rules:
  ${rule}: { resolve_for: 1s }
  ${[RULE, 'high_error_rate', 'failed_operations_spike', 'slo_fast_burn', 'slo_slow_burn', 'monitor_degraded']
    .filter((name) => name !== rule)
    .map((name) => `${name}: { enabled: false }`)
    .join('\n  ')}
`;
export const ONLY_ONE = only(RULE);
const EMAIL = 'ivan.petrov@example.org';
const PHONE = '+7 916 123-45-67';
const TAX_NUMBER = '7707083893';
/** Finds what the rows of `errors` hold of persons. */
export const PERSONAL = new RegExp(
  `${EMAIL.replaceAll('.', '\\.')}|ivan\\.petrov|916.?123.?45.?67|9161234567|${TAX_NUMBER}`,
);

export function serviceScene(version: Version) {
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

  return {
    get db() {
      return db;
    },
    get client() {
      return client;
    },
    get receiver() {
      return receiver;
    },
    get log() {
      return log;
    },
    ...{ running, start, stop, view, decides, stateOf, errors, successes, bodies, told },
  };
}
