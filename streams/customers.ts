/**
 * Distinct customers of every window, exact for every bigint, from one number per customer: the second of its newest
 * successful row. All windows end at the same moment, so a customer is in a window exactly when that second is; a late
 * row changes nothing for a customer seen since. Nothing is merged or recomputed when time goes on.
 *
 * Bitmaps per bucket (roaring) were the first thought. They need a bitmap per high word of the id in each of a thousand
 * buckets, which ids spread over 64 bits turn into millions, and seven insertions per row where this takes one probe.
 */
import type { BigId } from './event.js';

const WORDS = 3;
const FIRST_CAPACITY = 1 << 12;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

export interface CustomersOptions {
  /** Length of each window in seconds, each at least what its start can lie before the common end. */
  readonly windowSeconds: readonly number[];
  /** Customers that are kept; further ones are not counted as customers, but as `dropped`. */
  readonly limit: number;
}

export class Customers {
  /** Rows whose customer could not be kept because the limit was reached. */
  dropped = 0;
  /** Rows whose customer is no 64-bit integer. */
  unreadable = 0;
  private readonly longest: number;
  private readonly limit: number;
  private readonly distinct: number[];
  private readonly starts: number[];
  private end = 0;
  // Second 0 of the table: well before the first second that can be recorded, because 0 marks a free slot.
  private base = Number.NaN;
  // Customers by the second of their newest row, over the longest window.
  private readonly bySecond: Int32Array;
  // Open addressing, three words a slot: id low, id high, second. One cache line per probe, no object per customer.
  private table = new Int32Array(FIRST_CAPACITY * WORDS);
  private mask = FIRST_CAPACITY - 1;
  private used = 0;
  private low = 0;
  private high = 0;

  constructor(options: CustomersOptions) {
    this.longest = Math.max(...options.windowSeconds);
    this.limit = options.limit;
    this.distinct = options.windowSeconds.map(() => 0);
    this.starts = options.windowSeconds.map(() => 0);
    this.bySecond = new Int32Array(this.longest);
  }

  /** Distinct customers of a window. */
  count(window: number): number {
    return this.distinct[window] as number;
  }

  /** Slides on: windows reach from their start to `end` (exclusive); seconds since the epoch, never going back. */
  advance(end: number, starts: readonly number[]): void {
    if (Number.isNaN(this.base)) {
      this.base = end - 2 * this.longest;
      this.end = end;
      for (let i = 0; i < starts.length; i++) this.starts[i] = starts[i] as number;
      return;
    }
    for (let i = 0; i < starts.length; i++) {
      const start = starts[i] as number;
      const last = Math.min(start, this.end);
      let leaving = 0;
      for (let second = this.starts[i] as number; second < last; second++) leaving += this.at(second);
      this.distinct[i] = (this.distinct[i] as number) - leaving;
    }
    const oldest = Math.min(...starts);
    for (let second = Math.min(...this.starts); second < Math.min(oldest, this.end); second++) {
      this.bySecond[this.slotOf(second)] = 0;
    }
    for (let i = 0; i < starts.length; i++) this.starts[i] = starts[i] as number;
    this.end = end;
  }

  /** A successful row of this customer in this second, which lies in the longest window. */
  record(customer: BigId, second: number): void {
    if (!this.readId(customer)) {
      this.unreadable += 1;
      return;
    }
    let slot = this.find();
    const stored = this.table[slot + 2] as number;
    if (stored === 0) {
      if (this.used >= (this.mask + 1) * 0.7) {
        if (!this.makeRoom()) {
          this.dropped += 1;
          return;
        }
        slot = this.find();
      }
      this.used += 1;
      this.table[slot] = this.low;
      this.table[slot + 1] = this.high;
    }
    const seen = stored === 0 ? Number.NEGATIVE_INFINITY : stored + this.base;
    if (second <= seen) return;
    this.table[slot + 2] = second - this.base;
    this.move(seen, second);
  }

  private move(from: number, to: number): void {
    const { starts, distinct } = this;
    let oldest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < starts.length; i++) {
      const start = starts[i] as number;
      if (start < oldest) oldest = start;
      if (from < start && to >= start) distinct[i] = (distinct[i] as number) + 1;
    }
    if (from >= oldest) this.tally(from, -1);
    this.tally(to, 1);
  }

  private tally(second: number, by: number): void {
    const slot = this.slotOf(second);
    this.bySecond[slot] = (this.bySecond[slot] as number) + by;
  }

  private at(second: number): number {
    return this.bySecond[this.slotOf(second)] as number;
  }

  private slotOf(second: number): number {
    return ((second % this.longest) + this.longest) % this.longest;
  }

  /** Splits an id into two's complement words. */
  private readId(id: BigId): boolean {
    if (typeof id === 'number') {
      if (!Number.isSafeInteger(id)) return false;
      this.low = id | 0;
      // Dividing by a power of two is exact; the floor makes it two's complement below 0.
      this.high = Math.floor(id / 4_294_967_296) | 0;
      return true;
    }
    if (!/^-?\d{1,20}$/.test(id)) return false;
    const value = BigInt(id);
    if (value < INT64_MIN || value > INT64_MAX) return false;
    this.low = Number(BigInt.asIntN(32, value));
    this.high = Number(value >> 32n);
    return true;
  }

  /** The slot of the id that was read, or the free one where it belongs. */
  private find(): number {
    const { table, mask, low, high } = this;
    let hash = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
    let at = ((hash ^ (hash >>> 13)) & mask) * WORDS;
    while (table[at + 2] !== 0 && (table[at] !== low || table[at + 1] !== high)) {
      at += WORDS;
      if (at === table.length) at = 0;
    }
    return at;
  }

  /** Throws out who has left all windows, and doubles where too many remain. False when that is not allowed. */
  private makeRoom(): boolean {
    const old = this.table;
    const oldest = Math.min(...this.starts) - this.base;
    let live = 0;
    for (let at = 2; at < old.length; at += WORDS) if ((old[at] as number) >= oldest) live += 1;
    if (live >= this.limit) return false;
    const { low, high } = this;
    let capacity = FIRST_CAPACITY;
    while (capacity * 0.5 < live + 1) capacity *= 2;
    this.table = new Int32Array(capacity * WORDS);
    this.mask = capacity - 1;
    this.used = live;
    for (let at = 0; at < old.length; at += WORDS) {
      const second = old[at + 2] as number;
      if (second < oldest || second === 0) continue;
      this.low = old[at] as number;
      this.high = old[at + 1] as number;
      const slot = this.find();
      this.table[slot] = this.low;
      this.table[slot + 1] = this.high;
      this.table[slot + 2] = second;
    }
    this.low = low;
    this.high = high;
    return true;
  }
}
