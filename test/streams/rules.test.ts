/** Truth tables of one rule: its line, `for`, `resolve_for`, and what cannot be measured. The tables are read as play.ts says. */
import { describe, expect, test } from 'vitest';
import type { Observation } from '../../streams/alert.js';
import { blind, LIMITS, observe, rateRule } from './observations.js';
import { play } from './play.js';
import { NOON } from './rows.js';

const few = (second: number, total: number, percent: number): Observation =>
  observe(second, { total_operations: total, error_count: total, error_rate: percent });

describe('the line', () => {
  test('above: at the line is not over it', () => {
    play(rateRule(), LIMITS, [
      [0, 9.99, 'inactive', 'below'],
      [1, 10, 'inactive', 'below'],
      [2, 10.01, 'firing', 'over', 'firing'],
    ]);
  });

  test('at_least: at the line is over it', () => {
    play(rateRule({ comparison: 'at_least' }), LIMITS, [
      [0, 9.99, 'inactive', 'below'],
      [1, 10, 'firing', 'over', 'firing'],
    ]);
  });

  test('below: for a throughput that ought to be there; the peak is the lowest', () => {
    const rule = rateRule({ measure: 'throughput_5m', comparison: 'below', threshold: 3, minimumCount: 0 });
    const at = (second: number, perMinute: number): Observation =>
      observe(second, { total_operations: 5, throughput_per_minute: perMinute });
    const notices = play(rule, LIMITS, [
      [0, at(0, 3), 'inactive', 'below'],
      [1, at(1, 2.99), 'firing', 'over', 'firing'],
      [2, at(2, 0), 'firing', 'over'],
      [3, at(3, 3), 'firing', 'waiting_to_resolve'],
      [63, at(63, 3), 'inactive', 'below', 'resolved'],
    ]);
    expect(notices.map(({ value, peak }) => [value, peak])).toEqual([
      [2.99, 2.99],
      [3, 0],
    ]);
  });

  test('too few operations are not over it, however many of them failed', () => {
    play(rateRule(), LIMITS, [
      [0, null, 'inactive', 'no_data'],
      [1, few(1, 19, 100), 'inactive', 'too_few_events'],
      [2, few(2, 20, 100), 'firing', 'over', 'firing'],
    ]);
  });

  test('of a duration, the rows with a duration are counted', () => {
    const rule = rateRule({ measure: 'duration_p95_1h', threshold: 2000, minimumCount: 20 });
    const of = (second: number, total: number, count: number): Observation =>
      observe(second, { total_operations: total, duration_count: count, duration_p95_ms: 9000 });
    play(rule, LIMITS, [
      [0, of(0, 500, 19), 'inactive', 'too_few_events'],
      [1, of(1, 20, 20), 'firing', 'over', 'firing'],
    ]);
  });

  test('what becomes too little while it fires is resolved', () => {
    play(rateRule(), LIMITS, [
      [0, 50, 'firing', 'over', 'firing'],
      [10, few(10, 5, 100), 'firing', 'waiting_to_resolve'],
      [69, null, 'firing', 'waiting_to_resolve'],
      [70, null, 'inactive', 'no_data', 'resolved'],
    ]);
  });
});

describe('for and resolve_for', () => {
  test('`for` is counted from the crossing; at its end the rule fires', () => {
    const notices = play(rateRule({ forSeconds: 60 }), LIMITS, [
      [0, 50, 'pending', 'waiting_for'],
      [30, 80, 'pending', 'waiting_for'],
      [59.999, 50, 'pending', 'waiting_for'],
      [60, 50, 'firing', 'over', 'firing'],
    ]);
    const at = NOON + 60_000;
    expect(notices[0]).toMatchObject({ at, startsAt: at, endsAt: null, value: 50, peak: 80 });
  });

  test('one moment below begins it anew, and nobody hears of it', () => {
    play(rateRule({ forSeconds: 60 }), LIMITS, [
      [0, 50, 'pending', 'waiting_for'],
      [59, 5, 'inactive', 'below'],
      [60, 50, 'pending', 'waiting_for'],
      [119, 50, 'pending', 'waiting_for'],
      [120, 50, 'firing', 'over', 'firing'],
    ]);
  });

  test('resolve_for: one moment over it begins anew', () => {
    const notices = play(rateRule(), LIMITS, [
      [0, 50, 'firing', 'over', 'firing'],
      [10, 5, 'firing', 'waiting_to_resolve'],
      [69.999, 5, 'firing', 'waiting_to_resolve'],
      [70, 60, 'firing', 'over'],
      [71, 5, 'firing', 'waiting_to_resolve'],
      [130, 5, 'firing', 'waiting_to_resolve'],
      [131, 4, 'inactive', 'below', 'resolved'],
      [132, 5, 'inactive', 'below'],
    ]);
    const resolved = { startsAt: NOON, endsAt: NOON + 131_000, value: 4, peak: 60, threshold: 10 };
    expect(notices[1]).toMatchObject(resolved);
    expect(notices.map(({ id }) => id)).toEqual([`rate:${NOON}:firing`, `rate:${NOON}:resolved`]);
  });
});

describe('while rows cannot be measured', () => {
  test('nothing fires and nothing is resolved', () => {
    play(rateRule(), LIMITS, [
      [0, { blind: 100 }, 'inactive', 'frozen'],
      [1, 50, 'firing', 'over', 'firing'],
      [2, { blind: 0 }, 'firing', 'frozen'],
      [5000, { blind: 0 }, 'firing', 'frozen'],
      [5001, 5, 'firing', 'waiting_to_resolve'],
      [5060, 5, 'firing', 'waiting_to_resolve'],
      [5061, 5, 'inactive', 'below', 'resolved'],
    ]);
  });

  test('`for` stands still: 20 s before and 40 s after are 60 s', () => {
    play(rateRule({ forSeconds: 60 }), LIMITS, [
      [0, 50, 'pending', 'waiting_for'],
      [20, { blind: 50 }, 'pending', 'frozen'],
      [500, { blind: 0 }, 'pending', 'frozen'],
      [1000, 50, 'pending', 'waiting_for'],
      [1039, 50, 'pending', 'waiting_for'],
      [1040, 50, 'firing', 'over', 'firing'],
    ]);
  });

  test('resolve_for stands still likewise', () => {
    play(rateRule(), LIMITS, [
      [0, 50, 'firing', 'over', 'firing'],
      [10, 5, 'firing', 'waiting_to_resolve'],
      [30, { blind: 5 }, 'firing', 'frozen'],
      [900, 5, 'firing', 'waiting_to_resolve'],
      [939, 5, 'firing', 'waiting_to_resolve'],
      [940, 5, 'inactive', 'below', 'resolved'],
    ]);
  });

  test('a notice that waits for the rate limit, and a reminder, wait for a measurement as well', () => {
    play(rateRule({ resolveForSeconds: 0 }), { rateLimitSeconds: 300, reminderSeconds: 600 }, [
      [0, 50, 'firing', 'over', 'firing'],
      [10, 5, 'inactive', 'below', 'resolved'],
      [20, 50, 'firing', 'rate_limited'],
      [310, { blind: 50 }, 'firing', 'frozen'],
      [400, 50, 'firing', 'over', 'firing'],
      [1000, { blind: 50 }, 'firing', 'frozen'],
      [1100, 50, 'firing', 'over', 'reminder'],
    ]);
  });

  test('a rule over health goes on; one whose component was not asked yet stays as it is', () => {
    const rule = rateRule({ measure: 'component:redis', over: 'health', threshold: 0, minimumCount: 0 });
    const redis = (second: number, status: 'healthy' | 'unhealthy' | null): Observation => ({
      ...blind(second, 0),
      components: status === null ? {} : { redis: { status, since: NOON, message: 'no answer in 5 s' } },
    });
    const notices = play(rule, LIMITS, [
      [0, redis(0, null), 'inactive', 'unknown'],
      [1, redis(1, 'unhealthy'), 'firing', 'over', 'firing'],
      [30, redis(30, null), 'firing', 'unknown'],
      [1000, redis(1000, 'healthy'), 'firing', 'waiting_to_resolve'],
      [1010, redis(1010, null), 'firing', 'unknown'],
      [2000, redis(2000, 'healthy'), 'firing', 'waiting_to_resolve'],
      [2049, redis(2049, 'healthy'), 'firing', 'waiting_to_resolve'],
      [2050, redis(2050, 'healthy'), 'inactive', 'below', 'resolved'],
    ]);
    expect(notices[0]?.detail).toBe('no answer in 5 s');
  });
});
