/**
 * A row of the log table as the fold sees it, and the batches in which rows arrive.
 * Values only: no clock, no socket. Times are milliseconds of the Unix epoch, by the clock of whoever wrote them.
 */

import type { Rollup } from './rollup.js';

/** A number where it is exact (up to 2^53-1), else the decimal digits: a bigint of Postgres is never rounded. */
export type BigId = number | string;

/** Totals that a `batch_operation` row reports about itself; shown, never added to the operation counts. */
export interface BatchTotals {
  readonly operation_name: string | null;
  readonly total: number | null;
  readonly success: number | null;
  readonly error: number | null;
}

/** One row of the log. Personal data is still in clear here; it is masked where an event is made of it. */
export interface SyncRow {
  readonly id: BigId;
  readonly operationType: string;
  readonly status: string;
  /** Milliseconds, microseconds kept as a fraction; ±Infinity for Postgres' own 'infinity'. */
  readonly createdAt: number;
  readonly customerId: BigId | null;
  readonly customerEmail: string | null;
  readonly onecId: string | null;
  readonly correlationId: string | null;
  readonly errorMessage: string | null;
  /** Milliseconds as stored; a negative one is counted apart by the fold. */
  readonly durationMs: number | null;
  readonly conflictSource: string | null;
  readonly identificationMethod: string | null;
  readonly emailSent: boolean;
  readonly batch: BatchTotals | null;
}

/** A pending row that became something else (or changed while pending): `previous` is what was folded for it. */
export interface RowUpdate {
  readonly row: SyncRow;
  readonly previous: SyncRow;
}

/** A span of time, half-open, ms. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What is kept of the settled rows of one minute and operation type (rollup.ts), on its way into the windows. */
export interface MinuteOfType {
  /** Start of the minute, ms. */
  readonly start: number;
  readonly operationType: string;
  readonly rollup: Rollup;
}

/**
 * What the reader found in one step, each row once.
 *
 * | origin | windows | history | events and `*_total` |
 * |---|---|---|---|
 * | `live`: written while we watch | yes | yes | yes |
 * | `start`: was there before (start, catching up, backfill) | yes | yes | no |
 * | `window`: history holds it already; fills the windows after a restart | yes | no | no |
 * | `refold`: all settled and pending rows of `span`, in place of what the windows hold for it | yes | no | no |
 *
 * `reset` says that all that was folded before is void.
 *
 * After a `refold` the windows hold of its span what its rows say, whatever they held; and so does the queue: who was
 * pending in the span and is not among the rows any more leaves it, without being named among the removals (removals
 * are needed only for rows beyond the number that the queue tracks; they come before the rows, as updates do). A pending
 * row whose UPDATE has not been folded yet is to be among the rows as it was folded, so that the update finds it there.
 * What is too much for one batch can follow in `window` batches.
 */
export interface Batch {
  readonly origin: 'live' | 'start' | 'window' | 'refold';
  readonly reset?: boolean;
  /** Only with `refold`; whole multiples of five minutes. */
  readonly span?: Span;
  /**
   * Only with `refold`: successful rows outside `span`, of customers who are no longer in it (or only in a part of it that
   * is yet to come). The windows know the newest row of a customer only, and could not tell that there was an older one.
   */
  readonly witnesses?: readonly SyncRow[];
  /**
   * Only with `window`: minutes whose rows do not come singly, none of the future. Exact for every window that does not
   * begin within one; the shorter windows slide over a minute as if all of it had come at its start, and the throughput
   * series leaves it out: so minutes of the last hour are better read as rows.
   */
  readonly minutes?: readonly MinuteOfType[];
  readonly rows: readonly SyncRow[];
  readonly updates: readonly RowUpdate[];
  /** Pending rows that were deleted. */
  readonly removals: readonly SyncRow[];
  /** The database's clock when the batch was read, ms. */
  readonly now: number;
}

/** What the reader knows about how complete the numbers are; part of every snapshot. */
export interface Completeness {
  /** `complete`: every settled row is in the numbers. `catching_up`: a backlog is being read.
   *  `incomplete`: rows are known to be missing. `unknown`: the database cannot be asked. */
  readonly state: 'complete' | 'catching_up' | 'incomplete' | 'unknown';
  /** Known rows over rows that ought to be there, 0..1; null where that is unknown. */
  readonly ratio: number | null;
  /** One sentence per reason, English; empty when complete. */
  readonly reasons: readonly string[];
}

/** The moment at which windows slide and a snapshot may be taken. */
export interface Tick {
  /** The database's clock, ms. */
  readonly now: number;
  readonly completeness: Completeness;
  /** Milliseconds since the reader last had all that was committed; null while the database cannot be asked. */
  readonly lagMs: number | null;
}

export const OPERATION_TYPES = [
  'import_from_1c',
  'export_to_1c',
  'sync_changes',
  'customer_identification',
  'conflict_resolution',
  'data_validation',
  'batch_operation',
  'created',
  'updated',
  'skipped',
  'error',
  'notification_failed',
] as const;

export const STATUSES = ['success', 'error', 'failed', 'warning', 'skipped', 'pending'] as const;

export const PENDING = 'pending';

/** `error` and `failed` both count as errors (SPEC section 1). */
export function isError(status: string): boolean {
  return status === 'error' || status === 'failed';
}

/** An event of the feed, as it goes over WebSocket and the API: personal data masked. */
export interface SyncEvent {
  readonly id: BigId;
  readonly operation_type: string;
  readonly status: string;
  readonly customer_id: BigId | null;
  readonly customer_email: string | null;
  readonly onec_id: string | null;
  readonly duration_ms: number | null;
  readonly correlation_id: string | null;
  /** ISO 8601 UTC; null for Postgres' 'infinity'. */
  readonly created_at: string | null;
  readonly error_message: string | null;
  readonly conflict_source: string | null;
  readonly identification_method: string | null;
  readonly batch: BatchTotals | null;
}

/** An event in fold order, as the feed numbers it. */
export interface FeedEvent extends SyncEvent {
  readonly seq: number;
  readonly change: 'insert' | 'update';
  readonly previous_status?: string;
}
