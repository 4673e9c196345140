/** A monitor for the tests of src/http: the real pipeline, driven by hand instead of by a database. */
import { Subject } from 'rxjs';
import type { EventPage, EventRequest, FeedPosition, MonitorView, Replay } from '../../src/http/view.js';
import type { AlertsView } from '../../streams/alerts-view.js';
import type { AuditState } from '../../streams/audit-state.js';
import type { Batch, Completeness, RowUpdate, SyncRow, Tick } from '../../streams/event.js';
import type { HistoryState } from '../../streams/history-state.js';
import type { ResourcesState } from '../../streams/import-runs.js';
import { toEvent } from '../../streams/mask.js';
import {
  NOTHING_IN_STEP,
  type PeriodSeries,
  type SeriesStep,
  seriesBounds,
} from '../../streams/period-series.js';
import { type Pipeline, pipeline } from '../../streams/pipeline.js';
import type { ScheduleState } from '../../streams/schedules.js';
import type { BusinessMetrics, OperationMetrics, RealTimeMetrics, Snapshot } from '../../streams/snapshot.js';
import type { SourceState } from '../../streams/source-state.js';
import { type ComponentHealth, type SystemHealth, systemHealth } from '../../streams/system-health.js';
import type { TotalsView } from '../../streams/totals.js';

export const START = Date.parse('2026-03-10T12:00:00Z');

export const COMPLETE: Completeness = { state: 'complete', ratio: 1, reasons: [] };

const SOURCE: SourceState = {
  role: 'leader',
  connected: true,
  connectedSince: START,
  bell: { configured: 'auto', mode: 'armed', reason: 'Idle.', since: START },
  listener: { proven: true, restarts: 0, provenAt: START },
  bells: 3,
  polls: 5,
  rowsRead: 7,
  sealedId: 100,
  highId: 102,
  unsealedIds: 2,
  sealLagMs: 1_500,
  aheadRows: 0,
  givenUp: 0,
  pendingTracked: 1,
  pendingUntracked: 0,
  notificationQueueUsage: null,
  resets: 0,
  lastResetReason: null,
  backfill: null,
  warnings: [],
};

export const HISTORY: HistoryState = {
  state: 'backfilling',
  reason: 'The rows from before the first start are being read.',
  backfill: { percent: 25, rows_per_second: 5_000, seconds_left: 90.2 },
  last_flush_at: '2026-03-10T11:59:58.000Z',
  last_flush_ms: 12,
  flushed_rows: 700,
  flush_failures: 2,
  failing_since: null,
  unflushed_rows: 9,
};

export const AUDIT: AuditState = {
  completeness_ratio: 0.5,
  rounds: {
    newest: { finished: 4, finished_at: '2026-03-10T11:59:00.000Z' },
    hour: { finished: 1, finished_at: '2026-03-10T11:50:00.000Z' },
    day: { finished: 0, finished_at: null },
    old: { finished: 0, finished_at: null },
  },
  last_step_at: '2026-03-10T11:59:30.000Z',
  minutes_compared: 60,
  rows_compared: 1_000,
  busy_ms: 50,
  finds: 3,
  finds_by_kind: { late: 2, deleted: 1, truncated: 0, reopened: 0, status: 0, duration: 0, customers: 0 },
  last_find_at: '2026-03-10T11:58:00.000Z',
  last_finds: [
    {
      found_at: '2026-03-10T11:58:00.000Z',
      start: '2026-03-10T10:00:00.000Z',
      minutes: 1,
      operation_type: 'sync_changes',
      kind: 'late',
      what: '2 rows more',
    },
  ],
  refolded: 3,
  awaiting_confirmation: 0,
  not_compared: 0,
  raw_from: null,
  retention_moves: 0,
  failures: 1,
  last_failure: null,
};

let lastId = 0;
/** For `getEvents`; the pipeline has its own bounds. */
const ROWS_KEPT = 20_000;

export function row(part: Partial<SyncRow> = {}): SyncRow {
  lastId += 1;
  return {
    id: lastId,
    operationType: 'sync_changes',
    status: 'success',
    createdAt: START,
    customerId: 42,
    customerEmail: null,
    onecId: null,
    correlationId: `corr-${lastId}`,
    errorMessage: null,
    durationMs: 120,
    conflictSource: null,
    identificationMethod: null,
    emailSent: false,
    batch: null,
    ...part,
  };
}

export class HandDrivenView implements MonitorView {
  readonly retentionDays = 400;
  readonly #batches$ = new Subject<Batch>();
  readonly #ticks$ = new Subject<Tick>();
  readonly #pipeline: Pipeline;
  readonly #rows: SyncRow[] = [];
  #now = START;
  #source: SourceState = SOURCE;
  /** Thrown by everything that would ask the database. */
  failure: Error | null = null;
  /** What the periods were that were asked for. */
  readonly periods: (readonly [Date | undefined, Date | undefined])[] = [];

  constructor(epoch = 'epoch-1') {
    this.#pipeline = pipeline({ batches$: this.#batches$, ticks$: this.#ticks$, epoch });
    this.#pipeline.connect();
  }

  lastSeq() {
    return this.#pipeline.lastSeq();
  }

  get epoch() {
    return this.#pipeline.epoch;
  }

  get snapshots$() {
    return this.#pipeline.snapshots$;
  }

  get events$() {
    return this.#pipeline.events$;
  }

  /** Folds live rows (and updates) and gives their events out. */
  fold(rows: readonly SyncRow[], updates: readonly RowUpdate[] = []): void {
    this.#rows.push(...rows);
    if (this.#rows.length > ROWS_KEPT) this.#rows.splice(0, this.#rows.length - ROWS_KEPT / 2);
    this.#batches$.next({ origin: 'live', rows, updates, removals: [], now: this.#now });
  }

  /** Lets time pass and takes a snapshot. */
  tick(ms = 0, completeness: Completeness = COMPLETE, lagMs: number | null = 4): void {
    this.#now += ms;
    this.#ticks$.next({ now: this.#now, completeness, lagMs });
  }

  /** Ends the input as a fault of the reader would. */
  break(error: Error): void {
    this.#ticks$.error(error);
  }

  setSource(part: Partial<SourceState>): void {
    this.#source = { ...this.#source, ...part };
  }

  latest(): Snapshot | null {
    return this.#pipeline.latest();
  }

  source(): SourceState {
    return this.#source;
  }

  totals(): TotalsView {
    return this.#pipeline.totals();
  }

  replay(since: FeedPosition): Replay {
    return this.#pipeline.replay(since);
  }

  getOperationMetrics(start?: Date, end?: Date): Promise<OperationMetrics> {
    return Promise.resolve().then(() => {
      const { business: _business, ...operations } = this.#day(start, end);
      return operations;
    });
  }

  getBusinessMetrics(start?: Date, end?: Date): Promise<BusinessMetrics> {
    return Promise.resolve().then(() => this.#day(start, end).business);
  }

  /** Of which bounds and zone breakdowns were asked for; each is answered with one row. */
  readonly breakdowns: (readonly ['hour' | 'day', Date, Date, string | undefined])[] = [];

  async getHourlyBreakdown(start: Date, end: Date, tz?: string) {
    this.breakdowns.push(['hour', start, end, tz]);
    return [{ hour: start.toISOString(), ...this.#slice() }];
  }

  async getDailyBreakdown(start: Date, end: Date, tz?: string) {
    this.breakdowns.push(['day', start, end, tz]);
    return [{ day: start.toISOString(), ...this.#slice() }];
  }

  /** Of which bounds and step series were asked for; each is answered with empty steps. */
  readonly series: (readonly [start: string, end: string, step: SeriesStep])[] = [];

  async getSeries(start: Date, end: Date, step: SeriesStep): Promise<PeriodSeries> {
    this.#snapshot();
    this.series.push([start.toISOString(), end.toISOString(), step]);
    const bounds = seriesBounds(start.getTime(), end.getTime(), step).map((at) => new Date(at).toISOString());
    return {
      step_seconds: step,
      period_start: bounds[0] ?? '',
      period_end: bounds.at(-1) ?? '',
      points: bounds.slice(0, -1).map((at) => ({
        ...{ start: at, partial: false, ...NOTHING_IN_STEP, pending_max: null, export_queue_max: 3 },
      })),
    };
  }

  #slice() {
    const { total_operations, success_count, error_count, success_rate } = this.#snapshot().windows['24h'];
    const numbers = {
      total_operations,
      successful_operations: success_count,
      failed_operations: error_count,
      success_rate,
      avg_duration_ms: null,
      p95_duration_ms: null,
      p99_duration_ms: null,
    };
    return { ...numbers, by_type: { sync_changes: numbers } };
  }

  /** The requests that were made; answered with what is folded so far, whatever their filter. */
  readonly eventRequests: EventRequest[] = [];

  getEvents(request: EventRequest): Promise<EventPage> {
    this.eventRequests.push(request);
    return Promise.resolve().then(() => {
      if (this.failure !== null) throw this.failure;
      const below = this.#rows.filter(
        (row) => Number(row.id) < Number(request.beforeId ?? Number.POSITIVE_INFINITY),
      );
      const events = below.slice(-request.limit).reverse().map(toEvent);
      const more = below.length > events.length;
      return { events, next_before_id: (more && events.at(-1)?.id) || null, complete: true };
    });
  }

  getSystemHealth(): SystemHealth {
    const completeness = this.latest()?.completeness ?? COMPLETE;
    // A test may take either away.
    const [history, audit] = [this.history?.(), this.audit?.()];
    return systemHealth({
      ...{ source: this.#source, completeness, history, audit, now: this.#now },
      ...{ checked: this.checked, critical: this.critical },
    });
  }

  /** What checks found. */
  checked: readonly ComponentHealth[] = [];
  critical: readonly string[] = [];
  schedulesState: readonly ScheduleState[] = [];
  resourcesState: ResourcesState | undefined;

  schedules(): readonly ScheduleState[] {
    return this.schedulesState;
  }

  resources(): ResourcesState | undefined {
    return this.resourcesState;
  }

  historyState: HistoryState = HISTORY;
  auditState: AuditState | undefined = AUDIT;

  /** Undefined: this monitor has no alerts. */
  alertsView: AlertsView | undefined;

  alerts(): AlertsView | undefined {
    return this.alertsView;
  }

  history(): HistoryState {
    return this.historyState;
  }

  audit(): AuditState | undefined {
    return this.auditState;
  }

  getRealTimeMetrics(): RealTimeMetrics {
    const { windows, queue, at, lag_ms, completeness } = this.#snapshot();
    const five = windows['5m'];
    return {
      operations_last_5min: five.total_operations,
      errors_last_5min: five.error_count,
      current_error_rate: five.error_rate,
      pending_operations: queue.pending_operations,
      throughput_per_minute: five.throughput_per_minute,
      duration_p95_ms: five.duration_p95_ms,
      duration_p99_ms: five.duration_p99_ms,
      timestamp: at,
      lag_ms,
      completeness,
    };
  }

  #day(start: Date | undefined, end: Date | undefined) {
    this.periods.push([start, end]);
    const day = this.#snapshot().windows['24h'];
    if (start === undefined || end === undefined) return day;
    // As the monitor does: an answer says what it is of.
    const bounds = { period_start: start.toISOString(), period_end: end.toISOString() };
    return { ...day, ...bounds, business: { ...day.business, ...bounds } };
  }

  #snapshot(): Snapshot {
    if (this.failure !== null) throw this.failure;
    const latest = this.latest();
    if (latest === null) throw Object.assign(new Error('no snapshot yet'), { code: 'starting' });
    return latest;
  }
}

export const NO_CLIENTS = {
  clients: 0,
  droppedEvents: 0,
  skippedSnapshots: 0,
  faults: 0,
  closedSlow: 0,
  closedSilent: 0,
  socketErrors: 0,
};
