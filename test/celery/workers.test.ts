/** Who works, seen by who only listens and pings: real workers that are killed, end, are silent, or lose their broker. */
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CeleryService } from '../../src/celery-service.js';
import type { CeleryWorkerState } from '../../streams/celery-workers.js';
import { startRedis, type TestRedis } from '../alerts/redis.js';
import { until } from '../source/collector.js';
import { celeryInstalled, killWorkers, send, startWorker, watchCelery } from './real.js';

const LIMIT = { timeout: 90_000 };
/** Sends no event at all, and takes no task. */
const SILENT = ['--without-heartbeat', '--without-gossip', '--without-mingle', '-Q', 'nothing'];
const BINDINGS = '_kombu.binding.reply.celery.pidbox';

describe.skipIf(!celeryInstalled)('workers of a real Celery', LIMIT, () => {
  let redis: TestRedis;
  let client: Redis;
  let service: CeleryService;
  let lines: string[];

  beforeAll(async () => {
    redis = await startRedis();
    client = new Redis(redis.url);
    // The library's words for what the tests do to Redis.
    client.on('error', () => {});
  });
  afterEach(async () => {
    await service.stop();
    await killWorkers();
    await client.flushall();
  });
  afterAll(async () => {
    client.disconnect();
    await redis.kill();
  });

  function watch(url = redis.url, certain = true): void {
    ({ service, lines } = watchCelery(url, { certain }));
  }

  function workerState(name: string): CeleryWorkerState | undefined {
    return service.state().workers.find((worker) => worker.name.startsWith(name));
  }

  const component = (name: string) => service.components().find((one) => one.component === name);
  const untilOnline = (name: string, online = true) =>
    until(() => workerState(name)?.online === online, `${name} is ${online ? 'online' : 'offline'}`);

  test('one that is killed is offline when twice its announced interval is over', LIMIT, async () => {
    watch();
    const killed = startWorker(redis.url, 'killed@here', ['-E', '--heartbeat-interval', '1']);
    startWorker(redis.url, 'other@here', ['-E']);
    await Promise.all([untilOnline('killed@'), untilOnline('other@')]);
    expect(workerState('killed@')).toMatchObject({ seen_by: 'heartbeat', frequency_seconds: 1 });
    expect(workerState('other@')).toMatchObject({ seen_by: 'heartbeat', frequency_seconds: 2 });
    expect(service.state().workers_online).toBe(2);
    killed.signal('SIGKILL');
    await untilOnline('killed@', false);
    const { since = '', last_seen_at: seen = '' } = workerState('killed@') ?? {};
    const silent = Date.parse(since) - Date.parse(seen);
    expect(silent).toBeGreaterThanOrEqual(2_000);
    // Looked at four times a second, and later only where this process itself was held up.
    expect(silent).toBeLessThan(4_000);
    expect(service.state()).toMatchObject({ workers_online: 1, workers_up: true });
    expect(component('celery_workers')).toMatchObject({
      status: 'healthy',
      details: { workers: ['other@here'] },
    });
  });

  test('one that ends says goodbye, and is not waited for', LIMIT, async () => {
    watch();
    const worker = startWorker(redis.url, 'ends@here', ['-E', '--heartbeat-interval', '60']);
    await untilOnline('ends@');
    worker.signal('SIGTERM');
    await untilOnline('ends@', false);
    const gone = workerState('ends@');
    expect(gone?.since).toBe(gone?.last_seen_at);
    expect(service.state()).toMatchObject({ workers_online: 0, workers_up: false });
    expect(component('celery_workers')).toMatchObject({
      ...{ status: 'degraded', available: false, consecutive_failures: 1 },
      message: expect.stringContaining('the last was ends@here'),
    });
    await worker.ended();
  });

  test(
    'one that sends no event is found by a ping, and missed by it; nothing of it is left',
    LIMIT,
    async () => {
      watch();
      const stale = `customer-sync-monitor.${Date.now() - 120_000}.x\x06\x16\x06\x16customer-sync-monitor.x`;
      const another = 'of-another\x06\x16\x06\x16of-another.reply';
      await client.sadd(BINDINGS, stale, another);
      const worker = startWorker(redis.url, 'silent@here', SILENT);
      await untilOnline('silent@');
      expect(workerState('silent@')).toMatchObject({ seen_by: 'ping', frequency_seconds: null });
      expect(component('celery_workers')).toMatchObject({ status: 'healthy' });
      expect(service.state().heard.events).toBe(0);
      worker.signal('SIGKILL');
      await untilOnline('silent@', false);
      expect(component('celery_workers')).toMatchObject({ status: 'degraded' });
      await service.stop();
      const ours = async () => [
        ...(await client.keys('*customer-sync-monitor*')),
        ...(await client.smembers(BINDINGS)).filter((binding) => binding.includes('customer-sync-monitor')),
      ];
      expect(await client.sismember(BINDINGS, another)).toBe(1);
      expect(await client.sismember(BINDINGS, stale)).toBe(0);
      expect(await ours()).toEqual([]);
    },
  );

  test("on a Redis that may be nobody's broker none are missed, until there was one", LIMIT, async () => {
    watch(redis.url, false);
    await until(() => service.state().connected, 'it is listened to');
    expect(component('celery_workers')?.status).toBe('not_configured');
    const worker = startWorker(redis.url, 'first@here', SILENT);
    await untilOnline('first@');
    worker.signal('SIGKILL');
    await untilOnline('first@', false);
    expect(component('celery_workers')?.status).toBe('degraded');
    await service.stop();
    // A monitor that starts now knows by what the worker left behind.
    watch(redis.url, false);
    await until(() => service.state().found, 'the traces are found');
    await until(() => component('celery_workers')?.status === 'degraded', 'that nobody works is seen');
  });

  test('the answers find their way also where the portal has a separator of its own', LIMIT, async () => {
    watch();
    const worker = startWorker(redis.url, 'silent@here', SILENT, { TEN_PRIORITIES: '1' });
    await untilOnline('silent@');
    expect(workerState('silent@')?.seen_by).toBe('ping');
    expect(worker.output()).not.toContain('Control command error');
  });

  test(
    'a broker that is restarted in between: nothing is made up, and all of it recovers',
    LIMIT,
    async () => {
      watch();
      startWorker(redis.url, 'stays@here');
      await untilOnline('stays@');
      await send(redis.url, [['sync_customer', ['a']]]);
      await until(() => service.state().tasks_succeeded === 1, 'the first task is done');
      await redis.kill();
      await until(() => !service.state().connected, 'the broker is missed');
      await until(() => service.state().queues === null, 'the queues are not known');
      expect(service.state()).toMatchObject({ workers_online: null, workers_up: true, queue_length: null });
      // Its workers are there, as far as anybody knows; its queues cannot be read.
      expect(component('celery_workers')).toMatchObject({ status: 'healthy' });
      expect(component('celery_queue')).toMatchObject({ status: 'degraded' });
      const why = () => component('celery_queue')?.message ?? '';
      await until(() => why().includes('ECONNREFUSED'), 'it is told why');
      await redis.start();
      await until(() => service.state().connected, 'the broker is listened to again');
      await until(() => service.state().workers_online === 1, 'the worker is heard again', 60_000);
      await send(redis.url, [
        ['sync_customer', ['b']],
        ['broken', ['b']],
      ]);
      await until(() => service.state().heard.tasks_on_their_way === 0, 'they are done');
      await until(() => service.state().tasks_failed === 1, 'the failed one is counted');
      await until(() => service.state().queue_length === 0, 'the queue is read again');
      const { tasks, heard } = service.state();
      expect(tasks['portal.sync_customer']).toMatchObject({ received: 2, succeeded: 2 });
      expect(heard.interruptions).toBe(1);
      expect(heard.deaf_seconds).toBeGreaterThan(0);
      expect(service.components().map(({ status }) => status)).toEqual(['healthy', 'healthy']);
      // Once for the outage, however many tries failed, and once for its end.
      expect(lines).toEqual([
        expect.stringContaining('cannot be listened to'),
        expect.stringContaining('answers again'),
      ]);
    },
  );

  test(
    'a broker that is not there at the start is waited for, and a frozen one is missed',
    LIMIT,
    async () => {
      const later = await startRedis();
      try {
        await later.kill();
        watch(later.url);
        await until(() => service.state().reason !== null, 'it is missed');
        expect(service.state()).toMatchObject({ connected: false, workers_online: null, workers_up: null });
        expect(component('celery_workers')).toBeUndefined();
        await later.start();
        await until(() => service.state().connected && service.state().queues !== null, 'it is listened to');
        expect(service.state().heard.interruptions).toBe(0);
        const pid = await processOf(later.url);
        process.kill(pid, 'SIGSTOP');
        await until(() => !service.state().connected, 'a broker that does not answer is missed');
        process.kill(pid, 'SIGCONT');
        await until(() => service.state().connected, 'it is heard again');
        expect(lines.join('\n')).toContain('no answer to PING');
      } finally {
        await later.kill();
      }
    },
  );

  test('what a broker refuses is told, and the rest goes on', LIMIT, async () => {
    const rights = [
      'on',
      '>secret',
      '~celery*',
      '&/0.celeryev/*',
      '&/0.celeryev',
      '+@all',
      '-eval',
      '-publish',
    ];
    await client.call('ACL', 'SETUSER', 'watcher', ...rights);
    watch(redis.url.replace('redis://', 'redis://watcher:secret@'));
    await client.rpush('celery', 'anything');
    await until(() => service.state().heard.problems.length === 2, 'both are told');
    expect(service.state().queues?.celery?.length).toBe(1);
    expect(service.state().heard.problems.join('\n')).toMatch(/ping: .*(NOPERM|permission)/);
    startWorker(redis.url, 'heard@here');
    await untilOnline('heard@');
    expect(JSON.stringify([service.state(), service.components(), lines])).not.toContain('secret');
  });
});

/** The server's own process id. */
async function processOf(url: string): Promise<number> {
  const client = new Redis(url);
  const pid = /process_id:(\d+)/.exec(await client.info('server'))?.[1];
  client.disconnect();
  return Number(pid);
}
