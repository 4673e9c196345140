/**
 * Everything about the rows of one step of a ring, exact minimum and maximum included. A window merges buckets and
 * subtracts them again (window.ts).
 */
import { addFact, type Fact, PENDING_STATUS } from './fact.js';
import { newNumbers, TYPES_AT_FIRST, TYPES_AT_MOST, widened } from './numbers.js';
import { type PendingBudget, PendingDurations } from './pending-durations.js';
import { SparseCounts, type SparseScratch } from './sparse.js';

/** What all buckets of a fold share. */
export interface BucketShared {
  readonly scratch: SparseScratch;
  readonly pendingBudget: PendingBudget;
}

export class Bucket {
  numbers = newNumbers(TYPES_AT_FIRST);
  /** Types there is room for. */
  types = TYPES_AT_FIRST;
  readonly durations: SparseCounts;
  private readonly shared: BucketShared;
  // Minimum and maximum per type over rows that are no longer pending, which never leave.
  private extremes = newExtremes(TYPES_AT_FIRST);
  private pending: PendingDurations | null = null;

  constructor(shared: BucketShared) {
    this.shared = shared;
    this.durations = new SparseCounts(shared.scratch);
  }

  add(fact: Fact): void {
    if (fact.type >= this.types) this.widen();
    addFact(this.numbers, fact, 1);
    if (fact.durationKind !== 'in range') return;
    this.durations.add(fact.key);
    if (fact.status === PENDING_STATUS) {
      this.pending ??= new PendingDurations(this.shared.pendingBudget);
      if (this.pending.add(fact.type, fact.durationMs)) return;
    }
    this.spread(fact.type, fact.durationMs, fact.durationMs);
  }

  /** Whether a row of this type and status can be taken back. */
  has(fact: Fact): boolean {
    return fact.type < this.types && (this.numbers[fact.countAt] as number) > 0;
  }

  /** Takes back a pending row that was added before. */
  remove(fact: Fact): void {
    addFact(this.numbers, fact, -1);
    if (fact.durationKind !== 'in range') return;
    this.durations.remove(fact.key);
    this.pending?.remove(fact.type, fact.durationMs);
  }

  /** The smallest duration of a type, ms; Infinity where there is none. */
  min(type: number): number {
    if (type >= this.types) return Number.POSITIVE_INFINITY;
    const final = this.extremes[2 * type] as number;
    return this.pending === null ? final : Math.min(final, this.pending.min(type));
  }

  /** The largest duration of a type, ms; -Infinity where there is none. */
  max(type: number): number {
    if (type >= this.types) return Number.NEGATIVE_INFINITY;
    const final = this.extremes[2 * type + 1] as number;
    return this.pending === null ? final : Math.max(final, this.pending.max(type));
  }

  /** Rows come to another bucket for now. */
  settle(): void {
    this.durations.settle();
  }

  /** The bucket's time is over; late rows may still come. */
  seal(): void {
    this.durations.pack();
  }

  /** The bucket leaves its ring. */
  release(): void {
    this.pending?.release();
  }

  private spread(type: number, min: number, max: number): void {
    const { extremes } = this;
    if (min < (extremes[2 * type] as number)) extremes[2 * type] = min;
    if (max > (extremes[2 * type + 1] as number)) extremes[2 * type + 1] = max;
  }

  private widen(): void {
    this.numbers = widened(this.numbers);
    const extremes = newExtremes(TYPES_AT_MOST);
    extremes.set(this.extremes);
    this.extremes = extremes;
    this.types = TYPES_AT_MOST;
  }
}

/** Pairs of minimum and maximum of nothing. */
export function newExtremes(types: number): Float64Array {
  const extremes = new Float64Array(2 * types);
  for (let i = 0; i < extremes.length; i += 2) {
    extremes[i] = Number.POSITIVE_INFINITY;
    extremes[i + 1] = Number.NEGATIVE_INFINITY;
  }
  return extremes;
}
