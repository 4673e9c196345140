/** Distinct customers of a rollup as bytes. */
import { deflateSync } from 'node:zlib';
import { FEW_IDS, HIGH, LOW, numberOf, wordsOf } from '../../streams/int64.js';
import { CodecError, inflated, putUnsigned, STORED_UP_TO } from './packing.js';

const PLAIN = 0;
const DEFLATED = 1;
/** LEB128 of 64 bits. */
const LONGEST_ID = 10;

/**
 * A byte that says whether the rest is deflated, then as LEB128: how many, the first one (ZigZag), and how much larger
 * each is than the one before.
 * @param customers ascending, each once
 */
export function encodeCustomers(customers: BigInt64Array): Buffer {
  const plain = Buffer.allocUnsafe(1 + LONGEST_ID * (customers.length + 1));
  plain[0] = PLAIN;
  let at = putUnsigned(plain, 1, customers.length);
  const words = customers.length > FEW_IDS ? wordsOf(customers) : undefined;
  let before = Number.NaN;
  for (let i = 0; i < customers.length; i++) {
    const id = words
      ? numberOf(words[2 * i + LOW] as number, words[2 * i + HIGH] as number)
      : exactNumber(customers[i] as bigint);
    // As bigints only where a number is not exact.
    const step = i === 0 ? (id >= 0 ? id * 2 : -id * 2 - 1) : id - before;
    at = Number.isSafeInteger(step) ? putUnsigned(plain, at, step) : putBig(plain, at, bigStep(customers, i));
    before = id;
  }
  if (at > STORED_UP_TO) {
    const packed = deflateSync(plain.subarray(1, at));
    if (packed.length < at - 1) return Buffer.concat([Buffer.of(DEFLATED), packed]);
  }
  return plain.subarray(0, at);
}

/** NaN where no number is exact. */
function exactNumber(id: bigint): number {
  const number = Number(id);
  return Number.isSafeInteger(number) ? number : Number.NaN;
}

function bigStep(customers: BigInt64Array, i: number): bigint {
  const id = customers[i] as bigint;
  if (i > 0) return id - (customers[i - 1] as bigint);
  return id >= 0n ? id * 2n : -id * 2n - 1n;
}

function putBig(into: Buffer, from: number, value: bigint): number {
  let at = from;
  let rest = value;
  for (; rest > 127n; rest >>= 7n) into[at++] = Number(rest & 127n) | 128;
  into[at++] = Number(rest);
  return at;
}

/** Ascending. @throws CodecError */
export function decodeCustomers(bytes: Buffer): BigInt64Array {
  if (bytes[0] !== PLAIN && bytes[0] !== DEFLATED) throw new CodecError('customers are in no known encoding');
  const plain = bytes[0] === PLAIN ? bytes.subarray(1) : inflated(bytes.subarray(1), 'customers');
  const steps = new Steps(plain);
  const size = Number(steps.next());
  // Each takes a byte at least.
  if (size > plain.length) throw new CodecError('customers are cut off');
  const customers = new BigInt64Array(size);
  let id = 0n;
  for (let i = 0; i < size; i++) {
    const step = steps.next();
    if (i > 0) id += step;
    else id = step % 2n === 0n ? step / 2n : -(step + 1n) / 2n;
    customers[i] = id;
  }
  return customers;
}

class Steps {
  #at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  next(): bigint {
    let small = 0;
    let scale = 1;
    let byte: number;
    let big = 0n;
    for (let length = 0; ; length++) {
      byte = this.#bytes[this.#at++] ?? -1;
      if (byte < 0) throw new CodecError('customers are cut off');
      if (length < 7) {
        small += (byte & 127) * scale;
        scale *= 128;
      } else big |= BigInt(byte & 127) << BigInt(7 * length);
      if (byte < 128) return big | BigInt(small);
    }
  }
}
