/**
 * Truth tables: each line is one moment, what was measured, and what has to come of it. State goes through JSON between
 * any two lines, as it does over a restart.
 */
import { describe, expect, test } from 'vitest';
import type { AlertLimits, Observation, Reason, Rule, RuleState, Transition } from '../../streams/alert.js';
import { step } from '../../streams/rules.js';
import { blind, LIMITS, observe, rate, rateRule } from './observations.js';
import { NOON } from './rows.js';

type Line = readonly [
  second: number,
  /** Error rate in percent of 100 operations; `blind`: likewise, but rows cannot be measured; null: no operations. */
  seen: number | { readonly blind: number } | Observation | null,
  phase: RuleState['phase'],
  reason: Reason,
  notice?: Transition['kind'],
];

/** Plays the lines to one rule; gives the notices. */
function play(rule: Rule, limits: AlertLimits, lines: readonly Line[]): Transition[] {
  let state: Readonly<Record<string, RuleState>> = {};
  const notices: Transition[] = [];
  lines.forEach(([second, seen, phase, reason, notice], i) => {
    const stepped = step([rule], state, observationOf(second, seen), limits);
    const actual = {
      phase: stepped.state[rule.name]?.phase ?? 'inactive',
      reason: stepped.reasons[rule.name],
      notice: stepped.transitions.map(({ kind }) => kind).join(),
    };
    expect(actual, `line ${i + 1}, second ${second}`).toEqual({ phase, reason, notice: notice ?? '' });
    notices.push(...stepped.transitions);
    state = JSON.parse(JSON.stringify(stepped.state)) as typeof state;
  });
  return notices;
}

function observationOf(second: number, seen: Line[1]): Observation {
  if (seen === null) return observe(second, {});
  if (typeof seen === 'number') return rate(second, seen);
  return 'blind' in seen ? blind(second, seen.blind) : seen;
}

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
      [59.999, 50, 'pending', 'waiting_for'],
      [60, 50, 'firing', 'over', 'firing'],
    ]);
    expect(notices[0]).toMatchObject({ at: NOON + 60_000, startsAt: NOON + 60_000, endsAt: null });
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

describe('the rate limit', () => {
  const flapping = rateRule({ resolveForSeconds: 0 });

  test('firing again within it waits until it has passed since the last notice, and is sent if it still fires', () => {
    const notices = play(flapping, LIMITS, [
      [0, 50, 'firing', 'over', 'firing'],
      [10, 5, 'inactive', 'below', 'resolved'],
      [20, 60, 'firing', 'rate_limited'],
      [100, 70, 'firing', 'rate_limited'],
      [309.999, 40, 'firing', 'rate_limited'],
      [310, 40, 'firing', 'over', 'firing'],
      [320, 5, 'inactive', 'below', 'resolved'],
    ]);
    // It says when it really began, and how bad it was meanwhile.
    expect(notices[2]).toMatchObject({ at: NOON + 310_000, startsAt: NOON + 20_000, value: 40, peak: 70 });
    expect(notices[3]).toMatchObject({ id: `rate:${NOON + 20_000}:resolved`, startsAt: NOON + 20_000 });
  });

  test('what is over before it has passed is never told, neither its begin nor its end', () => {
    play(flapping, LIMITS, [
      [0, 50, 'firing', 'over', 'firing'],
      [10, 5, 'inactive', 'below', 'resolved'],
      [20, 50, 'firing', 'rate_limited'],
      [30, 5, 'inactive', 'below'],
      [200, 50, 'firing', 'rate_limited'],
      [209, 5, 'inactive', 'below'],
      [305, 50, 'firing', 'rate_limited'],
      [310, 50, 'firing', 'over', 'firing'],
    ]);
  });

  test('firing again after it is told at once', () => {
    play(flapping, LIMITS, [
      [0, 50, 'firing', 'over', 'firing'],
      [10, 5, 'inactive', 'below', 'resolved'],
      [310, 50, 'firing', 'over', 'firing'],
    ]);
  });

  test('the end is told at once, whatever was told before', () => {
    play(flapping, LIMITS, [
      [0, 50, 'firing', 'over', 'firing'],
      [1, 5, 'inactive', 'below', 'resolved'],
    ]);
  });

  test('a notice that waits is not sent in a moment in which its value is fine', () => {
    play(rateRule({ resolveForSeconds: 60 }), LIMITS, [
      [0, 50, 'firing', 'over', 'firing'],
      [10, 5, 'firing', 'waiting_to_resolve'],
      [70, 5, 'inactive', 'below', 'resolved'],
      [330, 50, 'firing', 'rate_limited'],
      [365, 5, 'firing', 'waiting_to_resolve'],
      [371, 5, 'firing', 'waiting_to_resolve'],
      [372, 50, 'firing', 'over', 'firing'],
    ]);
  });

  test('0: none', () => {
    play(flapping, { rateLimitSeconds: 0, reminderSeconds: 0 }, [
      [0, 50, 'firing', 'over', 'firing'],
      [1, 5, 'inactive', 'below', 'resolved'],
      [2, 50, 'firing', 'over', 'firing'],
    ]);
  });
});

describe('reminders', () => {
  test('come as often as is asked for, numbered, and only while it is over its line', () => {
    const notices = play(rateRule(), { rateLimitSeconds: 300, reminderSeconds: 600 }, [
      [0, 50, 'firing', 'over', 'firing'],
      [599.999, 50, 'firing', 'over'],
      [600, 50, 'firing', 'over', 'reminder'],
      [1190, 5, 'firing', 'waiting_to_resolve'],
      [1210, 5, 'firing', 'waiting_to_resolve'],
      [1211, 60, 'firing', 'over', 'reminder'],
      [1220, 5, 'firing', 'waiting_to_resolve'],
      [1280, 5, 'inactive', 'below', 'resolved'],
    ]);
    const ids = ['firing', 'reminder:1', 'reminder:2', 'resolved'].map((kind) => `rate:${NOON}:${kind}`);
    expect(notices.map(({ id }) => id)).toEqual(ids);
  });

  test('never more often than the rate limit', () => {
    play(rateRule(), { rateLimitSeconds: 300, reminderSeconds: 100 }, [
      [0, 50, 'firing', 'over', 'firing'],
      [100, 50, 'firing', 'over'],
      [300, 50, 'firing', 'over', 'reminder'],
    ]);
  });

  test('0: none', () => {
    play(rateRule(), LIMITS, [
      [0, 50, 'firing', 'over', 'firing'],
      [1_000_000, 50, 'firing', 'over'],
    ]);
  });
});

describe('the clock', () => {
  test('standing still, it ends no waiting', () => {
    play(rateRule({ forSeconds: 60 }), LIMITS, [
      [0, 50, 'pending', 'waiting_for'],
      [0, 50, 'pending', 'waiting_for'],
      [0, 50, 'pending', 'waiting_for'],
      [60, 50, 'firing', 'over', 'firing'],
      [60, 5, 'firing', 'waiting_to_resolve'],
      [60, 5, 'firing', 'waiting_to_resolve'],
    ]);
  });

  test('standing still, two alerts of one rule have two ids', () => {
    const rule = rateRule({ resolveForSeconds: 0 });
    const notices = play(rule, { rateLimitSeconds: 0, reminderSeconds: 0 }, [
      [0, 50, 'firing', 'over', 'firing'],
      [0, 5, 'inactive', 'below', 'resolved'],
      [0, 50, 'firing', 'over', 'firing'],
      [0, 5, 'inactive', 'below', 'resolved'],
    ]);
    expect(new Set(notices.map(({ id }) => id)).size).toBe(4);
    for (const { at, startsAt, endsAt } of notices) {
      expect(at).toBeGreaterThanOrEqual(startsAt);
      expect(endsAt ?? at).toBe(at);
    }
  });

  test('going back, it lengthens what is waited for, but not by as much as it went back', () => {
    play(rateRule({ forSeconds: 60 }), LIMITS, [
      [7200, 50, 'pending', 'waiting_for'],
      [7250, 50, 'pending', 'waiting_for'],
      [10, 50, 'pending', 'waiting_for'],
      [69, 50, 'pending', 'waiting_for'],
      [70, 50, 'firing', 'over', 'firing'],
      [80, 5, 'firing', 'waiting_to_resolve'],
      [20, 5, 'firing', 'waiting_to_resolve'],
      [79, 5, 'firing', 'waiting_to_resolve'],
      [80, 5, 'inactive', 'below', 'resolved'],
    ]);
  });

  test('going back, it lets a rule fire, and the rate limit ends one limit later', () => {
    const notices = play(rateRule({ resolveForSeconds: 0 }), LIMITS, [
      [7200, 50, 'firing', 'over', 'firing'],
      [7210, 5, 'inactive', 'below', 'resolved'],
      [0, 50, 'firing', 'rate_limited'],
      [299, 50, 'firing', 'rate_limited'],
      [300, 50, 'firing', 'over', 'firing'],
      [301, 5, 'inactive', 'below', 'resolved'],
    ]);
    expect(new Set(notices.map(({ id }) => id)).size).toBe(4);
  });
});

describe('state', () => {
  const rule = rateRule();
  const firing = step([rule], {}, rate(0, 50), LIMITS).state;

  test('is the very same object where nothing changed', () => {
    expect(step([rule], firing, rate(1, 50), LIMITS).state).toBe(firing);
    const quiet = {};
    expect(step([rule], quiet, rate(0, 5), LIMITS).state).toBe(quiet);
    expect(step([rule], firing, blind(1, 5), LIMITS).state).toBe(firing);
  });

  test('is not touched by a step', () => {
    const before = JSON.stringify(firing);
    step([rule], firing, rate(1, 5), LIMITS);
    step([], firing, rate(1, 5), LIMITS);
    expect(JSON.stringify(firing)).toBe(before);
  });

  test('of a rule that was removed ends with a notice, so that no receiver waits for ever', () => {
    const { state, transitions } = step([], firing, rate(30, 50), LIMITS);
    expect(state).toEqual({});
    expect(transitions).toMatchObject([
      { id: `rate:${NOON}:resolved`, kind: 'resolved', reason: 'rule_removed', severity: 'critical' },
    ]);
    // Nobody was told of this one.
    const waiting = step([rateRule({ forSeconds: 60 })], {}, rate(0, 50), LIMITS).state;
    expect(step([], waiting, rate(1, 50), LIMITS)).toEqual({ state: {}, transitions: [], reasons: {} });
  });

  test('is its own of each rule, whatever the name', () => {
    const rules = ['constructor', 'valueOf', 'b'].map((name) => rateRule({ name }));
    const first = step(rules, {}, rate(0, 50), LIMITS);
    expect(first.transitions.map((notice) => notice.rule)).toEqual(['constructor', 'valueOf', 'b']);
    const copied = JSON.parse(JSON.stringify(first.state)) as typeof first.state;
    expect(step(rules, copied, rate(1, 50), LIMITS).transitions).toEqual([]);
  });

  test('with a threshold that was changed: the next notices say the new one, the end the one that was told', () => {
    const lower = rateRule({ threshold: 5, severity: 'warning' });
    expect(step([lower], firing, rate(1, 7), LIMITS).reasons).toEqual({ rate: 'over' });
    const waiting = step([lower], firing, rate(1, 4), LIMITS).state;
    expect(step([lower], waiting, rate(61, 4), LIMITS).transitions).toMatchObject([
      { kind: 'resolved', threshold: 10 },
    ]);
  });
});

test('a message is masked in a notice', () => {
  const rule = rateRule({ measure: 'component:onec_api', over: 'health', threshold: 0, minimumCount: 0 });
  const message = 'ivan.petrov@example.com got 500, tax number 7707083893, phone +7 912 345-67-89';
  const seen = observe(0, {}, { components: { onec_api: { status: 'unhealthy', since: NOON, message } } });
  const { detail } = step([rule], {}, seen, LIMITS).transitions[0] as Transition;
  expect(detail).toContain('i***@e***.com');
  expect(detail).not.toMatch(/petrov|7707083893|345-67/);
});
