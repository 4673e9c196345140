import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CursorLimits } from '../../streams/cursor.js';
import { Database, Follower } from './simulated.js';

type Action =
  | { readonly do: 'read' }
  | { readonly do: 'begin' }
  | { readonly do: 'insert'; readonly nth: number; readonly kept: readonly boolean[] }
  | { readonly do: 'end'; readonly nth: number; readonly commit: boolean };

const nth = fc.nat(9);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 10, arbitrary: fc.constant<Action>({ do: 'read' }) },
  { weight: 3, arbitrary: fc.constant<Action>({ do: 'begin' }) },
  {
    weight: 5,
    arbitrary: fc
      .record({ nth, kept: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }) })
      .map((it): Action => ({ do: 'insert', ...it })),
  },
  {
    weight: 3,
    arbitrary: fc.record({ nth, commit: fc.boolean() }).map((it): Action => ({ do: 'end', ...it })),
  },
);

function perform(one: Action, database: Database, follower?: Follower): void {
  if (one.do === 'read') follower?.statement();
  else if (one.do === 'begin') database.begin();
  else if (one.do === 'insert') database.insert(one.nth, one.kept);
  else database.end(one.nth, one.commit);
}

const setting = fc.record({
  pageRows: fc.integer({ min: 1, max: 20 }),
  skip: fc.integer({ min: 0, max: 3 }),
  recent: fc.record({
    width: fc.integer({ min: 0, max: 10 }),
    ids: fc.integer({ min: 0, max: 20 }),
    steps: fc.integer({ min: 0, max: 5 }),
  }),
});

describe('against a simulated database', () => {
  const history = fc.tuple(fc.array(action, { maxLength: 400, size: 'max' }), setting, fc.boolean());
  // Two at most: generations are joined all the time, which may cost re-reads and must cost no row.
  const limits = fc.constantFrom<Partial<CursorLimits>>({}, { maxGenerations: 2 }, { maxGenerations: 1 });

  test('each committed row is seen exactly once, whatever comes between two statements', () => {
    let filled = 0;
    fc.assert(
      fc.property(history, limits, ([actions, options, commitLast], limits) => {
        const database = new Database();
        const follower = new Follower(database, { ...options, limits });
        const { cursor } = follower;
        for (const one of actions) {
          perform(one, database, follower);
          if (one.do !== 'read') continue;
          const seen = new Set(follower.seen);
          // What may still come is never behind the seal, and is waited for.
          const faults = [...database.uncommitted(), ...database.committed].filter(
            (id) => id <= cursor.high && !seen.has(id) && !(cursor.isOpen(id) && id > cursor.low),
          );
          for (const id of seen) if (cursor.isOpen(id)) faults.push(id);
          if (faults.length > 0) expect(faults).toEqual([]);
        }
        database.endAll(commitLast);
        follower.untilQuiet();
        expect(follower.seen.toSorted((a, b) => a - b)).toEqual(database.between(1, database.s));
        expect([cursor.low, cursor.high]).toEqual([database.s, database.s]);
        expect([cursor.unsealedIds, cursor.openGenerations, cursor.givenUp]).toEqual([0, 0, 0]);
        expect(cursor.openSince).toBeUndefined();
        filled += follower.filled;
      }),
      { numRuns: 2_000 },
    );
    expect(filled).toBeGreaterThan(0);
  });

  test('each is seen exactly once by a backfill too, and by one that goes on from a checkpoint of any moment', () => {
    const withRestarts = fc.array(
      fc.oneof({ weight: 20, arbitrary: action }, { weight: 1, arbitrary: fc.constant('restart' as const) }),
      { maxLength: 400, size: 'max' },
    );
    const before = fc.array(action, { maxLength: 60, size: 'max' });
    let restored = 0;
    fc.assert(
      fc.property(before, withRestarts, setting, fc.boolean(), (old, actions, options, commitLast) => {
        const database = new Database();
        for (const one of old) if (one.do !== 'read') perform(one, database);
        const follower = new Follower(database, { ...options, backfill: true });
        for (const one of actions) {
          if (one === 'restart') {
            if (follower.cursor.holes().length > 0) restored++;
            follower.restart();
          } else perform(one, database, follower);
          const { cursor } = follower;
          const faults = follower.seen.filter((id) => !cursor.holds(id));
          for (const id of [...database.uncommitted(), ...database.committed])
            if (cursor.holds(id) && !follower.seen.includes(id)) faults.push(id);
          if (faults.length > 0) expect(faults).toEqual([]);
        }
        database.endAll(commitLast);
        follower.untilQuiet();
        expect(follower.seen.toSorted((a, b) => a - b)).toEqual(database.between(1, database.s));
        const { cursor } = follower;
        expect([cursor.low, cursor.high, cursor.floor]).toEqual([database.s, database.s, null]);
        expect([cursor.holes(), cursor.givenUp]).toEqual([[], 0]);
      }),
      { numRuns: 2_000 },
    );
    expect(restored).toBeGreaterThan(0);
  });

  test('past its bound of ranges it forgets the oldest holes, counts them, and never sees a row twice', () => {
    let forgotten = 0;
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 4 }), ([actions, options, commitLast], maxRanges) => {
        const database = new Database();
        const follower = new Follower(database, { ...options, limits: { maxRanges, maxGenerations: 4 } });
        const { cursor } = follower;
        let most = 0;
        for (const one of actions) {
          perform(one, database, follower);
          most = Math.max(most, cursor.openGenerations);
        }
        database.endAll(commitLast);
        follower.untilQuiet();
        expect(most).toBeLessThanOrEqual(5); // the new one too, until `compact`
        expect(new Set(follower.seen).size).toBe(follower.seen.length);
        const lost = database.committed.size - follower.seen.length;
        expect(lost).toBeGreaterThanOrEqual(0);
        expect(lost).toBeLessThanOrEqual(cursor.givenUp);
        expect([cursor.low, cursor.unsealedIds]).toEqual([database.s, 0]);
        forgotten += lost;
      }),
      { numRuns: 500 },
    );
    expect(forgotten).toBeGreaterThan(0);
  });
});
