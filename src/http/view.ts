/**
 * What the HTTP side needs from the monitor. Structural: src/monitor.ts implements it without importing this folder.
 */
import type { Observable } from 'rxjs';
import type { AlertsView } from '../../streams/alerts-view.js';
import type { AuditState } from '../../streams/audit-state.js';
import type { DayNumbers, HourNumbers } from '../../streams/breakdown.js';
import type { CeleryView } from '../../streams/celery.js';
import type { BigId, FeedEvent, SyncEvent } from '../../streams/event.js';
import type { HistoryState } from '../../streams/history-state.js';
import type { ResourcesState } from '../../streams/import-runs.js';
import type { PeriodSeries, SeriesStep } from '../../streams/period-series.js';
import type { ScheduleState } from '../../streams/schedules.js';
import type { BusinessMetrics, OperationMetrics, RealTimeMetrics, Snapshot } from '../../streams/snapshot.js';
import type { SourceState } from '../../streams/source-state.js';
import type { SystemHealth } from '../../streams/system-health.js';
import type { TotalsView } from '../../streams/totals.js';

/** Where a client stopped reading the feed. */
export interface FeedPosition {
  readonly epoch: string;
  readonly seq: number;
}

/** The events after a position, or the range of them that is no longer there. */
export type Replay =
  | { readonly events: readonly FeedEvent[] }
  | { readonly gap: { readonly from_seq: number; readonly to_seq: number } };

/** What `GET /api/events/` may ask for: all conditions must hold, of a list any one. */
export interface EventRequest {
  readonly filter: {
    readonly types?: readonly string[];
    readonly statuses?: readonly string[];
    readonly correlationId?: string;
    /** Decimal digits of a bigint. */
    readonly customerId?: string;
    readonly onecId?: string;
    /** By created_at, half-open. */
    readonly since?: Date;
    readonly until?: Date;
  };
  /** Decimal digits; only rows with smaller ids. */
  readonly beforeId?: string;
  readonly limit: number;
  /** Personal data in clear; whether the caller may see it is decided before. */
  readonly unmasked?: boolean;
}

/** The answer of `GET /api/events/`. */
export interface EventPage {
  readonly events: readonly SyncEvent[];
  readonly next_before_id: BigId | null;
  readonly complete: boolean;
}

export interface MonitorView {
  readonly snapshots$: Observable<Snapshot>;
  /** Null until the first snapshot was taken. */
  latest(): Snapshot | null;
  /** Live events in fold order, in the batches in which they were folded. */
  readonly events$: Observable<readonly FeedEvent[]>;
  readonly epoch: string;
  /** Number of the newest event of the feed, 0 before the first. */
  lastSeq(): number;
  replay(since: FeedPosition): Replay;
  /**
   * Half-open period; without bounds the last 24 hours.
   * A failure carries a `code`: `database_unavailable`, `standby` or `starting` become a 503 (see errors.ts).
   */
  getOperationMetrics(start?: Date, end?: Date): Promise<OperationMetrics>;
  getBusinessMetrics(start?: Date, end?: Date): Promise<BusinessMetrics>;
  /**
   * Each clock hour (or calendar day) that the half-open period touches, whole, those without rows included. `tz` is the
   * name of a time zone, as the engine has it; without it UTC.
   */
  getHourlyBreakdown(start: Date, end: Date, tz?: string): Promise<readonly HourNumbers[]>;
  getDailyBreakdown(start: Date, end: Date, tz?: string): Promise<readonly DayNumbers[]>;
  /** Each step that the half-open period touches up to now, whole; in longer steps where no such short ones are kept. */
  getSeries(start: Date, end: Date, stepSeconds: SeriesStep): Promise<PeriodSeries>;
  getRealTimeMetrics(): RealTimeMetrics;
  getSystemHealth(): SystemHealth;
  /** Newest first. A filter on a column that the table lacks fails with the code `column_absent` and its `column`. */
  getEvents(request: EventRequest): Promise<EventPage>;
  source(): SourceState;
  totals(): TotalsView;
  /** What is kept in the database, and how far that is. */
  history?(): HistoryState;
  /** Of the comparison of history with the table; undefined where there is none. */
  audit?(): AuditState | undefined;
  /** What runs by itself, when, and what came of it. */
  schedules?(): readonly ScheduleState[];
  /** Undefined where nothing around the monitor is checked. */
  resources?(): ResourcesState | undefined;
  /** Undefined: this monitor was started without them, or its role may not keep them. */
  alerts?(): AlertsView | undefined;
  /** Undefined: there is no broker of Celery to listen to. */
  celery?(): CeleryView | undefined;
  readonly retentionDays: number;
}
