/** Everything that the monitor leans on goes at once, without a word, and comes back in any order. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { alertsConfig } from '../../src/alert-settings.js';
import { parseConfig } from '../../src/config.js';
import { healthConfig } from '../../src/health-settings.js';
import { type Received, type Receiver, SECRET, startReceiver, verify } from '../alerts/receiver.js';
import { redisInstalled, startRedis, type TestRedis } from '../alerts/redis.js';
import type { Cluster } from '../setup/postgres.js';
import { byLength } from './length.js';
import { ownCluster, scene, until } from './scene.js';

const ALERTS = ['database_connection', 'redis_unavailable'] as const;
const OFF = `realtime_error_rate high_error_rate failed_operations_spike slo_fast_burn slo_slow_burn monitor_degraded`;
const RULES = `rules:
${ALERTS.map((name) => `  ${name}: { resolve_for: 1s }`).join('\n')}
${OFF.split(' ')
  .map((name) => `  ${name}: { enabled: false }`)
  .join('\n')}
`;
type Part = 'postgres' | 'redis' | 'receiver';
const ORDERS: readonly (readonly Part[])[] = byLength(
  [['receiver', 'redis', 'postgres']],
  [
    ['receiver', 'redis', 'postgres'],
    ['redis', 'postgres', 'receiver'],
    ['postgres', 'receiver', 'redis'],
    ['postgres', 'redis', 'receiver'],
    ['receiver', 'postgres', 'redis'],
    ['redis', 'receiver', 'postgres'],
  ],
);

let cluster: Cluster;
let redis: TestRedis;
let receiver: Receiver;
let folder: string;
beforeEach(async () => {
  cluster = await ownCluster(18);
  redis = await startRedis();
  receiver = await startReceiver();
  folder = await mkdtemp(join(tmpdir(), 'csm-together-'));
  await writeFile(join(folder, 'rules.yaml'), RULES);
});
afterEach(async () => {
  await receiver?.close();
  await redis?.kill();
  await cluster?.destroy();
  await rm(folder, { recursive: true, force: true });
});

test.skipIf(!redisInstalled)(
  'PostgreSQL, Redis and the receiver are killed together: all is told when they are back, no row is lost',
  async () => {
    const env = {
      WEBHOOK_ALERT_URL: receiver.url,
      WEBHOOK_SECRET: SECRET,
      ALERT_RULES_FILE: 'rules.yaml',
      ALERT_RATE_LIMIT_SECONDS: '0',
      REDIS_URL: redis.url,
      HEALTH_CHECK_INTERVAL: '1',
      HEALTH_CHECK_TIMEOUT: '1',
    };
    const parsed = parseConfig({ env, dotenv: {}, flags: {}, readSecret: () => '' });
    if (!('config' in parsed)) throw new Error(parsed.problems.join('\n'));
    const { config } = parsed;
    const it = await scene(18, {
      cluster,
      config: { alerts: alertsConfig(config, folder), health: healthConfig(config), flushSeconds: 0.5 },
    });
    const component = (name: string) => it.monitor.getSystemHealth().components[name];
    const phaseOf = (rule: string) =>
      it.monitor
        .alerts()
        ?.rules()
        .find(({ name }) => name === rule)?.state;
    const taken: Received[] = [];
    const told = () => [...taken, ...receiver.received].map(({ body }) => JSON.parse(body));
    const both = () =>
      until(
        () => component('redis')?.available === true && component('database')?.available === true,
        'healthy',
      );
    await both();
    let rows = 0;
    for (const [round, order] of ORDERS.entries()) {
      await it.insert(20);
      rows += 20;
      await until(
        () => it.counted() === rows && it.monitor.history().unflushed_rows === 0,
        'counted and kept',
      );
      const { port } = new URL(receiver.url);
      taken.push(...receiver.received);
      await Promise.all([cluster.kill9(), redis.kill(), receiver.close()]);
      receiver.received.length = 0;
      await until(() => ALERTS.every((rule) => phaseOf(rule) === 'firing'), 'both alerts to fire');
      expect(it.monitor.source().connected).toBe(false);
      expect(it.monitor.getSystemHealth().status).toBe('unhealthy');
      expect(it.counted()).toBe(rows);
      for (const part of order) {
        if (part === 'postgres') await cluster.start();
        else if (part === 'redis') await redis.start();
        else receiver = await startReceiver(Number(port));
      }
      await it.reconnect();
      await it.insert(10);
      rows += 10;
      await both();
      await until(
        () =>
          ALERTS.every((rule) =>
            ['firing', 'resolved'].every(
              (state) =>
                new Set(
                  told()
                    .filter((one) => one.rule === rule && one.state === state)
                    .map(({ id }) => id),
                ).size >=
                round + 1,
            ),
          ),
        'both alerts told, and their ends',
        90_000,
      ).catch((error: unknown) => {
        throw new Error(
          `${told().map((one) => `${one.rule} ${one.state}`)}\n${it.log.slice(-20).join('\n')}`,
          {
            cause: error,
          },
        );
      });
      for (const one of receiver.received) verify(one);
      await until(() => it.counted() === rows, 'all rows');
      expect(await it.differences()).toEqual([]);
    }
    await it.end();
  },
  byLength(120_000, 600_000),
);
