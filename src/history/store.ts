/**
 * All that is written of history goes through here, one transaction after the other. Each begins with the lock of the
 * checkpoint's row, and with a look whether it still carries our token and the number that we left there.
 */
import { randomUUID } from 'node:crypto';
import type { CursorState } from '../../streams/checkpoint.js';
import type { Batch, MinuteOfType } from '../../streams/event.js';
import { Vocabulary } from '../../streams/vocabulary.js';
import {
  keptSince,
  lockCheckpoint,
  moveCheckpoint,
  replaceCheckpoint,
  sameState,
  takeCheckpoint,
} from './checkpoint.js';
import { MINUTE_LEVEL } from './cover.js';
import { type CopyingDb, type Db, HistoryLostError } from './db.js';
import { addChanges, type Written } from './flush.js';
import { pagesAhead } from './pages.js';
import { type KeptSince, readRollups, smallestId } from './rollup-rows.js';
import type { FlushResult, HistoryStoreOptions } from './store-options.js';
import { transaction } from './transaction.js';
import { Turns } from './turns.js';
import { type Captured, type Generation, WAITING_LIMITS, Waiting, type WaitingLimits } from './waiting.js';

export type { FlushResult, Generation, HistoryStoreOptions };

const NOT_LOADED = 'history is not loaded';

/** Minutes that are read at once when the windows are filled: some thousand rows. */
const PAGE_MS = 2 * 3_600_000;

export class HistoryStore {
  readonly #options: HistoryStoreOptions;
  readonly #limits: WaitingLimits;
  readonly #turns = new Turns();
  #life = 0;
  /** '' while nothing is loaded. */
  #token = '';
  #kept: KeptSince = { id: 0, minutesFrom: Number.NaN, rollupsFrom: Number.NaN };
  #waiting: Waiting;
  /** What the database holds. */
  #flushed: CursorState | undefined;
  #fault: string | undefined = NOT_LOADED;

  constructor(options: HistoryStoreOptions) {
    this.#options = options;
    this.#limits = { ...WAITING_LIMITS, ...options.limits };
    this.#waiting = new Waiting(new Vocabulary(), 0, this.#life, this.#limits);
  }

  /** 0 before the first open() or begin(). */
  get checkpointId(): number {
    return this.#kept.id;
  }

  /** ms; NaN before the first open() or begin(). */
  get minutesFrom(): number {
    return this.#kept.minutesFrom;
  }

  get rollupsFrom(): number {
    return this.#kept.rollupsFrom;
  }

  /** Names as history keeps them; another one after each open() or begin(). */
  get words(): Vocabulary {
    return this.#waiting.words;
  }

  /** Changes whenever everything in memory was dropped, to be read again. */
  get life(): number {
    return this.#life;
  }

  /** Why generations() and the database do not make up all that was applied; undefined where they do. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Rows applied that are not known to be in the database. */
  get waitingRows(): number {
    return this.#waiting.rows;
  }

  /** So much waits that it should be flushed now: a backfill brings it faster than the clock. */
  get much(): boolean {
    return this.#waiting.much;
  }

  /** Too much waits to be flushed: what is not urgent should not add to it. */
  get full(): boolean {
    return this.#waiting.full;
  }

  /**
   * Takes the pen: whoever held it before gets HistoryLostError from here on. Everything in memory is dropped.
   * @returns what the database holds, undefined where there is nothing for this identity
   * @throws the connection's errors; then nothing is loaded
   */
  open(identity: string): Promise<CursorState | undefined> {
    return this.#turns.take(async () => {
      this.#forget(NOT_LOADED);
      const { link, tableName } = this.#options;
      const token = randomUUID();
      const found = await transaction(link, (tx) => takeCheckpoint(tx, tableName, identity, token));
      if (found) this.#load(token, found, found.flushNo, found.state, new Vocabulary(found.names));
      return found?.state;
    });
  }

  /**
   * Forgets everything that is kept of this table and starts anew from `state`.
   * @throws the connection's errors; then nothing is loaded
   */
  begin(identity: string, state: CursorState): Promise<void> {
    return this.#turns.take(async () => {
      this.#forget(NOT_LOADED);
      const { link, tableName, clock, retentionDays } = this.#options;
      const token = randomUUID();
      const words = new Vocabulary();
      const since = keptSince(clock(), retentionDays);
      const id = await transaction(link, (tx) =>
        replaceCheckpoint(tx, {
          tableName,
          identity,
          leader: token,
          ...since,
          state,
          names: words.unknown(),
        }),
      );
      this.#load(token, { id, ...since }, 0, state, words);
    });
  }

  /** Adds the settled rows of a batch to what waits; nothing while history is not loaded. */
  apply(batch: Batch): void {
    if (this.#fault !== undefined) return;
    this.#waiting.apply(batch);
    if (!this.#waiting.tooMuch) return;
    const { rows } = this.#waiting;
    this.#fault = `history could not be written; ${rows} rows that waited for it were dropped from memory and have to be read again`;
    this.#options.log.error({ event_type: 'history_dropped', rows }, this.#fault);
    this.#dropWaiting();
  }

  /**
   * Takes what was applied up to now for the next flush, together with the state that says so.
   * @returns false when there is nothing new, or the last one is still to be flushed
   */
  capture(state: CursorState): boolean {
    const waiting = this.#waiting;
    if (this.#fault !== undefined || waiting.captured) return false;
    if (waiting.quiet && this.#flushed && sameState(state, this.#flushed)) return false;
    waiting.capture(state);
    return true;
  }

  /**
   * Writes what was captured. What fails is kept, to be called again; a COMMIT whose answer was lost is recognised then.
   * @throws HistoryLostError: open() has to follow; and what the connection throws
   */
  flush(): Promise<FlushResult> {
    return this.#turns.take(async () => {
      const began = performance.now();
      if (this.#fault !== undefined) throw await this.#lostOnceWritable(this.#fault);
      const { captured } = this.#waiting;
      const { rollups, bytes } = captured ? await this.#write(captured) : { rollups: 0, bytes: 0 };
      const rows = captured?.changes.rows ?? 0;
      return { rows, minutes: rollups, bytes, durationMs: performance.now() - began };
    });
  }

  /** Oldest first. Hold them before a snapshot of the database is taken, and ask again after (period-query.ts). */
  generations(): readonly Generation[] {
    return this.#fault === undefined ? this.#waiting.generations() : [];
  }

  /**
   * Runs `work` in a transaction that nobody else's writing of history can come between. Keep it short: flushes wait.
   * @param snapshot all statements see the one moment at which the checkpoint was locked
   * @throws HistoryLostError: open() has to follow; and what the work and the connection throw
   */
  exclusive<T>(
    work: (tx: Db, kept: KeptSince) => Promise<T>,
    { snapshot = false }: { readonly snapshot?: boolean } = {},
  ): Promise<T> {
    return this.#turns.take(async () => {
      if (this.#fault !== undefined) throw await this.#lostOnceWritable(this.#fault);
      return this.#transaction((tx) => work(tx, this.#kept), { snapshot });
    });
  }

  /** What is kept of the minutes in [from, to), ms, in chunks of two hours; the next comes while one is folded. */
  minutes(from: number, to: number): AsyncGenerator<readonly MinuteOfType[]> {
    const { link } = this.#options;
    return pagesAhead({ from, to }, PAGE_MS, (page) =>
      this.#turns.take(() => readRollups(link, this.#kept.id, MINUTE_LEVEL, page)),
    );
  }

  /** The smallest id among the rows kept of minutes (or their quarter hours) from `from` on; null for none. */
  firstId(from: number): Promise<number | null> {
    return this.#turns.take(() => smallestId(this.#options.link, this.#kept, from));
  }

  async #write(captured: Captured): Promise<Written> {
    const waiting = this.#waiting;
    const { state, flushNo, changes } = captured;
    const beforeCommit = () => {
      captured.sent = true;
    };
    const written = await this.#transaction(
      async (tx) => {
        // The last COMMIT did arrive.
        if (waiting.captured !== captured) return undefined;
        const added = await addChanges(tx, this.#kept, changes.entries());
        const moved = { id: this.#kept.id, flushNo, state, names: waiting.words.unknown() };
        await moveCheckpoint(tx, moved, this.#flushed);
        return added;
      },
      { beforeCommit },
    );
    if (!written) return { rollups: 0, bytes: 0 };
    waiting.arrived();
    this.#flushed = state;
    return written;
  }

  /** In a transaction that holds the checkpoint, as we left it. @throws HistoryLostError where it is not */
  #transaction<T>(
    work: (tx: CopyingDb) => Promise<T>,
    options?: Parameters<typeof transaction>[2],
  ): Promise<T> {
    return transaction(
      this.#options.link,
      async (tx) => {
        await this.#enter(tx);
        return work(tx);
      },
      options,
    );
  }

  async #enter(tx: Db): Promise<void> {
    const there = await lockCheckpoint(tx, this.#kept.id);
    if (!there) throw this.#lost('what was kept of history is gone');
    if (there.leader !== this.#token) throw this.#lost('another process writes this history');
    const { captured } = this.#waiting;
    if (captured?.sent && captured.flushNo === there.flushNo) {
      this.#waiting.arrived();
      this.#flushed = captured.state;
    }
    if (there.flushNo !== this.#waiting.flushNo)
      throw this.#lost(`history stands at flush ${there.flushNo} and not at ${this.#waiting.flushNo}`);
    // Retention may have moved them although its COMMIT was not answered.
    this.#kept = { id: this.#kept.id, minutesFrom: there.minutesFrom, rollupsFrom: there.rollupsFrom };
  }

  /** Loading again while nothing can be written would only stop what works; so one write has to succeed first. */
  async #lostOnceWritable(fault: string): Promise<HistoryLostError> {
    const { id } = this.#kept;
    if (this.#token !== '')
      await this.#transaction((tx) =>
        tx.query('UPDATE sync_monitor.checkpoint SET flushed_at = flushed_at WHERE id = $1', [id]),
      );
    return this.#lost(fault);
  }

  #lost(reason: string): HistoryLostError {
    this.#forget(reason);
    return new HistoryLostError(reason);
  }

  #forget(reason: string): void {
    this.#fault = reason;
    this.#token = '';
    this.#dropWaiting();
  }

  #dropWaiting(): void {
    this.#life += 1;
    const { words, flushNo } = this.#waiting;
    this.#waiting = new Waiting(words, flushNo, this.#life, this.#limits);
  }

  #load(token: string, kept: KeptSince, flushNo: number, state: CursorState, words: Vocabulary): void {
    const { id, minutesFrom, rollupsFrom } = kept;
    this.#token = token;
    this.#kept = { id, minutesFrom, rollupsFrom };
    this.#flushed = state;
    this.#waiting = new Waiting(words, flushNo, this.#life, this.#limits);
    this.#fault = undefined;
  }
}
