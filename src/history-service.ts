/** All that history does beside answering: it takes what is read, writes it, folds it coarser, compares and drops it. */
import type { AuditState } from '../streams/audit-state.js';
import type { Batch } from '../streams/event.js';
import type { HistoryState } from '../streams/history-state.js';
import type { Ran } from '../streams/run-log.js';
import type { ScheduleState } from '../streams/schedules.js';
import { Audit, type AuditPace } from './history/audit.js';
import { foldCoarse } from './history/coarse.js';
import { type Db, HISTORY_QUERY_TIMEOUT_MS, HISTORY_SESSION } from './history/db.js';
import type { HistoryInMemory } from './history/moment.js';
import { dropOld } from './history/retention.js';
import { HistoryStore } from './history/store.js';
import { historyUsable } from './history/usable.js';
import { HistoryFlusher } from './history-flusher.js';
import { Job } from './job.js';
import type { MonitorConfig } from './monitor-types.js';
import { Link } from './source/connection.js';
import type { SourceLog } from './source/journal.js';
import { ReadPool } from './source/pool.js';
import { readable } from './source/readable.js';
import { QUERY_SESSION, type Source } from './source/source.js';
import { within } from './within.js';

export interface HistoryServiceOptions {
  readonly url: string;
  readonly tableName: string;
  readonly retentionDays: number;
  /** Between flushes, ms. */
  readonly flushMs: number;
  /** Null: the audit does not run. */
  readonly auditPace: Partial<AuditPace> | null;
  readonly log: SourceLog;
}

/**
 * History as it can be had: none where it is turned off, or where this role may not write it.
 * @returns the service, or why there is none, one sentence
 */
export async function historyFor(
  config: MonitorConfig,
  tableName: string,
  { db, log }: { readonly db: Db; readonly log: SourceLog },
): Promise<HistoryService | string> {
  if (config.history === 'off') return 'HISTORY=off.';
  const reason = await historyUsable(db);
  if (reason !== undefined) {
    log.warn({ event_type: 'history_off', reason }, `no history is kept: ${reason}`);
    return reason;
  }
  return new HistoryService({
    url: config.databaseUrl,
    tableName,
    retentionDays: config.retentionDays ?? 400,
    flushMs: (config.flushSeconds ?? 3) * 1_000,
    auditPace: config.auditPace === undefined ? {} : config.auditPace,
    log,
  });
}

/** When what has outlived its retention is dropped: at three in the morning, this host's time. */
const RETENTION_AT = '0 3 * * *';
/** Between looks whether a quarter hour, day or month has ended. ms. */
const COARSE_MS = 20_000;
/** Until what failed is tried again: longer each time. */
const RETENTION_RETRY = { firstMs: 60_000, longestMs: 3_600_000 };
const COARSE_RETRY = { firstMs: 5_000, longestMs: COARSE_MS };
const NOT_LEADING: Ran = { outcome: 'skipped', message: 'this process does not write history now' };
/** Once the source has stopped, for the last flush. SIGTERM leaves 5 s in all. ms. */
const FINISH_MS = 2_500;

export class HistoryService {
  readonly flusher: HistoryFlusher;
  readonly #store: HistoryStore;
  readonly #link: Link;
  readonly #pool: ReadPool;
  readonly #log: SourceLog;
  readonly #auditPace: Partial<AuditPace> | null;
  readonly #retention: Job;
  readonly #coarse: Job;
  readonly #retentionDays: number;
  #source: Source | undefined;
  #audit: Audit | undefined;
  #coarseFailing = false;

  constructor(options: HistoryServiceOptions) {
    const { url, tableName, retentionDays, log } = options;
    this.#log = log;
    this.#retentionDays = retentionDays;
    this.#auditPace = options.auditPace;
    this.#link = new Link('history', {
      url,
      session: HISTORY_SESSION,
      queryTimeoutMs: HISTORY_QUERY_TIMEOUT_MS,
    });
    this.#pool = new ReadPool({ url, session: QUERY_SESSION, size: 1 });
    this.#store = new HistoryStore({ link: this.#link, tableName, clock: this.#clock, retentionDays, log });
    this.flusher = new HistoryFlusher({
      store: this.#store,
      everyMs: options.flushMs,
      onLost: (reason) => this.#source?.reload(`history has to be loaded again: ${reason}`),
      onFlushed: () => undefined,
      log,
    });
    this.#retention = new Job({
      ...{ name: 'retention', when: RETENTION_AT, retry: RETENTION_RETRY },
      run: (stop) => this.#drop(stop),
    });
    this.#coarse = new Job({
      ...{ name: 'coarse', when: COARSE_MS, retry: COARSE_RETRY, atOnce: false },
      run: (stop) => this.#foldCoarse(stop),
    });
  }

  readonly #clock = () => this.#source?.clock.now() ?? Date.now();

  /** Synchronously, for every batch of the source. */
  apply(batch: Batch): void {
    this.#store.apply(batch);
  }

  /** Follows this source from its start on. */
  start(source: Source): void {
    this.#source = source;
    this.#retention.start();
    this.#coarse.start();
    if (this.#auditPace === null) return;
    this.#audit = new Audit({
      store: this.#store,
      snapshot: (work) => this.#pool.snapshot(work),
      table: () => readable(source.table),
      refold: async (spans) => source.refold(spans),
      log: this.#log,
      pace: this.#auditPace,
    });
    this.#audit.start();
  }

  /** What is in memory, for an answer; undefined while history cannot be used for one. */
  memory(): HistoryInMemory | undefined {
    const store = this.#store;
    const source = this.#source;
    if (!source || store.fault !== undefined) return undefined;
    const { backfill, pendingUntracked } = source.state();
    // What is in memory is behind the table then. (What a backfill has not read is told from the checkpoint.)
    const behind = source.completeness().state !== 'complete' && backfill === null;
    if (behind || pendingUntracked > 0) return undefined;
    return {
      get checkpointId() {
        return store.checkpointId;
      },
      get fault() {
        return store.fault;
      },
      get words() {
        return store.words;
      },
      generations: () => store.generations(),
      pending: () => source.pendingRows(),
    };
  }

  state(): HistoryState {
    const backfill = this.#source?.state().backfill ?? null;
    const fault = this.#store.fault;
    const reason =
      fault ?? (backfill ? 'rows from before the first start are being read' : 'all rows are in it');
    return {
      state: backfill || fault !== undefined ? 'backfilling' : 'ready',
      reason,
      backfill: backfill && {
        percent: backfill.percent,
        rows_per_second: backfill.rowsPerSecond,
        seconds_left: backfill.secondsLeft,
      },
      ...this.flusher.state(),
    };
  }

  audit(): AuditState | undefined {
    return this.#audit?.state;
  }

  schedules(): readonly ScheduleState[] {
    const audit = this.#audit?.schedule();
    return [
      this.flusher.schedule(),
      ...(audit ? [audit] : []),
      this.#coarse.state(),
      this.#retention.state(),
    ];
  }

  /** What is not the source's; before the source stops, since it reads windows again for the audit. */
  async quiesce(): Promise<void> {
    const work = [this.#audit?.stop(), this.#coarse.stop(), this.#retention.stop()];
    await within(FINISH_MS, Promise.all(work));
    this.#pool.close();
  }

  /** Writes what waits; after the source has stopped. */
  async stop(): Promise<void> {
    await within(FINISH_MS, this.flusher.finish());
    this.#link.close();
  }

  get #usable(): boolean {
    return this.#source?.state().role === 'leader' && this.#store.fault === undefined;
  }

  async #foldCoarse(signal: AbortSignal): Promise<Ran> {
    if (!this.#usable) return NOT_LEADING;
    try {
      await foldCoarse(this.#store, { now: this.#clock, signal });
      this.#coarseFailing = false;
      return { outcome: 'succeeded' };
    } catch (error) {
      // Said once: the finer rows answer meanwhile.
      if (!this.#coarseFailing)
        this.#log.warn({ event_type: 'coarse', error }, 'quarter hours, days or months could not be folded');
      this.#coarseFailing = true;
      throw error;
    }
  }

  async #drop(signal: AbortSignal): Promise<Ran> {
    if (!this.#usable) return NOT_LEADING;
    try {
      const dropped = await dropOld(this.#store, {
        now: this.#clock,
        retentionDays: this.#retentionDays,
        signal,
      });
      this.#log.info({ event_type: 'retention', ...dropped }, 'history older than its retention was dropped');
      return { outcome: 'succeeded' };
    } catch (error) {
      this.#log.warn(
        { event_type: 'retention', error },
        'old history could not be dropped; tried again soon',
      );
      throw error;
    }
  }
}
