/** The check of Redis against a real one that is killed, hangs, and wants a password. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Asking } from '../../src/health/asking.js';
import { redisCheck } from '../../src/health/redis.js';
import { redisInstalled, startRedis, type TestRedis } from '../alerts/redis.js';
import { startProxy } from '../faults/proxy.js';

const NEVER = new AbortController().signal;

describe.runIf(redisInstalled)('Redis', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.kill());

  it('is up, down while it is killed, and up again by itself', async () => {
    const check = redisCheck(redis.url);
    const asking = new Asking(check, 5_000);
    const up = await asking.ask(NEVER);
    expect(up).toMatchObject({ available: true, message: 'answers PING' });
    expect(up.responseTimeMs).toBeGreaterThanOrEqual(0);
    await redis.kill();
    expect(await asking.ask(NEVER)).toMatchObject({
      ...{ available: false, responseTimeMs: null, message: expect.stringContaining('ECONNREFUSED') },
    });
    await redis.start();
    expect(await asking.ask(NEVER)).toMatchObject({ available: true });
    check.close?.();
  });

  it('is down while it hangs, over one connection at a time, and up after that', async () => {
    const cable = await startProxy(Number(new URL(redis.url).port));
    const check = redisCheck(cable.url(redis.url));
    try {
      const asking = new Asking(check, 500);
      expect((await asking.ask(NEVER)).available).toBe(true);
      cable.blackhole();
      for (let i = 0; i < 3; i++) expect((await asking.ask(NEVER)).message).toBe('no answer within 0.5 s');
      // One that was there, and at most one for each attempt after the first.
      expect(cable.connections()).toBeLessThanOrEqual(6);
      cable.heal();
      expect((await asking.ask(NEVER)).available).toBe(true);
    } finally {
      check.close?.();
      await cable.close();
    }
  });

  it('is down with a wrong password, which is not told', async () => {
    const admin = new Redis(redis.url);
    await admin.config('SET', 'requirepass', 'another');
    const check = redisCheck(redis.url.replace('//', '//:s3cret@'));
    const asked = await new Asking(check, 5_000).ask(NEVER);
    check.close?.();
    await admin.config('SET', 'requirepass', '');
    admin.disconnect();
    expect(asked.available).toBe(false);
    expect(asked.message).not.toContain('s3cret');
    expect(asked.message).toMatch(/AUTH|password/i);
  });
});
