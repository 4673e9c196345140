/**
 * Which rows are in history. Written in the transaction that writes the rollups, so the two never disagree: a row is
 * in the rollup of its minute exactly when its id is at most `high`, above `floor`, in no range of `holes` and not in
 * `pending`; or in `ahead`. All other rows are still to be read.
 */
import type { BigId } from './event.js';
import type { Range } from './ranges.js';

export interface CursorState {
  /** Every id up to here was looked for. */
  readonly high: number;
  /** Ids up to here have not been read yet (the backfill goes on below); null when there are none. */
  readonly floor: number | null;
  /** Ids that writers may yet commit, ascending. */
  readonly holes: readonly Range[];
  /** Rows that were pending when last read. */
  readonly pending: readonly BigId[];
  /** Rows with an id beyond the sequence. */
  readonly ahead: readonly BigId[];
}

/** A part of the windows that does not say what the table says any more, to be read again. */
export interface RefoldSpan {
  /** ms, half-open, multiples of five minutes. */
  readonly from: number;
  readonly to: number;
  /** Ids of its settled rows, where known: for tables without an index on created_at. */
  readonly idMin: number | null;
  readonly idMax: number | null;
  /** Customers who succeeded in it before and do not any more. */
  readonly lostCustomers: readonly BigId[];
}
