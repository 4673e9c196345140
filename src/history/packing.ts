/**
 * Durations of a rollup as bytes. Read by hand and not by hdr-histogram-js: a start reads 17,000 rows, and
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

/**
 * Up to so many bytes are put into one stored block of a zlib stream (RFC 1950, RFC 1951 section 3.2.4), which every
 * inflater reads: a day has more than a thousand such rows, deflating would save 200 bytes of each, and inflating them
 * took longer than all the rest of an answer.
 */
export const STORED_UP_TO = 1024;
/** Header of the stream, kind of the block, its length and that length inverted. */
const BEFORE_STORED = 7;
const CHECKSUM = 4;
/** Where in the scratch the bytes lie that are stored or deflated. */
const PLAIN_AT = ENVELOPE + BEFORE_STORED;

// For the length of one call.
const scratch = Buffer.allocUnsafe(ENVELOPE + BEFORE_STORED + HEADER + CELLS * LONGEST + CHECKSUM);
putHeader(scratch.subarray(PLAIN_AT));
const scratchCells = new Int32Array(CELLS);
const scratchCounts = new Float64Array(CELLS);

/** HdrHistogram's V2 compressed encoding. `cells` ascending, `counts` whole and above 0. */
export function encodeDurations(cells: Int32Array, counts: Float64Array): Buffer {
  return Buffer.from(packDurations(cells, counts));
}

/** The same; what is answered is valid until the next call. */
export function packDurations(cells: Int32Array, counts: Float64Array): Buffer {
  let at = PLAIN_AT + HEADER;
  let next = 0;
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] as number;
    // A run of empty cells is its negative length, except that a single one is a 0.
    if (cell > next) at = putZigZag(scratch, at, cell - next === 1 ? 0 : next - cell);
    at = putZigZag(scratch, at, counts[i] as number); // as long as cells
    next = cell + 1;
  }
  putInt32(scratch, PLAIN_AT + 4, at - PLAIN_AT - HEADER);
  const plain = scratch.subarray(PLAIN_AT, at);
  if (plain.length <= STORED_UP_TO) {
    const end = store(plain.length);
    putInt32(scratch, 0, COMPRESSED_COOKIE);
    putInt32(scratch, 4, end - ENVELOPE);
    return scratch.subarray(0, end);
  }
  const packed = deflateSync(plain);
  const envelope = Buffer.allocUnsafe(ENVELOPE);
  putInt32(envelope, 0, COMPRESSED_COOKIE);
  putInt32(envelope, 4, packed.length);
  return Buffer.concat([envelope, packed]);
}

/** Before the values: the same for all but for their length. */
function putHeader(into: Buffer): void {
  into.fill(0, 0, HEADER);
  into.writeInt32BE(COOKIE, 0);
  // The length, and the normalizing index offset: not shifted.
  into.writeInt32BE(SIGNIFICANT_DIGITS, 12);
  into.writeBigInt64BE(1n, 16); // lowest discernible value, ms
  into.writeBigInt64BE(BigInt(MAX_DURATION_MS), 24);
  into.writeDoubleBE(1, 32); // ratio of integer to double values
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

/** Around so many bytes that lie in the scratch. @returns where it ends */
function store(length: number): number {
  scratch[ENVELOPE] = 0x78;
  scratch[ENVELOPE + 1] = 0x01;
  scratch[ENVELOPE + 2] = 1; // the last block, stored
  scratch.writeUInt16LE(length, ENVELOPE + 3);
  scratch.writeUInt16LE(0xffff - length, ENVELOPE + 5);
  const end = PLAIN_AT + length;
  putInt32(scratch, end, adler32(scratch, PLAIN_AT, end) | 0);
  return end + CHECKSUM;
}

/** What was stored as above; undefined for any other stream, or a damaged one. */
function storedIn(bytes: Buffer): Buffer | undefined {
  if (bytes.length < BEFORE_STORED + CHECKSUM || bytes.readUInt16BE(0) !== 0x7801 || bytes[2] !== 1)
    return undefined;
  const end = BEFORE_STORED + bytes.readUInt16LE(3);
  if (bytes.length !== end + CHECKSUM) return undefined;
  const plain = bytes.subarray(BEFORE_STORED, end);
  return adler32(bytes, BEFORE_STORED, end) === bytes.readUInt32BE(end) ? plain : undefined;
}

/** Of at most 5,552 bytes, which no sum of 32 bits overflows (RFC 1950, section 9). */
function adler32(bytes: Buffer, from: number, to: number): number {
  let a = 1;
  let b = 0;
  for (let i = from; i < to; i++) {
    a += bytes[i] as number; // i is within
    b += a;
  }
  return (b % 65_521) * 65_536 + (a % 65_521);
}

function putInt32(into: Buffer, at: number, value: number): void {
  into[at] = value >> 24;
  into[at + 1] = value >> 16;
  into[at + 2] = value >> 8;
  into[at + 3] = value;
}

function putZigZag(into: Buffer, from: number, value: number): number {
  return putUnsigned(into, from, value >= 0 ? value * 2 : -value * 2 - 1);
}

/** LEB128 of a whole number up to 2^54. @returns where it ends */
export function putUnsigned(into: Buffer, from: number, value: number): number {
  let at = from;
  let rest = value;
  // Shifts cut at 32 bits.
  for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 128)) into[at++] = (rest % 128) | 128;
  for (; rest > 127; rest >>= 7) into[at++] = (rest & 127) | 128;
  into[at++] = rest;
  return at;
}

/** @throws CodecError */
export function inflated(bytes: Buffer, what: string): Buffer {
  try {
    return inflateSync(bytes);
  } catch (error) {
    throw new CodecError(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
