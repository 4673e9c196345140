/**
 * Counts of a few of very many keys: what a bucket remembers of its durations, so that it can leave the windows again.
 * Recording appends to a log; a log that is full, or whose bucket has closed, is packed: counts in key order as
 * ZigZag LEB128, runs of zeros as negative numbers, which is the payload of HDR's own encoding (V2). That is about
 * one byte per distinct key, where a pair of arrays takes six.
 */

// Small blocks: a bucket's keys lie scattered, and every cell of a block that has one is looked at.
const BLOCK_BITS = 4;
const BLOCK_KEYS = 1 << BLOCK_BITS;
/** A run and a count, five bytes each at most. */
const LONGEST_KEY = 10;
const MOST_KEYS = 2 ** (16 + BLOCK_BITS);
const FIRST_LOG = 16;
/** A log up to here is never packed for its length, while records come. */
const FREE_LOG = 16_384;
/** A log up to here stays when records go elsewhere. */
const SMALL_LOG = 1024;
/** Packed parts that wait to be made one; decoding them is cheap, encoding them anew for each is not. */
const MOST_PARTS = 8;
/** Lists that wait to be packed. */
const MOST_LISTS = 64;
const EMPTY_LOG = new Int32Array(0);

/** Counts by place in `keys`, which are counted from `first`. */
interface CountedKeys {
  readonly first: number;
  readonly keys: Int32Array;
  readonly counts: Float64Array;
}

/** Working memory for packing, shared by all the buckets of a fold. */
export class SparseScratch {
  readonly counts: Int32Array;
  readonly touched: Uint8Array;
  /** The touched blocks; typed, because such an array sorts without calling back. */
  readonly list: Uint16Array;
  bytes: Uint8Array = new Uint8Array(4096);

  /**
   * `keys`: every key is below this.
   * @throws RangeError when that is more than the number of a block can be told in 16 bits.
   */
  constructor(keys: number) {
    if (!(keys > 0 && keys <= MOST_KEYS)) {
      throw new RangeError(`cannot pack ${keys} different keys; valid are 1 to ${MOST_KEYS}`);
    }
    const blocks = Math.ceil(keys / BLOCK_KEYS);
    this.counts = new Int32Array(blocks * BLOCK_KEYS);
    this.touched = new Uint8Array(blocks);
    this.list = new Uint16Array(blocks);
  }
}

export class SparseCounts {
  private readonly scratch: SparseScratch;
  // Additions as the key, removals as its complement (below 0).
  private log: Int32Array = EMPTY_LOG;
  private logged = 0;
  private parts: Uint8Array[] = [];
  private lists: CountedKeys[] = [];
  // Of all parts, those that are in more than one counted more than once.
  private packedKeys = 0;

  constructor(scratch: SparseScratch) {
    this.scratch = scratch;
  }

  add(key: number): void {
    if (this.logged === this.log.length) this.makeRoom();
    this.log[this.logged] = key;
    this.logged += 1;
  }

  /** Takes back one `add` of this key. */
  remove(key: number): void {
    this.add(~key);
  }

  /** Adds counts (by place) to keys, which are counted from `first`; the arrays must not change any more. */
  addCounts(first: number, keys: Int32Array, counts: Float64Array): void {
    if (keys.length === 0) return;
    this.lists.push({ first, keys, counts });
    if (this.lists.length > MOST_LISTS) this.packAll();
  }

  /** Calls with every key and what to add to its count; a key may come more than once, also with -1. */
  each(visit: (key: number, count: number) => void): void {
    for (const part of this.parts) unpack(part, visit);
    for (const { first, keys, counts } of this.lists) {
      for (let i = 0; i < keys.length; i++) visit(first + (keys[i] as number), counts[i] as number);
    }
    for (let i = 0; i < this.logged; i++) {
      const entry = this.log[i] as number;
      if (entry < 0) visit(~entry, -1);
      else visit(entry, 1);
    }
  }

  /** Packs what has become considerable: a start fills hundreds of buckets one after the other. */
  settle(): void {
    const long = this.logged > Math.max(SMALL_LOG, this.packedKeys >> 2);
    if (long || this.parts.length > 1 || this.lists.length > 0) this.pack();
  }

  /** Adds everything that another one holds; that one packs itself, and is otherwise left as it is. */
  merge(other: SparseCounts): void {
    other.pack();
    // Taken first: it may be merged with itself.
    const { log, logged } = other;
    for (let i = 0; i < logged; i++) this.add(log[i] as number);
    this.parts.push(...other.parts);
    this.packedKeys += other.packedKeys;
    if (this.parts.length > MOST_PARTS) this.packAll();
  }

  clear(): void {
    if (this.log.length > FIRST_LOG) this.log = EMPTY_LOG;
    this.logged = 0;
    this.parts = [];
    this.lists = [];
    this.packedKeys = 0;
  }

  /** Brings everything into its smallest form, but for a few records, which are small as they are; recording goes on. */
  pack(): void {
    if (this.logged > FIRST_LOG || this.parts.length > 1 || this.lists.length > 0) this.packAll();
  }

  private packAll(): void {
    const { counts, touched, list } = this.scratch;
    let blocks = 0;
    const count = (key: number, by: number): void => {
      const block = key >> BLOCK_BITS;
      if (touched[block] === 0) {
        touched[block] = 1;
        list[blocks] = block;
        blocks += 1;
      }
      counts[key] = (counts[key] as number) + by;
    };
    this.each(count);
    // The packed form must be in key order; sorting a few blocks is cheaper than sorting keys.
    this.encode(list.subarray(0, blocks).sort());
    this.lists = [];
    this.log = EMPTY_LOG;
    this.logged = 0;
  }

  /** Bytes held, for the tests of its bound. */
  get byteLength(): number {
    return this.parts.reduce((bytes, part) => bytes + part.byteLength, this.log.byteLength);
  }

  private makeRoom(): void {
    // A log twice as long as the packed keys makes packing cost a constant per record.
    const longest = Math.max(FREE_LOG, 2 * this.packedKeys);
    if (this.log.length >= longest) this.pack();
    const grown = new Int32Array(Math.max(FIRST_LOG, Math.min(longest, this.log.length * 2)));
    grown.set(this.log);
    this.log = grown;
  }

  private encode(blocks: Uint16Array): void {
    const { scratch } = this;
    const { counts, touched } = scratch;
    let at = 0;
    let next = 0;
    let keys = 0;
    for (const block of blocks) {
      touched[block] = 0;
      if (at + BLOCK_KEYS * LONGEST_KEY > scratch.bytes.length) scratch.bytes = grow(scratch.bytes);
      const first = block << BLOCK_BITS;
      for (let key = first; key < first + BLOCK_KEYS; key++) {
        const count = counts[key] as number;
        if (count === 0) continue;
        counts[key] = 0;
        if (key > next) at = writeVarint(scratch.bytes, at, 2 * (key - next) - 1);
        at = writeVarint(scratch.bytes, at, 2 * count);
        next = key + 1;
        keys += 1;
      }
    }
    this.parts = keys === 0 ? [] : [scratch.bytes.slice(0, at)];
    this.packedKeys = keys;
  }
}

function grow(bytes: Uint8Array): Uint8Array {
  const grown = new Uint8Array(bytes.length * 2);
  grown.set(bytes);
  return grown;
}

function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let to = at;
  while (rest > 127) {
    bytes[to] = (rest & 127) | 128;
    to += 1;
    rest >>>= 7;
  }
  bytes[to] = rest;
  return to + 1;
}

function unpack(packed: Uint8Array, visit: (key: number, count: number) => void): void {
  let key = 0;
  let at = 0;
  while (at < packed.length) {
    let value = 0;
    let shift = 0;
    let byte = 0;
    do {
      byte = packed[at] as number;
      value |= (byte & 127) << shift;
      shift += 7;
      at += 1;
    } while (byte > 127);
    value >>>= 0;
    if ((value & 1) === 1) {
      key += (value + 1) / 2;
    } else {
      visit(key, value / 2);
      key += 1;
    }
  }
}
