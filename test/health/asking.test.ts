import { expect, it } from 'vitest';
import { Asking } from '../../src/health/asking.js';
import { type Check, concern, down, type Finding, well } from '../../src/health/check.js';
import { CheckedComponent } from '../../src/health/checked.js';

const NEVER = new AbortController().signal;

function check(ask: Check['ask']): Check & { times: number } {
  const made = {
    component: 'redis',
    times: 0,
    ask(signal: AbortSignal): Promise<Finding> {
      made.times += 1;
      return ask(signal);
    },
  };
  return made;
}

it('asks again where the first attempt fails, and not a third time', async () => {
  const failing = check(() => Promise.reject(new Error('refused')));
  expect(await new Asking(failing, 10_000).ask(NEVER)).toEqual({
    ...{ available: false, message: 'refused', responseTimeMs: null },
  });
  expect(failing.times).toBe(2);
});

it('takes what throws before it waits for an answer too', async () => {
  const broken = check(() => {
    throw new Error('broken');
  });
  expect((await new Asking(broken, 10_000).ask(NEVER)).message).toBe('broken');
});

it('gives the reasons of all addresses of a name', async () => {
  const error = new AggregateError([new Error('a refused'), new Error('b refused'), new Error('a refused')]);
  const failing = check(() => Promise.reject(error));
  expect((await new Asking(failing, 10_000).ask(NEVER)).message).toBe('a refused, b refused');
});

it('cancels an attempt that hangs, and gives another one the rest of the time', async () => {
  let cancelled = 0;
  const hanging = check(
    (signal) =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => {
          cancelled += 1;
          reject(new Error('cancelled'));
        }),
      ),
  );
  const asking = new Asking(hanging, 150);
  for (const round of [1, 2, 3]) {
    expect((await asking.ask(NEVER)).message).toBe('no answer within 0.15 s');
    expect(cancelled).toBe(hanging.times);
    // A machine that stalls may leave no time for the second.
    expect(hanging.times).toBeGreaterThanOrEqual(round);
    expect(hanging.times).toBeLessThanOrEqual(2 * round);
  }
});

it('never asks twice at once where the first cannot be cancelled, and again when it ended', async () => {
  let end = () => {};
  const stuck = check(
    () =>
      new Promise((resolve) => {
        end = () => resolve(well('late'));
      }),
  );
  const asking = new Asking(stuck, 150);
  for (let i = 0; i < 3; i++) {
    const asked = await asking.ask(NEVER);
    expect(asked.available).toBe(false);
    expect(asked.message).toMatch(/^no answer; the question of \d{4}-.*Z still hangs$/);
  }
  expect(stuck.times).toBe(1);
  end();
  const again = asking.ask(NEVER);
  // It waits a moment for the old one to end before it begins.
  while (stuck.times === 1) await new Promise((resolve) => setImmediate(resolve));
  end();
  expect(await again).toMatchObject({ available: true, message: 'late' });
});

it('counts failures, and says since when', async () => {
  const answers = [well('a'), down('b'), down('b'), down('c'), concern('d'), well('e')];
  let current = well('');
  const component = new CheckedComponent(
    check(async () => current),
    10_000,
  );
  expect(component.health()).toBeUndefined();
  const seen = [];
  for (const answer of answers) {
    current = answer;
    await component.check(NEVER);
    seen.push(component.health());
  }
  expect(seen.map((one) => [one?.status, one?.available, one?.consecutive_failures, one?.message])).toEqual([
    ['healthy', true, 0, 'a'],
    ['degraded', false, 1, 'b'],
    ['degraded', false, 2, 'b'],
    ['degraded', false, 3, 'c'],
    ['degraded', true, 4, 'd'],
    ['healthy', true, 0, 'e'],
  ]);
  const since = seen.map((one) => one?.since);
  expect(new Set(since.slice(1, 5)).size).toBe(1);
  // The second attempt of a failing check comes after a pause.
  expect(Date.parse(since[1] ?? '')).toBeGreaterThan(Date.parse(since[0] ?? ''));
  expect(Date.parse(since[5] ?? '')).toBeGreaterThan(Date.parse(since[1] ?? ''));
  expect(seen[1]?.response_time_ms).toBeNull();
  expect(seen[0]?.response_time_ms).toBeGreaterThanOrEqual(0);
});

it('keeps what it knew where a check was broken off', async () => {
  const component = new CheckedComponent(
    check(async () => well('a')),
    10_000,
  );
  await component.check(NEVER);
  const before = component.health();
  await component.check(AbortSignal.abort());
  expect(component.health()).toEqual(before);
});
