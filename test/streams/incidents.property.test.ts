/** Incidents against the plainest reading of what they say of themselves, over random rows. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Evidence } from '../../streams/alert.js';
import type { Batch, BigId, SyncRow } from '../../streams/event.js';
import { Incidents } from '../../streams/incidents.js';
import { batch, NOON, row } from './rows.js';

const SECOND = 1000;
const FIVE_MINUTES = 300 * SECOND;
const STEPS = { '5m': { step: SECOND, steps: 300 }, '1h': { step: 10 * SECOND, steps: 360 } } as const;

/** Alike but for numbers, addresses and names; the first word tells them apart. */
const MESSAGES: readonly ((n: number) => string)[] = [
  (n) => `Timeout after ${n} ms, order ${n * 7}`,
  (n) => `Unknown address u${n}@example${n}.com`,
  (n) => `Refused: name: ${['Ivanov', 'Petrov', 'Sidorov'][n % 3]}; no such contract`,
  () => 'Locked',
  (n) => `Duplicate 77070838${String(n % 100).padStart(2, '0')} in 1C`,
  (n) => `Deadlock between ${n} and ${n + 1}`,
  (n) => `Overflow (${n})`,
];

interface Entered {
  readonly row: SyncRow;
  readonly order: number;
}

class Oracle {
  now = Number.NEGATIVE_INFINITY;
  end = Number.NEGATIVE_INFINITY;
  newest: number | null = null;
  private waiting: SyncRow[] = [];
  private entered: Entered[] = [];
  private failed: { id: BigId; at: number; createdAt: number }[] = [];
  private orders = 0;

  apply(given: Batch): void {
    if (given.reset === true) {
      Object.assign(this, { now: -Infinity, end: -Infinity, newest: null });
      Object.assign(this, { waiting: [], entered: [], failed: [] });
    }
    this.move(given.now);
    if (given.span !== undefined) {
      const { from, to } = given.span;
      const inside = (time: number): boolean => time >= from && time < to;
      this.waiting = this.waiting.filter(({ createdAt }) => !inside(createdAt));
      this.entered = this.entered.filter((one) => !inside(one.row.createdAt));
      const kept = new Set(given.rows.filter(hasFailed).map(({ id }) => id));
      this.failed = this.failed.filter(({ id, createdAt }) => !inside(createdAt) || kept.has(id));
    }
    for (const one of [...given.rows, ...given.updates.map((update) => update.row)]) {
      const at = given.origin === 'live' ? this.now : Math.min(one.createdAt, this.now);
      const timed = given.origin === 'live' || Number.isFinite(one.createdAt);
      if (timed) this.newest = Math.max(this.newest ?? at, at);
      if (timed && hasFailed(one) && !this.failed.some(({ id }) => id === one.id)) {
        this.failed.push({ id: one.id, at, createdAt: one.createdAt });
      }
      if (one.status === 'error' || one.status === 'failed') this.waiting.push(one);
    }
    this.enter();
  }

  move(now: number): void {
    this.now = Math.max(this.now, now);
    this.end = Math.max(this.end, Math.floor(now / SECOND) * SECOND + SECOND);
    this.failed = this.failed.filter(({ at }) => at >= this.end - FIVE_MINUTES);
    this.enter();
  }

  private enter(): void {
    for (const one of this.waiting) {
      if (one.createdAt < this.end) this.entered.push({ row: one, order: this.orders++ });
    }
    this.waiting = this.waiting.filter(({ createdAt }) => !(createdAt < this.end));
    this.failed = this.failed.filter(({ at }) => at >= this.end - FIVE_MINUTES);
  }

  check(incidents: Incidents): void {
    const five = this.errors('5m');
    expect(incidents.view()).toMatchObject({
      failedBatches5m: this.failed.length,
      customersAffected5m: customersOf(five).size,
      customersAffectedAtLeast: false,
      newestRowAt: this.newest,
    });
    for (const window of ['5m', '1h'] as const) this.checkEvidence(incidents.evidence(window), window);
    expect(incidents.stats()).toEqual({ customersLost: 0, futureDropped: 0, batchesDropped: 0 });
  }

  private errors(window: Evidence['window']): Entered[] {
    const { step, steps } = STEPS[window];
    const start = (Math.ceil(this.end / step) - steps) * step;
    return this.entered.filter((one) => one.row.createdAt >= start && one.row.createdAt < this.end);
  }

  private checkEvidence(evidence: Evidence, window: Evidence['window']): void {
    const errors = this.errors(window);
    const { step } = STEPS[window];
    const slotOf = (one: Entered): number => Math.floor(one.row.createdAt / step);
    const newestFirst = errors.toSorted((a, b) => slotOf(b) - slotOf(a) || b.order - a.order);
    const ids = newestFirst.flatMap((one) => one.row.correlationId ?? []);
    const groups = new Map<string, number>();
    for (const one of errors) {
      const key = groupOf(one.row.operationType, one.row.errorMessage);
      groups.set(key, (groups.get(key) ?? 0) + 1);
    }
    const counts = [...groups.values()].sort((a, b) => b - a).slice(0, 5);
    expect(evidence).toMatchObject({
      window,
      errors: errors.length,
      other_errors: 0,
      affected_customers: customersOf(errors).size,
      affected_customers_at_least: false,
      correlation_ids: [...new Set(ids)].slice(0, 5),
    });
    expect(evidence.top_errors.map(({ count }) => count)).toEqual(counts);
    for (const { operation_type, message, count } of evidence.top_errors) {
      expect(groups.get(groupOf(operation_type, message)), String(message)).toBe(count);
    }
    expect(evidence.failed_batches).toHaveLength(Math.min(3, this.failed.length));
  }
}

function groupOf(type: string, message: string | null): string {
  return `${type} ${message?.match(/^\w+/)?.[0] ?? null}`;
}

function customersOf(errors: readonly Entered[]): Set<BigId> {
  return new Set(errors.flatMap((one) => one.row.customerId ?? []));
}

function hasFailed({ operationType, status, batch: totals }: SyncRow): boolean {
  if (operationType !== 'batch_operation') return false;
  return status === 'error' || status === 'failed' || (totals?.error ?? 0) > 0;
}

const rows = fc.record({
  operationType: fc.constantFrom('sync_changes', 'export_to_1c', 'batch_operation'),
  status: fc.constantFrom('error', 'error', 'failed', 'success', 'warning', 'pending'),
  /** ms before the batch, and exactly at the edges of steps. */
  age: fc.oneof(
    fc.integer({ min: -30_000, max: 400_000 }),
    fc.integer({ min: -5_000, max: 4_000_000 }),
    fc.integer({ min: -2, max: 362 }).map((n) => n * 10_000),
    fc.constantFrom(Infinity, -Infinity),
  ),
  customerId: fc.option(fc.oneof(fc.nat(6), fc.constantFrom('9223372036854775807', '-9007199254740993'))),
  correlationId: fc.option(fc.nat(8).map((n) => `sync-${'abcdefghi'[n]}`)),
  message: fc.option(fc.tuple(fc.nat(MESSAGES.length - 1), fc.nat(50))),
  errors: fc.option(fc.nat(2)),
});

const steps = fc.record({
  later: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: 30_000 }) },
    { weight: 2, arbitrary: fc.integer({ min: -60_000, max: 600_000 }) },
    { weight: 1, arbitrary: fc.constantFrom(4_000_000, 90_000_000) },
  ),
  origin: fc.constantFrom('live', 'live', 'start', 'window', 'refold', 'tick', 'update'),
  spanFrom: fc.integer({ min: -13, max: 1 }),
  spanLength: fc.integer({ min: 1, max: 3 }),
  rows: fc.array(rows, { maxLength: 25 }),
  reset: fc.nat(40).map((n) => n === 0),
});

test('incidents say what a look at all the rows would say', () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 15 }), (given) => {
      const incidents = new Incidents();
      const oracle = new Oracle();
      let now = NOON;
      let id = 0;
      let pending: SyncRow[] = [];
      for (const one of given) {
        now += one.later;
        if (one.origin === 'tick') {
          incidents.advance(now);
          oracle.move(now);
          if (Number.isFinite(oracle.now)) oracle.check(incidents);
          continue;
        }
        const span = {
          from: (Math.floor(now / FIVE_MINUTES) + one.spanFrom) * FIVE_MINUTES,
          to: (Math.floor(now / FIVE_MINUTES) + one.spanFrom + one.spanLength) * FIVE_MINUTES,
        };
        const made = one.rows.map(({ age, message, errors, ...fields }) => {
          id += 1;
          return row(id, {
            ...fields,
            createdAt: now - age,
            errorMessage: message === null ? null : (MESSAGES[message[0]]?.(message[1]) ?? null),
            batch:
              errors === null ? null : { operation_name: 'nightly', total: 9, success: 1, error: errors },
          });
        });
        if (one.origin === 'update') {
          // Rows that were pending, settled now.
          const updates = pending.map((previous) => ({ previous, row: { ...previous, status: 'error' } }));
          pending = [];
          const settled = batch(now, { updates });
          incidents.apply(settled);
          oracle.apply(settled);
        } else if (one.origin === 'refold') {
          const inside = made.map((made_, i) => ({
            ...made_,
            createdAt: span.from + ((i * 7919) % (span.to - span.from)),
          }));
          const refolded = batch(now, { origin: 'refold', span, rows: inside });
          incidents.apply(refolded);
          oracle.apply(refolded);
        } else {
          const arrived = batch(now, { origin: one.origin, rows: made, reset: one.reset });
          pending = [...(one.reset ? [] : pending), ...made.filter(({ status }) => status === 'pending')];
          incidents.apply(arrived);
          oracle.apply(arrived);
        }
        oracle.check(incidents);
      }
    }),
    { numRuns: 400 },
  );
});
