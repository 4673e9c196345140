import { expect, test } from 'vitest';
import { GIVE_UP_AFTER_MS, nextAttempt } from '../../src/alerts/retry.js';

const MADE = 1_000_000;

function next(attempts: number, rest: { after?: number; retryAfterMs?: number; random?: number } = {}) {
  const now = MADE + (rest.after ?? 0);
  const at = nextAttempt({
    ...{ attempts, createdAt: MADE, now, retryAfterMs: rest.retryAfterMs ?? null },
    random: rest.random ?? 1 - Number.EPSILON,
  });
  return at === null ? null : at - now;
}

// attempts so far, the shortest and the longest pause
test.each([
  [1, 2_500, 5_000],
  [2, 5_000, 10_000],
  [3, 10_000, 20_000],
  [6, 80_000, 160_000],
  [7, 150_000, 300_000],
  [8, 150_000, 300_000],
  [5_000, 150_000, 300_000],
])('after %i attempts it waits between %i and %i ms', (attempts, shortest, longest) => {
  expect(next(attempts, { random: 0 })).toBe(shortest);
  expect(next(attempts)).toBe(longest);
});

test.each([
  ['less than our own pause', 1_000, 5_000],
  ['more', 60_000, 60_000],
  ['more than a day: once more at the end', 10 * GIVE_UP_AFTER_MS, GIVE_UP_AFTER_MS],
])('a receiver that asks for %s', (_, retryAfterMs, wait) => {
  expect(next(1, { retryAfterMs })).toBe(wait);
});

test.each([
  ['a second before the end', GIVE_UP_AFTER_MS - 1_000, 1_000],
  ['at the end', GIVE_UP_AFTER_MS, null],
  ['after it', GIVE_UP_AFTER_MS + 1, null],
])('%s', (_, after, wait) => {
  expect(next(100, { after })).toBe(wait);
});

test('a receiver down for an hour hears of it within five minutes of being back', () => {
  let now = MADE;
  const times: number[] = [];
  for (let attempts = 1; now < MADE + 3_600_000; attempts++) {
    now = nextAttempt({ attempts, createdAt: MADE, now, retryAfterMs: null, random: 0.99 }) ?? Number.NaN;
    times.push(now);
  }
  expect(times.length).toBeGreaterThan(15);
  expect(Math.max(...times.map((time, i) => time - (times[i - 1] ?? MADE)))).toBeLessThanOrEqual(300_000);
});
