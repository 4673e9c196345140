/** Truth tables of one rule: which notices are sent, and when. The tables are read as play.ts says. */
import { describe, expect, test } from 'vitest';
import type { Transition } from '../../streams/alert.js';
import { step } from '../../streams/rules.js';
import { blind, LIMITS, observe, rate, rateRule } from './observations.js';
import { play } from './play.js';
import { NOON } from './rows.js';

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
      [2000, 50, 'firing', 'over', 'firing'],
      [2600, 50, 'firing', 'over', 'reminder'],
    ]);
    const ids = ['firing', 'reminder:1', 'reminder:2', 'resolved'].map((kind) => `rate:${NOON}:${kind}`);
    const again = ['firing', 'reminder:1'].map((kind) => `rate:${NOON + 2_000_000}:${kind}`);
    expect(notices.map(({ id }) => id)).toEqual([...ids, ...again]);
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
    // Nobody was told of these: one that waits for its time, and one for the rate limit.
    const waiting = step([rateRule({ forSeconds: 60 })], {}, rate(0, 50), LIMITS).state;
    const quick = [rateRule({ resolveForSeconds: 0 })];
    const over = step(quick, firing, rate(1, 5), LIMITS).state;
    const limited = step(quick, over, rate(2, 50), LIMITS).state;
    expect(limited.rate).toMatchObject({ phase: 'firing', noticed: false });
    for (const untold of [waiting, limited]) {
      expect(step([], untold, rate(3, 50), LIMITS)).toEqual({ state: {}, transitions: [], reasons: {} });
    }
  });

  test('is its own of each rule, whatever the name', () => {
    const rules = ['constructor', 'valueOf', 'b'].map((name) => rateRule({ name }));
    expect(step(rules, {}, rate(0, 5), LIMITS)).toEqual({
      state: {},
      transitions: [],
      reasons: { constructor: 'below', valueOf: 'below', b: 'below' },
    });
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
