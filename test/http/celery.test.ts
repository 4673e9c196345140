/** What /metrics/celery and the snapshot say of a Celery that was heard. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createAccess } from '../../src/http/auth.js';
import { SnapshotFrame } from '../../src/http/frames.js';
import { snapshotMessage } from '../../src/http/messages.js';
import { type AppOptions, createApp } from '../../src/http/routes.js';
import { Celery, type CeleryView } from '../../streams/celery.js';
import { parseCeleryEvents } from '../../streams/celery-event.js';
import { celerySummary } from '../../streams/celery-summary.js';
import { errorOf } from './app.js';
import { HandDrivenView, NO_CLIENTS, START } from './view.js';
import { payloadOf } from './wire.js';

const PROMTOOL = '/usr/bin/promtool';

function heard(): Celery {
  const celery = new Celery(
    { queues: ['celery', 'mail'], watchWorkers: true, watchQueues: true, certain: false },
    START,
  );
  celery.listening(START);
  const task = (uuid: string, more: object) => ({ uuid, ...more });
  celery.heard(
    parseCeleryEvents([
      { type: 'worker-heartbeat', hostname: 'one@"x"', freq: 2, active: 1, processed: 3 },
      task('a', { type: 'task-received', name: 'portal.sync', timestamp: 10 }),
      task('a', { type: 'task-started', timestamp: 10.2 }),
      task('a', { type: 'task-succeeded', timestamp: 11, runtime: 0.8 }),
      task('b', { type: 'task-received', name: 'portal.sync', timestamp: 10 }),
      task('b', { type: 'task-failed', timestamp: 10, exception: 'for ivan@example.com' }),
    ]),
    START,
  );
  const list = { priority: 0, newest: null };
  celery.read(
    [
      { ...list, key: 'celery', queue: 'celery', length: 4 },
      { ...list, key: 'mail', queue: 'mail', length: 0 },
    ],
    { askedAt: START, now: START },
  );
  return celery;
}

class ViewOfCelery extends HandDrivenView {
  constructor(private readonly ofCelery: CeleryView | undefined) {
    super();
  }

  celery(): CeleryView | undefined {
    return this.ofCelery;
  }
}

function app(celery: CeleryView | undefined, options: Partial<AppOptions> = {}) {
  return createApp(new ViewOfCelery(celery), {
    access: createAccess({ host: '127.0.0.1' }),
    liveStats: () => NO_CLIENTS,
    version: '1.2.3',
    onError: (error) => {
      throw error;
    },
    now: () => START,
    ...options,
  });
}

const samples = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('/metrics/celery', () => {
  it('tells workers, queues, tasks, and how well was heard', async () => {
    const response = await app(heard()).request('/metrics/celery');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const lines = samples(await response.text());
    for (const line of [
      'celery_broker_up 1',
      'celery_workers_online 1',
      'celery_queue_length{queue="celery"} 4',
      'celery_queue_length{queue="mail"} 0',
      'celery_tasks_total{task="portal.sync",state="received"} 2',
      'celery_tasks_total{task="portal.sync",state="succeeded"} 1',
      'celery_tasks_total{task="portal.sync",state="failed"} 1',
      'celery_tasks_total{task="portal.sync",state="retried"} 0',
      'celery_task_runtime_seconds_bucket{task="portal.sync",le="0.5"} 0',
      'celery_task_runtime_seconds_bucket{task="portal.sync",le="1"} 1',
      'celery_task_runtime_seconds_sum{task="portal.sync"} 0.8',
      'celery_task_waiting_seconds_count{task="portal.sync"} 1',
      'celery_queue_waiting_seconds_count{queue="celery"} 0',
      'celery_events_total 6',
      'celery_tasks_on_their_way 0',
    ])
      expect(lines).toContain(line);
    expect(lines.join('\n')).not.toContain('ivan');
  });

  it('has no sample for what is not known, and none at all without Celery', async () => {
    const celery = heard();
    celery.deaf('refused', START + 1_000);
    const lines = samples(await (await app(celery).request('/metrics/celery')).text());
    expect(lines).toContain('celery_broker_up 0');
    expect(lines.filter((line) => /^celery_(workers_online|queue_length)/.test(line))).toEqual([]);
    const without = await app(undefined).request('/metrics/celery/');
    expect(without.status).toBe(200);
    expect(samples(await without.text())).toEqual([]);
  });

  it('is for the role of Prometheus, and turned off with the rest', async () => {
    const access = createAccess({ host: '0.0.0.0', authToken: 'admin-token', metricsToken: 'metrics-token' });
    const guarded = app(heard(), { access });
    const ask = (token: string, path = '/metrics/celery') =>
      guarded.request(path, { headers: { Authorization: `Bearer ${token}` } });
    expect((await guarded.request('/metrics/celery')).status).toBe(401);
    expect((await ask('metrics-token')).status).toBe(200);
    expect((await ask('metrics-token', '/api/monitoring/realtime/')).status).toBe(403);
    const off = await app(heard(), { metricsEnabled: false }).request('/metrics/celery');
    expect(off.status).toBe(404);
    expect((await errorOf(off)).code).toBe('metrics_disabled');
  });

  it.skipIf(!existsSync(PROMTOOL))('passes promtool', async () => {
    const text = await (await app(heard()).request('/metrics/celery')).text();
    const { status, stderr, stdout } = spawnSync(PROMTOOL, ['check', 'metrics'], { input: text });
    expect([status, String(stdout), String(stderr)]).toEqual([0, '', '']);
  });
});

describe('the snapshot message', () => {
  it('tells Celery where there is one, and a heartbeat is nothing new', () => {
    const view = new HandDrivenView();
    view.tick();
    const celery = heard();
    const frame = new SnapshotFrame();
    const update = () => {
      view.tick(250);
      const latest = view.latest();
      if (latest === null) throw new Error('no snapshot');
      frame.update(latest, () => celerySummary(celery.state()));
    };
    const beat = (type: string) => ({ type, hostname: 'one@"x"', freq: 2, active: 1, processed: 3 });
    update();
    celery.heard(parseCeleryEvents(beat('worker-heartbeat')), START + 500);
    update();
    const message = () => snapshotMessage.parse(JSON.parse(payloadOf(frame.bytes()))).celery;
    const before = message();
    expect(before).toMatchObject({ workers_online: 1, queue_length: 4, tasks_succeeded: 1, tasks_failed: 1 });
    celery.heard(parseCeleryEvents(beat('worker-heartbeat')), START + 1_000);
    update();
    expect(message()).toEqual(before);
    celery.heard(parseCeleryEvents(beat('worker-offline')), START + 1_500);
    update();
    expect(message()).toMatchObject({ workers_online: 0, workers: [{ name: 'one@"x"', online: false }] });
  });

  it('has no such part without Celery', () => {
    const view = new HandDrivenView();
    view.tick();
    const frame = new SnapshotFrame();
    const latest = view.latest();
    if (latest === null) throw new Error('no snapshot');
    frame.update(latest, () => undefined);
    expect(Object.keys(JSON.parse(payloadOf(frame.bytes())))).not.toContain('celery');
  });
});
