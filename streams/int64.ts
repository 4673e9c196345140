/**
 * 64-bit ids without bigints, which are slow to make: as two words in two's complement, or as a number where that is
 * exact.
 */
import type { BigId } from './event.js';

const WORD = 4_294_967_296;
// High words of the ids that a double holds exactly: -2^53 to 2^53 - 1.
const EXACT_HIGH = 2 ** 21;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Where the low word of an element of a BigInt64Array lies: typed arrays have the order of the machine. */
export const LOW = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;
export const HIGH = 1 - LOW;

/**
 * Up to so many ids bigints are the faster way: the words of a small array cannot be looked at before it is moved out of
 * the heap.
 */
export const FEW_IDS = 4;

/** The words of the elements, in pairs; `LOW` and `HIGH` say which is which. */
export function wordsOf(ids: BigInt64Array): Int32Array {
  return new Int32Array(ids.buffer, ids.byteOffset, 2 * ids.length);
}

/** The high word of an integer that a number holds exactly; the low one is `id | 0`. */
export function highWord(id: number): number {
  // Dividing by a power of two is exact; the floor makes it two's complement below 0.
  return Math.floor(id / WORD);
}

/** The number of these words, NaN where no number is exact. */
export function numberOf(low: number, high: number): number {
  return high >= -EXACT_HIGH && high < EXACT_HIGH ? high * WORD + (low >>> 0) : Number.NaN;
}

/** An id that is no exact number as a bigint; null where it is none of 64 bits. */
export function bigintOf(id: BigId): bigint | null {
  const digits = String(id);
  const value = /^-?\d{1,20}$/.test(digits) ? BigInt(digits) : null;
  return value === null || value < INT64_MIN || value > INT64_MAX ? null : value;
}
