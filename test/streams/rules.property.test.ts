import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AlertLimits, Observation, Rule, RuleState, Transition } from '../../streams/alert.js';
import { step } from '../../streams/rules.js';
import { blind, observe, rate, rateRule } from './observations.js';

const THRESHOLD = 10;

interface Moment {
  /** Seconds since the moment before. */
  readonly later: number;
  /** Error rate; null: no operations. */
  readonly percent: number | null;
  readonly blind: boolean;
}

const momentsOf = (later: fc.Arbitrary<number>): fc.Arbitrary<Moment[]> =>
  fc.array(
    fc.record({
      later,
      percent: fc.option(fc.constantFrom(0, 9.99, THRESHOLD, 10.01, 50, 100), { freq: 8 }),
      blind: fc.nat(9).map((n) => n === 0),
    }),
    { maxLength: 60 },
  );
const forward = fc.oneof(fc.constantFrom(0, 1, 15, 30, 60), fc.integer({ min: 0, max: 400 }));
const anyWay = fc.oneof({ weight: 5, arbitrary: forward }, fc.integer({ min: -2000, max: 2000 }));

const rules = fc.record({
  forSeconds: fc.constantFrom(0, 0, 30, 60),
  resolveForSeconds: fc.constantFrom(0, 60, 60),
});
const limits = fc.record({
  rateLimitSeconds: fc.constantFrom(0, 100, 300),
  reminderSeconds: fc.constantFrom(0, 0, 60, 600),
});

interface Played {
  readonly seen: Observation;
  readonly state: RuleState | undefined;
  readonly notices: readonly Transition[];
  /** Seconds that went by since the beginning; a clock that goes back takes none away. */
  readonly elapsed: number;
}

function play(rule: Rule, limit: AlertLimits, moments: readonly Moment[]): Played[] {
  let second = 0;
  let elapsed = 0;
  let state: Readonly<Record<string, RuleState>> = {};
  return moments.map((moment) => {
    second += moment.later;
    elapsed += Math.max(0, moment.later);
    const { percent } = moment;
    const seen = moment.blind
      ? blind(second, percent ?? 0)
      : percent === null
        ? observe(second, {})
        : rate(second, percent);
    const stepped = step([rule], state, seen, limit);
    // As over a restart; and a restart alone tells nobody anything.
    state = JSON.parse(JSON.stringify(stepped.state)) as typeof state;
    const again = step([rule], state, seen, limit);
    expect(again.transitions).toEqual([]);
    return { seen, state: state[rule.name], notices: stepped.transitions, elapsed };
  });
}

const isOver = ({ seen }: Played): boolean => (seen.snapshot?.windows['1h'].error_rate ?? 0) > THRESHOLD;

test('firing and resolved alternate, with ids of their own, and never too soon after one another', () => {
  fc.assert(
    fc.property(rules, limits, momentsOf(anyWay), (timing, limit, moments) => {
      const rule = rateRule(timing);
      const ids = new Set<string>();
      let open: Transition | null = null;
      let last = Number.NEGATIVE_INFINITY;
      for (const played of play(rule, limit, moments)) {
        expect(played.notices.length).toBeLessThanOrEqual(1);
        for (const notice of played.notices) {
          expect(played.seen.measurable).toBe(true);
          expect(isOver(played)).toBe(notice.kind !== 'resolved');
          expect(ids.has(notice.id), notice.id).toBe(false);
          ids.add(notice.id);
          expect(notice.id.startsWith(`${rule.name}:${notice.startsAt}:${notice.kind}`)).toBe(true);
          expect(notice.at).toBeGreaterThanOrEqual(notice.startsAt);
          expect(notice.endsAt).toBe(notice.kind === 'resolved' ? notice.at : null);
          if (notice.kind === 'firing') expect(open).toBeNull();
          else expect(open?.startsAt).toBe(notice.startsAt);
          if (notice.kind !== 'resolved')
            expect(played.elapsed - last).toBeGreaterThanOrEqual(limit.rateLimitSeconds);
          if (notice.kind === 'reminder')
            expect(played.elapsed - last).toBeGreaterThanOrEqual(limit.reminderSeconds);
          open = notice.kind === 'resolved' ? null : notice;
          last = played.elapsed;
        }
        expect(open !== null).toBe(played.state?.noticed ?? false);
        if (open !== null) expect(played.state?.phase).toBe('firing');
      }
    }),
    { numRuns: 2000 },
  );
});

/**
 * By definition, from all that was seen: since when the rule has been on the side on which it is now, seconds, without
 * what could not be measured (from the first moment that says so to the first that was measured again).
 */
function sameSideFor(history: readonly Played[]): number {
  const measured = history.flatMap((played, i) => (played.seen.measurable ? [i] : []));
  const newest = history[measured.at(-1) ?? 0] as Played;
  let seconds = 0;
  for (let k = measured.length - 1; k > 0; k--) {
    const from = measured[k - 1] as number;
    if (isOver(history[from] as Played) !== isOver(newest)) break;
    // What follows a measured moment counts, whether or not it could be measured itself.
    seconds += (history[from + 1] as Played).elapsed - (history[from] as Played).elapsed;
  }
  return seconds;
}

test('it does what it has to as soon as it has to', () => {
  fc.assert(
    fc.property(rules, limits, momentsOf(forward), (timing, limit, moments) => {
      const rule = rateRule(timing);
      const history: Played[] = [];
      let firing = false;
      let told = false;
      let last = Number.NEGATIVE_INFINITY;
      for (const played of play(rule, limit, moments)) {
        history.push(played);
        const expected: Transition['kind'][] = [];
        if (played.seen.measurable) {
          const lasting = sameSideFor(history);
          const quiet = played.elapsed - last;
          if (isOver(played)) {
            firing ||= lasting >= rule.forSeconds;
            const reminder = Math.max(limit.reminderSeconds, limit.rateLimitSeconds);
            if (firing && !told && quiet >= limit.rateLimitSeconds) expected.push('firing');
            else if (told && limit.reminderSeconds > 0 && quiet >= reminder) expected.push('reminder');
            if (expected.length > 0) told = true;
          } else if (firing && lasting >= rule.resolveForSeconds) {
            if (told) expected.push('resolved');
            firing = false;
            told = false;
          }
        }
        if (expected.length > 0) last = played.elapsed;
        expect(played.notices.map(({ kind }) => kind)).toEqual(expected);
        expect(played.state?.phase === 'firing').toBe(firing);
      }
    }),
    { numRuns: 2000 },
  );
});

test('many rules at once do what each does alone', () => {
  const two = [rateRule({ name: 'a', forSeconds: 30 }), rateRule({ name: 'b', threshold: 40 })];
  fc.assert(
    fc.property(limits, momentsOf(anyWay), (limit, moments) => {
      let together: Readonly<Record<string, RuleState>> = {};
      const alone = two.map(() => ({}) as Readonly<Record<string, RuleState>>);
      let second = 0;
      for (const { later, percent } of moments) {
        second += later;
        const seen = rate(second, percent ?? 0);
        const stepped = step(two, together, seen, limit);
        together = stepped.state;
        const each = two.map((rule, i) => {
          const one = step([rule], alone[i] ?? {}, seen, limit);
          alone[i] = one.state;
          return one;
        });
        expect(stepped.transitions).toEqual(each.flatMap(({ transitions }) => transitions));
        expect(stepped.reasons).toEqual(Object.assign({}, ...each.map(({ reasons }) => reasons)));
      }
      expect(together).toEqual(Object.assign({}, ...alone));
    }),
    { numRuns: 300 },
  );
});
