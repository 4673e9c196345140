/**
 * A row reduced to what the windows need: indexes instead of names, places instead of meanings.
 * Computed once per row and then added to seven accumulators (three rings' buckets, four windows).
 */
import { type BigId, OPERATION_TYPES, PENDING, STATUSES, type SyncRow } from './event.js';
import { CELLS, cellOf, MAX_DURATION_MS } from './histogram.js';
import { Names } from './names.js';
import {
  ADMIN_MAILS,
  CONFLICT_SOURCES,
  countAt,
  durationAt,
  IDENTIFICATION_METHODS,
  METHODS_AT,
  SOURCES_AT,
  UNKNOWN,
} from './numbers.js';

export const SUCCESS_STATUS = STATUSES.indexOf('success');
export const ERROR_STATUS = STATUSES.indexOf('error');
export const FAILED_STATUS = STATUSES.indexOf('failed');
export const WARNING_STATUS = STATUSES.indexOf('warning');
export const SKIPPED_STATUS = STATUSES.indexOf('skipped');
export const PENDING_STATUS = STATUSES.indexOf(PENDING);
export const CONFLICT_TYPE = OPERATION_TYPES.indexOf('conflict_resolution');
export const IDENTIFICATION_TYPE = OPERATION_TYPES.indexOf('customer_identification');
export const EXPORT_TYPE = OPERATION_TYPES.indexOf('export_to_1c');
export const IMPORT_TYPE = OPERATION_TYPES.indexOf('import_from_1c');

export type DurationKind = 'none' | 'in range' | 'negative' | 'too long';

/** The names that rows have used so far. */
export class Vocabulary {
  readonly types = new Names(OPERATION_TYPES);
  readonly statuses = new Names(STATUSES);
  readonly sources = new Names(CONFLICT_SOURCES);
  readonly methods = new Names(IDENTIFICATION_METHODS);
}

export class Fact {
  createdAt = 0;
  type = 0;
  status = 0;
  /** Place of its (type, status) count. */
  countAt = 0;
  /** Place of its type's duration count. */
  durationAt = 0;
  durationKind: DurationKind = 'none';
  durationMs = 0;
  /** Its cell among those of all types; only where the duration is in range. */
  key = 0;
  /** Place of a business counter, or -1. */
  businessAt = -1;
  mailed = false;
  /** The customer of a successful row. */
  customer: BigId | null = null;

  /** Takes on the meaning of a row that is new (or changed), registering its names. */
  read(row: SyncRow, words: Vocabulary): this {
    return this.fill(row, words.types.index(row.operationType), words.statuses.index(row.status), words);
  }

  /** Takes on the meaning of a row that was folded before: registers and counts no name. */
  reread(row: SyncRow, words: Vocabulary): this {
    return this.fill(row, words.types.find(row.operationType), words.statuses.find(row.status), words);
  }

  copy(): Fact {
    return Object.assign(new Fact(), this);
  }

  private fill(row: SyncRow, type: number, status: number, words: Vocabulary): this {
    this.createdAt = row.createdAt;
    this.type = type;
    this.status = status;
    this.countAt = countAt(type, status);
    this.durationAt = durationAt(type);
    this.readDuration(row.durationMs, type);
    this.mailed = row.emailSent;
    this.businessAt = -1;
    this.customer = null;
    if (status === SUCCESS_STATUS) {
      this.customer = row.customerId;
      if (type === CONFLICT_TYPE) {
        this.businessAt = SOURCES_AT + words.sources.index(row.conflictSource ?? UNKNOWN);
      } else if (type === IDENTIFICATION_TYPE) {
        this.businessAt = METHODS_AT + words.methods.index(row.identificationMethod ?? UNKNOWN);
      }
    }
    return this;
  }

  private readDuration(durationMs: number | null, type: number): void {
    if (durationMs === null || Number.isNaN(durationMs)) {
      this.durationKind = 'none';
    } else if (durationMs < 0) {
      this.durationKind = 'negative';
    } else if (durationMs > MAX_DURATION_MS) {
      this.durationKind = 'too long';
    } else {
      this.durationKind = 'in range';
      this.durationMs = durationMs;
      this.key = type * CELLS + cellOf(durationMs);
    }
  }
}

/** Adds what a row counts for (by 1), or takes it back (by -1). */
export function addFact(numbers: Float64Array, fact: Fact, by: 1 | -1): void {
  bump(numbers, fact.countAt, by);
  if (fact.durationKind === 'in range') {
    bump(numbers, fact.durationAt, by);
    bump(numbers, fact.durationAt + 1, by * fact.durationMs);
  } else if (fact.durationKind === 'negative') {
    bump(numbers, fact.durationAt + 2, by);
  }
  if (fact.businessAt >= 0) bump(numbers, fact.businessAt, by);
  if (fact.mailed) bump(numbers, ADMIN_MAILS, by);
}

function bump(numbers: Float64Array, at: number, by: number): void {
  numbers[at] = (numbers[at] as number) + by;
}
