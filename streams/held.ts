/**
 * Which of a bucket's numbers are not zero, so that one of few rows is not gone through whole when it joins or leaves a
 * sum: a bucket has hundreds of numbers, and where rows are sparse most buckets have one row.
 */
import type { Facts } from './facts.js';
import { mergeNumbers, mergeOthers, mergeType, TYPES_AT_MOST } from './numbers.js';

/** A run of more rows marks everything: two more writes for each row are what the fold of an import would feel. */
const FEW_ROWS = 16;

export class Held {
  private everything = false;
  /** Besides what is counted by type. */
  private others = false;
  private readonly types = new Uint8Array(TYPES_AT_MOST);

  /** Marks what rows `from` to `to` (exclusive) count for. */
  note({ type, special }: Facts, from: number, to: number): void {
    if (this.everything) return;
    if (to - from > FEW_ROWS) {
      this.everything = true;
      return;
    }
    for (let i = from; i < to; i++) {
      this.types[type[i] as number] = 1;
      if (special[i] !== 0) this.others = true;
    }
  }

  noteEverything(): void {
    this.everything = true;
  }

  noteAll(other: Held): void {
    this.everything ||= other.everything;
    this.others ||= other.others;
    for (let type = 0; type < TYPES_AT_MOST; type++) if (other.types[type] === 1) this.types[type] = 1;
  }

  /** False: there are no rows of this type. */
  has(type: number): boolean {
    return this.everything || this.types[type] === 1;
  }

  /** Adds the numbers of the bucket that this belongs to (by 1), or takes them back (by -1). */
  merge(into: Float64Array, from: Float64Array, by: 1 | -1): void {
    if (this.everything) {
      mergeNumbers(into, from, by);
      return;
    }
    if (this.others) mergeOthers(into, from, by);
    for (let type = 0; type < TYPES_AT_MOST; type++)
      if (this.types[type] === 1) mergeType(into, from, by, type);
  }

  /** Makes the numbers of the bucket zeros, and forgets what was held. */
  clear(numbers: Float64Array): void {
    if (this.everything) numbers.fill(0);
    // From itself: a few numbers, where all would be hundreds.
    else this.merge(numbers, numbers, -1);
    this.everything = false;
    this.others = false;
    this.types.fill(0);
  }
}
