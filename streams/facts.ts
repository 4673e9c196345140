/**
 * Rows reduced to what the windows need, in columns: indexes instead of names, places instead of meanings.
 * A row is read once and then added to its bucket, its segment and the customers. Each of these loops over the columns on
 * its own, so that its memory stays in the cache and the processor can overlap its misses.
 */
import type { BigId, SyncRow } from './event.js';
import { CELLS, cellOf, MAX_DURATION_MS } from './histogram.js';
import { bigintOf, highWord } from './int64.js';
import { CONFLICT_TYPE, IDENTIFICATION_TYPE, SUCCESS_STATUS } from './kinds.js';
import {
  ADMIN_MAILS,
  countAt,
  durationAt,
  METHODS_AT,
  SOURCES_AT,
  TYPES_AT_FIRST,
  UNKNOWN,
} from './numbers.js';
import type { Vocabulary } from './vocabulary.js';

/** Rows that fit: few enough for the columns to stay in the nearest cache. */
const ROOM = 512;

/** Instead of a key: the row has no duration that counts, or a negative one. */
const NO_DURATION = -1;
const NEGATIVE_DURATION = -2;

export class Facts {
  size = 0;
  /** Whether a type came that not everybody has room for. */
  wide = false;
  readonly createdAt = new Float64Array(ROOM);
  readonly type = new Uint8Array(ROOM);
  readonly status = new Uint8Array(ROOM);
  /** Place of the (type, status) count. */
  readonly countAt = new Int32Array(ROOM);
  /** Cell of the duration among those of all types; below 0 where there is none. */
  readonly key = new Int32Array(ROOM);
  readonly durationMs = new Float64Array(ROOM);
  /** 1 where one of the two that follow has something to count. */
  readonly special = new Uint8Array(ROOM);
  /** Place of a business counter, or -1. */
  readonly businessAt = new Int32Array(ROOM);
  readonly mailed = new Uint8Array(ROOM);
  /** 1 for a successful row with a customer; its id in two's complement words. */
  readonly hasCustomer = new Uint8Array(ROOM);
  readonly customerLow = new Int32Array(ROOM);
  readonly customerHigh = new Int32Array(ROOM);
  /** Durations above 2^31-1 ms, left out. */
  tooLong = 0;
  /** Successful rows whose customer_id is no bigint, left out of the customers. */
  unreadable = 0;

  get full(): boolean {
    return this.size === ROOM;
  }

  clear(): void {
    this.size = 0;
    this.wide = false;
  }

  /** Appends a row whose names have these indexes. There must be room. */
  push(row: SyncRow, type: number, status: number, words: Vocabulary): void {
    const at = this.size;
    this.size = at + 1;
    if (type >= TYPES_AT_FIRST) this.wide = true;
    this.createdAt[at] = row.createdAt;
    this.type[at] = type;
    this.status[at] = status;
    this.countAt[at] = countAt(type, status);
    this.key[at] = this.readDuration(row.durationMs, type, at);
    const business = status === SUCCESS_STATUS ? businessAt(row, type, words) : -1;
    this.businessAt[at] = business;
    this.mailed[at] = row.emailSent ? 1 : 0;
    this.special[at] = business >= 0 || row.emailSent ? 1 : 0;
    const counts = status === SUCCESS_STATUS && row.customerId !== null;
    this.hasCustomer[at] = counts && this.readCustomer(row.customerId, at) ? 1 : 0;
  }

  private readDuration(durationMs: number | null, type: number, at: number): number {
    if (durationMs === null || Number.isNaN(durationMs)) return NO_DURATION;
    if (durationMs < 0) return NEGATIVE_DURATION;
    if (durationMs > MAX_DURATION_MS) {
      this.tooLong += 1;
      return NO_DURATION;
    }
    this.durationMs[at] = durationMs;
    return type * CELLS + cellOf(durationMs);
  }

  private readCustomer(id: BigId, at: number): boolean {
    if (typeof id === 'number' && Number.isSafeInteger(id)) {
      this.customerLow[at] = id;
      this.customerHigh[at] = highWord(id);
      return true;
    }
    const value = bigintOf(id);
    if (value === null) {
      this.unreadable += 1;
      return false;
    }
    this.customerLow[at] = Number(BigInt.asIntN(32, value));
    this.customerHigh[at] = Number(value >> 32n);
    return true;
  }
}

/** The counter of a successful row besides its type and status, or -1. */
function businessAt(row: SyncRow, type: number, words: Vocabulary): number {
  if (type === CONFLICT_TYPE) return SOURCES_AT + words.sources.index(row.conflictSource ?? UNKNOWN);
  if (type === IDENTIFICATION_TYPE)
    return METHODS_AT + words.methods.index(row.identificationMethod ?? UNKNOWN);
  return -1;
}

/** Adds what the rows count for (by 1), or takes it back (by -1). `to` is exclusive. */
export function addNumbers(numbers: Float64Array, facts: Facts, from: number, to: number, by: 1 | -1): void {
  const { type, countAt, key, durationMs, special } = facts;
  for (let i = from; i < to; i++) {
    bump(numbers, countAt[i] as number, by);
    const cell = key[i] as number;
    if (cell >= 0) {
      const at = durationAt(type[i] as number);
      bump(numbers, at, by);
      bump(numbers, at + 1, by * (durationMs[i] as number));
    } else if (cell === NEGATIVE_DURATION) {
      bump(numbers, durationAt(type[i] as number) + 2, by);
    }
    if (special[i] !== 0) addSpecial(numbers, facts, i, by);
  }
}

function addSpecial(numbers: Float64Array, facts: Facts, i: number, by: 1 | -1): void {
  const business = facts.businessAt[i] as number;
  if (business >= 0) bump(numbers, business, by);
  if (facts.mailed[i] !== 0) bump(numbers, ADMIN_MAILS, by);
}

function bump(numbers: Float64Array, at: number, by: number): void {
  numbers[at] = (numbers[at] as number) + by;
}
