/**
 * The running sums of one segment of time: what is in its buckets, ready to be read. The windows are nested, so the
 * segments between their starts are kept instead of the windows: a row is added to one sum, not to four.
 */
import type { Bucket } from './bucket.js';
import { clearExtremes, newExtremes, spreadExtremes, spreadToFacts, widenedExtremes } from './extremes.js';
import { addNumbers, type Facts } from './facts.js';
import { Durations } from './histogram.js';
import { newNumbers, TYPES_AT_FIRST, TYPES_AT_MOST, widened } from './numbers.js';
import { addRollup, type RollupFacts, spreadToRollup } from './rollup-facts.js';

export class Segment {
  numbers = newNumbers(TYPES_AT_FIRST);
  readonly durations = new Durations(TYPES_AT_FIRST);
  /** Types there is room for. */
  types = TYPES_AT_FIRST;
  private extremes = newExtremes(TYPES_AT_FIRST);
  // Types whose minimum or maximum has left; looked for in the buckets at the next read.
  private readonly stale = new Uint8Array(TYPES_AT_MOST);

  /** Adds rows `from` to `to` (exclusive). */
  add(facts: Facts, from: number, to: number): void {
    if (facts.wide) this.widen();
    addNumbers(this.numbers, facts, from, to, 1);
    this.durations.addAll(facts.key, from, to);
    spreadToFacts(this.extremes, facts, from, to);
  }

  /** Adds all the rows of a rollup. */
  addRollup(facts: RollupFacts): void {
    if (facts.wide) this.widen();
    addRollup(this.numbers, facts);
    this.durations.addCells(facts.type, facts.rollup.cells, facts.rollup.cellCounts);
    spreadToRollup(this.extremes, facts);
  }

  /** Begins anew with nothing. */
  clear(): void {
    this.numbers.fill(0);
    this.durations.clear();
    clearExtremes(this.extremes);
    this.stale.fill(0);
  }

  /** Takes back a row that is in a bucket of this segment. */
  remove(facts: Facts, row: number): void {
    addNumbers(this.numbers, facts, row, row + 1, -1);
    const cell = facts.key[row] as number;
    if (cell < 0) return;
    this.durations.add(cell, -1);
    const duration = facts.durationMs[row] as number;
    this.leave(facts.type[row] as number, duration, duration);
  }

  private take(bucket: Bucket, from: Durations): void {
    if (bucket.types > this.types) this.widen();
    bucket.held.merge(this.numbers, bucket.numbers, 1);
    // In one go, because unpacking costs as much as adding.
    bucket.durations.each((key, count) => {
      from.add(key, -count);
      this.durations.add(key, count);
    });
    for (let type = 0; type < bucket.types; type++) {
      if (!bucket.held.has(type)) continue;
      spreadExtremes(this.extremes, type, bucket.min(type), bucket.max(type));
    }
  }

  /** Gives a bucket on to another segment, or to none. */
  pass(bucket: Bucket, to: Segment | null): void {
    bucket.held.merge(this.numbers, bucket.numbers, -1);
    for (let type = 0; type < bucket.types; type++)
      if (bucket.held.has(type)) this.leave(type, bucket.min(type), bucket.max(type));
    if (to === null) bucket.durations.each((key, count) => this.durations.add(key, -count));
    else to.take(bucket, this.durations);
  }

  /** Exact minimum and maximum of each type in pairs; `buckets` are those of this segment. */
  minAndMax(buckets: () => Iterable<Bucket>): Float64Array {
    const { extremes, stale } = this;
    if (!stale.includes(1)) return extremes;
    for (let type = 0; type < this.types; type++) {
      if (stale[type] === 0) continue;
      extremes[2 * type] = Number.POSITIVE_INFINITY;
      extremes[2 * type + 1] = Number.NEGATIVE_INFINITY;
    }
    for (const bucket of buckets()) {
      for (let type = 0; type < bucket.types; type++) {
        if (stale[type] === 1 && bucket.held.has(type))
          spreadExtremes(extremes, type, bucket.min(type), bucket.max(type));
      }
    }
    stale.fill(0);
    return extremes;
  }

  private leave(type: number, min: number, max: number): void {
    // Infinity to -Infinity: the bucket has no duration of this type.
    if (min > max) return;
    const { extremes } = this;
    if (min <= (extremes[2 * type] as number) || max >= (extremes[2 * type + 1] as number))
      this.stale[type] = 1;
  }

  private widen(): void {
    if (this.types === TYPES_AT_MOST) return;
    this.types = TYPES_AT_MOST;
    this.numbers = widened(this.numbers);
    this.durations.reserve(TYPES_AT_MOST);
    this.extremes = widenedExtremes(this.extremes, TYPES_AT_MOST);
  }
}
