import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SyncRow } from '../../streams/event.js';
import { cellOf } from '../../streams/histogram.js';
import { namesOf, type Rollup, RollupBuilder } from '../../streams/rollup.js';
import { Vocabulary } from '../../streams/vocabulary.js';
import { fields } from './arbitraries.js';
import { row } from './rows.js';

const settled = fields
  .filter(({ status }) => status !== 'pending')
  .chain((of) => fc.integer({ min: -5, max: 1000 }).map((id) => row(id, of)));

function builderOf(rows: readonly SyncRow[], words: Vocabulary): RollupBuilder {
  const builder = new RollupBuilder();
  for (const each of rows) builder.add(each, namesOf(each, words.types.index(each.operationType), words));
  return builder;
}

function merged(rollups: readonly Rollup[]): Rollup {
  const builder = new RollupBuilder();
  for (const rollup of rollups) builder.merge(rollup);
  return builder.build();
}

function countBy(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** The definitions in the plainest way, for names that are few enough to be kept. */
function naive(rows: readonly SyncRow[]): Rollup {
  const inRange = rows.flatMap(({ durationMs: ms }) => (ms !== null && ms >= 0 && ms < 2 ** 31 ? [ms] : []));
  const successes = rows.filter(({ status }) => status === 'success');
  const of = (type: string): SyncRow[] => successes.filter(({ operationType }) => operationType === type);
  const cells = [...countBy(inRange.map((ms) => String(cellOf(ms))))].map(([cell, n]) => [Number(cell), n]);
  cells.sort(([a = 0], [b = 0]) => a - b);
  const customers = successes.flatMap(({ customerId }) => (customerId === null ? [] : [BigInt(customerId)]));
  const ids = rows.map(({ id }) => Number(id));
  return {
    statuses: countBy(rows.map(({ status }) => status)),
    durationCount: inRange.length,
    durationSum: inRange.reduce((sum, ms) => sum + ms, 0),
    durationMin: inRange.length === 0 ? null : Math.min(...inRange),
    durationMax: inRange.length === 0 ? null : Math.max(...inRange),
    durationNegative: rows.filter(({ durationMs }) => durationMs !== null && durationMs < 0).length,
    cells: Int32Array.from(cells, ([cell = 0]) => cell),
    cellCounts: Float64Array.from(cells, ([, count = 0]) => count),
    customers: BigInt64Array.from(new Set(customers)).sort(),
    sources: countBy(of('conflict_resolution').map(({ conflictSource }) => conflictSource ?? 'unknown')),
    methods: countBy(
      of('customer_identification').map(({ identificationMethod }) => identificationMethod ?? 'unknown'),
    ),
    adminMails: rows.filter(({ emailSent }) => emailSent).length,
    idMin: ids.length === 0 ? null : Math.min(...ids),
    idMax: ids.length === 0 ? null : Math.max(...ids),
  };
}

describe('a rollup', () => {
  test('holds what its rows say', () => {
    fc.assert(
      fc.property(fc.array(settled, { maxLength: 30 }), (rows) => {
        expect(builderOf(rows, new Vocabulary()).build()).toEqual(naive(rows));
      }),
    );
  });

  test('merged in any grouping, it is that of all rows at once; asking in between changes nothing', () => {
    const pieces = fc.array(fc.array(settled, { maxLength: 12 }), { maxLength: 8 });
    fc.assert(
      fc.property(pieces, fc.nat(8), (parts, cut) => {
        const words = new Vocabulary();
        const rollups = parts.map((rows) => builderOf(rows, words).build());
        const all = builderOf(parts.flat(), words).build();
        expect(merged(rollups)).toEqual(all);
        expect(merged([merged(rollups.slice(0, cut)), merged(rollups.slice(cut))])).toEqual(all);
        const mixed = builderOf(parts[0] ?? [], words);
        mixed.build();
        for (const [i, rollup] of rollups.slice(1).entries()) {
          mixed.merge(rollup);
          if (i === cut) mixed.build();
        }
        expect(mixed.build()).toEqual(all);
      }),
    );
  });

  test('of tens of thousands of rows, with more customers and durations than wait to be sorted', () => {
    const rows = Array.from({ length: 20_000 }, (_, i) =>
      row(i, { customerId: (i * 7919) % 6007, durationMs: (i * i) % 90_001, operationType: 'created' }),
    );
    expect(builderOf(rows, new Vocabulary()).build()).toEqual(naive(rows));
  });

  test('names beyond the bound are kept as other, and a customer who is no 64-bit integer not at all', () => {
    const rows = Array.from({ length: 40 }, (_, i) => row(i, { status: `s${i}` }));
    const odd = [row(50, { customerId: '9223372036854775808' }), row(51, { customerId: 1.5 })];
    const { statuses, customers } = builderOf([...rows, ...odd], new Vocabulary()).build();
    expect(statuses.size).toBe(34);
    expect([statuses.get('other'), statuses.get('s31'), statuses.get('success')]).toEqual([8, 1, 2]);
    expect(customers).toEqual(new BigInt64Array(0));
  });

  test('refuses a pending row, which could not be taken back', () => {
    expect(() => builderOf([row(7, { status: 'pending' })], new Vocabulary())).toThrow(
      'row 7 is pending and cannot be rolled up',
    );
  });
});
