/**
 * What rules and notices need of single rows, and windows do not keep: batches that failed, customers whom errors touch,
 * the newest row, and the evidence. Fed with every batch that the fold is fed with; everything is bounded.
 */
import type { Evidence, FailedBatch, IncidentsView } from './alert.js';
import { type Batch, type BigId, isError, type SyncRow } from './event.js';
import { FutureRows } from './future.js';
import { describeError, ErrorTexts, shownId } from './incidents-text.js';
import { type IncidentError, IncidentsWindow } from './incidents-window.js';
import { maskText } from './mask.js';

export interface IncidentsOptions {
  /** A batch that reports so many errors of itself has failed (ALERT_BATCH_ERRORS); default 1. */
  readonly batchErrors?: number;
  /** Customers that are kept apart in each window (one in two steps of time counts twice); default 100,000. */
  readonly customers?: number;
  /** Different messages in each window; default 500. */
  readonly groups?: number;
  /** Errors from the future that may wait for their windows; default 1,000. */
  readonly futureRows?: number;
}

/** What found no room; all zero is the normal case. */
export interface IncidentsStats {
  /** Errors in the windows whose customer was not kept. */
  readonly customersLost: number;
  /** Errors of the future beyond the bound. */
  readonly futureDropped: number;
  /** Failed batches of 5 minutes beyond the bound. */
  readonly batchesDropped: number;
}

interface Failed extends FailedBatch {
  /** When it was seen to have failed, ms. */
  readonly at: number;
  readonly createdAt: number;
}

const SECOND = 1000;
const FIVE_MINUTES = 300 * SECOND;
const BATCHES_KEPT = 1000;
const TOP_ERRORS = 5;
const BATCHES_SHOWN = 3;
const BATCH_OPERATION = 'batch_operation';

export class Incidents {
  private readonly batchErrors: number;
  private readonly windows: Readonly<Record<Evidence['window'], IncidentsWindow>>;
  private readonly future: FutureRows;
  private readonly texts = new ErrorTexts();
  /** By id: a row that changes is one batch still. */
  private readonly failed = new Map<BigId, Failed>();
  private batchesDropped = 0;
  private newestRowAt: number | null = null;
  private watchedSince: number | null = null;
  private now = Number.NEGATIVE_INFINITY;
  private end = Number.NEGATIVE_INFINITY;

  constructor(options: IncidentsOptions = {}) {
    const { batchErrors = 1, customers = 100_000, groups = 500, futureRows = 1000 } = options;
    this.batchErrors = batchErrors;
    this.windows = {
      '5m': new IncidentsWindow({ stepMs: SECOND, steps: 300, customers, groups }),
      '1h': new IncidentsWindow({ stepMs: 10 * SECOND, steps: 360, customers, groups }),
    };
    this.future = new FutureRows(futureRows);
  }

  /** Takes a batch in; time goes on to `batch.now` first, as in the fold. */
  apply(batch: Batch): void {
    if (batch.reset === true) this.clear();
    this.advance(batch.now);
    if (batch.span !== undefined) this.forget(batch.span.from, batch.span.to, batch.rows);
    for (const { start } of batch.minutes ?? []) this.see(Math.min(start, this.now));
    const live = batch.origin === 'live';
    for (const row of batch.rows) this.add(row, live);
    for (const { row } of batch.updates) this.add(row, live);
  }

  /** Slides on; a time before an earlier one moves nothing. Database ms. */
  advance(now: number): void {
    if (!(now > this.now)) return;
    this.watchedSince ??= now;
    this.now = now;
    const end = Math.floor(now / SECOND) * SECOND + SECOND;
    if (end <= this.end) return;
    this.end = end;
    for (const window of Object.values(this.windows)) window.advance(end);
    for (const row of this.future.due(end)) this.addError(row);
    for (const [id, { at }] of this.failed) if (at < end - FIVE_MINUTES) this.failed.delete(id);
  }

  view(): IncidentsView {
    const fiveMinutes = this.windows['5m'];
    return {
      failedBatches5m: this.failed.size,
      customersAffected5m: fiveMinutes.customers,
      customersAffectedAtLeast: fiveMinutes.customersLost > 0,
      newestRowAt: this.newestRowAt,
      watchedSince: this.watchedSince,
    };
  }

  /** For a notice of now; costs as much as there are different errors. */
  evidence(window: Evidence['window']): Evidence {
    const of = this.windows[window];
    const failed = [...this.failed.values()].reverse().sort((a, b) => b.at - a.at);
    return {
      window,
      errors: of.errors,
      top_errors: of.topErrors(TOP_ERRORS),
      other_errors: of.otherErrors,
      affected_customers: of.customers,
      affected_customers_at_least: of.customersLost > 0,
      correlation_ids: of.correlationIds(),
      failed_batches: failed
        .slice(0, BATCHES_SHOWN)
        .map(({ operation_name, total, error_count }) => ({ operation_name, total, error_count })),
    };
  }

  stats(): IncidentsStats {
    const { '5m': short, '1h': long } = this.windows;
    return {
      customersLost: Math.max(short.customersLost, long.customersLost),
      futureDropped: this.future.dropped,
      batchesDropped: this.batchesDropped,
    };
  }

  private add(row: SyncRow, live: boolean): void {
    // Postgres' infinities are no time at which something was there before.
    const at = live ? this.now : Number.isFinite(row.createdAt) ? Math.min(row.createdAt, this.now) : null;
    if (isError(row.status)) this.addError(row);
    if (at === null) return;
    this.see(at);
    if (this.hasFailed(row)) this.addBatch(row, at);
  }

  /** A row was written, or arrived, at this time. */
  private see(at: number): void {
    if (this.newestRowAt === null || at > this.newestRowAt) this.newestRowAt = at;
  }

  private addError(row: SyncRow): void {
    if (row.createdAt >= this.end) {
      if (Number.isFinite(row.createdAt)) this.future.add(row);
      return;
    }
    // Looked at first: the texts of a backfilled year would be read for nothing.
    if (!this.windows['1h'].holds(row.createdAt)) return;
    const error: IncidentError = {
      createdAt: row.createdAt,
      customerId: row.customerId,
      correlationId: shownId(row.correlationId),
      group: this.texts.groupOf(row, this.windows['5m'].full && this.windows['1h'].full),
      describe: () => describeError(row),
    };
    for (const window of Object.values(this.windows)) window.add(error);
  }

  /**
   * A batch counts when it is seen to have failed, not when it began: it can run for hours. One that was there before we
   * watched counts from when it was written, or every start would tell of old ones again.
   */
  private addBatch(row: SyncRow, at: number): void {
    if (this.failed.has(row.id) || !(at >= this.end - FIVE_MINUTES)) return;
    if (this.failed.size >= BATCHES_KEPT) {
      this.batchesDropped += 1;
      return;
    }
    const name = row.batch?.operation_name ?? null;
    this.failed.set(row.id, {
      at,
      createdAt: row.createdAt,
      operation_name: name === null ? null : maskText(name),
      total: row.batch?.total ?? null,
      error_count: row.batch?.error ?? null,
    });
  }

  private hasFailed({ operationType, status, batch }: SyncRow): boolean {
    if (operationType !== BATCH_OPERATION) return false;
    return isError(status) || (batch?.error ?? 0) >= this.batchErrors;
  }

  /** What is known of a span is void; the rows that come in its place are all there is in it. */
  private forget(from: number, to: number, instead: readonly SyncRow[]): void {
    for (const window of Object.values(this.windows)) window.forget(from, to);
    this.future.forget(from, to, instead);
    const kept = new Set(instead.filter((row) => this.hasFailed(row)).map(({ id }) => id));
    for (const [id, { createdAt }] of this.failed) {
      if (createdAt >= from && createdAt < to && !kept.has(id)) this.failed.delete(id);
    }
  }

  private clear(): void {
    for (const window of Object.values(this.windows)) window.forget(-Infinity, Infinity);
    this.future.forget(-Infinity, Infinity, []);
    this.failed.clear();
    this.newestRowAt = null;
    this.now = Number.NEGATIVE_INFINITY;
    this.end = Number.NEGATIVE_INFINITY;
  }
}
