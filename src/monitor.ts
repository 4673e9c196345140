import { randomUUID } from 'node:crypto';
import { type Observable, Subject, type Subscription } from 'rxjs';
import type { Completeness, FeedEvent, Tick } from '../streams/event.js';
import { type Pipeline, pipeline } from '../streams/pipeline.js';
import type { BusinessMetrics, OperationMetrics, OperationNumbers, Snapshot } from '../streams/snapshot.js';
import type { SourceState } from '../streams/source-state.js';
import type { TotalsView } from '../streams/totals.js';
import { shipped } from './files.js';
import { type EventPage, type EventRequest, eventsOfTable } from './history/events-query.js';
import { businessOfTable, hoursOfTable, operationsOfTable } from './history/table-query.js';
import { decodeRow } from './source/decode.js';
import { ReadPool } from './source/pool.js';
import { type Prepared, prepare } from './source/prepare.js';
import { READER_SESSION, Source, type SourceLog } from './source/source.js';
import { selectList } from './source/statements.js';

export interface MonitorConfig {
  /** postgres:// URL of the database, a direct connection (no transaction pooler). */
  readonly databaseUrl: string;
  /** The log table, schema-qualified or not, quoted where SQL would need it. Default public.customer_sync_logs. */
  readonly table?: string;
  /** How to learn of new rows: DESIGN.md. Default auto. */
  readonly bell?: 'auto' | 'always' | 'off';
  /** Minutes that a human would take for one conflict. Default 10. */
  readonly manualResolutionMinutes?: number;
  /** Money for an hour of that human; without it no money is computed. */
  readonly hourCost?: number | undefined;
  /** Longest period that may be asked for, days. Default 400. */
  readonly retentionDays?: number;
  /** Install schema and bell where this role may. Default true. */
  readonly migrate?: boolean;
  readonly log?: SourceLog;
}

export interface RealTimeMetrics {
  readonly operations_last_5min: number;
  readonly errors_last_5min: number;
  readonly current_error_rate: number | null;
  readonly pending_operations: number;
  readonly throughput_per_minute: number;
  readonly duration_p95_ms: number | null;
  readonly duration_p99_ms: number | null;
  readonly timestamp: string;
  readonly lag_ms: number | null;
  readonly completeness: Completeness;
}

export interface HourNumbers {
  readonly hour: string;
  readonly total_operations: number;
  readonly successful_operations: number;
  readonly failed_operations: number;
  readonly success_rate: number | null;
  readonly avg_duration_ms: number | null;
  readonly p95_duration_ms: number | null;
  readonly p99_duration_ms: number | null;
  readonly by_type: Readonly<Record<string, Omit<HourNumbers, 'hour' | 'by_type'>>>;
}

export interface ComponentHealth {
  readonly component: string;
  readonly available: boolean;
  readonly status: 'healthy' | 'degraded' | 'unhealthy' | 'not_configured';
  readonly message: string;
  readonly response_time_ms: number | null;
}

export interface SystemHealth {
  readonly is_healthy: boolean;
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly components: Readonly<Record<string, ComponentHealth>>;
  readonly critical_issues: readonly {
    component: string;
    message: string;
    details: Readonly<Record<string, unknown>>;
  }[];
  readonly timestamp: string;
}

/** The monitor has no numbers to give at this moment; `code` says why. */
export class NotReadyError extends Error {
  readonly code: 'starting' | 'standby' | 'database_unavailable';
  constructor(code: NotReadyError['code'], message: string) {
    super(message);
    this.name = 'NotReadyError';
    this.code = code;
  }
}

const TICK_MS = 250;
/** The widest window, and room for its step. */
const HISTORY_MS = 25 * 3_600_000;
const DAY_MS = 86_400_000;
/** What one page of past events may cost; the rows take about half a second where nothing has to be read from disk. */
const SEARCH = { rows: 1_000_000, milliseconds: 2_000, now: () => performance.now() };
const SILENT: SourceLog = { info() {}, warn() {}, error() {} };

/**
 * Starts a monitor of one log table.
 * @throws TableError when the table cannot be watched, the driver's error when the database cannot be reached:
 *   misconfiguration fails now; later outages heal by themselves.
 */
export async function startMonitor(config: MonitorConfig): Promise<CustomerSyncMonitor> {
  const log = config.log ?? SILENT;
  const prepared = await prepare({
    url: config.databaseUrl,
    table: config.table ?? 'public.customer_sync_logs',
    bell: config.bell ?? 'auto',
    install: config.migrate ?? true,
    sqlDir: shipped('sql'),
    log,
  });
  return new CustomerSyncMonitor(config, prepared, log);
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
  readonly #pool: ReadPool;
  readonly #savings: { manualResolutionMinutes: number; hourCost?: number | undefined };
  readonly #ticks = new Subject<Tick>();
  readonly #subscription: Subscription;
  readonly #timer: NodeJS.Timeout;

  /** @internal use `startMonitor` */
  constructor(config: MonitorConfig, prepared: Prepared, log: SourceLog) {
    this.retentionDays = config.retentionDays ?? 400;
    this.#savings = {
      manualResolutionMinutes: config.manualResolutionMinutes ?? 10,
      hourCost: config.hourCost,
    };
    this.#source = new Source({
      url: config.databaseUrl,
      table: prepared.table,
      bell: prepared.bell,
      historyMs: HISTORY_MS,
      log,
    });
    this.#pool = new ReadPool({ url: config.databaseUrl, session: READER_SESSION });
    this.epoch = randomUUID();
    this.#pipeline = pipeline({
      batches$: this.#source.batches$,
      ticks$: this.#ticks,
      epoch: this.epoch,
      options: this.#savings,
    });
    this.snapshots$ = this.#pipeline.snapshots$;
    this.events$ = this.#pipeline.events$;
    this.#subscription = this.#pipeline.connect();
    this.#source.start();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** The newest snapshot, null before the first. */
  latest(): Snapshot | null {
    return this.#pipeline.latest();
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
   * Operation numbers of the half-open period; without bounds those of the live 24-hour window.
   * @throws NotReadyError, or the database's error for a period that has to be read from it
   */
  async getOperationMetrics(start?: Date, end?: Date): Promise<OperationMetrics> {
    if (!start && !end) {
      const { business: _, ...operations } = this.#current().windows['24h'];
      return operations;
    }
    const [from, to] = this.#period(start, end);
    return this.#pool.snapshot((query) => operationsOfTable(query, this.#source.table, from, to));
  }

  /** Business numbers of the half-open period; without bounds those of the live 24-hour window. @throws as above */
  async getBusinessMetrics(start?: Date, end?: Date): Promise<BusinessMetrics> {
    if (!start && !end) return this.#current().windows['24h'].business;
    const [from, to] = this.#period(start, end);
    return this.#pool.snapshot((query) =>
      businessOfTable(query, this.#source.table, from, to, this.#savings),
    );
  }

  /**
   * Past events out of the table by id, newest first; the search is bounded.
   * @throws AbsentColumnError for a filter on a column that the table does not have, or the database's error
   */
  getEvents(request: EventRequest): Promise<EventPage> {
    const { qualified, columns, createdAtIndexed } = this.#source.table;
    const shape = { qualified, columns, createdAtIndexed };
    const table = { ...shape, selectList: selectList(columns, 't'), decode: decodeRow };
    return this.#pool.snapshot((query) => eventsOfTable(query, table, request, SEARCH));
  }

  /** Each full hour (UTC) that the period touches, hours without rows included. @throws as above */
  async getHourlyBreakdown(start: Date, end: Date): Promise<readonly HourNumbers[]> {
    const hours = await this.#pool.snapshot((query) => hoursOfTable(query, this.#source.table, start, end));
    return hours.map((metrics) => ({
      hour: metrics.period_start,
      ...hourNumbers(metrics),
      by_type: Object.fromEntries(
        Object.entries(metrics.by_type).map(([type, of]) => [type, hourNumbers(of)]),
      ),
    }));
  }

  /** The last five minutes, as of the newest snapshot. @throws NotReadyError before the first */
  getRealTimeMetrics(): RealTimeMetrics {
    const snapshot = this.#current();
    const window = snapshot.windows['5m'];
    return {
      operations_last_5min: window.total_operations,
      errors_last_5min: window.error_count,
      current_error_rate: window.error_rate,
      pending_operations: snapshot.queue.pending_operations,
      throughput_per_minute: window.throughput_per_minute,
      duration_p95_ms: window.duration_p95_ms,
      duration_p99_ms: window.duration_p99_ms,
      timestamp: snapshot.at,
      lag_ms: snapshot.lag_ms,
      completeness: snapshot.completeness,
    };
  }

  /** Database and listener as the monitor sees them; never waits for either. */
  getSystemHealth(): SystemHealth {
    const state = this.#source.state();
    const completeness = this.#source.completeness();
    const database: ComponentHealth = {
      component: 'database',
      available: state.connected,
      status: state.connected ? 'healthy' : 'unhealthy',
      message: state.connected ? 'answers' : 'does not answer',
      response_time_ms: null,
    };
    const dead = state.bell.mode === 'dead';
    const listener: ComponentHealth = {
      component: 'listener',
      available: state.bell.mode !== 'off' && !dead,
      status: state.bell.mode === 'off' ? 'not_configured' : dead ? 'degraded' : 'healthy',
      message: dead ? `the bell is dead: ${state.bell.reason}; rows are found by polling` : state.bell.reason,
      response_time_ms: null,
    };
    const status = !state.connected
      ? 'unhealthy'
      : dead || completeness.state !== 'complete'
        ? 'degraded'
        : 'healthy';
    return {
      is_healthy: status === 'healthy',
      status,
      components: { database, listener },
      critical_issues: state.connected
        ? []
        : [{ component: 'database', message: database.message, details: {} }],
      timestamp: new Date(this.#source.clock.now()).toISOString(),
    };
  }

  /** Ends following, within a few seconds whatever the database does. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#source.stop();
    this.#subscription.unsubscribe();
    this.#pool.close();
  }

  #tick(): void {
    if (!this.#source.clock.known) return;
    this.#ticks.next({
      now: this.#source.clock.now(),
      completeness: this.#source.completeness(),
      lagMs: this.#source.lagMs(),
    });
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

  #period(start: Date | undefined, end: Date | undefined): [Date, Date] {
    const to = end ?? new Date(this.#source.clock.now());
    return [start ?? new Date(to.getTime() - DAY_MS), to];
  }
}

function hourNumbers(of: OperationNumbers) {
  return {
    total_operations: of.total_operations,
    successful_operations: of.success_count,
    failed_operations: of.error_count,
    success_rate: of.success_rate,
    avg_duration_ms: of.duration_avg_ms,
    p95_duration_ms: of.duration_p95_ms,
    p99_duration_ms: of.duration_p99_ms,
  };
}
