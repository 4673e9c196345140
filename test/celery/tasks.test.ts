/** What real tasks of a real Celery did, as counted by who only listens. */
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CeleryService } from '../../src/celery-service.js';
import { startRedis, type TestRedis } from '../alerts/redis.js';
import { until } from '../source/collector.js';
import { type Call, celeryInstalled, killWorkers, send, startWorker, watchCelery } from './real.js';

const LIMIT = { timeout: 90_000 };
const EMAIL = 'ivan@example.com';
const times = (n: number, call: Call): Call[] => new Array(n).fill(call);

describe.skipIf(!celeryInstalled)('tasks of a real Celery', LIMIT, () => {
  let redis: TestRedis;
  let client: Redis;
  let service: CeleryService | undefined;

  beforeAll(async () => {
    redis = await startRedis();
    client = new Redis(redis.url);
  });
  afterEach(async () => {
    await service?.stop();
    service = undefined;
    await killWorkers();
    await client.flushall();
  });
  afterAll(async () => {
    client.disconnect();
    await redis.kill();
  });

  async function watching(): Promise<CeleryService> {
    const made = watchCelery(redis.url).service;
    service = made;
    await until(() => made.state().connected && made.state().queues !== null, 'the broker is listened to');
    return made;
  }

  test(
    'what waited while no worker ran, and then succeeded, failed, was slow or retried',
    LIMIT,
    async () => {
      const celery = await watching();
      await send(redis.url, [
        ...times(5, ['sync_customer', [EMAIL]]),
        ...times(3, ['broken', [EMAIL]]),
        ...times(2, ['flaky', []]),
        ['slow', [0.3]],
        ['slow', [0.3], { priority: 3 }],
        ['slow', [0.3], { priority: 9 }],
      ]);
      await until(() => celery.state().queue_length === 13, 'all of them are in the queue');
      const seen = performance.timeOrigin + performance.now();
      expect(celery.state().queues?.celery).toMatchObject({
        length: 13,
        by_priority: { 0: 11, 3: 1, 9: 1 },
        waited_count: 0,
      });
      expect(celery.state().queues?.celery?.backlog_since).not.toBeNull();
      expect(celery.state().tasks).toEqual({});

      const worker = startWorker(redis.url, 'one@here');
      const done = () => celery.state().tasks_succeeded === 10 && celery.state().tasks_failed === 3;
      await until(done, 'everything is done').catch((error) => {
        throw new Error(`${error.message}\n${JSON.stringify(celery.state())}\n${worker.output()}`);
      });
      // The last queue reading may be of before.
      await until(() => celery.state().queue_length === 0, 'the queue is seen empty');

      const none = { sent: 0, failed: 0, retried: 0, revoked: 0, rejected: 0, cancelled: 0 };
      const { tasks, queues, heard } = celery.state();
      expect(Object.keys(tasks).sort()).toEqual(
        ['broken', 'flaky', 'slow', 'sync_customer'].map((name) => `portal.${name}`),
      );
      expect(tasks['portal.sync_customer']).toMatchObject({ ...none, received: 5, started: 5, succeeded: 5 });
      expect(tasks['portal.broken']).toMatchObject({
        ...none,
        received: 3,
        started: 3,
        succeeded: 0,
        failed: 3,
      });
      // Each of the two is tried three times.
      expect(tasks['portal.flaky']).toMatchObject({
        ...none,
        received: 6,
        started: 6,
        retried: 4,
        succeeded: 2,
      });
      expect(tasks['portal.slow']).toMatchObject({ ...none, received: 3, started: 3, succeeded: 3 });
      expect(tasks['portal.slow']?.runtime_avg_seconds).toBeGreaterThanOrEqual(0.3);
      expect(tasks['portal.broken']?.runtime_avg_seconds).toBeNull();
      expect(heard).toMatchObject({
        unreadable: 0,
        ignored: 0,
        tasks_on_their_way: 0,
        interruptions: 0,
        problems: [],
      });

      const { runtime, waiting, queueWaiting } = celery.totals();
      expect(runtime['portal.slow']?.count).toBe(3);
      const quick = runtime['portal.slow']?.bounds.indexOf(0.25) ?? -1;
      expect(runtime['portal.slow']?.cumulative[quick]).toBe(0);
      expect(runtime['portal.sync_customer']?.count).toBe(5);
      expect(Object.keys(runtime)).not.toContain('portal.broken');
      expect(waiting['portal.flaky']?.count).toBe(6);
      // The newest of each of the three lists was seen to wait, and was received.
      expect(queues?.celery).toMatchObject({ length: 0, by_priority: {}, backlog_since: null });
      expect(queues?.celery?.waited_count).toBeGreaterThanOrEqual(3);
      // A worker is online before it takes anything.
      const online = Date.parse(celery.state().workers[0]?.since ?? '');
      expect(queues?.celery?.waited_max_seconds).toBeGreaterThanOrEqual((online - seen) / 1000);
      expect(queueWaiting.celery?.count).toBe(queues?.celery?.waited_count);
      expect(JSON.stringify([celery.state(), celery.totals()])).not.toContain(EMAIL);
      expect(celery.components().map(({ component, status }) => [component, status])).toEqual([
        ['celery_workers', 'healthy'],
        ['celery_queue', 'healthy'],
      ]);
    },
  );

  test('where the portal announces what it sends, the waiting of every task is known', LIMIT, async () => {
    const celery = await watching();
    await send(redis.url, times(7, ['sync_customer', [EMAIL]]), { SENT_EVENTS: '1' });
    await until(() => celery.state().tasks['portal.sync_customer']?.sent === 7, 'they were announced');
    expect(celery.state().heard.tasks_on_their_way).toBe(7);
    startWorker(redis.url, 'one@here');
    await until(() => celery.state().tasks_succeeded === 7, 'all of them are done');
    expect(celery.state().queues?.celery?.waited_count).toBe(7);
    expect(celery.totals().queueWaiting.celery?.count).toBe(7);
    expect(celery.state().heard.tasks_on_their_way).toBe(0);
  });

  test('ten priorities with a separator of their own', LIMIT, async () => {
    const celery = await watching();
    const calls = [0, 1, 5, 5, 9].map((priority): Call => ['sync_customer', [EMAIL], { priority }]);
    await send(redis.url, calls, { TEN_PRIORITIES: '1' });
    await until(() => celery.state().queue_length === 5, 'all of them are counted');
    expect(celery.state().queues?.celery?.by_priority).toEqual({ 0: 1, 1: 1, 5: 2, 9: 1 });
  });

  test('a worker without -E is online, and it is said why its tasks are not counted', LIMIT, async () => {
    const celery = await watching();
    startWorker(redis.url, 'mute@here', []);
    await send(redis.url, [['sync_customer', [EMAIL]]]);
    await until(() => celery.state().workers.some((one) => one.processed === 1), 'it has worked');
    expect(celery.state()).toMatchObject({ workers_online: 1, tasks: {}, tasks_succeeded: 0 });
    expect(celery.components()[0]).toMatchObject({
      status: 'healthy',
      message: expect.stringContaining('-E'),
    });
  });

  test('what is published by others is counted and harms nothing', LIMIT, async () => {
    const celery = await watching();
    const envelope = (body: unknown) => JSON.stringify({ body: JSON.stringify(body), properties: {} });
    const channel = '/0.celeryev/task.multi';
    for (const message of ['', '{', 'null', '{"body":7}', JSON.stringify({ body: '{', properties: {} })])
      await client.publish(channel, message);
    await client.publish(channel, envelope([{ type: 'custom-event' }, null, { type: 'task-received' }]));
    await client.publish(channel, envelope({ type: 'task-succeeded', uuid: 'never-seen', runtime: 'soon' }));
    await client.set('celery', 'not a list');
    await until(
      () => celery.state().heard.events === 1 && celery.state().queues_reason !== null,
      'they are heard',
    );
    const { heard, tasks, queues_reason: reason } = celery.state();
    expect(heard).toMatchObject({ unreadable: 5, ignored: 3 });
    expect(tasks).toMatchObject({ unknown: { succeeded: 1, runtime_avg_seconds: null } });
    expect(reason).toContain('WRONGTYPE');
    const queue = celery.components().find(({ component }) => component === 'celery_queue');
    expect(queue).toMatchObject({ status: 'degraded', message: expect.stringContaining('WRONGTYPE') });
    await client.del('celery');
    await until(() => celery.state().queues_reason === null, 'the queue can be read again');
  });
});
