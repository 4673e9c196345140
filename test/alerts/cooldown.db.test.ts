import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Cooldown, type CooldownStore } from '../../src/alerts/cooldown.js';
import { postgresCooldown } from '../../src/alerts/cooldown-postgres.js';
import { type RedisCooldown, redisCooldown } from '../../src/alerts/cooldown-redis.js';
import { reconnecting } from '../../src/alerts/db.js';
import { Link } from '../../src/source/connection.js';
import { freshDatabase, type TestDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { until } from '../source/collector.js';
import { STARTED } from './notices.js';
import { type Receiver, startReceiver } from './receiver.js';
import { redisInstalled, startRedis, type TestRedis } from './redis.js';
import { installSchema, MINUTE, openScene, outboxOf, type Scene, TABLE } from './scene.js';

if (!redisInstalled)
  console.log(
    'redis-server is not installed (apt-get install redis-server): the shared rate limit is not tested',
  );

const LIMIT = 5 * MINUTE;

let db: TestDatabase;
let link: Link;

beforeEach(async () => {
  db = await freshDatabase();
  await installSchema(db.url);
  link = new Link('test', { url: db.url });
  await link.connect();
});
afterEach(async () => {
  link.close();
  await db.drop();
});

/** What every store has to do; `pass` lets the time of the store go by. */
function contract(open: () => { a: CooldownStore; b: CooldownStore; pass: (ms: number) => Promise<number> }) {
  test('the first has the rule, the others learn until when, and it again may ask', async () => {
    const { a, b, pass } = open();
    let now = await pass(0);
    const end = now + LIMIT;
    expect(await a.claim('r', 't1', end, now)).toBeNull();
    const held = await b.claim('r', 't2', end + 1_000, now);
    // Redis answers with what is left by its own clock.
    expect(Math.abs((held ?? 0) - end)).toBeLessThan(2_000);
    expect(await b.claim('r', 't1', end, now)).toBeNull();
    expect(await b.claim('other', 't2', end, now)).toBeNull();
    now = await pass(LIMIT);
    expect(await b.claim('r', 't2', now + LIMIT, now)).toBeNull();
    expect(await a.claim('r', 't3', now + LIMIT, now)).not.toBeNull();
  });

  test('the end of an alert takes the rule whoever has it', async () => {
    const { a, b, pass } = open();
    const now = await pass(0);
    await a.claim('r', 't1', now + LIMIT, now);
    await b.take('r', 't1:resolved', now + 2 * LIMIT, now);
    expect(await a.claim('r', 't2', now + LIMIT, now)).toBeGreaterThan(now + LIMIT);
  });

  test('of many at once exactly one has it', async () => {
    const { a, b, pass } = open();
    const now = await pass(0);
    const asked = Array.from({ length: 20 }, (_, n) =>
      (n % 2 === 0 ? a : b).claim('r', `t${n}`, now + LIMIT, now),
    );
    expect((await Promise.all(asked)).filter((held) => held === null)).toHaveLength(1);
  });
}

describe('in PostgreSQL', () => {
  contract(() => {
    let now = STARTED;
    return {
      a: postgresCooldown(reconnecting(link), TABLE),
      b: postgresCooldown(reconnecting(link), TABLE),
      pass: async (ms) => {
        now += ms;
        return now;
      },
    };
  });

  test('another watched table has a rate limit of its own', async () => {
    const other = postgresCooldown(link, 'public.other');
    expect(await postgresCooldown(link, TABLE).claim('r', 't1', STARTED + LIMIT, STARTED)).toBeNull();
    expect(await other.claim('r', 't2', STARTED + LIMIT, STARTED)).toBeNull();
  });

  test('connections that ask at the same moment do not both get it', async () => {
    const links = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const one = new Link('racer', { url: db.url });
        await one.connect();
        return one;
      }),
    );
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all(
        links.map((one, n) =>
          postgresCooldown(one, TABLE).claim(`r${round}`, `t${n}`, STARTED + LIMIT, STARTED),
        ),
      );
      expect(answers.filter((held) => held === null)).toHaveLength(1);
    }
    for (const one of links) one.close();
  });
});

describe.skipIf(!redisInstalled)('in Redis', () => {
  let redis: TestRedis;
  const stores: RedisCooldown[] = [];
  const open = (scope = 'test') => {
    const store = redisCooldown(redis.url, scope);
    stores.push(store);
    return store;
  };

  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) store.close();
    await redis.kill();
  });

  contract(() => {
    const now = Date.now();
    let passed = 0;
    return {
      a: open(),
      b: open(),
      pass: async (ms) => {
        passed += ms;
        // Its clock cannot be turned: keys that would have ended are ended.
        const admin = new Redis(redis.url);
        for (const key of ms === 0 ? [] : await admin.keys('*'))
          if ((await admin.pttl(key)) <= ms) await admin.del(key);
        admin.disconnect();
        return now + passed;
      },
    };
  });

  test('another monitor on the same Redis has a rate limit of its own, and keys end by themselves', async () => {
    const now = Date.now();
    expect(await open('a').claim('r', 't1', now + LIMIT, now)).toBeNull();
    expect(await open('b').claim('r', 't2', now + LIMIT, now)).toBeNull();
    const admin = new Redis(redis.url);
    const keys = await admin.keys('*');
    expect(keys.sort()).toEqual(['sync_monitor:a:cooldown:r', 'sync_monitor:b:cooldown:r']);
    for (const key of keys) expect(await admin.pttl(key)).toBeGreaterThan(LIMIT - 60_000);
    admin.disconnect();
  });

  describe('killed and started again', () => {
    let receiver: Receiver;
    const scenes: Scene[] = [];

    beforeEach(async () => {
      receiver = await startReceiver();
    });
    afterEach(async () => {
      for (const scene of scenes.splice(0)) await scene.close();
      await receiver.close();
    });

    /** A monitor whose rule states were lost, as a crash before its checkpoint leaves it. */
    async function monitor(cooldown = open()): Promise<Scene> {
      const scene = await openScene(db.url, [{ name: 'ops', url: receiver.url }], { cooldowns: [cooldown] });
      scenes.push(scene);
      scene.now = STARTED;
      return scene;
    }

    test('a crash that forgot the alert does not make it come twice within the limit', async () => {
      const first = await monitor();
      await first.decide({ kind: 'firing' });
      await first.alerts.round();
      const second = await monitor();
      second.now = STARTED + MINUTE;
      // Fires anew, with another start: to the rules it is another alert.
      await second.decide({ kind: 'firing', startsAt: STARTED + MINUTE });
      await second.alerts.round();
      expect(receiver.received).toHaveLength(1);
      expect(await outboxOf(db.url)).toMatchObject([
        { outcome: 'delivered' },
        { outcome: 'pending', reason: 'held back by the shared rate limit' },
      ]);
      // It still fires when the limit ends: now it is told. (Redis counts by its own clock.)
      const admin = new Redis(redis.url);
      await admin.flushall();
      admin.disconnect();
      await second.pass(10 * MINUTE);
      expect(receiver.received).toHaveLength(2);
    });

    test('an alert that is over before the limit ends is not told at all', async () => {
      const first = await monitor();
      await first.decide({ kind: 'firing' });
      await first.alerts.round();
      const second = await monitor();
      second.now = STARTED + MINUTE;
      await second.decide({ kind: 'firing', startsAt: STARTED + MINUTE });
      await second.alerts.round();
      await second.decide({ kind: 'resolved', startsAt: STARTED + MINUTE });
      await second.pass(10 * MINUTE);
      expect(receiver.received).toHaveLength(1);
      expect(second.alerts.counts.rate_limited).toBe(2);
    });

    test('alerts still go out, at most one twice, and the log says so once', async () => {
      const scene = await monitor();
      await scene.decide({ kind: 'firing' });
      await scene.alerts.round();
      await redis.kill();
      // PostgreSQL alone keeps the limit now: no duplicate.
      await scene.decide({ kind: 'firing', startsAt: STARTED + 1 });
      await scene.alerts.round();
      expect(receiver.received).toHaveLength(1);
      // Other rules are told.
      await scene.decide({ kind: 'firing', rule: 'slow_response' });
      await scene.alerts.round();
      expect(receiver.received).toHaveLength(2);
      const down = () => scene.log.filter((line) => line.includes('cooldown_store_down'));
      expect(down()).toEqual([
        expect.stringMatching(
          /^warn: the rate limit of alerts cannot be shared through Redis now; alerts go out/,
        ),
      ]);
      await redis.start();
      await until(async () => {
        scene.now += MINUTE;
        await scene.decide({ kind: 'resolved', rule: 'slow_response' });
        await scene.decide({ kind: 'firing', rule: 'slow_response', startsAt: scene.now });
        await scene.alerts.round();
        return scene.log.some((line) => line.includes('cooldown_store_back'));
      }, 'Redis is back');
      expect(down()).toHaveLength(1);
    });

    test('with neither Redis nor PostgreSQL one duplicate is the worst', async () => {
      const scene = await monitor();
      await scene.decide({ kind: 'firing' });
      await scene.alerts.round();
      await redis.kill();
      await ask(db.url, 'DROP TABLE sync_monitor.alert_cooldown');
      await scene.decide({ kind: 'firing', startsAt: STARTED + 1 });
      await scene.pass(10_000);
      expect(receiver.received).toHaveLength(2);
      expect(scene.log.filter((line) => line.includes('cooldown_store_down'))).toHaveLength(2);
    });
  });
});

test('where a store hangs the alert waits a moment only', async () => {
  const log: string[] = [];
  const say = (_: object, message: string) => void log.push(message);
  const hanging: CooldownStore = {
    name: 'a store that hangs',
    claim: () => new Promise(() => undefined),
    take: () => new Promise(() => undefined),
  };
  const cooldown = new Cooldown([hanging], 300, { info: say, warn: say, error: say });
  expect(await cooldown.claim('r', 't', STARTED, STARTED)).toBeNull();
  await cooldown.take('r', 't', STARTED, STARTED);
  expect(log).toEqual([expect.stringContaining('a store that hangs')]);
});

test('a limit of 0 asks nobody', async () => {
  const refusing: CooldownStore = {
    name: 'x',
    claim: () => Promise.reject(new Error('asked')),
    take: () => Promise.reject(new Error('asked')),
  };
  const fail = () => expect.unreachable();
  const cooldown = new Cooldown([refusing], 0, { info: fail, warn: fail, error: fail });
  expect(await cooldown.claim('r', 't', STARTED, STARTED)).toBeNull();
  await cooldown.take('r', 't', STARTED, STARTED);
});
