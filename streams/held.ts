/**
 * Which of a bucket's numbers are not zero, so that one of few rows is not gone through whole when it joins or leaves a
 * sum: a bucket has hundreds of numbers, and where rows are sparse most buckets have one row.
 */
import { STATUSES } from './event.js';
import type { Facts } from './facts.js';
import { mergeNumbers, mergeOthers, mergeType, TYPES_AT_MOST } from './numbers.js';

/** A run of more rows marks everything: two more writes for each row are what the fold of an import would feel. */
const FEW_ROWS = 16;

export class Held {
  private everything = false;
  /** Besides what is counted by type. */
  private others = false;
  private readonly types = new Uint8Array(TYPES_AT_MOST);
  /** The first so many of the list are the types that are marked. */
  private marked = 0;
  private readonly list = new Uint8Array(TYPES_AT_MOST);

  /** Marks what rows `from` to `to` (exclusive) count for. */
  note({ type, status, special }: Facts, from: number, to: number): void {
    if (this.everything) return;
    if (to - from > FEW_ROWS) {
      this.everything = true;
      return;
    }
    for (let i = from; i < to; i++) {
      // Unknown statuses are rare, and there is room for many.
      if ((status[i] as number) >= STATUSES.length) this.everything = true;
      if (special[i] !== 0) this.others = true;
      this.mark(type[i] as number);
    }
  }

  noteEverything(): void {
    this.everything = true;
  }

  noteAll(other: Held): void {
    this.everything ||= other.everything;
    this.others ||= other.others;
    for (let i = 0; i < other.marked; i++) this.mark(other.list[i] as number);
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
    for (let i = 0; i < this.marked; i++) mergeType(into, from, by, this.list[i] as number);
  }

  /** Makes the numbers of the bucket zeros, and forgets what was held. */
  clear(numbers: Float64Array): void {
    if (this.everything) numbers.fill(0);
    // From itself: a few numbers, where all would be hundreds.
    else this.merge(numbers, numbers, -1);
    this.everything = false;
    this.others = false;
    for (let i = 0; i < this.marked; i++) this.types[this.list[i] as number] = 0;
    this.marked = 0;
  }

  private mark(type: number): void {
    if (this.types[type] === 1) return;
    this.types[type] = 1;
    this.list[this.marked] = type;
    this.marked += 1;
  }
}
