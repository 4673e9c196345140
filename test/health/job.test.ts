import { afterEach, expect, it } from 'vitest';
import { Job, type JobOptions } from '../../src/job.js';
import type { Ran } from '../../streams/run-log.js';
import { until } from '../source/collector.js';

const WELL: Ran = { outcome: 'succeeded' };
let job: Job | undefined;
afterEach(() => job?.stop());

function started(run: JobOptions['run'], options: Partial<JobOptions> = {}): Job {
  job = new Job({ name: 'x', when: 10, run, ...options });
  job.start();
  return job;
}

it('runs at once and then at its interval, and tells of its last run and its next', async () => {
  let runs = 0;
  const it = started(async () => {
    runs += 1;
    return WELL;
  });
  await until(() => runs === 3, 'three runs');
  const state = it.state();
  expect(state).toMatchObject({
    ...{ name: 'x', every_seconds: 0.01, cron: null, last_outcome: 'succeeded', last_message: null },
    ...{ failures: 0, consecutive_failures: 0 },
  });
  expect(state.runs).toBeGreaterThanOrEqual(3);
  expect(Date.parse(state.next_run_at ?? '')).toBeGreaterThanOrEqual(Date.parse(state.last_run_at ?? ''));
  await it.stop();
  const { runs: ended, next_run_at } = it.state();
  expect([ended, next_run_at]).toEqual([runs, null]);
});

it('never overlaps itself, also where it is hurried', async () => {
  let under = 0;
  let most = 0;
  let runs = 0;
  const ends: (() => void)[] = [];
  const it = started(async (stop) => {
    under += 1;
    runs += 1;
    most = Math.max(most, under);
    await new Promise<void>((resolve) => {
      ends.push(resolve);
      stop.addEventListener('abort', () => resolve());
    });
    under -= 1;
    return WELL;
  });
  await until(() => runs === 1, 'the first run');
  expect(it.state().running).toBe(true);
  for (let i = 0; i < 5; i++) it.hurry();
  // Long after several intervals have gone.
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect([runs, most]).toEqual([1, 1]);
  ends.shift()?.();
  await until(() => runs === 2, 'the next follows at once');
  expect(most).toBe(1);
  ends.shift()?.();
});

it('waits for its time, and is hurried out of it', async () => {
  let runs = 0;
  const it = started(
    async () => {
      runs += 1;
      return WELL;
    },
    { when: 3_600_000, atOnce: false },
  );
  expect(Date.parse(it.state().next_run_at ?? '') - Date.now()).toBeGreaterThan(3_500_000);
  expect([it.state().last_run_at, it.state().last_outcome, runs]).toEqual([null, null, 0]);
  it.hurry();
  await until(() => runs === 1, 'it is run');
  await until(() => !it.state().running, 'it has ended');
  expect(Date.parse(it.state().next_run_at ?? '') - Date.now()).toBeGreaterThan(3_500_000);
});

it('comes at times of the day', async () => {
  const it = started(async () => WELL, { when: '0 3 * * *' });
  const { next_run_at, every_seconds, cron } = it.state();
  expect([every_seconds, cron]).toEqual([null, '0 3 * * *']);
  const next = new Date(next_run_at ?? '');
  expect([next.getHours(), next.getMinutes()]).toEqual([3, 0]);
  const left = next.getTime() - Date.now();
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(25 * 3_600_000);
});

it('is tried again after longer and longer pauses, until it goes well', async () => {
  const began: number[] = [];
  let broken = true;
  const it = started(
    async () => {
      began.push(performance.now());
      if (broken) throw new Error('no room');
      return WELL;
    },
    { when: '0 3 * * *', retry: { firstMs: 20, longestMs: 80 } },
  );
  it.hurry();
  await until(() => began.length === 6, 'six tries');
  await until(() => it.state().consecutive_failures === 6, 'the sixth has failed');
  expect(it.state()).toMatchObject({
    ...{ last_outcome: 'failed', last_message: 'no room', failures: 6, consecutive_failures: 6 },
  });
  // Not at three in the morning, but soon.
  expect(Date.parse(it.state().next_run_at ?? '') - Date.now()).toBeLessThan(60_000);
  const pauses = began.slice(1).map((at, i) => at - (began[i] ?? 0));
  // Each is between a half and the whole of 20, 40, 80, 80, 80; a timer may fire a millisecond early by this clock.
  for (const [i, least] of [10, 20, 40, 40, 40].entries()) expect(pauses[i]).toBeGreaterThan(least - 2);
  broken = false;
  await until(() => it.state().last_outcome === 'succeeded', 'it goes well');
  expect(it.state()).toMatchObject({ last_message: null, failures: 6, consecutive_failures: 0 });
  expect(new Date(it.state().next_run_at ?? '').getHours()).toBe(3);
});

it('tells the run under way that it stops, and waits for it', async () => {
  let told = false;
  const it = started(
    (stop) =>
      new Promise((resolve) =>
        stop.addEventListener('abort', () => {
          told = true;
          resolve(WELL);
        }),
      ),
  );
  await until(() => it.state().running, 'it runs');
  await it.stop();
  expect([told, it.state().running, it.state().runs]).toEqual([true, false, 1]);
  it.start();
  it.hurry();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(it.state().runs).toBe(1);
});
