/**
 * The running sums of one window: what is in its buckets, ready to be read.
 */
import type { Bucket } from './bucket.js';
import { newExtremes } from './bucket.js';
import { addFact, type Fact } from './fact.js';
import { Durations } from './histogram.js';
import { mergeNumbers, newNumbers, TYPES_AT_FIRST, TYPES_AT_MOST, widened } from './numbers.js';
import type { Span } from './ring.js';

export class Window implements Span<Bucket> {
  readonly steps: number;
  numbers = newNumbers(TYPES_AT_FIRST);
  readonly durations = new Durations(TYPES_AT_FIRST);
  private types = TYPES_AT_FIRST;
  private extremes = newExtremes(TYPES_AT_FIRST);
  // Types whose minimum or maximum has left; looked for in the buckets at the next read.
  private stale = new Uint8Array(TYPES_AT_MOST);

  constructor(steps: number) {
    this.steps = steps;
  }

  add(fact: Fact): void {
    const { type } = fact;
    if (type >= this.types) this.widen();
    addFact(this.numbers, fact, 1);
    if (fact.durationKind !== 'in range') return;
    this.durations.add(fact.key, 1);
    this.spread(type, fact.durationMs, fact.durationMs);
  }

  /** Takes back a row that is in a bucket of this window. */
  remove(fact: Fact): void {
    addFact(this.numbers, fact, -1);
    if (fact.durationKind !== 'in range') return;
    this.durations.add(fact.key, -1);
    this.leave(fact.type, fact.durationMs, fact.durationMs);
  }

  merge(bucket: Bucket): void {
    if (bucket.types > this.types) this.widen();
    mergeNumbers(this.numbers, bucket.numbers, 1);
    bucket.durations.each((key, count) => this.durations.add(key, count));
    for (let type = 0; type < bucket.types; type++) this.spread(type, bucket.min(type), bucket.max(type));
  }

  subtract(bucket: Bucket): void {
    mergeNumbers(this.numbers, bucket.numbers, -1);
    bucket.durations.each((key, count) => this.durations.add(key, -count));
    for (let type = 0; type < bucket.types; type++) this.leave(type, bucket.min(type), bucket.max(type));
  }

  /** Exact minimum and maximum of a type in pairs; `buckets` are those of this window. */
  minAndMax(buckets: () => Iterable<Bucket | null>): Float64Array {
    const { extremes, stale } = this;
    if (!stale.includes(1)) return extremes;
    for (let type = 0; type < this.types; type++) {
      if (stale[type] === 0) continue;
      extremes[2 * type] = Number.POSITIVE_INFINITY;
      extremes[2 * type + 1] = Number.NEGATIVE_INFINITY;
    }
    for (const bucket of buckets()) {
      if (bucket === null) continue;
      for (let type = 0; type < bucket.types; type++) {
        if (stale[type] === 1) this.spread(type, bucket.min(type), bucket.max(type));
      }
    }
    stale.fill(0);
    return extremes;
  }

  private spread(type: number, min: number, max: number): void {
    const { extremes } = this;
    if (min < (extremes[2 * type] as number)) extremes[2 * type] = min;
    if (max > (extremes[2 * type + 1] as number)) extremes[2 * type + 1] = max;
  }

  private leave(type: number, min: number, max: number): void {
    // Infinity to -Infinity: the bucket has no duration of this type.
    if (min > max) return;
    const { extremes } = this;
    if (min <= (extremes[2 * type] as number) || max >= (extremes[2 * type + 1] as number))
      this.stale[type] = 1;
  }

  private widen(): void {
    this.numbers = widened(this.numbers);
    this.durations.reserve(TYPES_AT_MOST);
    const extremes = newExtremes(TYPES_AT_MOST);
    extremes.set(this.extremes);
    this.extremes = extremes;
    this.types = TYPES_AT_MOST;
  }
}
