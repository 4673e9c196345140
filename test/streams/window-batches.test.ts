/** Windows that are filled from the minutes of history and the rows after them, as a restart does it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Changes } from '../../streams/changes.js';
import type { MinuteOfType, SyncRow } from '../../streams/event.js';
import { Fold } from '../../streams/fold.js';
import { Vocabulary } from '../../streams/vocabulary.js';
import { fieldsOfFewNames } from './arbitraries.js';
import { checkPeriod, Oracle } from './oracle.js';
import { batch, NOON, row, tick } from './rows.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STEP = 5 * MINUTE;

const times = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -25 * HOUR, max: 0 }) },
  { weight: 4, arbitrary: fc.integer({ min: -80 * MINUTE, max: 20 * MINUTE }) },
  { weight: 2, arbitrary: fc.integer({ min: -70 * SECOND, max: 2 * SECOND }) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.integer({ min: -25 * 12, max: 2 }), fc.constantFrom(0, -0.001, 0.001, MINUTE, MINUTE - 0.001))
      .map(([step, by]) => step * STEP + by),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -40 * 24 * HOUR),
  },
);
const rows = fc
  .array(fc.tuple(fieldsOfFewNames, times), { maxLength: 60 })
  .map((made) => made.map(([of, after], id) => row(id, { ...of, createdAt: NOON + after })));
const later = fc.constantFrom(0, 40, SECOND, 7 * SECOND, MINUTE, 4 * MINUTE, STEP, HOUR, 9 * HOUR, 20 * HOUR);
/** Within a second, a minute, five: the windows begin elsewhere each time. */
const starts = fc.integer({ min: 0, max: 10 * MINUTE });

function minutesOf(rows: readonly SyncRow[]): MinuteOfType[] {
  const changes = new Changes(new Vocabulary());
  changes.apply(batch(NOON, { origin: 'start', rows }));
  return [...changes.entries()].map(({ rollup, ...of }) => ({ ...of, rollup: rollup.build() }));
}

function fedSingly(rows: readonly SyncRow[], now: number): Fold {
  const fold = new Fold();
  fold.apply(batch(now, { origin: 'start', rows }));
  return fold;
}

/** `chunk`: minutes in one batch. */
function fedFromHistory(rows: readonly SyncRow[], now: number, chunk: number): Fold {
  const from = Math.floor((now - 24 * HOUR - STEP) / STEP) * STEP;
  const tail = Math.floor((now - 65 * MINUTE) / STEP) * STEP;
  const minutes = minutesOf(rows)
    .filter(({ start }) => start >= from && start < tail)
    .sort((a, b) => a.start - b.start);
  const fold = new Fold();
  // What was there before is void.
  fold.apply(
    batch(now, { rows: [row(-1, { createdAt: now, status: 'pending' }), row(-2, { createdAt: now })] }),
  );
  fold.apply(batch(now, { origin: 'window', reset: true }));
  for (let at = 0; at < minutes.length; at += chunk) {
    fold.apply(batch(now, { origin: 'window', minutes: minutes.slice(at, at + chunk) }));
  }
  const singly = rows.filter(({ createdAt, status }) => createdAt >= tail || status === 'pending');
  fold.apply(batch(now, { origin: 'window', rows: singly }));
  return fold;
}

describe('windows from history', () => {
  test('equal windows that took every row singly, at once and while they slide', { timeout: 60_000 }, () => {
    const script = fc.array(later, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(rows, starts, fc.integer({ min: 1, max: 20 }), script, (table, after, chunk, waits) => {
        let now = NOON + after;
        const [singly, loaded] = [fedSingly(table, now), fedFromHistory(table, now, chunk)];
        const oracle = new Oracle();
        oracle.move(now);
        for (const each of table) oracle.put(each);
        const check = (): void => {
          const snapshot = loaded.snapshot();
          expect(snapshot).toEqual(singly.snapshot());
          oracle.check(snapshot);
        };
        check();
        for (const wait of waits) {
          now += wait;
          oracle.move(now);
          for (const fold of [singly, loaded]) fold.advance(tick(now));
          check();
        }
        for (const previous of oracle.pending()) {
          const update = { previous, row: { ...previous, status: 'success', durationMs: 3, customerId: 7 } };
          for (const fold of [singly, loaded]) fold.apply(batch(now, { updates: [update] }));
          oracle.put(update.row);
        }
        check();
        expect(loaded.stats()).toMatchObject({ mismatches: 0, futureDropped: 0 });
      }),
      { numRuns: 60 },
    );
  });

  test('minutes up to now: exact over 24 h, and in the others as if all had come when the minute began', {
    timeout: 60_000,
  }, () => {
    const settled = rows.map((all) => all.filter(({ status }) => status !== 'pending'));
    fc.assert(
      fc.property(settled, fc.array(later, { maxLength: 6 }), (all, waits) => {
        const table = all.filter(({ createdAt }) => createdAt < NOON);
        const rounded = table.map((each) => ({
          ...each,
          createdAt: Math.floor(each.createdAt / MINUTE) * MINUTE,
        }));
        let now = NOON - 1;
        const fold = new Fold();
        fold.apply(batch(now, { origin: 'window', reset: true, minutes: minutesOf(table) }));
        const atStart = fedSingly(rounded, now);
        const check = (): void => {
          const { windows } = fold.snapshot();
          const start = Date.parse(windows['24h'].period_start);
          const inside = table.filter(({ createdAt }) => start <= createdAt);
          checkPeriod(windows['24h'], inside, [start, Math.floor(now / SECOND + 1) * SECOND], '24h');
          atStart.advance(tick(now));
          expect(windows).toEqual(atStart.snapshot().windows);
        };
        check();
        for (const wait of waits) {
          now += wait;
          fold.advance(tick(now));
          check();
        }
      }),
      { numRuns: 60 },
    );
  });

  test('busy minutes of all types, in any order', () => {
    const types = ['created', 'updated', ...Array.from({ length: 20 }, (_, i) => `t${i}`)];
    const table = Array.from({ length: 30_000 }, (_, i) =>
      row(i, {
        createdAt: NOON - 20 * HOUR + (i % 97) * 7 * SECOND,
        operationType: types[i % types.length] ?? '',
        durationMs: (i * 31) % 7001,
        customerId: i % 5003,
      }),
    );
    const singly = fedSingly(table, NOON).snapshot();
    for (const order of [1, -1]) {
      const fold = new Fold();
      const minutes = minutesOf(table).sort((a, b) => order * (a.start - b.start));
      fold.apply(batch(NOON, { origin: 'window', reset: true, minutes }));
      expect(fold.snapshot()).toEqual(singly);
      fold.advance(tick(NOON + 4 * HOUR + 5 * MINUTE));
      expect(fold.snapshot().windows['24h'].total_operations).toBeLessThan(table.length);
      fold.advance(tick(NOON + 24 * HOUR));
      expect(fold.snapshot().windows['24h']).toMatchObject({ total_operations: 0, duration_count: 0 });
    }
  });

  test('a minute that has not come is left out and its rows are counted', () => {
    const fold = new Fold();
    const minutes = minutesOf([row(1, { createdAt: NOON + MINUTE }), row(2, { createdAt: NOON + MINUTE })]);
    fold.apply(batch(NOON, { origin: 'window', minutes }));
    fold.advance(tick(NOON + 2 * MINUTE));
    expect(fold.snapshot().windows['5m'].total_operations).toBe(0);
    expect(fold.stats().futureDropped).toBe(2);
  });
});
