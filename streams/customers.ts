/**
 * Distinct customers of every window, exact for every bigint, from one number per customer: the second of its newest
 * successful row. All windows end at the same moment, so a customer is in a window exactly when that second is; a late
 * row changes nothing for a customer seen since. Nothing is merged or recomputed when time goes on.
 *
 * Bitmaps per bucket (roaring) were the first thought. They need a bitmap per high word of the id in each of a thousand
 * buckets, which ids spread over 64 bits turn into millions, and seven insertions per row where this takes one probe.
 */
import type { Facts } from './facts.js';
import { HIGH, LOW, wordsOf } from './int64.js';

const FIRST_CAPACITY = 1 << 12;
const FULLEST = 0.7;
/** A second before all windows. */
const LONG_AGO = 1;
/** Customers who are looked up together. */
const TOUCHED = 512;

export interface CustomersOptions {
  /** Length of each window in seconds: its start is never further from the common end. */
  readonly windowSeconds: readonly number[];
  /** As many customers are kept in any case; rows of those who then find no room are counted in `dropped`. */
  readonly limit: number;
}

export class Customers {
  /** Rows whose customer could not be kept because the limit was reached. */
  dropped = 0;
  private readonly longest: number;
  private readonly limit: number;
  private readonly distinct: Int32Array;
  // All seconds here are counted from `base`, which lies before all that can be recorded: 0 marks a free slot.
  private base = Number.NaN;
  private readonly starts: Int32Array;
  private oldest = 0;
  private end = 0;
  // Customers by the second of their newest row, over the longest window.
  private readonly bySecond: Int32Array;
  // A power of two less one, because a division for each row would be felt.
  private readonly secondMask: number;
  // Open addressing, two words a slot: the low word of the id and the second. One cache line a probe, no object each.
  private table = new Int32Array(FIRST_CAPACITY * 2);
  // The high words by slot; made when the first id comes that needs one.
  private highs: Int32Array | null = null;
  private mask = FIRST_CAPACITY - 1;
  private used = 0;
  // Only there so that the loads that it sums up are not optimised away.
  protected touched = 0;
  // The value of `oldest` when there was no room: nobody has left since, so there is no use in looking again.
  private fullAt = -1;

  constructor(options: CustomersOptions) {
    this.longest = Math.max(...options.windowSeconds);
    this.secondMask = 2 ** Math.ceil(Math.log2(this.longest + 1)) - 1;
    this.limit = options.limit;
    this.distinct = new Int32Array(options.windowSeconds.length);
    this.starts = new Int32Array(options.windowSeconds.length);
    this.bySecond = new Int32Array(this.secondMask + 1);
  }

  /** Distinct customers of a window. */
  count(window: number): number {
    return this.distinct[window] as number;
  }

  /** Slides on: windows reach from their start to `end` (exclusive); seconds since the epoch, never going back. */
  advance(end: number, starts: readonly number[]): void {
    const { distinct, bySecond, secondMask } = this;
    if (Number.isNaN(this.base)) this.base = end - 2 * this.longest;
    for (let i = 0; i < starts.length; i++) {
      const start = (starts[i] as number) - this.base;
      let leaving = 0;
      for (let second = this.starts[i] as number; second < Math.min(start, this.end); second++) {
        leaving += bySecond[second & secondMask] as number;
      }
      distinct[i] = (distinct[i] as number) - leaving;
      this.starts[i] = start;
    }
    const oldest = Math.min(...this.starts);
    for (let second = this.oldest; second < Math.min(oldest, this.end); second++) {
      bySecond[second & secondMask] = 0;
    }
    this.oldest = oldest;
    this.end = end - this.base;
  }

  /** The customers of rows `from` to `to` (exclusive), all of whose times lie in the longest window. */
  record(facts: Facts, from: number, to: number): void {
    const { hasCustomer, customerLow, customerHigh, createdAt } = facts;
    this.touch(facts, from, to);
    for (let i = from; i < to; i++) {
      if (hasCustomer[i] === 0) continue;
      const second = (Math.floor((createdAt[i] as number) / 1000) - this.base) | 0;
      this.see(customerLow[i] as number, customerHigh[i] as number, second);
    }
  }

  /** Customers who succeeded in the same second since the epoch, which lies in the longest window. */
  recordAll(ids: BigInt64Array, at: number): void {
    const words = wordsOf(ids);
    const second = (at - this.base) | 0;
    for (let from = 0; from < words.length; from += 2 * TOUCHED) {
      const to = Math.min(words.length, from + 2 * TOUCHED);
      const { table } = this;
      let touched = 0;
      for (let i = from; i < to; i += 2) {
        touched |= table[2 * this.home(words[i + LOW] as number, words[i + HIGH] as number)] as number;
      }
      this.touched = touched;
      for (let i = from; i < to; i += 2)
        this.see(words[i + LOW] as number, words[i + HIGH] as number, second);
    }
  }

  /**
   * Forgets who was seen last from `from` to `to` (exclusive), seconds since the epoch; whoever was seen before that as
   * well has to be recorded again.
   */
  forget(from: number, to: number): void {
    const { table, bySecond, secondMask, starts, distinct } = this;
    const first = Math.max(from - this.base, this.oldest);
    const last = Math.min(to - this.base, this.end);
    let left = 0;
    for (let second = first; second < last; second++) {
      const leaving = bySecond[second & secondMask] as number;
      bySecond[second & secondMask] = 0;
      left += leaving;
      for (let i = 0; i < starts.length; i++) {
        if (second >= (starts[i] as number)) distinct[i] = (distinct[i] as number) - leaving;
      }
    }
    if (left > 0) this.fullAt = -1;
    for (let at = 1; left > 0 && at < table.length; at += 2) {
      const second = table[at] as number;
      if (second < first || second >= last) continue;
      // Not a free slot: the search for others goes on behind it.
      table[at] = LONG_AGO;
      left -= 1;
    }
  }

  /**
   * Loads what `see` is about to ask for. A probe of a big table is a miss of every cache; here the processor overlaps
   * many of them, there each would wait for the decision about the one before.
   */
  private touch(facts: Facts, from: number, to: number): void {
    const { hasCustomer, customerLow, customerHigh } = facts;
    const { table } = this;
    let touched = 0;
    for (let i = from; i < to; i++) {
      if (hasCustomer[i] === 0) continue;
      touched |= table[2 * this.home(customerLow[i] as number, customerHigh[i] as number)] as number;
    }
    this.touched = touched;
  }

  private see(low: number, high: number, second: number): void {
    if (high !== 0) this.highs ??= new Int32Array(this.mask + 1);
    let slot = this.find(low, high);
    const seen = this.table[2 * slot + 1] as number;
    if (seen >= second) return;
    if (seen === 0) {
      if (this.used >= (this.mask + 1) * FULLEST) {
        if (this.fullAt === this.oldest || !this.makeRoom()) {
          this.dropped += 1;
          return;
        }
        slot = this.find(low, high);
      }
      this.used += 1;
    }
    this.put(slot, low, high, second);
    this.move(seen, second);
  }

  private put(slot: number, low: number, high: number, second: number): void {
    this.table[2 * slot] = low;
    this.table[2 * slot + 1] = second;
    if (this.highs !== null) this.highs[slot] = high;
  }

  private move(from: number, to: number): void {
    const { starts, distinct, bySecond, secondMask } = this;
    for (let i = 0; i < starts.length; i++) {
      const start = starts[i] as number;
      if (from < start && to >= start) distinct[i] = (distinct[i] as number) + 1;
    }
    // A customer who has left all windows was taken from the count of his second then.
    if (from >= this.oldest) bySecond[from & secondMask] = (bySecond[from & secondMask] as number) - 1;
    bySecond[to & secondMask] = (bySecond[to & secondMask] as number) + 1;
  }

  /** Where the search for an id begins. */
  private home(low: number, high: number): number {
    let hash = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
    return (hash ^ (hash >>> 13)) & this.mask;
  }

  /** The slot of an id, or the free one where it belongs. */
  private find(low: number, high: number): number {
    const { table, highs, mask } = this;
    let slot = this.home(low, high);
    while (table[2 * slot + 1] !== 0) {
      if (table[2 * slot] === low && (highs === null || highs[slot] === high)) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  /** Throws out who has left all windows, and grows where many remain. False where too many do. */
  private makeRoom(): boolean {
    const { table, highs, oldest } = this;
    let live = 0;
    for (let at = 1; at < table.length; at += 2) if ((table[at] as number) >= oldest) live += 1;
    if (live >= this.limit) {
      this.fullAt = oldest;
      return false;
    }
    let capacity = FIRST_CAPACITY;
    // At most half full, so that the next time is far.
    while (capacity < 2 * live + 2) capacity *= 2;
    this.table = new Int32Array(capacity * 2);
    this.highs = highs === null ? null : new Int32Array(capacity);
    this.mask = capacity - 1;
    this.used = live;
    for (let slot = 0; 2 * slot < table.length; slot++) {
      const second = table[2 * slot + 1] as number;
      if (second < oldest) continue;
      const low = table[2 * slot] as number;
      const high = highs === null ? 0 : (highs[slot] as number);
      this.put(this.find(low, high), low, high, second);
    }
    return true;
  }
}
