/**
 * The fold: rows and ticks in, snapshots out. Synchronous and without a clock; the database's time comes with the
 * batches and ticks. Everything about what counts when is decided here; how it is counted, in the files it uses.
 */
import type { SeenSnapshot } from './alert.js';
import {
  type Batch,
  type Completeness,
  type MinuteOfType,
  PENDING,
  type Span,
  type SyncRow,
  type Tick,
} from './event.js';
import { Facts } from './facts.js';
import { FutureRows, withoutTexts } from './future.js';
import { isoOf } from './iso.js';
import { PENDING_STATUS } from './kinds.js';
import { LARGEST_STEP_MS, Periods, type WantedWindows } from './periods.js';
import { PendingQueue } from './queue.js';
import { rollupFacts } from './rollup-facts.js';
import { Throughput } from './series.js';
import { ClockSkew } from './skew.js';
import { type Snapshot, WINDOW_NAMES, type WindowName } from './snapshot.js';
import { Vocabulary } from './vocabulary.js';

export interface FoldOptions {
  /** Minutes that a human would take to resolve one conflict; default 10. */
  readonly manualResolutionMinutes?: number;
  /** Money for an hour of that human; absent: no `automation_money_saved`. */
  readonly hourCost?: number | undefined;
  /** Rows from the future that may wait for their windows; default 100,000. */
  readonly futureRows?: number;
  /** Pending rows whose age is tracked; default 200,000. */
  readonly pendingRows?: number;
  /** Distinct customers of 24 h that are counted; default 10 million (at most 48 bytes each). */
  readonly customers?: number;
  /** Windows that are kept, for those who look at these only; default all. */
  readonly windows?: readonly WindowName[];
}

/** What the fold had to leave out, and why; all zero is the normal case. */
export interface FoldStats {
  /** Rows of the future beyond the bound. */
  readonly futureDropped: number;
  /** Successful rows whose customer was beyond the bound. */
  readonly customersDropped: number;
  /** Successful rows whose customer_id is no bigint. */
  readonly customersUnreadable: number;
  /** Pending rows that are counted without their age. */
  readonly pendingUntracked: number;
  /** Durations of pending rows that may outlive them as a minimum or maximum. */
  readonly pendingDurationsFinal: number;
  /** Durations above 2^31-1 ms, left out. */
  readonly durationsTooLong: number;
  /** Pending rows that were to be taken back from a window that did not have them. */
  readonly mismatches: number;
}

const SECOND = 1000;
const STARTING: Completeness = { state: 'catching_up', ratio: null, reasons: ['No tick has come yet.'] };

export class Fold {
  private readonly options: Required<Omit<FoldOptions, 'hourCost'>> & Pick<FoldOptions, 'hourCost'>;
  private readonly facts = new Facts();
  private words = new Vocabulary();
  private periods: Periods;
  private queue: PendingQueue;
  private future: FutureRows;
  private throughput = new Throughput();
  private skew = new ClockSkew();
  private now = Number.NEGATIVE_INFINITY;
  private end = Number.NEGATIVE_INFINITY;
  private completeness = STARTING;
  private lagMs: number | null = null;

  constructor(options: FoldOptions = {}) {
    this.options = {
      manualResolutionMinutes: 10,
      futureRows: 100_000,
      pendingRows: 200_000,
      customers: 10_000_000,
      windows: WINDOW_NAMES,
      ...options,
    };
    this.periods = this.newPeriods();
    this.queue = new PendingQueue(this.options.pendingRows);
    this.future = new FutureRows(this.options.futureRows);
  }

  /**
   * Folds a batch: its minutes, its rows, then updates, then removals; of a `refold` updates and removals come first.
   * Time goes on to `batch.now` before, so that a row of this second is counted at once.
   * @throws RangeError when `previous` or a removal is not a pending row, when a `refold` has no span of whole five
   * minutes, or a row that is not in it; nothing is folded then.
   */
  apply(batch: Batch): void {
    for (const { previous } of batch.updates) requirePending(previous);
    for (const row of batch.removals) requirePending(row);
    const span = batch.origin === 'refold' ? spanOf(batch) : null;
    if (batch.reset === true) this.clear();
    this.moveTo(batch.now);
    if (batch.origin === 'live') this.skew.observe(batch.rows, batch.now);
    for (const minute of batch.minutes ?? []) this.addMinute(minute);
    if (span !== null) {
      this.change(batch);
      this.forget(span, batch.rows);
    }
    for (const row of batch.rows) this.insert(row);
    this.enter();
    if (span === null) this.change(batch);
    else this.witness(batch.witnesses ?? []);
  }

  /** Slides the windows on. A tick whose `now` lies before an earlier one moves nothing. */
  advance(tick: Tick): void {
    this.completeness = tick.completeness;
    this.lagMs = tick.lagMs;
    this.moveTo(tick.now);
  }

  /** @throws Error before the first tick or batch: without a time there are no windows. */
  snapshot(): Snapshot {
    const at = isoOf(this.now);
    if (at === null)
      throw new Error('no snapshot before the first batch or tick: the database time is not known');
    const windows = this.periods.snapshot(this.words, this.options);
    return {
      at,
      windows,
      queue: this.queue.snapshot(this.now, this.words.types),
      business: windows['24h'].business,
      throughput: this.throughput.snapshot(),
      completeness: this.completeness,
      lag_ms: this.lagMs,
      clock_skew_ms: this.skew.ms,
      future_rows: this.future.size,
      other_types: this.words.types.overflowed,
      other_statuses: this.words.statuses.overflowed,
    };
  }

  /** What rules look at of a snapshot, and no more than is wanted: a replay takes a hundred thousand of them. */
  seen(wanted: WantedWindows): SeenSnapshot {
    const { words, periods, queue, now, completeness } = this;
    return { windows: periods.seen(words, wanted), queue: queue.snapshot(now, words.types), completeness };
  }

  stats(): FoldStats {
    return {
      futureDropped: this.future.dropped,
      customersDropped: this.periods.customers.dropped,
      customersUnreadable: this.facts.unreadable,
      pendingUntracked: this.queue.untracked,
      pendingDurationsFinal: this.periods.pendingBudget.refused,
      durationsTooLong: this.facts.tooLong,
      mismatches: this.periods.mismatches,
    };
  }

  private change({ updates, removals }: Batch): void {
    for (const { row, previous } of updates) {
      this.remove(previous);
      this.insert(row);
      this.enter();
    }
    for (const row of removals) this.remove(row);
  }

  private addMinute({ start, operationType, rollup }: MinuteOfType): void {
    if (start >= this.end) {
      // A minute cannot wait as its rows could; whoever reads it leaves out those that have not come.
      for (const rows of rollup.statuses.values()) this.future.dropped += rows;
      return;
    }
    const { words } = this;
    this.periods.addMinute(start, rollupFacts(rollup, words.types.index(operationType), words));
  }

  /** Empties a span, into which these rows are to come. */
  private forget({ from, to }: Span, rows: readonly SyncRow[]): void {
    this.periods.forget(from, to);
    this.throughput.forget(from, to);
    this.queue.forget(from, to);
    this.future.forget(from, to, rows);
  }

  private witness(rows: readonly SyncRow[]): void {
    const { words, facts, periods } = this;
    for (const row of rows) {
      if (!(row.createdAt < this.end)) continue;
      facts.push(row, words.types.find(row.operationType), words.statuses.find(row.status), words);
      periods.witness(facts);
      facts.clear();
    }
  }

  /** Takes a row in; what it counts for is added by the next `enter`. */
  private insert(row: SyncRow): void {
    const { words, facts } = this;
    const type = words.types.index(row.operationType);
    const status = words.statuses.index(row.status);
    if (status === PENDING_STATUS) this.queue.add(row.id, type, row.createdAt);
    if (row.createdAt >= this.end) {
      this.future.add(withoutTexts(row, words.types.name(type), words.statuses.name(status)));
      return;
    }
    if (facts.full) this.enter();
    facts.push(row, type, status, words);
  }

  private enter(): void {
    this.periods.add(this.facts);
    this.throughput.count(this.facts, 1);
    this.facts.clear();
  }

  private remove(row: SyncRow): void {
    const { words, facts } = this;
    const type = words.types.find(row.operationType);
    this.queue.remove(row.id, type);
    if (this.future.remove(row.id) || row.createdAt >= this.end) return;
    facts.push(row, type, PENDING_STATUS, words);
    if (this.periods.remove(facts)) this.throughput.count(facts, -1);
    facts.clear();
  }

  private enterDue(): void {
    const { words, facts } = this;
    for (const row of this.future.due(this.end)) {
      if (facts.full) this.enter();
      facts.push(row, words.types.find(row.operationType), words.statuses.find(row.status), words);
    }
    this.enter();
  }

  private moveTo(now: number): void {
    if (!(now > this.now)) return;
    this.now = now;
    const end = Math.floor(now / SECOND) * SECOND + SECOND;
    if (end <= this.end) return;
    this.end = end;
    this.periods.advance(end);
    this.throughput.advance(end);
    this.enterDue();
  }

  private clear(): void {
    this.words = new Vocabulary();
    this.periods = this.newPeriods();
    this.queue = new PendingQueue(this.options.pendingRows);
    this.future = new FutureRows(this.options.futureRows);
    this.throughput = new Throughput();
    this.skew = new ClockSkew();
    this.now = Number.NEGATIVE_INFINITY;
    this.end = Number.NEGATIVE_INFINITY;
  }

  private newPeriods(): Periods {
    const { pendingRows: pendingDurations, customers, windows } = this.options;
    return new Periods({ pendingDurations, customers, windows });
  }
}

function requirePending(row: SyncRow): void {
  if (row.status === PENDING) return;
  throw new RangeError(
    `row ${row.id} cannot be taken back: its status was ${JSON.stringify(row.status)}, only '${PENDING}' rows change`,
  );
}

/** The span of a refold. */
function spanOf({ span, rows }: Batch): Span {
  const step = LARGEST_STEP_MS;
  if (span === undefined || span.from % step !== 0 || span.to % step !== 0) {
    const given = span === undefined ? 'none' : `${span.from} to ${span.to}`;
    throw new RangeError(`a refold needs a span of multiples of ${step} ms, not ${given}`);
  }
  for (const { id, createdAt } of rows) {
    if (!(createdAt >= span.from && createdAt < span.to))
      throw new RangeError(
        `row ${id} of ${createdAt} is not in the refolded span ${span.from} to ${span.to}`,
      );
  }
  return span;
}
