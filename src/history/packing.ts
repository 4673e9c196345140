/**
 * Durations and customers of a rollup as bytes. Read by hand and not by hdr-histogram-js: a start reads 17,000 rows, and
 * each of that library's histograms has 90 kB of cells.
 */
import { deflateSync, inflateSync } from 'node:zlib';
import { CELLS, MAX_DURATION_MS, SIGNIFICANT_DIGITS } from '../../streams/histogram.js';

export interface DurationCells {
  /** Cells that are not empty (streams/histogram.ts), ascending. */
  readonly cells: Int32Array;
  /** Durations in each. */
  readonly counts: Float64Array;
}

/** What is kept cannot be read: another version wrote it, or it is damaged. */
export class CodecError extends Error {
  constructor(what: string) {
    super(`a rollup cannot be read: ${what}`);
    this.name = 'CodecError';
  }
}

// The V2 encoding of HdrHistogram (EncodableHistogram.java); the low digit 1 says ZigZag LEB128.
const COOKIE = 0x1c849313;
const COMPRESSED_COOKIE = 0x1c849314;
const HEADER = 40;
/** Of the compressed form: its cookie and its length. */
const ENVELOPE = 8;
/** A ZigZag LEB128 of 2^54, which is above twice any count. */
const LONGEST = 8;

// For the length of one call.
const scratch = Buffer.allocUnsafe(HEADER + CELLS * LONGEST);
const scratchCells = new Int32Array(CELLS);
const scratchCounts = new Float64Array(CELLS);

/** HdrHistogram's V2 compressed encoding. `cells` ascending, `counts` whole and above 0. */
export function encodeDurations(cells: Int32Array, counts: Float64Array): Buffer {
  let at = HEADER;
  let next = 0;
  cells.forEach((cell, i) => {
    // A run of empty cells is its negative length, except that a single one is a 0.
    if (cell > next) at = putZigZag(scratch, at, cell - next === 1 ? 0 : next - cell);
    at = putZigZag(scratch, at, counts[i] as number); // as long as cells
    next = cell + 1;
  });
  scratch.writeInt32BE(COOKIE, 0);
  scratch.writeInt32BE(at - HEADER, 4);
  scratch.writeInt32BE(0, 8); // normalizing index offset: not shifted
  scratch.writeInt32BE(SIGNIFICANT_DIGITS, 12);
  scratch.writeBigInt64BE(1n, 16); // lowest discernible value, ms
  scratch.writeBigInt64BE(BigInt(MAX_DURATION_MS), 24);
  scratch.writeDoubleBE(1, 32); // ratio of integer to double values
  const plain = scratch.subarray(0, at);
  const packed = at <= STORED_UP_TO ? stored(plain) : deflateSync(plain);
  const envelope = Buffer.allocUnsafe(ENVELOPE);
  envelope.writeInt32BE(COMPRESSED_COOKIE, 0);
  envelope.writeInt32BE(packed.length, 4);
  return Buffer.concat([envelope, packed]);
}

/** @throws CodecError for any other encoding or layout */
export function decodeDurations(bytes: Buffer): DurationCells {
  const size = unpack(bytes);
  return { cells: scratchCells.slice(0, size), counts: scratchCounts.slice(0, size) };
}

/**
 * Decodes encodings that follow each other. What `take` is given is valid until it returns: `size` cells, ascending, and
 * the durations in each.
 * @throws CodecError as above
 */
export function eachDurations(
  encodings: Buffer,
  take: (cells: Int32Array, counts: Float64Array, size: number) => void,
): void {
  for (let at = 0; at < encodings.length; ) {
    if (encodings.length < at + ENVELOPE) throw new CodecError('durations are cut off');
    const end = at + ENVELOPE + encodings.readUInt32BE(at + 4);
    take(scratchCells, scratchCounts, unpack(encodings.subarray(at, end)));
    at = end;
  }
}

/** Into the scratch arrays; returns how many cells there are. */
function unpack(bytes: Buffer): number {
  if (bytes.length < ENVELOPE || bytes.readInt32BE(0) !== COMPRESSED_COOKIE)
    throw new CodecError('durations are not in the V2 compressed encoding of HdrHistogram');
  const packed = bytes.subarray(ENVELOPE);
  const plain = storedIn(packed) ?? inflated(packed, 'durations');
  if (
    plain.length < HEADER ||
    plain.readInt32BE(0) !== COOKIE ||
    plain.readInt32BE(12) !== SIGNIFICANT_DIGITS ||
    plain.readBigInt64BE(16) !== 1n ||
    plain.readBigInt64BE(24) !== BigInt(MAX_DURATION_MS)
  )
    throw new CodecError(
      `durations are not from 1 to ${MAX_DURATION_MS} ms with ${SIGNIFICANT_DIGITS} digits`,
    );
  let size = 0;
  let cell = 0;
  for (let at = HEADER; at < plain.length; ) {
    let value = plain[at++] as number; // at is within
    // Nearly all take a byte, and whole numbers of 32 bits are halved by a shift.
    if (value <= 127) {
      if ((value & 1) === 1) {
        cell += (value + 1) >> 1;
        continue;
      }
      value >>= 1;
    } else {
      value &= 127;
      let byte: number;
      for (let scale = 128; ; scale *= 128) {
        byte = plain[at++] ?? 0;
        value += (byte & 127) * scale;
        if (byte < 128) break;
      }
      if (value % 2 === 1) {
        cell += (value + 1) / 2;
        continue;
      }
      value /= 2;
    }
    if (cell >= CELLS) throw new CodecError(`durations have more than ${CELLS} cells`);
    if (value > 0) {
      scratchCells[size] = cell;
      scratchCounts[size++] = value;
    }
    cell += 1;
  }
  return size;
}

/**
 * Up to so many bytes are put into one stored block of a zlib stream (RFC 1950, RFC 1951 section 3.2.4), which every
 * inflater reads: a day has more than a thousand such rows, deflating would save 200 bytes of each, and inflating them
 * took longer than all the rest of an answer.
 */
const STORED_UP_TO = 1024;
/** Header of the stream, kind of the block, its length and that length inverted. */
const BEFORE_STORED = 7;
const CHECKSUM = 4;

function stored(plain: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(BEFORE_STORED + plain.length + CHECKSUM);
  bytes.writeUInt16BE(0x7801, 0);
  bytes.writeUInt8(1, 2); // the last block, stored
  bytes.writeUInt16LE(plain.length, 3);
  bytes.writeUInt16LE(0xffff - plain.length, 5);
  plain.copy(bytes, BEFORE_STORED);
  bytes.writeUInt32BE(adler32(plain), BEFORE_STORED + plain.length);
  return bytes;
}

/** What was stored as above; undefined for any other stream, or a damaged one. */
function storedIn(bytes: Buffer): Buffer | undefined {
  if (bytes.length < BEFORE_STORED + CHECKSUM || bytes.readUInt16BE(0) !== 0x7801 || bytes[2] !== 1)
    return undefined;
  const end = BEFORE_STORED + bytes.readUInt16LE(3);
  if (bytes.length !== end + CHECKSUM) return undefined;
  const plain = bytes.subarray(BEFORE_STORED, end);
  return adler32(plain) === bytes.readUInt32BE(end) ? plain : undefined;
}

/** Of at most 5,552 bytes, which no sum of 32 bits overflows (RFC 1950, section 9). */
function adler32(bytes: Buffer): number {
  let a = 1;
  let b = 0;
  for (let i = 0; i < bytes.length; i++) {
    a += bytes[i] as number; // i is within
    b += a;
  }
  return (b % 65_521) * 65_536 + (a % 65_521);
}

function putZigZag(into: Buffer, from: number, value: number): number {
  return putUnsigned(into, from, value >= 0 ? value * 2 : -value * 2 - 1);
}

/** LEB128 of a whole number up to 2^54. */
function putUnsigned(into: Buffer, from: number, value: number): number {
  let at = from;
  let rest = value;
  // Division and not shifts: those cut at 32 bits.
  for (; rest > 127; rest = Math.floor(rest / 128)) into[at++] = (rest % 128) | 128;
  into[at++] = rest;
  return at;
}

const PLAIN = 0;
const DEFLATED = 1;
const SAFE = BigInt(Number.MAX_SAFE_INTEGER);
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
  customers.forEach((id, i) => {
    const step = i === 0 ? (id >= 0n ? id * 2n : -id * 2n - 1n) : id - (customers[i - 1] as bigint);
    at = step <= SAFE ? putUnsigned(plain, at, Number(step)) : putBig(plain, at, step);
  });
  if (at > STORED_UP_TO) {
    const packed = deflateSync(plain.subarray(1, at));
    if (packed.length < at - 1) return Buffer.concat([Buffer.of(DEFLATED), packed]);
  }
  return plain.subarray(0, at);
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

function inflated(bytes: Buffer, what: string): Buffer {
  try {
    return inflateSync(bytes);
  } catch (error) {
    throw new CodecError(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
