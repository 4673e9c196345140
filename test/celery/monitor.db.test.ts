/** A monitor with a real Celery beside its database: health, the rule, metrics and the snapshot on a real socket. */
import { afterEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { alertsConfig } from '../../src/alert-settings.js';
import { celeryConfig } from '../../src/celery-service.js';
import { parseConfig } from '../../src/config.js';
import { healthConfig } from '../../src/health-settings.js';
import { createAccess } from '../../src/http/auth.js';
import { LiveHub } from '../../src/http/live.js';
import { snapshotMessage } from '../../src/http/messages.js';
import { createApp } from '../../src/http/routes.js';
import { startServer } from '../../src/http/server.js';
import { startMonitor } from '../../src/monitor.js';
import { startRedis } from '../alerts/redis.js';
import { freshDatabase } from '../setup/database.js';
import { until } from '../source/collector.js';
import { celeryInstalled, killWorkers, send, startWorker } from './real.js';

const ends: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function open(env: Readonly<Record<string, string>>) {
  const result = parseConfig({ env, dotenv: {}, flags: {}, readSecret: () => '' });
  if (!('config' in result)) throw new Error(result.problems.join('\n'));
  const { config } = result;
  const db = await freshDatabase();
  ends.push(() => db.drop());
  const monitor = await startMonitor({
    databaseUrl: db.url,
    alerts: alertsConfig(config),
    health: healthConfig(config),
    celery: celeryConfig(config),
  });
  ends.push(() => monitor.stop());
  const failures: unknown[] = [];
  const onError = (error: unknown) => void failures.push(error);
  ends.push(() => expect(failures).toEqual([]));
  const access = createAccess({ host: '127.0.0.1' });
  const hub = new LiveHub(monitor, { onError });
  const options = { metricsCacheTtl: 0, liveStats: () => hub.stats(), version: '0', onError };
  const app = createApp(monitor, { access, ...options });
  const server = await startServer({ host: '127.0.0.1', port: 0, app, hub, access, onError });
  ends.push(() => server.close());
  return {
    monitor,
    url: server.url,
    component: (name: string) => monitor.getSystemHealth().components[name],
    rule: (name: string) =>
      monitor
        .alerts()
        ?.rules()
        .find((rule) => rule.name === name),
    metrics: async () => (await fetch(new URL('/metrics/celery', server.url))).text(),
  };
}

describe.skipIf(!celeryInstalled)('a monitor with a Celery', { timeout: 90_000 }, () => {
  it('tells of it in health, metrics and the snapshot, and fires when its workers are gone', async () => {
    const redis = await startRedis();
    ends.push(() => redis.kill());
    ends.push(killWorkers);
    const { monitor, url, component, rule, metrics } = await open({ CELERY_BROKER_URL: redis.url });
    const worker = startWorker(redis.url, 'one@here');
    await send(redis.url, [
      ['sync_customer', ['ivan@example.com']],
      ['broken', ['ivan@example.com']],
    ]);
    await until(() => component('celery_workers')?.status === 'healthy', 'the worker is seen');
    await until(() => component('celery_queue')?.status === 'healthy', 'the queue is read');
    await until(() => monitor.celery()?.state().tasks_failed === 1, 'the task has failed');
    await until(() => monitor.celery()?.state().tasks_succeeded === 1, 'the other one has not');
    await until(() => monitor.celery()?.state().queue_length === 0, 'the queue is seen empty');
    expect(component('redis')?.status).toBe('not_configured');
    const text = await metrics();
    expect(text).toContain('celery_workers_online 1\n');
    expect(text).toContain('celery_queue_length{queue="celery"} 0\n');
    expect(text).toContain('celery_tasks_total{task="portal.broken",state="failed"} 1\n');
    expect(text).toContain('celery_task_runtime_seconds_count{task="portal.sync_customer"} 1\n');

    const socket = new WebSocket(new URL('/ws', url.replace('http', 'ws')));
    ends.push(() => socket.terminate());
    const frames: unknown[] = [];
    socket.on('message', (data) => frames.push(JSON.parse(String(data))));
    await until(() => frames.length > 0, 'hello');
    socket.send(JSON.stringify({ type: 'subscribe', topics: ['snapshot'] }));
    const newest = () => snapshotMessage.safeParse(frames.at(-1)).data?.celery;
    await until(() => newest()?.workers_online === 1, 'the worker is in the snapshot');
    expect(newest()).toMatchObject({ tasks_succeeded: 1, tasks_failed: 1, queue_length: 0 });

    await until(() => rule('celery_workers_down')?.reason === 'below', 'the rule looks');
    worker.signal('SIGKILL');
    await until(() => component('celery_workers')?.status === 'degraded', 'the worker is missed');
    await until(() => rule('celery_workers_down')?.state === 'firing', 'the rule fires');
    await until(() => newest()?.workers_online === 0, 'the snapshot says so, too');
    const [alert] = (await monitor.alerts()?.list({ state: 'active', limit: 10 })) ?? [];
    expect(alert).toMatchObject({ rule: 'celery_workers_down', severity: 'critical' });
    startWorker(redis.url, 'two@here');
    await until(() => component('celery_workers')?.status === 'healthy', 'another one is seen');
  });

  it('has none where there is no broker: said in health, absent elsewhere, and nobody is alerted', async () => {
    const { monitor, component, rule, metrics } = await open({});
    expect(monitor.celery()).toBeUndefined();
    await until(() => rule('celery_workers_down')?.reason === 'no_data', 'the rule looks');
    for (const name of ['celery_workers', 'celery_queue'])
      expect(component(name)).toMatchObject({
        status: 'not_configured',
        message: expect.stringContaining('REDIS_URL'),
      });
    expect((await metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([]);
  });
});
