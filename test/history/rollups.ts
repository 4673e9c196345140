/** Rollups for the tests of src/history: any that could be. */
import fc from 'fast-check';
import type { SyncRow } from '../../streams/event.js';
import { CELLS, MAX_DURATION_MS } from '../../streams/histogram.js';
import type { Rollup } from '../../streams/rollup.js';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const count = fc.oneof(
  fc.integer({ min: 1, max: 200 }),
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  fc.constantFrom(63, 64, 127, 128, 2 ** 31, 2 ** 32),
);
const name = fc.oneof(
  fc.constantFrom('other', 'retried', '__proto__', 'constructor', 'ошибка', '"quoted"', ''),
  fc.string().filter((text) => !text.includes('\0') && text !== 'pending'),
);
const tally = (names: fc.Arbitrary<string>) =>
  fc
    .uniqueArray(fc.tuple(names, count), { maxLength: 4, selector: ([key]) => key })
    .map((all) => new Map(all));

/** Cells far apart and in runs, with their counts. */
export const cellsArb = fc
  .uniqueArray(
    fc.tuple(
      fc.oneof(
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 0, max: CELLS - 1 }),
        fc.constant(CELLS - 1),
      ),
      count,
    ),
    { maxLength: 60, selector: ([cell]) => cell },
  )
  .map((all) => all.sort(([a], [b]) => a - b));

export const customersArb = fc
  .uniqueArray(
    fc.oneof(
      fc.bigInt({ min: 1n, max: 5000n }),
      fc.bigInt({ min: INT64_MIN, max: INT64_MAX }),
      fc.constantFrom(INT64_MIN, INT64_MAX, -1n, 0n, 2n ** 53n, -(2n ** 53n)),
    ),
    { maxLength: 80 },
  )
  .map((ids) => BigInt64Array.from(ids).sort());

export const rollupArb: fc.Arbitrary<Rollup> = fc
  .record({
    statuses: tally(fc.oneof(fc.constantFrom('success', 'error', 'failed', 'warning', 'skipped'), name)),
    durationCount: fc.nat(),
    durationSum: fc.maxSafeNat(),
    durationMin: fc.option(fc.integer({ min: 0, max: MAX_DURATION_MS })),
    durationMax: fc.option(fc.integer({ min: 0, max: MAX_DURATION_MS })),
    durationNegative: fc.nat(),
    durations: cellsArb,
    customers: customersArb,
    sources: tally(name),
    methods: tally(name),
    adminMails: fc.nat(),
    idMin: fc.option(fc.integer({ min: -50, max: 1e9 })),
    idMax: fc.option(fc.maxSafeInteger()),
  })
  .map(({ durations, ...rest }) => ({
    ...rest,
    cells: Int32Array.from(durations, ([cell]) => cell),
    cellCounts: Float64Array.from(durations, ([, n]) => n),
  }));

/** Settled rows without their ids written at any of these times. */
export function rowsArb(times: fc.Arbitrary<number>, maxLength = 60): fc.Arbitrary<Omit<SyncRow, 'id'>[]> {
  return fc.array(
    fc.record({
      operationType: fc.constantFrom(
        'sync_changes',
        'conflict_resolution',
        'customer_identification',
        'repair',
      ),
      status: fc.constantFrom('success', 'success', 'error', 'failed', 'warning', 'skipped', 'retried'),
      createdAt: times,
      customerId: fc.option(fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constant('9223372036854775807'))),
      customerEmail: fc.constant(null),
      onecId: fc.constant(null),
      correlationId: fc.constant(null),
      errorMessage: fc.constant(null),
      durationMs: fc.option(fc.integer({ min: -2, max: MAX_DURATION_MS })),
      conflictSource: fc.constantFrom(null, 'data_import', 'elsewhere'),
      identificationMethod: fc.constantFrom(null, 'email', 'guess'),
      emailSent: fc.boolean(),
      batch: fc.constant(null),
    }),
    { maxLength },
  );
}
