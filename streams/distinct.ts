/**
 * Distinct 64-bit ids, mostly added one at a time and asked for once: a log that is sorted now and then costs a third
 * of a hash table, and holds eight bytes an id.
 */
import type { BigId } from './event.js';
import { bigintOf, FEW_IDS, HIGH, highWord, LOW, numberOf, wordsOf } from './int64.js';
import { NumberLog } from './number-log.js';

/** A log up to here is never sorted before it is asked for. */
const FREE_LOG = 1024;
const NONE = new Float64Array(0);
const NO_BIGINTS = new BigInt64Array(0);

export class DistinctIds {
  // What was added since; exact numbers.
  private readonly log = new NumberLog();
  // Distinct and ascending.
  private sorted: Float64Array = NONE;
  // Distinct ids that no number holds exactly; rare.
  private big: Set<bigint> | null = null;

  /** False for what is no integer of 64 bits; it is left out. */
  add(id: BigId): boolean {
    if (typeof id === 'number' && Number.isSafeInteger(id)) {
      // Not -0, which would be another id than 0.
      this.log.add(id + 0);
      if (this.log.size > FREE_LOG && this.log.size > this.sorted.length) this.sort();
      return true;
    }
    const value = bigintOf(id);
    if (value === null) return false;
    const number = numberOf(Number(BigInt.asIntN(32, value)), Number(value >> 32n));
    if (Number.isNaN(number)) this.addBig(value);
    else this.log.add(number);
    return true;
  }

  /** Adds distinct ids in ascending order. */
  addSorted(ids: BigInt64Array): void {
    const words = wordsOf(ids);
    const numbers = new Float64Array(ids.length);
    let size = 0;
    for (let i = 0; i < ids.length; i++) {
      const number = numberOf(words[2 * i + LOW] as number, words[2 * i + HIGH] as number);
      if (Number.isNaN(number)) this.addBig(ids[i] as bigint);
      else {
        numbers[size] = number;
        size += 1;
      }
    }
    this.sorted = union(this.sorted, numbers.slice(0, size));
  }

  /** All of them, ascending. */
  values(): BigInt64Array {
    this.sort();
    const { sorted } = this;
    if (this.big === null && sorted.length <= FEW_IDS) return BigInt64Array.from(sorted, BigInt);
    const big = this.big === null ? NO_BIGINTS : BigInt64Array.from(this.big).sort();
    const below = big.findIndex((id) => id > 0n);
    const negative = below < 0 ? big.length : below;
    const ids = new BigInt64Array(sorted.length + big.length);
    const words = wordsOf(ids);
    for (let i = 0; i < sorted.length; i++) {
      const id = sorted[i] as number;
      words[2 * (negative + i) + LOW] = id;
      words[2 * (negative + i) + HIGH] = highWord(id);
    }
    if (big.length === 0) return ids;
    ids.set(big.subarray(0, negative));
    ids.set(big.subarray(negative), negative + sorted.length);
    return ids;
  }

  private addBig(id: bigint): void {
    this.big ??= new Set();
    this.big.add(id);
  }

  private sort(): void {
    if (this.log.size === 0) return;
    const { ascending, size } = this.log.take();
    let distinct = 1;
    for (let i = 1; i < size; i++) if (ascending[i] !== ascending[i - 1]) distinct += 1;
    const ids = new Float64Array(distinct);
    let at = 0;
    for (let i = 0; i < size; i++)
      if (i === 0 || ascending[i] !== ascending[i - 1]) ids[at++] = ascending[i] as number;
    this.sorted = union(this.sorted, ids);
  }
}

function union(a: Float64Array, b: Float64Array): Float64Array {
  if (b.length === 0) return a;
  if (a.length === 0) return b;
  const all = new Float64Array(a.length + b.length);
  let size = 0;
  let inA = 0;
  let inB = 0;
  while (inA < a.length && inB < b.length) {
    const fromA = a[inA] as number;
    const fromB = b[inB] as number;
    all[size] = fromA < fromB ? fromA : fromB;
    size += 1;
    if (fromA <= fromB) inA += 1;
    if (fromB <= fromA) inB += 1;
  }
  all.set(a.subarray(inA), size);
  size += a.length - inA;
  all.set(b.subarray(inB), size);
  size += b.length - inB;
  return all.slice(0, size);
}
