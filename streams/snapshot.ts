/**
 * The immutable value that every consumer of one tick sees: the page, the API, /metrics and the rules.
 * Keys are snake_case because this is the wire form. A count of nothing is 0; a rate, average or percentile of
 * nothing is null.
 */
import type { Completeness } from './event.js';

export const WINDOW_NAMES = ['1m', '5m', '1h', '24h'] as const;
export type WindowName = (typeof WINDOW_NAMES)[number];

/** Counts and durations of one group of rows (all of a period, or one operation type of it). */
export interface OperationNumbers {
  readonly total_operations: number;
  readonly success_count: number;
  /** `error` + `failed`. */
  readonly error_count: number;
  readonly warning_count: number;
  readonly skipped_count: number;
  readonly pending_count: number;
  /** Every status under its own name (`other` beyond 32 unknown ones), absent ones left out. */
  readonly by_status: Readonly<Record<string, number>>;
  /** Percent of the total, two decimals; null when the total is 0. */
  readonly success_rate: number | null;
  readonly error_rate: number | null;
  /** Rows with a duration in range. */
  readonly duration_count: number;
  /** Rows with a duration below 0, left out of the durations. */
  readonly duration_negative_count: number;
  readonly duration_avg_ms: number | null;
  readonly duration_min_ms: number | null;
  readonly duration_max_ms: number | null;
  readonly duration_p50_ms: number | null;
  readonly duration_p95_ms: number | null;
  readonly duration_p99_ms: number | null;
  readonly throughput_per_minute: number;
}

export interface OperationMetrics extends OperationNumbers {
  readonly operations_by_type: Readonly<Record<string, number>>;
  readonly by_type: Readonly<Record<string, OperationNumbers>>;
  /** Inclusive, ISO 8601 UTC. */
  readonly period_start: string;
  /** Exclusive, ISO 8601 UTC. */
  readonly period_end: string;
  /** The period was widened to whole minutes or quarter hours: the rows that it cut through are not kept any more. */
  readonly aligned?: true | undefined;
}

export interface BusinessMetrics {
  readonly synced_customers_count: number;
  readonly conflicts_resolved: Readonly<Record<string, number>>;
  readonly total_conflicts: number;
  readonly total_conflicts_resolved: number;
  readonly identification_methods: Readonly<Record<string, number>>;
  readonly total_identifications: number;
  readonly new_registrations: number;
  readonly imports_from_1c: number;
  readonly admin_notifications_sent: number;
  readonly auto_resolution_rate: number | null;
  readonly automation_hours_saved: number;
  /** Only where HOUR_COST is set. */
  readonly automation_money_saved?: number;
  readonly period_start: string;
  readonly period_end: string;
  /** As of the operations. */
  readonly aligned?: true | undefined;
}

export interface WindowSnapshot extends OperationMetrics {
  readonly business: BusinessMetrics;
}

export interface QueueOfType {
  readonly pending: number;
  readonly oldest_created_at: string | null;
  readonly oldest_age_seconds: number | null;
}

export interface Queue {
  readonly pending_operations: number;
  /** Pending `export_to_1c` rows. */
  readonly export_queue: number;
  readonly oldest_age_seconds: number | null;
  readonly by_type: Readonly<Record<string, QueueOfType>>;
}

/** Operations per step over the last five minutes, oldest first; the last step is still filling. */
export interface ThroughputSeries {
  readonly step_seconds: number;
  readonly start: string;
  readonly total: readonly number[];
  readonly success: readonly number[];
  readonly errors: readonly number[];
}

export interface Snapshot {
  /** Database clock, ISO 8601 UTC. */
  readonly at: string;
  readonly windows: Readonly<Record<WindowName, WindowSnapshot>>;
  readonly queue: Queue;
  /** The business numbers of the last 24 h. */
  readonly business: BusinessMetrics;
  readonly throughput: ThroughputSeries;
  readonly completeness: Completeness;
  readonly lag_ms: number | null;
  /** Writer's clock ahead of (positive) or behind the database's, ms, over the newest live rows; null when unknown. */
  readonly clock_skew_ms: number | null;
  /** Rows whose created_at lies in the future, waiting for their windows. */
  readonly future_rows: number;
  /** Unknown types / statuses that were counted as `other`. */
  readonly other_types: number;
  readonly other_statuses: number;
}

/** The answer of `GET /api/monitoring/realtime/`. */
export interface RealTimeMetrics {
  readonly operations_last_5min: number;
  readonly errors_last_5min: number;
  /** Percent over the last five minutes; null when there was no operation. */
  readonly current_error_rate: number | null;
  readonly pending_operations: number;
  readonly throughput_per_minute: number;
  readonly duration_p95_ms: number | null;
  readonly duration_p99_ms: number | null;
  /** ISO 8601 UTC, the database's clock. */
  readonly timestamp: string;
  readonly lag_ms: number | null;
  readonly completeness: Completeness;
}
