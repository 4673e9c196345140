import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BigId, SyncRow } from '../../streams/event.js';
import { Fold } from '../../streams/fold.js';
import { fields } from './arbitraries.js';
import { Oracle } from './oracle.js';
import { batch, NOON, row, tick } from './rows.js';

/** created_at, relative to the now of its batch (ms), or absolute where infinite or far away. */
const times = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -70_000, max: 500 }).map((ms) => ({ relative: ms })) },
  { weight: 3, arbitrary: fc.integer({ min: -90_000_000, max: 0 }).map((ms) => ({ relative: ms })) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 700_000 }).map((ms) => ({ relative: ms })) },
  // The edges of every step, and the last microsecond before them.
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.integer({ min: -300, max: 12 }),
        fc.constantFrom(1000, 10_000, 300_000),
        fc.constantFrom(0, -0.001, 0.001),
      )
      .map(([n, step, by]) => ({ edge: n, step, by })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(Infinity, -Infinity, Date.UTC(2924, 1, 1), Date.UTC(-100, 1, 1), 9.2e15, 0)
      .map((ms) => ({ absolute: ms })),
  },
);

const rows = fc.tuple(fields, times).map(([of, time]) => ({ ...of, time }));
type Raw = typeof rows extends fc.Arbitrary<infer T> ? T : never;

const steps = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('rows' as const), rows: fc.array(rows, { maxLength: 12 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('tick' as const),
      by: fc.constantFrom(
        0,
        40,
        250,
        1000,
        1000,
        7000,
        61_000,
        400_000,
        3_700_000,
        43_200_000,
        90_000_000,
        -5000,
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('update' as const),
      pick: fc.nat(),
      row: rows,
      still: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), pick: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('reset' as const),
      by: fc.constantFrom(-7_200_000, -10, 0, 5000),
      rows: fc.array(rows, { maxLength: 5 }),
    }),
  },
);
type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

/** Drives a fold and the oracle with the same input. */
class Pair {
  readonly fold = new Fold();
  readonly oracle = new Oracle();
  private now = NOON + 123;
  private nextId = 1;
  // Rows as the reader knows them, under their own names.
  private pending = new Map<BigId, SyncRow>();

  run(step: Step): void {
    if (step.kind === 'tick') {
      this.now += step.by;
      this.fold.advance(tick(this.now));
      this.oracle.move(this.now);
    } else if (step.kind === 'rows' || step.kind === 'reset') {
      this.insert(step);
    } else {
      this.change(step);
    }
  }

  private insert(step: Extract<Step, { kind: 'rows' | 'reset' }>): void {
    const reset = step.kind === 'reset';
    if (reset) {
      this.now += step.by;
      this.pending.clear();
      this.oracle.reset();
    }
    const made = step.rows.map((raw) => this.make(raw, this.nextId++));
    this.fold.apply(batch(this.now, { rows: made, reset, origin: reset ? 'start' : 'live' }));
    this.oracle.move(this.now);
    for (const each of made) {
      this.oracle.put(each);
      if (each.status === 'pending') this.pending.set(each.id, each);
    }
  }

  private change(step: Extract<Step, { kind: 'update' | 'remove' }>): void {
    const previous = [...this.pending.values()][step.pick % Math.max(1, this.pending.size)];
    if (previous === undefined) return;
    this.pending.delete(previous.id);
    this.oracle.move(this.now);
    if (step.kind === 'remove') {
      this.fold.apply(batch(this.now, { removals: [previous] }));
      this.oracle.remove(previous);
      return;
    }
    const changed = this.make(step.row, previous.id);
    const next = step.still ? { ...changed, createdAt: previous.createdAt } : changed;
    this.fold.apply(batch(this.now, { updates: [{ row: next, previous }] }));
    this.oracle.put(next);
    if (next.status === 'pending') this.pending.set(next.id, next);
  }

  private make({ time, ...fields }: Raw, id: BigId): SyncRow {
    return row(id, { ...fields, createdAt: this.timeOf(time) });
  }

  private timeOf(time: Raw['time']): number {
    if ('absolute' in time) return time.absolute;
    if ('relative' in time) return this.now + time.relative;
    return (Math.floor(this.now / time.step) + time.edge) * time.step + time.by;
  }
}

describe('the fold', () => {
  test('equals the naive computation after every step', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(fc.array(steps, { minLength: 1, maxLength: 40 }), (script) => {
        const pair = new Pair();
        pair.run({ kind: 'tick', by: 0 });
        for (const step of script) {
          pair.run(step);
          pair.oracle.check(pair.fold.snapshot());
        }
        expect(pair.fold.stats()).toMatchObject({ mismatches: 0, futureDropped: 0, customersDropped: 0 });
      }),
      { numRuns: 150 },
    );
  });
});
