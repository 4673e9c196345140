/**
 * Everything about the rows of one step of a ring, exact minimum and maximum included. The sums over several buckets
 * merge them and subtract them again (segment.ts).
 */
import { clearExtremes, newExtremes, spreadExtremes, widenedExtremes } from './extremes.js';
import { addNumbers, type Facts } from './facts.js';
import { Held } from './held.js';
import { CELLS } from './histogram.js';
import { PENDING_STATUS } from './kinds.js';
import { newNumbers, TYPES_AT_FIRST, TYPES_AT_MOST, widened } from './numbers.js';
import { type PendingBudget, PendingDurations } from './pending-durations.js';
import type { Aggregate } from './ring.js';
import { addRollup, type RollupFacts, spreadToRollup } from './rollup-facts.js';
import { SparseCounts, type SparseScratch } from './sparse.js';

/** What all buckets of a fold share. */
export interface BucketShared {
  readonly scratch: SparseScratch;
  readonly pendingBudget: PendingBudget;
  /** Buckets that were released, empty: one a second would otherwise become garbage, with its arrays. */
  readonly released: Bucket[];
}

// More than leave in a second; after an idle hour hundreds leave at once.
const MOST_RELEASED = 32;

export class Bucket implements Aggregate {
  numbers = newNumbers(TYPES_AT_FIRST);
  /** Types there is room for. */
  types = TYPES_AT_FIRST;
  readonly durations: SparseCounts;
  /** Of the numbers; types that are not held have no durations either. */
  readonly held = new Held();
  private readonly shared: BucketShared;
  // Over rows that are no longer pending, which never leave.
  private extremes = newExtremes(TYPES_AT_FIRST);
  private pending: PendingDurations | null = null;

  /** An empty bucket. */
  static take(shared: BucketShared): Bucket {
    return shared.released.pop() ?? new Bucket(shared);
  }

  private constructor(shared: BucketShared) {
    this.shared = shared;
    this.durations = new SparseCounts(shared.scratch);
  }

  /** Adds rows `from` to `to` (exclusive). */
  add(facts: Facts, from: number, to: number): void {
    if (facts.wide && this.types < TYPES_AT_MOST) this.widen();
    addNumbers(this.numbers, facts, from, to, 1);
    this.held.note(facts, from, to);
    const { extremes, durations } = this;
    const { type, status, key, durationMs } = facts;
    for (let i = from; i < to; i++) {
      const cell = key[i] as number;
      if (cell < 0) continue;
      durations.add(cell);
      const duration = durationMs[i] as number;
      if (status[i] === PENDING_STATUS && this.addPending(type[i] as number, duration)) continue;
      spreadExtremes(extremes, type[i] as number, duration, duration);
    }
  }

  /** Adds all the rows of a rollup. */
  addRollup(facts: RollupFacts): void {
    if (facts.wide && this.types < TYPES_AT_MOST) this.widen();
    addRollup(this.numbers, facts);
    this.held.noteEverything();
    this.durations.addCounts(facts.type * CELLS, facts.rollup.cells, facts.rollup.cellCounts);
    spreadToRollup(this.extremes, facts);
  }

  /** Whether a row of this type and status can be taken back. */
  has(facts: Facts, row: number): boolean {
    return (this.numbers[facts.countAt[row] as number] ?? 0) > 0;
  }

  /** Takes back a pending row that was added before. */
  remove(facts: Facts, row: number): void {
    addNumbers(this.numbers, facts, row, row + 1, -1);
    const cell = facts.key[row] as number;
    if (cell < 0) return;
    this.durations.remove(cell);
    this.pending?.remove(facts.type[row] as number, facts.durationMs[row] as number);
  }

  /** The smallest duration of a type, ms; Infinity where there is none. */
  min(type: number): number {
    const final = this.extremes[2 * type] ?? Number.POSITIVE_INFINITY;
    return this.pending === null ? final : Math.min(final, this.pending.min(type));
  }

  /** The largest duration of a type, ms; -Infinity where there is none. */
  max(type: number): number {
    const final = this.extremes[2 * type + 1] ?? Number.NEGATIVE_INFINITY;
    return this.pending === null ? final : Math.max(final, this.pending.max(type));
  }

  /** Adds everything that another bucket holds; that one has to be released. */
  merge(other: Bucket): void {
    if (other.types > this.types) this.widen();
    other.held.merge(this.numbers, other.numbers, 1);
    this.held.noteAll(other.held);
    this.durations.merge(other.durations);
    const { extremes } = other;
    for (let type = 0; type < other.types; type++) {
      if (!other.held.has(type)) continue;
      spreadExtremes(this.extremes, type, extremes[2 * type] as number, extremes[2 * type + 1] as number);
    }
    // Its part of the budget is free before this bucket asks for as much.
    const pending = other.takePending();
    for (const [type, durationMs] of pending) {
      if (!this.addPending(type, durationMs)) spreadExtremes(this.extremes, type, durationMs, durationMs);
    }
  }

  /** Rows come to another bucket for now. */
  settle(): void {
    this.durations.settle();
  }

  /** The bucket's time is over; late rows may still come. */
  seal(): void {
    this.durations.pack();
  }

  /** The bucket is no longer needed; whoever released it must forget it. */
  release(): void {
    this.pending?.release();
    if (this.shared.released.length >= MOST_RELEASED) return;
    this.pending = null;
    this.held.clear(this.numbers);
    clearExtremes(this.extremes);
    this.durations.clear();
    this.shared.released.push(this);
  }

  private takePending(): [type: number, durationMs: number][] {
    const taken: [number, number][] = [];
    this.pending?.each((type, durationMs) => taken.push([type, durationMs]));
    this.pending?.release();
    return taken;
  }

  private addPending(type: number, durationMs: number): boolean {
    this.pending ??= new PendingDurations(this.shared.pendingBudget);
    return this.pending.add(type, durationMs);
  }

  private widen(): void {
    this.types = TYPES_AT_MOST;
    this.numbers = widened(this.numbers);
    this.extremes = widenedExtremes(this.extremes, TYPES_AT_MOST);
  }
}
