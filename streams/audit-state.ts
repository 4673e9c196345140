/**
 * What the audit says about itself: the realtime answer, health and /metrics show it. Keys are snake_case because this
 * is the wire form; times are ISO 8601 UTC.
 */

/** Parts of history by how often they are compared with the table. */
export const AUDIT_ZONES = ['newest', 'hour', 'day', 'old'] as const;
export type AuditZone = (typeof AUDIT_ZONES)[number];

/** In what way history and the table differed, by what is counted for one period and operation type. */
export const FIND_KINDS = [
  /** The table has more rows: some were never folded. */
  'late',
  /** The table has fewer rows. */
  'deleted',
  /** The whole table, or its last 24 hours, was emptied. */
  'truncated',
  /** Rows that were settled are pending again. */
  'reopened',
  /** As many rows, other statuses. */
  'status',
  'duration',
  'customers',
] as const;
export type FindKind = (typeof FIND_KINDS)[number];

export interface AuditFind {
  readonly found_at: string;
  /** Of the period. */
  readonly start: string;
  /** Length of the period: quarter hours are the finest that is kept of old times. */
  readonly minutes: 1 | 15;
  readonly operation_type: string;
  readonly kind: FindKind;
  /** What history said and what the table says, for people. */
  readonly what: string;
}

export interface AuditRounds {
  /** Rounds finished. */
  readonly finished: number;
  /** When the last one was; null before the first. */
  readonly finished_at: string | null;
}

export interface AuditState {
  /**
   * Rows whose type, minute and status history and the table agree on, of all that either has, as of the last look at
   * each part and after what was refolded; null before the first look.
   */
  readonly completeness_ratio: number | null;
  readonly rounds: Readonly<Record<AuditZone, AuditRounds>>;
  readonly last_step_at: string | null;
  readonly minutes_compared: number;
  readonly rows_compared: number;
  /** Milliseconds that all this took. */
  readonly busy_ms: number;
  /** (period, operation type) pairs that differed. */
  readonly finds: number;
  readonly finds_by_kind: Readonly<Record<FindKind, number>>;
  readonly last_find_at: string | null;
  /** The last few, newest first. */
  readonly last_finds: readonly AuditFind[];
  /** Periods rebuilt from the table. */
  readonly refolded: number;
  /** Old periods with fewer rows than history has, looked at again later: the owner may be deleting right now. */
  readonly awaiting_confirmation: number;
  /** Periods that could not be compared within the bounds of a step. */
  readonly not_compared: number;
  /** What is older is gone from the table by its owner's retention, stays in history, and is not compared. */
  readonly raw_from: string | null;
  /** Times that the owner's retention was seen to have cut the table. */
  readonly retention_moves: number;
  readonly failures: number;
  /** Of the last step, when that failed; null after one that went well. */
  readonly last_failure: string | null;
}
