import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Celery, type CeleryOptions } from '../../streams/celery.js';
import { parseCeleryEvents, TASK_STATES } from '../../streams/celery-event.js';
import { celeryComponents } from '../../streams/celery-health.js';
import type { ListReading } from '../../streams/celery-queues.js';
import { SAMPLES_KEPT } from '../../streams/celery-queues.js';
import { celerySummary } from '../../streams/celery-summary.js';
import { TASK_NAMES_KEPT, TASKS_REMEMBERED } from '../../streams/celery-tasks.js';
import { WORKERS_KEPT } from '../../streams/celery-workers.js';

const NOON = Date.parse('2026-03-10T12:00:00Z');
const BOTH: CeleryOptions = {
  ...{ queues: ['celery', 'mail'], watchWorkers: true, watchQueues: true, certain: true },
};

/** A Celery whose time is seconds after noon. */
function scene(options: Partial<CeleryOptions> = {}) {
  const celery = new Celery({ ...BOTH, ...options }, NOON);
  const at = (seconds: number) => NOON + seconds * 1000;
  const hear = (body: unknown, seconds = 0) => celery.heard(parseCeleryEvents(body), at(seconds));
  return {
    celery,
    at,
    hear,
    listening: (seconds = 0) => celery.listening(at(seconds)),
    deaf: (seconds: number, reason = 'gone') => celery.deaf(reason, at(seconds)),
    /** Time passes as the service lets it: four times a second. */
    pass(from: number, to: number) {
      for (let seconds = from; seconds <= to; seconds += 0.25) celery.advance(at(seconds));
    },
    beat: (hostname: string, seconds: number, freq = 2, type = 'worker-heartbeat') =>
      hear({ type, hostname, freq, active: 1, processed: 7 }, seconds),
    read(lists: readonly Partial<ListReading>[], seconds: number) {
      const whole = lists.map((list) => ({
        ...{ key: list.queue ?? 'celery', queue: 'celery', priority: 0, length: 0, newest: null },
        ...list,
      }));
      celery.read(whole, { askedAt: at(seconds), now: at(seconds) });
    },
    online: () =>
      celery
        .state()
        .workers.filter(({ online }) => online)
        .map(({ name }) => name),
    status: (component = 'celery_workers') =>
      celeryComponents(celery.state()).find((one) => one.component === component)?.status,
  };
}

describe('workers', () => {
  test('are online from one heartbeat until twice what they announced, and by nothing else', () => {
    const { listening, beat, pass, online, celery } = scene();
    listening();
    beat('slow@x', 1, 10);
    beat('quick@x', 1, 2);
    pass(1, 4.75);
    expect(online()).toEqual(['quick@x', 'slow@x']);
    pass(5, 5);
    expect(online()).toEqual(['slow@x']);
    pass(5.25, 20.75);
    expect(online()).toEqual(['slow@x']);
    pass(21, 21);
    expect(celery.state()).toMatchObject({ workers_online: 0, workers_up: false });
    beat('quick@x', 22);
    expect(celery.state()).toMatchObject({ workers_online: 1, workers_up: true });
  });

  test.each([
    ['none', undefined, 120],
    ['nonsense', 'often', 120],
    ['zero', 0, 120],
    ['a year', 31_536_000, 7_200],
  ])('that announce %s are still missed', (_, freq, seconds) => {
    const { listening, hear, pass, online } = scene();
    listening();
    hear({ type: 'worker-online', hostname: 'a@x', freq });
    pass(0, seconds - 0.25);
    expect(online()).toEqual(['a@x']);
    pass(seconds, seconds);
    expect(online()).toEqual([]);
  });

  test('that say goodbye are offline at once', () => {
    const { listening, beat, online, celery } = scene();
    listening();
    beat('a@x', 0);
    beat('a@x', 1, 2, 'worker-offline');
    expect(online()).toEqual([]);
    expect(celery.state().workers_up).toBe(false);
  });

  test('are not given up because we did not listen, or were held up', () => {
    const { listening, beat, pass, deaf, online, celery, at } = scene();
    listening();
    beat('a@x', 0);
    pass(0, 1);
    // This process was held up for a minute: what they sent meanwhile is still to be read.
    celery.advance(at(61));
    expect(online()).toEqual(['a@x']);
    deaf(62);
    pass(62, 90);
    expect(online()).toEqual(['a@x']);
    expect(celery.state()).toMatchObject({ workers_online: null, workers_up: true });
    listening(92);
    pass(92, 95.75);
    expect(online()).toEqual(['a@x']);
    pass(96, 96);
    expect(online()).toEqual([]);
    expect(celery.state().heard).toMatchObject({ interruptions: 1, deaf_seconds: 30 });
  });

  test('known by pings alone are offline by a round that they miss; heartbeats are the stricter promise', () => {
    const { listening, beat, pass, online, celery, at } = scene();
    listening();
    beat('beats@x', 0);
    celery.pinged(new Set(['pings@x', 'beats@x']), at(1));
    expect(celery.pingedOnly()).toEqual(['pings@x']);
    pass(1, 4);
    // An answer that came while its heartbeats were in time does not keep it.
    expect(online()).toEqual(['pings@x']);
    celery.pinged(new Set(['beats@x']), at(5));
    expect(online()).toEqual(['beats@x']);
    celery.pinged(new Set(), at(6));
    expect(online()).toEqual([]);
  });

  test('are bounded: who is gone longest makes room, and who finds none is counted', () => {
    const { listening, beat, celery, online } = scene();
    listening();
    for (let i = 0; i < WORKERS_KEPT; i++) beat(`w${i}@x`, 0);
    beat('late@x', 0);
    expect(celery.state().heard.workers_not_kept).toBe(1);
    beat('w7@x', 1, 2, 'worker-offline');
    beat('late@x', 1);
    expect(celery.state()).toMatchObject({ workers_online: WORKERS_KEPT, heard: { workers_not_kept: 1 } });
    expect(celery.state().workers).toHaveLength(100);
    expect(online()).toHaveLength(100);
  });

  test('that are gone are shown for an hour', () => {
    const { listening, beat, celery, pass } = scene();
    listening();
    beat('a@x', 0, 2, 'worker-offline');
    pass(0, 3_599);
    expect(celery.state().workers).toHaveLength(1);
    pass(3_599, 3_600);
    expect(celery.state().workers).toHaveLength(0);
  });
});

describe('tasks', () => {
  const event = (type: string, uuid: string, more: object = {}) => ({ type: `task-${type}`, uuid, ...more });

  test('are counted by the name that only the first event carries', () => {
    const { listening, hear, celery } = scene();
    listening();
    hear([
      event('received', 'a', { name: 'sync', timestamp: 100 }),
      event('started', 'a', { timestamp: 100.25 }),
      event('succeeded', 'a', { timestamp: 101, runtime: 0.75 }),
    ]);
    expect(celery.state().tasks.sync).toMatchObject({
      ...{ received: 1, started: 1, succeeded: 1, failed: 0 },
      ...{ runtime_avg_seconds: 0.75, runtime_max_seconds: 0.75, waiting_avg_seconds: 0.25 },
    });
    hear(event('failed', 'a'));
    expect(celery.state().tasks.unknown).toMatchObject({ failed: 1 });
    expect(celery.state().heard.tasks_on_their_way).toBe(0);
  });

  test('that are retried keep their name, whichever worker is heard first; what is not due does not wait', () => {
    const { listening, hear, celery } = scene();
    listening();
    const eta = new Date(110_000).toISOString();
    hear(event('received', 'a', { name: 'sync', timestamp: 100 }));
    hear(event('started', 'a', { timestamp: 100 }));
    // The second worker receives it before the first has told that it gave it back.
    hear(event('received', 'a', { name: 'sync', timestamp: 101, retries: 1, eta }));
    hear(event('retried', 'a', { timestamp: 101 }));
    hear(event('started', 'a', { timestamp: 110.5 }));
    hear(event('succeeded', 'a', { timestamp: 111, runtime: 0.5 }));
    const { sync, unknown } = celery.state().tasks;
    expect(sync).toMatchObject({
      received: 2,
      started: 2,
      retried: 1,
      succeeded: 1,
      waiting_max_seconds: 0.5,
    });
    expect(unknown).toBeUndefined();
  });

  test('have a bounded number of names, and a bounded memory for those on their way', () => {
    const { listening, hear, celery } = scene();
    listening();
    for (let i = 0; i < TASK_NAMES_KEPT + 5; i++) hear(event('received', `n${i}`, { name: `task ${i}` }));
    hear(event('received', 'long', { name: 'x'.repeat(100_000) }));
    expect(Object.keys(celery.state().tasks)).toHaveLength(TASK_NAMES_KEPT + 1);
    expect(celery.state().tasks.other?.received).toBe(6);
    expect(celery.state().heard.other_tasks).toBe(6);
    const before = celery.state().heard.tasks_on_their_way;
    for (let i = 0; i < TASKS_REMEMBERED; i++) hear(event('received', `u${i}`, { name: 'task 1' }));
    expect(celery.state().heard).toMatchObject({
      tasks_on_their_way: TASKS_REMEMBERED,
      names_forgotten: before,
    });
    hear(event('succeeded', 'n0'));
    expect(celery.state().tasks.unknown?.succeeded).toBe(1);
  });

  test('named as properties of objects are named like any other', () => {
    const { listening, hear, celery } = scene();
    listening();
    for (const name of ['__proto__', 'constructor']) hear(event('received', name, { name }));
    expect(Object.keys(celery.state().tasks).sort()).toEqual(['__proto__', 'constructor']);
  });

  test('whatever is published, every element is counted once and nothing throws', () => {
    const field = fc.oneof(fc.string(), fc.double(), fc.constant(null), fc.boolean());
    const type = fc.constantFrom(
      ...TASK_STATES.map((state) => `task-${state}`),
      'worker-heartbeat',
      'worker-x',
      '',
    );
    const element = fc.oneof(
      fc.record({
        type,
        uuid: field,
        name: field,
        timestamp: field,
        runtime: field,
        hostname: field,
        freq: field,
        eta: field,
      }),
      fc.anything(),
    );
    fc.assert(
      fc.property(fc.array(element, { maxLength: 30 }), (body) => {
        const { celery, hear, listening } = scene();
        listening();
        hear(body);
        const { tasks, heard, workers } = celery.state();
        expect(heard.events + heard.ignored).toBe(body.length);
        const counted = Object.values(tasks).flatMap((task) => TASK_STATES.map((state) => task[state]));
        const inTasks = counted.reduce((sum, count) => sum + count, 0);
        expect(heard.events - inTasks).toBeGreaterThanOrEqual(workers.length);
        JSON.parse(JSON.stringify([celery.state(), celery.totals()]));
      }),
    );
  });
});

describe('queues', () => {
  test('are the sum of their lists, and show since when they are not empty', () => {
    const { listening, read, celery } = scene();
    expect(celery.state().queues).toBeNull();
    listening();
    read([{ length: 2 }, { key: 'celery9', priority: 9, length: 1 }, { key: 'mail', queue: 'mail' }], 1);
    read([{ length: 1 }, { key: 'celery9', priority: 9 }, { key: 'celery:9', priority: 9, length: 4 }], 2);
    expect(celery.state().queues).toMatchObject({
      celery: { length: 5, by_priority: { 0: 1, 9: 4 }, backlog_since: '2026-03-10T12:00:01.000Z' },
      mail: { length: 0, by_priority: {}, backlog_since: null },
    });
    expect(celery.state().queue_length).toBe(5);
    read([{ length: 0 }], 3);
    expect(celery.state().queues?.celery).toMatchObject({ length: 0, backlog_since: null });
  });

  test('are not known without a connection, and an answer that comes late changes nothing', () => {
    const { listening, deaf, read, celery, status } = scene();
    listening();
    read([{ length: 2 }], 1);
    deaf(2, 'refused');
    read([{ length: 3 }], 2);
    expect(celery.state()).toMatchObject({ queues: null, queue_length: null });
    expect(status('celery_queue')).toBe('degraded');
  });

  test('measure how long the newest of a reading waited until a worker received it', () => {
    const { listening, read, hear, celery } = scene();
    listening();
    read([{ length: 1, newest: 'a' }], 0);
    read([{ length: 2, newest: 'b' }], 1);
    read([{ length: 2, newest: 'b' }], 2);
    hear({ type: 'task-received', uuid: 'a', name: 'sync' }, 5);
    hear({ type: 'task-received', uuid: 'b', name: 'sync' }, 6);
    hear({ type: 'task-received', uuid: 'c', name: 'sync' }, 7);
    // Received between the question and the answer.
    read([{ length: 1, newest: 'c' }], 6.5);
    hear({ type: 'task-received', uuid: 'c', name: 'sync' }, 60);
    expect(celery.state().queues?.celery).toMatchObject({
      ...{ waited_count: 2, waited_avg_seconds: 5, waited_max_seconds: 5 },
    });
    expect(celery.totals().queueWaiting.celery?.count).toBe(2);
    expect(celery.totals().queueWaiting.mail?.count).toBe(0);
  });

  test('of what the portal announces they know exactly; a queue that is not watched is another', () => {
    const { listening, hear, celery } = scene();
    listening();
    for (const [uuid, queue] of [
      ['a', 'mail'],
      ['b', 'bulk'],
    ]) {
      hear({ type: 'task-sent', uuid, name: 'sync', queue }, 1);
      hear({ type: 'task-received', uuid, name: 'sync' }, 4);
      // Given to another worker after the first was lost: it did not wait since it was sent.
      hear({ type: 'task-received', uuid, name: 'sync' }, 90);
    }
    const { queueWaiting } = celery.totals();
    expect([queueWaiting.mail?.sum, queueWaiting.other?.sum, queueWaiting.celery?.count]).toEqual([3, 3, 0]);
  });

  test('forget what was purged, and keep a bounded sample', () => {
    const { listening, read, hear, celery } = scene();
    listening();
    read([{ length: 1, newest: 'purged' }], 0);
    read([{ length: 0 }], 1);
    read([{ length: 0 }], 12);
    hear({ type: 'task-received', uuid: 'purged', name: 'sync' }, 13);
    expect(celery.state().queues?.celery?.waited_count).toBe(0);
    for (let i = 0; i <= SAMPLES_KEPT; i++) read([{ length: i + 1, newest: `s${i}` }], 20 + i);
    expect(celery.state().heard.waits_not_measured).toBe(SAMPLES_KEPT / 2);
  });
});

describe('components', () => {
  test('without Celery are not configured, and switched off say by what', () => {
    expect(celeryComponents(undefined).map(({ component, status }) => [component, status])).toEqual([
      ['celery_workers', 'not_configured'],
      ['celery_queue', 'not_configured'],
    ]);
    const off = scene({ watchWorkers: false, watchQueues: false });
    expect([off.status(), off.status('celery_queue')]).toEqual(['not_configured', 'not_configured']);
  });

  test.each<[string, (it: ReturnType<typeof scene>) => void]>([
    ['a heartbeat', (it) => it.beat('a@x', 100)],
    ['an answer', (it) => it.celery.pinged(new Set(['a@x']), it.at(100))],
    ['a task that waits', (it) => it.read([{ length: 1 }], 100)],
    ['what workers left', (it) => it.celery.trace()],
  ])("of a Redis that may be nobody's broker are not configured, until there is %s", (_, sign) => {
    const made = scene({ certain: false });
    made.listening();
    made.read([{ length: 0 }], 1);
    made.celery.pinged(new Set(), made.at(1));
    made.pass(1, 100);
    expect([made.status(), made.status('celery_queue')]).toEqual(['not_configured', 'not_configured']);
    expect(made.celery.state()).toMatchObject({ workers_online: null, queues: null });
    expect(celerySummary(made.celery.state())).toBeUndefined();
    sign(made);
    expect(made.status('celery_queue')).toBe('healthy');
    expect(made.status()).toMatch(/^(healthy|degraded)$/);
    expect(celerySummary(made.celery.state())?.workers_online).not.toBeNull();
  });

  test('say nothing before anything could be known, and then that nobody works', () => {
    const { listening, pass, status, celery } = scene();
    pass(0, 1);
    expect([status(), status('celery_queue')]).toEqual([undefined, undefined]);
    listening(1);
    pass(1, 10.75);
    expect(status()).toBeUndefined();
    pass(11, 11);
    expect(status()).toBe('degraded');
    expect(celery.state().workers_online).toBe(0);
    expect(celeryComponents(celery.state())[0]?.consecutive_failures).toBe(1);
  });

  test('bear with a broker that is away for a moment, not with one that stays away', () => {
    const { listening, deaf, beat, pass, status } = scene();
    listening();
    beat('a@x', 0);
    deaf(1);
    pass(1, 40.75);
    expect([status(), status('celery_queue')]).toEqual(['healthy', 'degraded']);
    listening(41);
    // Workers look for the broker with growing pauses.
    pass(41, 80.75);
    expect(status()).toBe('healthy');
    pass(81, 81);
    expect(status()).toBe('degraded');
    beat('a@x', 82);
    expect(status()).toBe('healthy');
    deaf(83);
    pass(83, 123);
    expect(status()).toBe('degraded');
  });
});
