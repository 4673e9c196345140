/**
 * What the history says about itself: the realtime answer, health and /metrics show it. Keys are snake_case because
 * this is the wire form.
 */
export interface HistoryState {
  readonly state: 'off' | 'backfilling' | 'ready';
  /** Why it is so, one English sentence; where it is off, what keeps it off. */
  readonly reason: string;
  /** How far the reading of the rows from before the first start is; null when there is nothing left of it. */
  readonly backfill: {
    /** 0 to 100; null until it is known how many rows there are. */
    readonly percent: number | null;
    readonly rows_per_second: number | null;
    readonly seconds_left: number | null;
  } | null;
  /** When the last flush was committed, ISO 8601 UTC; null before the first of this process. */
  readonly last_flush_at: string | null;
  /** How long that one took, ms. */
  readonly last_flush_ms: number | null;
  /** Rows written since the process began. */
  readonly flushed_rows: number;
  readonly flush_failures: number;
  /** Since when every flush has failed, ISO 8601 UTC; null while they succeed. */
  readonly failing_since: string | null;
  /** Rows in memory that no flush has written yet; a crash now means that they are read again from the table. */
  readonly unflushed_rows: number;
}

/** @param reason what keeps it off, one sentence */
export function historyOff(reason: string): HistoryState {
  return {
    state: 'off',
    reason,
    backfill: null,
    last_flush_at: null,
    last_flush_ms: null,
    flushed_rows: 0,
    flush_failures: 0,
    failing_since: null,
    unflushed_rows: 0,
  };
}
