/**
 * The counters behind `*_total` of /metrics: monotonic from the start of the process, over live rows only, each counted
 * once, when it is first seen in a status other than pending. They outlive a reset of the fold, because a counter that
 * goes back looks to Prometheus like a restart.
 */
import { type Batch, OPERATION_TYPES, PENDING, STATUSES, type SyncRow } from './event.js';
import { MAX_DURATION_MS } from './histogram.js';
import { CONFLICT_TYPE, EXPORT_TYPE, IDENTIFICATION_TYPE, IMPORT_TYPE, SUCCESS_STATUS } from './kinds.js';
import { Names, recordOf } from './names.js';
import { CONFLICT_SOURCES, IDENTIFICATION_METHODS, UNKNOWN } from './numbers.js';
import { SecondsHistogram, type SecondsHistogramView } from './seconds.js';

/** Upper bounds of the duration histogram, seconds. */
export const DURATION_BOUNDS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
] as const;
/** Upper bounds of the lag histogram, seconds. */
export const LAG_BOUNDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

export interface OperationsTotal {
  readonly operation_type: string;
  readonly status: string;
  readonly count: number;
}

/** Everything counted so far; known types, statuses, sources and methods are present with 0. */
export interface TotalsView {
  readonly operations: readonly OperationsTotal[];
  readonly conflicts: number;
  readonly conflicts_resolved: Readonly<Record<string, number>>;
  readonly identifications: Readonly<Record<string, number>>;
  readonly registrations: number;
  readonly imports: number;
  readonly admin_mails: number;
  readonly automation_saved_seconds: number;
  /** By operation type. */
  readonly durations: Readonly<Record<string, SecondsHistogramView>>;
  /** From created_at (the writer's clock) to the moment of reading (the database's), every live row. */
  readonly lag: SecondsHistogramView;
  /** Rows whose type / status was counted as `other`. */
  readonly other_types: number;
  readonly other_statuses: number;
}

export interface TotalsOptions {
  /** Minutes that a human would take to resolve one conflict; default 10. */
  readonly manualResolutionMinutes?: number;
}

export class Totals {
  private readonly manualSeconds: number;
  private readonly types = new Names(OPERATION_TYPES);
  private readonly statuses = new Names(STATUSES);
  private readonly sources = new Names(CONFLICT_SOURCES);
  private readonly methods = new Names(IDENTIFICATION_METHODS);
  private readonly operations = new Float64Array(this.types.capacity * this.statuses.capacity);
  private readonly resolved = new Float64Array(this.sources.capacity);
  private readonly identified = new Float64Array(this.methods.capacity);
  private readonly durations: SecondsHistogram[] = OPERATION_TYPES.map(
    () => new SecondsHistogram(DURATION_BOUNDS),
  );
  private readonly lag = new SecondsHistogram(LAG_BOUNDS);
  private adminMails = 0;

  constructor(options: TotalsOptions = {}) {
    this.manualSeconds = (options.manualResolutionMinutes ?? 10) * 60;
  }

  apply(batch: Batch): void {
    if (batch.origin !== 'live') return;
    for (const row of batch.rows) {
      if (Number.isFinite(row.createdAt)) this.lag.record(Math.max(0, batch.now - row.createdAt), null, 0);
      if (row.status !== PENDING) this.count(row);
    }
    for (const { row, previous } of batch.updates) {
      if (previous.status === PENDING && row.status !== PENDING) this.count(row);
    }
  }

  view(): TotalsView {
    const successes = (type: number): number => this.of(type, SUCCESS_STATUS);
    const operations: OperationsTotal[] = [];
    let conflicts = 0;
    for (let type = 0; type < this.types.size; type++) {
      for (let status = 0; status < this.statuses.size; status++) {
        const count = this.of(type, status);
        if (type === CONFLICT_TYPE) conflicts += count;
        const known = type < OPERATION_TYPES.length && status < STATUSES.length;
        const name = this.statuses.name(status);
        if (count > 0 || (known && name !== PENDING)) {
          operations.push({ operation_type: this.types.name(type), status: name, count });
        }
      }
    }
    return {
      operations,
      conflicts,
      conflicts_resolved: named(this.resolved, this.sources, CONFLICT_SOURCES.length),
      identifications: named(this.identified, this.methods, IDENTIFICATION_METHODS.length),
      registrations: successes(EXPORT_TYPE),
      imports: successes(IMPORT_TYPE),
      admin_mails: this.adminMails,
      automation_saved_seconds: successes(CONFLICT_TYPE) * this.manualSeconds,
      durations: recordOf(this.durations.map((histogram, type) => [this.types.name(type), histogram.view()])),
      lag: this.lag.view(),
      other_types: this.types.overflowed,
      other_statuses: this.statuses.overflowed,
    };
  }

  private count(row: SyncRow): void {
    const type = this.types.index(row.operationType);
    const status = this.statuses.index(row.status);
    bump(this.operations, type * this.statuses.capacity + status);
    if (row.emailSent) this.adminMails += 1;
    if (status === SUCCESS_STATUS) {
      if (type === CONFLICT_TYPE) bump(this.resolved, this.sources.index(row.conflictSource ?? UNKNOWN));
      else if (type === IDENTIFICATION_TYPE) {
        bump(this.identified, this.methods.index(row.identificationMethod ?? UNKNOWN));
      }
    }
    const { durationMs } = row;
    if (durationMs !== null && durationMs >= 0 && durationMs <= MAX_DURATION_MS) {
      this.durationsOf(type).record(durationMs, row.correlationId, row.createdAt);
    }
  }

  private durationsOf(type: number): SecondsHistogram {
    while (this.durations.length <= type) this.durations.push(new SecondsHistogram(DURATION_BOUNDS));
    return this.durations[type] as SecondsHistogram;
  }

  private of(type: number, status: number): number {
    return this.operations[type * this.statuses.capacity + status] as number;
  }
}

function bump(counts: Float64Array, at: number): void {
  counts[at] = (counts[at] as number) + 1;
}

/** The known names with their counts, 0 included, then those that have come. */
function named(counts: Float64Array, names: Names, known: number): Record<string, number> {
  const found: [string, number][] = [];
  for (let i = 0; i < names.size; i++) {
    const count = counts[i] as number;
    if (i < known || count > 0) found.push([names.name(i), count]);
  }
  return recordOf(found);
}
