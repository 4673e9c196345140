/** The database goes away: that is told at once, without it, and the rules over rows neither fire nor resolve meanwhile. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alertsConfig } from '../../src/alert-settings.js';
import { parseConfig } from '../../src/config.js';
import { ownCluster, scene } from '../faults/scene.js';
import { ask, type Cluster } from '../setup/postgres.js';
import { until } from '../source/collector.js';
import { type Receiver, SECRET, startReceiver } from './receiver.js';

let cluster: Cluster;
let receiver: Receiver;
let folder: string;
beforeAll(async () => {
  cluster = await ownCluster(18);
  receiver = await startReceiver();
  folder = await mkdtemp(join(tmpdir(), 'alerts-outage-'));
});
afterAll(async () => {
  await cluster?.destroy();
  await receiver?.close();
  await rm(folder, { recursive: true });
});

test('an outage of the database is told while it lasts, and its end; what fired before goes on firing', async () => {
  await writeFile(
    join(folder, 'rules.yaml'),
    `rules:
  database_connection: { resolve_for: 1s }
  realtime_error_rate: { resolve_for: 1s }
  ${['high_error_rate', 'failed_operations_spike', 'slo_fast_burn', 'slo_slow_burn', 'monitor_degraded']
    .map((name) => `${name}: { enabled: false }`)
    .join('\n  ')}
`,
  );
  const env = { WEBHOOK_ALERT_URL: receiver.url, WEBHOOK_SECRET: SECRET, ALERT_RULES_FILE: 'rules.yaml' };
  const result = parseConfig({ env, dotenv: {}, flags: {}, readSecret: () => '' });
  if (!('config' in result)) throw new Error(result.problems.join('\n'));
  const it = await scene(18, { cluster, config: { alerts: alertsConfig(result.config, folder) } });
  const told = () =>
    receiver.received.map(({ body }) => JSON.parse(body)).map((one) => `${one.rule} ${one.state}`);
  const alerts = () => it.monitor.alerts();
  const ruleOf = (name: string) =>
    alerts()
      ?.rules()
      .find((rule) => rule.name === name);
  await ask(
    it.url,
    `INSERT INTO customer_sync_logs (operation_type, status) SELECT 'export_to_1c', 'error' FROM generate_series(1, 20)`,
  );
  await until(() => told().length === 1, 'the errors to be told');
  await cluster.stop('fast');
  await until(() => told().includes('database_connection firing'), 'the outage to be told');
  expect(ruleOf('realtime_error_rate')).toMatchObject({ state: 'firing', reason: 'frozen' });
  await expect(alerts()?.list({ state: 'all', limit: 9 })).rejects.toMatchObject({
    code: 'database_unavailable',
  });
  await cluster.start();
  await until(() => told().includes('database_connection resolved'), 'the end to be told');
  await until(() => ruleOf('realtime_error_rate')?.reason === 'over', 'the rows to be measured again');
  expect(told()).toEqual([
    ...['realtime_error_rate firing', 'database_connection firing', 'database_connection resolved'],
  ]);
  // What could not be written down when it was decided is written down now.
  const past = await alerts()?.list({ state: 'past', limit: 9 });
  expect(past).toMatchObject([{ rule: 'database_connection', state: 'resolved' }]);
  await it.reconnect();
  await it.end();
});
