/**
 * Compares history with the table in the background, for ever: newest minutes often, old ones rarely, never more than a
 * twentieth of the time. What differs is made anew from the table, and then the windows that it is in.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditState } from '../../streams/audit-state.js';
import type { RefoldSpan } from '../../streams/checkpoint.js';
import type { Span } from '../../streams/event.js';
import { RunLog } from '../../streams/run-log.js';
import type { ScheduleState } from '../../streams/schedules.js';
import type { Vocabulary } from '../../streams/vocabulary.js';
import { type Comparison, compareStep } from './audit-compare.js';
import { type AuditTable, auditedFrom, ceilTo, type Known, periodMs, readKnown } from './audit-known.js';
import { tellFailure, tellFinds, tellOldEnd, tellRecovery } from './audit-log.js';
import { judgeOldEnd, type OldEnd, rowsDeleted, WHOLE, writeOldEnd } from './audit-old-end.js';
import { refold } from './audit-refold.js';
import {
  decide,
  dueIn,
  failed,
  hurried,
  newSchedule,
  type Pace,
  roundOf,
  scheduleOf,
  stepped,
  type Turn,
} from './audit-schedule.js';
import { AuditTally } from './audit-tally.js';
import { firstVanished, judge, rowsIn, Suspects } from './audit-verdict.js';
import { WindowChanges } from './audit-windows.js';
import { DAY_MS, MINUTE_MS, QUARTER_MS } from './cover.js';
import type { Db, HistoryLog } from './db.js';
import type { KeptSince } from './rollup-rows.js';
import type { Query } from './table-query.js';

/** What the audit needs of the store (store.ts). */
export interface AuditStore {
  readonly checkpointId: number;
  readonly words: Vocabulary;
  /** Undefined where the store is in order. */
  readonly fault: string | undefined;
  exclusive<T>(
    work: (tx: Db, kept: KeptSince) => Promise<T>,
    options?: { readonly snapshot?: boolean },
  ): Promise<T>;
}

export interface AuditPace extends Pace {
  /** Until old periods whose rows vanished are looked at again, ms. */
  readonly confirm: number;
  /** Rows of a step. */
  readonly rows: number;
}

export const AUDIT_PACE: AuditPace = {
  every: { newest: 10_000, hour: MINUTE_MS, day: 5 * MINUTE_MS, old: DAY_MS },
  rest: 19,
  restAfterFailure: 5_000,
  confirm: 10 * MINUTE_MS,
  rows: 20_000,
};

export interface AuditOptions {
  readonly store: AuditStore;
  /** Runs work in one read-only snapshot, on a connection that nothing urgent waits for. */
  readonly snapshot: <T>(work: (query: Query) => Promise<T>) => Promise<T>;
  /** The table as it was last looked up. */
  readonly table: () => AuditTable;
  /** Reads spans of the live windows again. */
  readonly refold: (spans: readonly RefoldSpan[]) => Promise<void>;
  readonly log: HistoryLog;
  readonly pace?: Partial<AuditPace>;
  /** Monotonic ms. */
  readonly now?: () => number;
}

/** While there is nothing to audit yet, ms. */
const IDLE_MS = 1_000;
const LEAST_ROWS = 500;
const STATEMENT_TIMEOUT = '57014';

interface Seen {
  readonly known: Known;
  readonly span: Span;
  readonly comparison: Comparison;
  readonly oldEnd: OldEnd;
  /** Rows ever deleted from the table; 0 where that does not matter. */
  readonly deleted: number;
}

export class Audit {
  readonly #options: AuditOptions;
  readonly #pace: AuditPace;
  readonly #now: () => number;
  readonly #tally = new AuditTally();
  readonly #runs = new RunLog();
  readonly #suspects = new Suspects();
  readonly #windows = new WindowChanges();
  readonly #stop = new AbortController();
  #schedule;
  #checkpointId = 0;
  #rows: number;
  #looking: Span | undefined;
  #running: Promise<void> | undefined;

  constructor(options: AuditOptions) {
    this.#options = options;
    this.#pace = { ...AUDIT_PACE, ...options.pace };
    this.#now = options.now ?? (() => performance.now());
    this.#rows = this.#pace.rows;
    this.#schedule = newSchedule(this.#now());
  }

  get state(): AuditState {
    this.#tally.awaiting = this.#suspects.size;
    return this.#tally.state();
  }

  /** Of its steps; a new round of the newest minutes begins every so often. */
  schedule(): ScheduleState {
    const next = this.#stop.signal.aborted ? null : Date.now() + dueIn(this.#schedule, this.#now());
    return scheduleOf(this.#pace, next, this.#runs);
  }

  /** A second call does nothing. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends after the step under way; for good. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /**
   * Does what is due now: one step, or nothing. Never throws: what fails is counted, told, and tried again.
   * @returns ms until something is due
   */
  async step(): Promise<number> {
    const { store } = this.#options;
    if (store.checkpointId === 0 || store.fault !== undefined) return IDLE_MS;
    this.#follow(store.checkpointId);
    const began = this.#now();
    const decision = decide(this.#schedule, began);
    if (decision.kind === 'wait') return decision.ms;
    const { turn, place } = decision;
    this.#looking = undefined;
    this.#runs.begin(Date.now());
    try {
      const next = await this.#audit(turn, place);
      this.#ended(turn, began, next);
    } catch (error) {
      this.#failed(turn, began, error);
    }
    return Math.max(0, this.#schedule.restUntil - this.#now());
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const ms = await this.step();
      await sleep(ms, undefined, { signal }).catch(() => undefined);
    }
  }

  /** History began anew: nothing of the old one matters. */
  #follow(checkpointId: number): void {
    if (checkpointId === this.#checkpointId) return;
    this.#checkpointId = checkpointId;
    this.#suspects.clear();
    this.#windows.clear();
    this.#schedule = newSchedule(this.#now());
  }

  async #audit(
    turn: Turn,
    place: { readonly at: number; readonly end: number } | null,
  ): Promise<{ readonly at: number; readonly end: number } | null> {
    const seen = await this.#look(turn, place);
    const { span, comparison } = seen;
    this.#tally.compared(turn, comparison, place === null);
    const known = await this.#heed(seen);
    const began = this.#now();
    const { deleted } = seen;
    const verdict = judge(comparison, known, (start, rows) =>
      this.#suspects.sure(start, rows, deleted, began),
    );
    const lost = comparison.differences.length - verdict.differences.length;
    if (lost > 0) this.#tally.settled(turn, rowsIn(comparison) - rowsIn(verdict));
    const again = {
      now: began,
      deleted,
      dueAt: began + this.#pace.confirm,
      length: periodMs(comparison.level),
    };
    this.#suspects.looked({ from: span.from, to: comparison.to }, verdict.suspects, again);
    if (verdict.refold.size > 0) {
      await this.#refold(comparison, verdict.refold);
      this.#tally.settled(turn, rowsIn(verdict));
      // Not before: what could not be made anew is found once more.
      this.#tally.found(verdict.differences, comparison, known.now, known.truncatedBefore);
      tellFinds(this.#options.log, verdict.differences);
    }
    await this.#refoldWindows(known);
    const finished = comparison.to >= span.to;
    if (this.#tally.failing) tellRecovery(this.#options.log);
    this.#tally.stepped(turn, finished, known.now, known.rawFrom);
    return finished ? null : { at: comparison.to, end: span.to };
  }

  /** All of one moment. */
  #look(turn: Turn, place: { readonly at: number; readonly end: number } | null): Promise<Seen> {
    const table = this.#options.table();
    return this.#options.snapshot(async (query) => {
      const known = await readKnown(query, this.#checkpointId, table);
      if (!known) throw new Error('what was kept of history is gone');
      const { now } = known;
      const fresh = turn === 'again' ? this.#suspects.first() : roundOf(turn, now, auditedFrom(known));
      const span = place ? { from: place.at, to: place.end } : (fresh ?? { from: now, to: now });
      this.#looking = span;
      const comparison = await compareStep(query, table, known, span, { rows: this.#rows });
      const vanished = firstVanished(comparison, known);
      const ask = vanished !== undefined || (turn === 'day' && place === null);
      const oldEnd = ask ? await judgeOldEnd(query, table, known, vanished) : WHOLE;
      const deleted = vanished === undefined ? 0 : await rowsDeleted(query, table);
      return { known, span, comparison, oldEnd, deleted };
    });
  }

  /** Notes where the table begins now. @returns the checkpoint as it is then */
  async #heed({ known, oldEnd }: Seen): Promise<Known> {
    if (oldEnd.kind === 'whole') return known;
    const { store, log } = this.#options;
    await store.exclusive((tx) => writeOldEnd(tx, known.id, oldEnd));
    tellOldEnd(log, oldEnd);
    if (oldEnd.kind === 'retention') {
      this.#tally.retentionMoved();
      return { ...known, rawFrom: Math.max(known.rawFrom ?? oldEnd.rawFrom, oldEnd.rawFrom) };
    }
    this.#schedule = hurried(this.#schedule, 'old', this.#now());
    return { ...known, truncatedBefore: oldEnd.before };
  }

  async #refold(comparison: Comparison, periods: ReadonlyMap<number, number>): Promise<void> {
    const { store } = this.#options;
    const table = this.#options.table();
    const { level, from, to } = comparison;
    const { starts } = await store.exclusive(
      async (tx, kept) => {
        const refolded = await refold(tx, kept, { table, words: store.words }, { level, from, to, periods });
        // Before it is committed: should nobody hear of that, reading a window again for nothing does no harm.
        this.#windows.add(refolded.windows);
        return refolded;
      },
      { snapshot: true },
    );
    this.#tally.refolded += starts.length;
  }

  async #refoldWindows({ now }: Known): Promise<void> {
    const spans = this.#windows.spans(now);
    if (spans.length === 0) return;
    await this.#options.refold(spans);
    this.#windows.clear();
  }

  #ended(turn: Turn, began: number, next: { readonly at: number; readonly end: number } | null): void {
    if (this.#rows < this.#pace.rows) this.#rows = Math.min(this.#pace.rows, this.#rows * 2);
    const now = this.#now();
    this.#tally.took(now - began);
    this.#runs.end({ outcome: 'succeeded' }, now - began);
    this.#schedule = stepped(this.#schedule, turn, { now, tookMs: now - began, next }, this.#pace);
    this.#schedule = hurried(this.#schedule, 'again', this.#suspects.dueAt);
  }

  #failed(turn: Turn, began: number, error: unknown): void {
    const now = this.#now();
    const done = { now, tookMs: now - began };
    this.#tally.took(done.tookMs);
    const message = error instanceof Error ? error.message : String(error);
    this.#runs.end({ outcome: 'failed', message }, done.tookMs);
    if (this.#tally.failed(message)) tellFailure(this.#options.log, turn, error);
    const place = this.#looking;
    if ((error as { code?: unknown }).code === STATEMENT_TIMEOUT && place) {
      // Less at a time; and what is too much even so is left out.
      if (this.#rows > LEAST_ROWS) this.#rows = Math.max(LEAST_ROWS, this.#rows / 4);
      else {
        this.#tally.skipped();
        const at = ceilTo(place.from + 1, QUARTER_MS);
        const next = at < place.to ? { at, end: place.to } : null;
        this.#schedule = stepped(this.#schedule, turn, { ...done, next }, this.#pace);
      }
    }
    this.#schedule = failed(this.#schedule, done, this.#pace);
  }
}
