/**
 * The layout of everything that is merely counted or summed: one flat array, so that a bucket joins or leaves a window
 * in one loop and a new counter touches this file, `fact.ts` and whoever reads it.
 */
import { OPERATION_TYPES, STATUSES } from './event.js';
import { UNKNOWN_NAMES_KEPT } from './names.js';

export const UNKNOWN = 'unknown';
export const CONFLICT_SOURCES = ['portal_registration', 'data_import', UNKNOWN] as const;
export const IDENTIFICATION_METHODS = ['onec_id', 'onec_guid', 'tax_id', 'email', UNKNOWN] as const;

// One more than the unknown ones: `other`.
const EXTRA = UNKNOWN_NAMES_KEPT + 1;
const STATUS_SLOTS = STATUSES.length + EXTRA;

export const ADMIN_MAILS = 0;
/** First of the counters of resolved conflicts by source. */
export const SOURCES_AT = 1;
/** First of the counters of identifications by method. */
export const METHODS_AT = SOURCES_AT + CONFLICT_SOURCES.length + EXTRA;
const TYPES_AT = METHODS_AT + IDENTIFICATION_METHODS.length + EXTRA;
const TYPE_SLOTS = STATUS_SLOTS + 3;

/** Types that have room from the start; the first unknown one makes all 32 of them room. */
export const TYPES_AT_FIRST = OPERATION_TYPES.length + 1;
export const TYPES_AT_MOST = OPERATION_TYPES.length + EXTRA;

/** Where the rows of a type and status are counted. */
export function countAt(type: number, status: number): number {
  return TYPES_AT + type * TYPE_SLOTS + status;
}

/** Where the durations of a type are counted; their sum in ms follows, then the count of negative ones. */
export function durationAt(type: number): number {
  return TYPES_AT + type * TYPE_SLOTS + STATUS_SLOTS;
}

export function newNumbers(types: number): Float64Array {
  return new Float64Array(TYPES_AT + types * TYPE_SLOTS);
}

/** The same numbers with room for all types. */
export function widened(numbers: Float64Array): Float64Array {
  const wide = newNumbers(TYPES_AT_MOST);
  wide.set(numbers);
  return wide;
}

export function mergeNumbers(into: Float64Array, from: Float64Array, by: 1 | -1): void {
  mergePart(into, from, by, 0, from.length);
}

/** What is counted of one type, of which there are rows of known statuses only. */
export function mergeType(into: Float64Array, from: Float64Array, by: 1 | -1, type: number): void {
  const first = TYPES_AT + type * TYPE_SLOTS;
  mergePart(into, from, by, first, first + STATUSES.length);
  mergePart(into, from, by, first + STATUS_SLOTS, first + TYPE_SLOTS);
}

/** What is counted of the first so many types, each with the first so many statuses. */
export function mergeCounts(into: Float64Array, from: Float64Array, types: number, statuses: number): void {
  const end = Math.min(from.length, TYPES_AT + types * TYPE_SLOTS);
  for (let first = TYPES_AT; first < end; first += TYPE_SLOTS) {
    mergePart(into, from, 1, first, first + statuses);
    mergePart(into, from, 1, first + STATUS_SLOTS, first + TYPE_SLOTS);
  }
}

/** What is not counted by type. */
export function mergeOthers(into: Float64Array, from: Float64Array, by: 1 | -1): void {
  mergePart(into, from, by, 0, TYPES_AT);
}

function mergePart(into: Float64Array, from: Float64Array, by: 1 | -1, first: number, end: number): void {
  for (let i = first; i < end; i++) into[i] = (into[i] as number) + by * (from[i] as number);
}
