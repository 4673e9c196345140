import { describe, expect, test } from 'vitest';
import { AUDIT_PACE } from '../../src/history/audit.js';
import {
  type Decision,
  decide,
  failed,
  hurried,
  newSchedule,
  roundOf,
  type Schedule,
  stepped,
  type Turn,
} from '../../src/history/audit-schedule.js';
import { KEPT_UNTIL } from '../../src/history/rollup-rows.js';
import { DAY, floorTo, MINUTE, NOW } from './scene.js';

const HOUR = 60 * MINUTE;

/** Runs it on a clock of its own; `cost` says what a step takes (ms) and how many a round has. */
function run(
  hours: number,
  cost: (turn: Turn) => { readonly ms: number; readonly steps: number },
): {
  readonly log: { turn: Turn; at: number; began: boolean }[];
  readonly busy: number;
  readonly time: number;
} {
  let schedule: Schedule = newSchedule(0);
  let [now, busy] = [0, 0];
  const log: { turn: Turn; at: number; began: boolean }[] = [];
  while (now < hours * HOUR) {
    const decision: Decision = decide(schedule, now);
    if (decision.kind === 'wait') {
      expect(decision.ms).toBeGreaterThan(0);
      now += decision.ms;
      continue;
    }
    const { turn, place } = decision;
    const { ms, steps } = cost(turn);
    log.push({ turn, at: now, began: place === null });
    now += ms;
    busy += ms;
    const at = (place?.at ?? 0) + 1;
    schedule = stepped(
      schedule,
      turn,
      { now, tookMs: ms, next: at < steps ? { at, end: steps } : null },
      AUDIT_PACE,
    );
  }
  return { log, busy, time: now };
}

const begun = (log: readonly { turn: Turn; began: boolean }[], turn: Turn) =>
  log.filter((entry) => entry.turn === turn && entry.began).length;

describe('the schedule of the audit', () => {
  test('looks at the newest minutes often, at old ones once a day', () => {
    const { log } = run(48, () => ({ ms: 20, steps: 1 }));
    expect(begun(log, 'newest')).toBeGreaterThan(48 * 300);
    expect(begun(log, 'hour')).toBeGreaterThan(48 * 50);
    expect(begun(log, 'day')).toBeGreaterThan(48 * 11);
    expect(begun(log, 'old')).toBe(2);
    expect(begun(log, 'again')).toBe(0);
  });

  test.each([
    ['little to do', 30, 3],
    ['more than it has time for', 400, 200],
    ['steps that take a minute', 60_000, 5],
  ])('takes a twentieth of the time at most, with %s', (_, ms, steps) => {
    const { busy, time } = run(24, (turn) => ({ ms, steps: turn === 'day' || turn === 'old' ? steps : 1 }));
    expect(busy / time).toBeLessThanOrEqual(0.0501);
  });

  test('gives each its share where there is not time enough for all', () => {
    const { log, busy } = run(24, (turn) => ({
      ms: 500,
      steps: turn === 'old' || turn === 'day' ? 1_000_000 : 10,
    }));
    const share = (turn: Turn) => (log.filter((entry) => entry.turn === turn).length * 500) / busy;
    expect(share('old')).toBeGreaterThan(0.05);
    expect(share('day')).toBeGreaterThan(0.15);
    expect(share('hour')).toBeGreaterThan(0.2);
    expect(share('newest')).toBeGreaterThan(0.25);
    // Who was idle saved nothing: the newest come soon again, however long the others went on.
    const newest = log.filter(({ turn }) => turn === 'newest').map(({ at }) => at);
    const waits = newest.slice(1).map((at, i) => at - (newest[i] ?? 0));
    expect(Math.max(...waits)).toBeLessThan(2 * MINUTE);
  });

  test('a step that failed is done again, after a rest', () => {
    const place = { at: 5, end: 9 };
    const before = stepped(newSchedule(0), 'day', { now: 0, tookMs: 0, next: place }, AUDIT_PACE);
    const after = failed(before, { now: 100, tookMs: 100 }, AUDIT_PACE);
    expect(decide(after, 100)).toEqual({ kind: 'wait', ms: AUDIT_PACE.restAfterFailure });
    expect(after.turns).toEqual(before.turns);
    const slow = failed(before, { now: 1_000, tookMs: 1_000 }, AUDIT_PACE);
    expect(decide(slow, 1_000)).toEqual({ kind: 'wait', ms: 19_000 });
  });

  test('what is hurried is due at once, and what is due sooner stays so', () => {
    let schedule = newSchedule(0);
    for (const turn of ['newest', 'hour', 'day', 'old'] as const)
      schedule = stepped(schedule, turn, { now: 0, tookMs: 0, next: null }, AUDIT_PACE);
    expect(decide(schedule, 0)).toEqual({ kind: 'wait', ms: AUDIT_PACE.every.newest });
    schedule = hurried(schedule, 'again', 3_000);
    expect(decide(hurried(schedule, 'again', 4_000), 0)).toEqual({ kind: 'wait', ms: 3_000 });
    expect(decide(hurried(schedule, 'old', 0), 0)).toEqual({ kind: 'step', turn: 'old', place: null });
  });

  test('its rounds leave nothing out: each begins where the next older one may end', () => {
    const from = floorTo(DAY)(NOW - 400 * DAY);
    const [newest, hour, day, old] = (['newest', 'hour', 'day', 'old'] as const).map((zone) =>
      roundOf(zone, NOW, from),
    );
    expect(old).toEqual({ from, to: day?.from });
    expect(day?.to).toBe(KEPT_UNTIL);
    expect(day?.from).toBeLessThanOrEqual(NOW - 25 * HOUR);
    expect(hour?.from).toBeLessThanOrEqual(NOW - 70 * MINUTE);
    expect(newest?.from).toBeLessThanOrEqual(NOW - 10 * MINUTE);
    for (const { from: start, to } of [newest, hour, day, old].filter((one) => one !== undefined))
      expect([start % MINUTE, to % MINUTE]).toEqual([0, 0]);
    // A table whose retention is shorter than a day has no old part.
    expect(roundOf('old', NOW, NOW - HOUR)).toEqual({ from: NOW - HOUR, to: NOW - HOUR });
  });
});
