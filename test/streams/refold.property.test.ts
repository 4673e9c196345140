/** Parts of the windows that are read again because the table says something else there by now. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BigId, Span, SyncRow } from '../../streams/event.js';
import { Fold } from '../../streams/fold.js';
import { fieldsOfFewNames } from './arbitraries.js';
import { Oracle } from './oracle.js';
import { batch, NOON, row, tick } from './rows.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STEP = 5 * MINUTE;

/** A created_at, relative to now. */
const times = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: -6 * MINUTE, max: 2 * SECOND }) },
  { weight: 4, arbitrary: fc.integer({ min: -70 * MINUTE, max: 6 * MINUTE }) },
  { weight: 3, arbitrary: fc.integer({ min: -25 * HOUR, max: 0 }) },
);
// Few, so that they succeed in several spans.
const customers = fc.option(
  fc.constantFrom<BigId>(1, 2, 3, 4, 5, '9223372036854775807', '-9223372036854775808'),
);
const made = fc
  .tuple(fieldsOfFewNames, times, customers, fc.boolean())
  .map(([of, after, customerId, success]) => ({
    of: { ...of, customerId, status: success ? 'success' : of.status },
    after,
  }));
type Made = typeof made extends fc.Arbitrary<infer T> ? T : never;

const steps = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('rows' as const), rows: fc.array(made, { maxLength: 15 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      by: fc.constantFrom(40, SECOND, 7 * SECOND, MINUTE, STEP, 31 * MINUTE, HOUR, 11 * HOUR),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('rewrite' as const),
      pick: fc.nat(),
      spans: fc.integer({ min: 1, max: 3 }),
      changes: fc.array(
        fc.record({
          kind: fc.constantFrom('change', 'delete', 'add'),
          pick: fc.nat(),
          to: made,
          moves: fc.boolean(),
        }),
        { maxLength: 6 },
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('settle' as const), pick: fc.nat(), deleted: fc.boolean() }),
  },
);
type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;
type Rewrite = Extract<Step, { do: 'rewrite' }>;

/** The table, and a fold that follows it; behind its back the table is rewritten, and the spans are then refolded. */
class World {
  readonly fold = new Fold();
  now = NOON + 17 * SECOND + 3;
  private readonly table = new Map<BigId, SyncRow>();
  private nextId = 1;

  constructor() {
    this.fold.advance(tick(this.now));
  }

  run(step: Step): void {
    if (step.do === 'wait') {
      this.now += step.by;
      this.fold.advance(tick(this.now));
    } else if (step.do === 'rows') {
      const rows = step.rows.map((raw) => this.make(this.nextId++, raw));
      for (const each of rows) this.table.set(each.id, each);
      this.fold.apply(batch(this.now, { rows }));
    } else if (step.do === 'settle') {
      this.settle(step);
    } else {
      this.rewrite(step);
    }
  }

  check(): void {
    const oracle = new Oracle();
    oracle.move(this.now);
    for (const each of this.table.values()) oracle.put(each);
    oracle.check(this.fold.snapshot());
    expect(this.fold.stats()).toMatchObject({ mismatches: 0, futureDropped: 0 });
  }

  checkAgainstNew(): void {
    const anew = new Fold();
    anew.apply(batch(this.now, { origin: 'start', rows: [...this.table.values()] }));
    for (const fold of [this.fold, anew]) fold.advance(tick(this.now));
    expect({ ...this.fold.snapshot(), clock_skew_ms: null }).toEqual(anew.snapshot());
  }

  /** The pending rows are settled or deleted, which is folded as an update or removal of what was folded for them. */
  private settle({ pick, deleted }: Extract<Step, { do: 'settle' }>): void {
    const pending = [...this.table.values()].filter(({ status }) => status === 'pending');
    const previous = pending[pick % Math.max(1, pending.length)];
    if (previous === undefined) return;
    if (deleted) {
      this.table.delete(previous.id);
      this.fold.apply(batch(this.now, { removals: [previous] }));
      return;
    }
    const settled = { ...previous, status: 'success', durationMs: pick % 3000, customerId: 2 };
    this.table.set(settled.id, settled);
    this.fold.apply(batch(this.now, { updates: [{ row: settled, previous }] }));
  }

  private rewrite({ pick, spans, changes }: Rewrite): void {
    const before = [...this.table.values()];
    const picked = before[pick % Math.max(1, before.length)]?.createdAt ?? this.now;
    const touched = new Set<number>();
    const touch = (time: number): void => void touched.add(Math.floor(time / STEP) * STEP);
    for (let i = 0; i < spans; i++) touch(picked + i * STEP);
    for (const change of changes) this.rewriteRow(change, touch);
    const witnesses = [...touched].map((from) => ({ from, to: from + STEP }));
    for (const span of witnesses) this.refold(span, before);
  }

  private rewriteRow(
    { kind, pick, to, moves }: Rewrite['changes'][number],
    touch: (time: number) => void,
  ): void {
    const rows = [...this.table.values()];
    const old = rows[pick % Math.max(1, rows.length)];
    if (kind === 'add' || old === undefined) {
      const added = this.make(this.nextId++, to);
      this.table.set(added.id, added);
      touch(added.createdAt);
      return;
    }
    touch(old.createdAt);
    this.table.delete(old.id);
    if (kind === 'delete') return;
    const changed = { ...this.make(old.id, to), ...(moves ? {} : { createdAt: old.createdAt }) };
    this.table.set(old.id, changed);
    touch(changed.createdAt);
  }

  private refold(span: Span, before: readonly SyncRow[]): void {
    const inside = ({ createdAt }: SyncRow): boolean => createdAt >= span.from && createdAt < span.to;
    const rows = [...this.table.values()];
    const of = (some: readonly SyncRow[]): Set<string> =>
      new Set(
        some
          .filter((each) => inside(each) && each.status === 'success')
          .map(({ customerId }) => `${customerId}`),
      );
    // Who succeeds in it only later is in no window yet.
    const left = of(rows.filter(({ createdAt }) => createdAt < this.now));
    const lost = new Set([...of(before)].filter((customer) => !left.has(customer)));
    const witnesses = rows.filter(
      (each) =>
        !inside(each) &&
        each.status === 'success' &&
        each.createdAt >= this.now - 25 * HOUR &&
        lost.has(`${each.customerId}`),
    );
    this.fold.apply(batch(this.now, { origin: 'refold', span, rows: rows.filter(inside), witnesses }));
  }

  private make(id: BigId, { of, after }: Made): SyncRow {
    return row(id, { ...of, createdAt: this.now + after });
  }
}

test('a fold whose spans are refolded equals one that is fed with what the table says', {
  timeout: 120_000,
}, () => {
  fc.assert(
    fc.property(fc.array(steps, { minLength: 2, maxLength: 25 }), (script) => {
      const world = new World();
      for (const step of script) {
        world.run(step);
        world.check();
      }
      world.checkAgainstNew();
    }),
    { numRuns: 100 },
  );
});
