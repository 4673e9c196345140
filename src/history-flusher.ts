/** When history is written: in the round that has just ended, and what follows when it cannot be. */
import { backoff } from '../streams/backoff.js';
import type { CursorState } from '../streams/checkpoint.js';
import type { HistoryState } from '../streams/history-state.js';
import { RunLog } from '../streams/run-log.js';
import type { ScheduleState } from '../streams/schedules.js';
import { type HistoryLog, HistoryLostError } from './history/db.js';
import type { HistoryStore } from './history/store.js';
import type { Resumed, SourceHistory } from './source/history-port.js';

export interface FlusherOptions {
  readonly store: HistoryStore;
  /** Between flushes, ms. */
  readonly everyMs: number;
  /** What is kept is not what was applied: everything has to be loaded again. */
  readonly onLost: (reason: string) => void;
  /** After each flush that arrived. */
  readonly onFlushed: () => void;
  readonly log: HistoryLog;
}

const PAUSES = { firstMs: 500, longestMs: 30_000 };

export class HistoryFlusher implements SourceHistory {
  readonly #options: FlusherOptions;
  #capture: (() => CursorState) | undefined;
  #running: Promise<void> | undefined;
  #dueAt = 0;
  /** A backfill has ended, and its last rows wait. */
  #ended = false;
  readonly #runs = new RunLog();
  #failingSince: number | null = null;
  #lastAt: number | null = null;
  #lastMs: number | null = null;
  #rows = 0;

  constructor(options: FlusherOptions) {
    this.#options = options;
  }

  async open(identity: string): Promise<Resumed | undefined> {
    const { store } = this.#options;
    this.#capture = undefined;
    const state = await store.open(identity);
    return (
      state && {
        state,
        minutes: (from, to) => store.minutes(from, to),
        firstId: (from) => store.firstId(from),
      }
    );
  }

  begin(identity: string, state: CursorState): Promise<void> {
    this.#capture = undefined;
    return this.#options.store.begin(identity, state);
  }

  get full(): boolean {
    return this.#options.store.full;
  }

  /** Synchronous: what was read is folded, and nothing else happens between the fold and the state that says so. */
  atRest(capture: () => CursorState, ended = false): boolean {
    this.#capture = capture;
    this.#ended ||= ended;
    const { store } = this.#options;
    if (this.#running) return this.#ended;
    const urgent = this.#runs.failedInARow === 0 && (store.full || store.much || this.#ended);
    if (!urgent && performance.now() < this.#dueAt) return false;
    this.#ended = false;
    this.#running = this.#flush(capture).finally(() => {
      this.#running = undefined;
    });
    return false;
  }

  /** Writes what there is, when the source has stopped. */
  async finish(): Promise<void> {
    await this.#running;
    const capture = this.#capture;
    if (!capture) return;
    // What was captured before and failed goes first; then what has come since.
    await this.#flush(capture);
    if (this.#runs.failedInARow === 0) await this.#flush(capture);
  }

  /** Not before the source reads, which says when it is at rest. */
  schedule(): ScheduleState {
    const left = Math.max(0, this.#dueAt - performance.now());
    return {
      ...{ name: 'flush', every_seconds: this.#options.everyMs / 1_000, cron: null },
      next_run_at: this.#capture === undefined ? null : new Date(Date.now() + left).toISOString(),
      ...this.#runs.counts(),
    };
  }

  state(): Pick<
    HistoryState,
    'last_flush_at' | 'last_flush_ms' | 'flushed_rows' | 'flush_failures' | 'failing_since' | 'unflushed_rows'
  > {
    return {
      last_flush_at: this.#lastAt === null ? null : new Date(this.#lastAt).toISOString(),
      last_flush_ms: this.#lastMs,
      flushed_rows: this.#rows,
      flush_failures: this.#runs.counts().failures,
      failing_since: this.#failingSince === null ? null : new Date(this.#failingSince).toISOString(),
      unflushed_rows: this.#options.store.waitingRows,
    };
  }

  async #flush(capture: () => CursorState): Promise<void> {
    const { store, everyMs, onFlushed, onLost, log } = this.#options;
    this.#runs.begin(Date.now());
    const began = performance.now();
    try {
      store.capture(capture());
      const { rows, durationMs } = await store.flush();
      this.#rows += rows;
      this.#lastAt = Date.now();
      this.#lastMs = durationMs;
      this.#dueAt = performance.now() + everyMs;
      if (this.#failingSince !== null)
        log.info({ event_type: 'flush', rows }, 'history is written again; nothing of it was lost');
      this.#runs.end({ outcome: 'succeeded' }, performance.now() - began);
      this.#failingSince = null;
      onFlushed();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#runs.end({ outcome: 'failed', message: reason }, performance.now() - began);
      this.#dueAt = performance.now() + backoff(this.#runs.failedInARow, PAUSES, Math.random());
      if (error instanceof HistoryLostError) {
        this.#capture = undefined;
        onLost(reason);
        return;
      }
      // Said once for an outage; the live windows go on.
      if (this.#failingSince === null)
        log.warn({ event_type: 'flush', reason }, `history cannot be written, it is tried again: ${reason}`);
      this.#failingSince ??= Date.now();
    }
  }
}
