import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Changes } from '../../streams/changes.js';
import type { SyncRow } from '../../streams/event.js';
import { isoOf } from '../../streams/iso.js';
import type { Period } from '../../streams/operations.js';
import { type Rollup, RollupBuilder } from '../../streams/rollup.js';
import { RollupSum } from '../../streams/rollup-sum.js';
import type { WindowSnapshot } from '../../streams/snapshot.js';
import { Vocabulary } from '../../streams/vocabulary.js';
import { fieldsOfFewNames } from './arbitraries.js';
import { checkPeriod } from './oracle.js';
import { batch, NOON, row } from './rows.js';

const MINUTE = 60_000;
const QUARTER = 15 * MINUTE;
const SAVINGS = { manualResolutionMinutes: 10 };

const times = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: 0, max: 90 * MINUTE - 1 }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 90 }).map((minute) => minute * MINUTE) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 90 }).map((minute) => minute * MINUTE - 0.001) },
  { weight: 1, arbitrary: fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY) },
);
const rows = fc.array(
  fc.record({
    of: fieldsOfFewNames,
    after: times,
    settles: fc.boolean(),
    origin: fc.constantFrom('live', 'start'),
  }),
  { maxLength: 60 },
);
type Raw = typeof rows extends fc.Arbitrary<(infer T)[]> ? T : never;
const period = fc
  .tuple(fc.integer({ min: -2, max: 91 }), fc.integer({ min: 1, max: 95 }))
  .map(([from, length]) => [NOON + from * MINUTE, NOON + (from + length) * MINUTE] as const);

function periodOf([start, end]: readonly [number, number]): Period {
  return { start: isoOf(start) ?? '', end: isoOf(end) ?? '', minutes: (end - start) / MINUTE };
}

function read(sum: RollupSum, bounds: readonly [number, number]): WindowSnapshot {
  const of = periodOf(bounds);
  return { ...sum.operations(of), business: sum.business(of, SAVINGS) };
}

/** Feeds history with rows as they come; some of the pending ones are settled later. Returns the table in the end. */
function feed(changes: Changes, raws: readonly Raw[]): SyncRow[] {
  const table = new Map<number, SyncRow>();
  for (const [id, { of, after, origin }] of raws.entries()) {
    const made = row(id, { ...of, createdAt: NOON + after });
    table.set(id, made);
    changes.apply(batch(NOON, { origin: origin === 'live' ? 'live' : 'start', rows: [made] }));
  }
  for (const [id, { settles, after }] of raws.entries()) {
    const previous = table.get(id);
    if (previous?.status !== 'pending' || !settles) continue;
    const settled = {
      ...previous,
      status: id % 2 === 0 ? 'success' : 'error',
      durationMs: id,
      createdAt: NOON + after,
    };
    table.set(id, settled);
    changes.apply(batch(NOON, { updates: [{ row: settled, previous }] }));
  }
  return [...table.values()];
}

/** Rollups that begin in a period, those of whole quarters of it put together before. */
function* cover(changes: Changes, [start, end]: readonly [number, number]): Generator<[string, Rollup]> {
  const quarters = new Map<string, RollupBuilder>();
  for (const { start: minute, operationType, rollup } of changes.entries()) {
    if (minute < start || minute >= end) continue;
    const quarter = Math.floor(minute / QUARTER) * QUARTER;
    if (quarter < start || quarter + QUARTER > end) {
      yield [operationType, rollup.build()];
      continue;
    }
    const key = `${quarter} ${operationType}`;
    const sum = quarters.get(key) ?? new RollupBuilder();
    quarters.set(key, sum);
    sum.merge(rollup.build());
  }
  for (const [key, sum] of quarters) yield [key.slice(key.indexOf(' ') + 1), sum.build()];
}

describe('the sum of a period', () => {
  test('equals the naive computation over its rows, period after period', () => {
    fc.assert(
      fc.property(rows, fc.array(period, { minLength: 1, maxLength: 4 }), (raws, periods) => {
        const words = new Vocabulary();
        const changes = new Changes(words);
        const table = feed(changes, raws);
        const sum = new RollupSum(words);
        for (const bounds of periods) {
          const inside = table.filter(({ createdAt }) => bounds[0] <= createdAt && createdAt < bounds[1]);
          sum.clear();
          for (const [type, rollup] of cover(changes, bounds)) sum.add(type, rollup);
          for (const each of inside) if (each.status === 'pending') sum.addRow(each);
          checkPeriod(read(sum, bounds), inside, bounds, 'period');
        }
      }),
      { numRuns: 150 },
    );
  });

  test('of rows alone, more than are added at a time, asked for again and again', () => {
    const made = Array.from({ length: 1500 }, (_, i) =>
      row(i, {
        customerId: i % 700,
        durationMs: i,
        operationType: i % 3 === 0 ? 'conflict_resolution' : 'created',
      }),
    );
    const sum = new RollupSum(new Vocabulary());
    for (const bounds of [[NOON, NOON + MINUTE] as const, [NOON, NOON + 5 * MINUTE] as const]) {
      checkPeriod(read(sum, bounds), [], bounds, 'empty');
      made.forEach((each, i) => {
        sum.addRow(each);
        if (i % 500 === 0) checkPeriod(read(sum, bounds), made.slice(0, i + 1), bounds, `${i}`);
      });
      checkPeriod(read(sum, bounds), made, bounds, 'all');
      sum.clear();
    }
  });

  test('a row that nobody has folded yet takes no name’s room in history', () => {
    const words = new Vocabulary();
    const sum = new RollupSum(words);
    sum.addRow(row(1, { operationType: 'odd', status: 'strange' }));
    const bounds = [NOON, NOON + MINUTE] as const;
    expect(read(sum, bounds).by_type.odd?.by_status).toEqual({ strange: 1 });
    expect(words.unknown()).toEqual({ types: [], statuses: [], sources: [], methods: [] });
    words.types.index('new');
    sum.clear();
    sum.add('new', new RollupBuilder().build());
    expect(read(sum, bounds).by_type).toEqual({});
  });
});
