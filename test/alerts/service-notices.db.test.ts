/** What notices of a whole monitor say and how often they come: history, objective, reminders, the shared rate limit. */
import { describe, expect, test } from 'vitest';
import { newestVersion } from '../setup/database.js';
import { until } from '../source/collector.js';
import { redisInstalled, startRedis } from './redis.js';
import { ONLY_ONE, only, RULE, serviceScene } from './service-scene.js';

describe.each(newestVersion())('notices of a monitor on PostgreSQL %i', (version) => {
  const it = serviceScene(version);
  const { start, view, decides, errors, successes, bodies, told } = it;

  test('reads the long windows of the objective, and the hour of last week, out of history', async () => {
    const past = (ago: string, good: number, bad: number) =>
      it.client.query(
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
    await it.client.query(
      `INSERT INTO customer_sync_logs (operation_type, status, created_at)
       SELECT 'sync_changes', 'success', now() - interval '2 days' FROM generate_series(1, 300)`,
    );
    const russian = `receivers:\n  russian: { url: "${it.receiver.url}", locale: ru }\n`;
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

  test('reminds of what still fires, as often as is asked for and no more, and not after its end', async () => {
    const seconds = 2;
    const monitor = await start(ONLY_ONE, {}, { ALERT_REMINDER_SECONDS: String(seconds) });
    await decides(monitor);
    await errors(20);
    await until(() => told().length >= 4, 'three reminders');
    await successes(400);
    await until(() => told().includes(`${RULE} resolved`), 'the end');
    // The end is the last word: a reminder of the same second would have come before it.
    const all = bodies();
    const last = all.length - 1;
    expect(all.map(({ details }) => details.kind)).toEqual([
      ...['firing', ...Array(last - 1).fill('reminder'), 'resolved'],
    ]);
    const times: number[] = all.slice(0, last).map(({ timestamp }) => Date.parse(timestamp));
    const gaps = times.slice(1).map((time, i) => time - (times[i] as number));
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(seconds * 1000);
    // One alert, whose notices are each of their own.
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(new Set(all.map(({ starts_at }) => starts_at)).size).toBe(1);
    expect(new Set(it.receiver.ids()).size).toBe(all.length);
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
      expect(it.log.join('\n')).not.toContain('cooldown_store_down');
      await redis.kill();
      await it.client.query(
        `INSERT INTO customer_sync_logs (operation_type, status, details) VALUES ('batch_operation', 'failed', '{}')`,
      );
      await until(() => told().length === 2, 'a notice without Redis');
      expect(told()).toEqual([`${RULE} firing`, 'batch_failure firing']);
      expect(it.log.filter((line) => line.includes('cooldown_store_down'))).toHaveLength(1);
    } finally {
      await redis.kill();
    }
  });
});
