import { randomUUID } from 'node:crypto';
import { type Observable, Subject, type Subscription } from 'rxjs';
import type { AlertsView } from '../streams/alerts-view.js';
import type { AuditState } from '../streams/audit-state.js';
import type { DayNumbers, HourNumbers } from '../streams/breakdown.js';
import type { CeleryView } from '../streams/celery.js';
import type { Completeness, FeedEvent, Tick } from '../streams/event.js';
import { type HistoryState, historyOff } from '../streams/history-state.js';
import type { ResourcesState } from '../streams/import-runs.js';
import type { PeriodSeries, SeriesStep } from '../streams/period-series.js';
import { type Pipeline, pipeline } from '../streams/pipeline.js';
import { realTimeMetrics } from '../streams/real-time.js';
import type { ScheduleState } from '../streams/schedules.js';
import type {
  BusinessMetrics,
  OperationMetrics,
  RealTimeMetrics,
  Snapshot,
  WindowSnapshot,
} from '../streams/snapshot.js';
import type { SourceState } from '../streams/source-state.js';
import type { SystemHealth } from '../streams/system-health.js';
import type { TotalsView } from '../streams/totals.js';
import { audited } from '../streams/trust.js';
import type { AlertService } from './alert-service.js';
import type { CeleryService } from './celery-service.js';
import type { HealthService } from './health-service.js';
import type { EventPage, EventRequest } from './history/events-query.js';
import type { HistoryService } from './history-service.js';
import { type MonitorParts, openParts } from './monitor-parts.js';
import { type MonitorConfig, NotReadyError } from './monitor-types.js';
import { PeriodAnswers } from './period-answers.js';
import { Source } from './source/source.js';

const TICK_MS = 250;
/** The widest window, and room for its step. */
const HISTORY_MS = 25 * 3_600_000;
const DAY_MS = 86_400_000;

/**
 * Starts a monitor of one log table.
 * @throws TableError when the table cannot be watched, the driver's error when the database cannot be reached:
 *   misconfiguration fails now; later outages heal by themselves.
 */
export async function startMonitor(config: MonitorConfig): Promise<CustomerSyncMonitor> {
  return new CustomerSyncMonitor(config, await openParts(config));
}

/** Live numbers of a customer synchronisation: windows, any period, events. Made by `startMonitor`. */
export class CustomerSyncMonitor {
  /** Immutable snapshots, at least four a second. */
  readonly snapshots$: Observable<Snapshot>;
  /** Live rows in fold order, masked. */
  readonly events$: Observable<readonly FeedEvent[]>;
  readonly epoch: string;
  readonly retentionDays: number;
  readonly #source: Source;
  readonly #pipeline: Pipeline;
  readonly #answers: PeriodAnswers;
  readonly #history: HistoryService | string;
  readonly #alerts: AlertService | undefined;
  readonly #health: HealthService;
  readonly #celery: CeleryService | undefined;
  readonly #ticks = new Subject<Tick>();
  readonly #subscription: Subscription;
  readonly #timer: NodeJS.Timeout;
  readonly #endInstalling: (() => void) | undefined;

  /** @internal use `startMonitor` */
  constructor(config: MonitorConfig, parts: MonitorParts) {
    const { prepared, history, alerts, health, celery, log, install } = parts;
    this.retentionDays = config.retentionDays ?? 400;
    this.#history = history;
    this.#alerts = alerts;
    this.#health = health;
    this.#celery = celery;
    const service = typeof history === 'string' ? undefined : history;
    const savings = {
      manualResolutionMinutes: config.manualResolutionMinutes ?? 10,
      hourCost: config.hourCost,
    };
    this.#source = new Source({
      url: config.databaseUrl,
      table: prepared.table,
      bell: prepared.bell,
      historyMs: HISTORY_MS,
      log,
      ...(service && { history: service.flusher }),
      ...(config.backfillRowsPerSecond && { backfillRowsPerSecond: config.backfillRowsPerSecond }),
    });
    this.#answers = new PeriodAnswers({
      url: config.databaseUrl,
      source: this.#source,
      history: () => service?.memory(),
      savings,
    });
    this.epoch = randomUUID();
    this.#pipeline = pipeline({
      batches$: this.#source.batches$,
      ticks$: this.#ticks,
      epoch: this.epoch,
      options: savings,
    });
    this.snapshots$ = this.#pipeline.snapshots$;
    this.events$ = this.#pipeline.events$;
    this.#subscription = this.#pipeline.connect();
    // In the same turn as the windows: both hold what the cursor says.
    if (service) this.#subscription.add(this.#source.batches$.subscribe((batch) => service.apply(batch)));
    if (alerts) this.#subscription.add(this.#source.batches$.subscribe((batch) => alerts.apply(batch)));
    this.#subscription.add(this.#source.batches$.subscribe((batch) => health.apply(batch)));
    this.#subscription.add(this.snapshots$.subscribe((snapshot) => this.#answers.see(snapshot)));
    this.#source.start();
    service?.start(this.#source);
    alerts?.start({
      source: this.#source,
      latest: () => this.latest(),
      health: () => this.getSystemHealth(),
      operations: (start, end) => this.#answers.operations(start, end),
      historyReady: () => this.history().state === 'ready',
      retentionDays: this.retentionDays,
    });
    health.start(() => this.getSystemHealth());
    celery?.start();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#endInstalling = prepared.bell.later ? install() : undefined;
  }

  /** The newest snapshot, null before the first. */
  latest(): Snapshot | null {
    return this.#pipeline.latest();
  }

  /** Number of the newest event of the feed, 0 before the first. */
  lastSeq(): number {
    return this.#pipeline.lastSeq();
  }

  /** The events after a place in the feed, or the gap where it no longer has them. */
  replay(since: { readonly epoch: string; readonly seq: number }) {
    return this.#pipeline.replay(since);
  }

  /** How the monitor itself is doing. */
  source(): SourceState {
    return this.#source.state();
  }

  /** What was counted since the process began; only grows. */
  totals(): TotalsView {
    return this.#pipeline.totals();
  }

  /**
   * Operation numbers of the half-open period; without bounds the last 24 hours: the live window, or the table itself
   * while the window is not complete.
   * @throws the database's error for a period that has to be read from it
   */
  async getOperationMetrics(start?: Date, end?: Date): Promise<OperationMetrics> {
    const day = start || end ? undefined : this.#completeDay();
    if (day) {
      const { business: _, ...operations } = day;
      return operations;
    }
    const [from, to] = this.#period(start, end);
    return this.#answers.operations(from, to);
  }

  /** Business numbers of the half-open period; without bounds the last 24 hours, likewise. @throws as above */
  async getBusinessMetrics(start?: Date, end?: Date): Promise<BusinessMetrics> {
    const day = start || end ? undefined : this.#completeDay();
    if (day) return day.business;
    const [from, to] = this.#period(start, end);
    return this.#answers.business(from, to);
  }

  /**
   * Past events out of the table by id, newest first; the search is bounded.
   * @throws AbsentColumnError for a filter on a column that the table does not have, or the database's error
   */
  getEvents(request: EventRequest): Promise<EventPage> {
    return this.#answers.events(request);
  }

  /**
   * Each clock hour that the period touches, whole, hours without rows included; in UTC, or in the time zone of that
   * name.
   * @throws RangeError for a name that is none, else as above
   */
  async getHourlyBreakdown(start: Date, end: Date, tz?: string): Promise<readonly HourNumbers[]> {
    const slices = await this.#answers.breakdown('hours', start, end, tz);
    return slices.map(([hour, numbers]) => ({ hour, ...numbers }));
  }

  /** Each calendar day that the period touches, likewise. @throws as above */
  async getDailyBreakdown(start: Date, end: Date, tz?: string): Promise<readonly DayNumbers[]> {
    const slices = await this.#answers.breakdown('days', start, end, tz);
    return slices.map(([day, numbers]) => ({ day, ...numbers }));
  }

  /** The period in steps up to now; waiting rows as this process saw them. @throws as above */
  getSeries(start: Date, end: Date, stepSeconds: SeriesStep): Promise<PeriodSeries> {
    return this.#answers.series(start, end, stepSeconds, this.#source.clock.now());
  }

  /** The last five minutes, as of the newest snapshot. @throws NotReadyError before the first */
  getRealTimeMetrics(): RealTimeMetrics {
    return realTimeMetrics(this.#current());
  }

  /** The monitor and what is around it, as far as it is known; never waits for any of it. */
  getSystemHealth(): SystemHealth {
    return this.#health.health({
      source: this.#source.state(),
      completeness: this.#completeness(),
      history: this.history(),
      audit: this.audit(),
      now: this.#source.clock.now(),
    });
  }

  /** What is kept in the database, and how far that is. */
  history(): HistoryState {
    return typeof this.#history === 'string' ? historyOff(this.#history) : this.#history.state();
  }

  /** Of the comparison of history with the table; undefined where there is none. */
  audit(): AuditState | undefined {
    return typeof this.#history === 'string' ? undefined : this.#history.audit();
  }

  /** What the machines have to give, and what imports took of it; undefined where nothing is checked. */
  resources(): ResourcesState | undefined {
    return this.#health.resources();
  }

  /** What runs by itself, when, and what came of it. */
  schedules(): readonly ScheduleState[] {
    const history = typeof this.#history === 'string' ? [] : this.#history.schedules();
    return [...this.#health.schedules(), ...history];
  }

  /** What fires, fired and is told of; undefined where alerts are not configured or may not be kept. */
  alerts(): AlertsView | undefined {
    return this.#alerts;
  }

  /** Workers, tasks and queues of Celery; undefined where there is no broker to listen to. */
  celery(): CeleryView | undefined {
    return this.#celery;
  }

  /** Ends following, within a few seconds whatever the database does. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#endInstalling?.();
    const history = typeof this.#history === 'string' ? undefined : this.#history;
    await Promise.all([history?.quiesce(), this.#alerts?.stop(), this.#health.stop(), this.#celery?.stop()]);
    await this.#source.stop();
    await history?.stop();
    this.#subscription.unsubscribe();
    this.#answers.close();
  }

  #tick(): void {
    if (!this.#source.clock.known) return;
    this.#ticks.next({
      now: this.#source.clock.now(),
      completeness: this.#completeness(),
      lagMs: this.#source.lagMs(),
    });
  }

  /** What the reader knows to be missing, and what the audit found to differ and has not mended yet. */
  #completeness(): Completeness {
    return audited(this.#source.completeness(), this.audit()?.completeness_ratio ?? null);
  }

  #current(): Snapshot {
    const { role, connected } = this.#source.state();
    if (role === 'standby') throw new NotReadyError('standby', 'another monitor follows this table');
    const snapshot = this.#pipeline.latest();
    if (snapshot) return snapshot;
    throw connected
      ? new NotReadyError('starting', 'no snapshot yet')
      : new NotReadyError('database_unavailable', 'the database does not answer');
  }

  /** The live 24-hour window, where it holds all that a SELECT would count. */
  #completeDay(): WindowSnapshot | undefined {
    const snapshot = this.#pipeline.latest();
    return snapshot?.completeness.state === 'complete' ? snapshot.windows['24h'] : undefined;
  }

  #period(start: Date | undefined, end: Date | undefined): [Date, Date] {
    const to = end ?? new Date(this.#source.clock.now());
    return [start ?? new Date(to.getTime() - DAY_MS), to];
  }
}
