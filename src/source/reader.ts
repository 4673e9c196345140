import type { CursorState, RefoldSpan } from '../../streams/checkpoint.js';
import { Cursor, type Generation } from '../../streams/cursor.js';
import type { Batch, SyncRow } from '../../streams/event.js';
import type { AheadRows } from './ahead.js';
import { Backfill } from './backfill.js';
import type { DatabaseClock } from './clock.js';
import type { Link } from './connection.js';
import { decodeRow } from './decode.js';
import { Folded } from './folded.js';
import type { SourceHistory } from './history-port.js';
import type { Keys } from './keeper.js';
import { Leaves } from './leaves.js';
import type { Look } from './look.js';
import type { PendingRows } from './pending.js';
import { poll } from './poll.js';
import { Reading, ResetNeededError } from './reading.js';
import { Refolds } from './refold.js';
import { rereadHoles } from './reread.js';
import { fillFrom, takeOver } from './resume.js';
import { type LateScan, startScan } from './start-scan.js';
import type { TableInfo } from './table.js';

export interface ReaderOptions {
  readonly link: Link;
  readonly keys: Keys;
  readonly clock: DatabaseClock;
  /** Folds a batch before it returns: the cursor moves in the same turn, so no failure can come in between. */
  readonly emit: (batch: Batch) => void;
  /** Milliseconds of history that the windows need. */
  readonly historyMs: number;
  readonly pendingLimit?: number | undefined;
  /** Without it the windows are filled by a scan at each start. */
  readonly history?: SourceHistory | undefined;
  /** Default: as fast as it goes. */
  readonly backfillRowsPerSecond?: number | undefined;
}

/** How the windows were filled. */
export type StartedHow =
  | { readonly how: 'scanned' }
  | { readonly how: 'resumed' }
  | { readonly how: 'anew'; readonly reason: string };

/** Reads what is new, each row once. One statement at a time; each is a transaction of its own. */
export class Reader {
  readonly #options: ReaderOptions;
  readonly #reading: Reading;
  readonly #folded: Folded;
  readonly #leaves: Leaves;
  readonly #refolds: Refolds;
  #late: LateScan | undefined;
  #backfill: Backfill | undefined;
  #epoch: string | undefined;
  #aheadFirst = true;

  constructor(table: TableInfo, options: ReaderOptions) {
    this.#options = options;
    this.#folded = new Folded(options);
    this.#reading = new Reading(table, { ...options, folded: this.#folded });
    this.#leaves = new Leaves(this.#reading, options.history !== undefined);
    this.#refolds = new Refolds(this.#reading, options.historyMs);
  }

  /** Undefined before the first start and after a reset. */
  get cursor(): Cursor | undefined {
    return this.#folded.cursor;
  }

  get pending(): PendingRows {
    return this.#folded.pending;
  }

  get ahead(): AheadRows {
    return this.#folded.ahead;
  }

  get rowsRead(): number {
    return this.#folded.rowsRead;
  }

  /** The late scan still waits for transactions that were open at the start. */
  get lateSince(): number | undefined {
    return this.#late?.since;
  }

  /** Undefined where there is none, or nothing left of it. */
  get backfill(): Backfill | undefined {
    return this.#backfill;
  }

  /** What was written while nobody watched has not been read to the end. */
  get catchingUp(): boolean {
    const { cursor, restored, startUpTo } = this.#folded;
    return cursor !== undefined && (restored || cursor.high < startUpTo);
  }

  /** Parts that are still to be read again, and what new partitions have brought. */
  get partsWaiting(): number {
    return this.#refolds.waiting + this.#leaves.waiting;
  }

  /** Customers that a refold may have lost. */
  get unwitnessed(): number {
    return this.#refolds.unwitnessed;
  }

  /** The table was discovered again (the owner changed it); what was folded stays if it is the same table. */
  useTable(table: TableInfo): void {
    if (!this.#reading.useTable(table)) this.forget();
  }

  /** A statement took too long: read less at a time. */
  shrinkPages(): void {
    this.#reading.shrinkPages();
  }

  forget(): void {
    this.#folded.clear();
    this.#reading.forget();
    this.#refolds.clear();
    this.#epoch = undefined;
    this.#late = undefined;
    this.#backfill = undefined;
    this.#aheadFirst = true;
  }

  /** Fills the windows and sets the cursor: from history, or by a scan of the table. */
  async start(): Promise<StartedHow> {
    this.forget();
    const { history } = this.#options;
    if (history) return this.#startWith(history);
    const { high, look, late } = await startScan(this.#reading, this.#options.historyMs);
    this.#late = late;
    this.#began(new Cursor(high), look);
    return { how: 'scanned' };
  }

  async #startWith(history: SourceHistory): Promise<StartedHow> {
    const taken = await takeOver(this.#reading, history);
    const { look, resumed, reason } = taken;
    const cursor = this.#folded.restore(taken.state);
    if (cursor.floor !== null)
      this.#backfill = new Backfill(this.#reading, cursor, {
        holders: look.holders,
        since: look.now,
        historyMs: this.#options.historyMs,
        rowsPerSecond: this.#options.backfillRowsPerSecond ?? Number.POSITIVE_INFINITY,
        full: () => history.full,
      });
    const pendingKnown = await fillFrom(this.#reading, taken, cursor);
    if (this.#backfill) this.#backfill.pendingKnown = pendingKnown;
    this.#folded.startUpTo = taken.s;
    this.#folded.restored = cursor.needsLook;
    this.#began(cursor, look);
    return resumed ? { how: 'resumed' } : { how: 'anew', reason };
  }

  #began(cursor: Cursor, look: Look): void {
    this.#epoch = look.epoch;
    this.#leaves.began(look, cursor.high);
    this.#folded.cursor = cursor;
  }

  /**
   * Reads rows up to S. @returns how many rows came, and whether it stopped with more to read at once.
   * @throws ResetNeededError when the sequence went backwards
   */
  poll(): Promise<{ rows: number; more: boolean }> {
    return poll(this.#reading, this.#mustHave());
  }

  /** ms to wait until the next look: it takes every lock partition's latch for a moment, so it is rationed. */
  get lookDueIn(): number {
    return this.#reading.lookDueIn;
  }

  get lookWanted(): boolean {
    return this.cursor?.needsLook === true || this.#late !== undefined;
  }

  /** Looks at locks and epoch, then re-reads the holes that a holder has left. */
  async look(): Promise<Look> {
    const cursor = this.#mustHave();
    const look = await this.#reading.look();
    this.#reading.reached(look.s);
    if (look.epoch !== this.#epoch)
      throw new ResetNeededError(`the epoch changed from ${this.#epoch} to ${look.epoch}`);
    if (await this.#leaves.check(look, cursor)) this.#backfill?.askAgain();
    cursor.looked(look.holders, look.now);
    this.#backfill?.looked(look.holders);
    for (const generation of cursor.due()) {
      await rereadHoles({
        reading: this.#reading,
        holes: [...generation.holes],
        found: (raw) => this.#refill(cursor, generation, raw),
      });
      cursor.settled(generation);
    }
    this.#folded.restored = false;
    cursor.compact();
    if (this.#late && (await this.#late.check(look.holders))) this.#late = undefined;
    return look;
  }

  /** Re-reads a slice of the pending rows. */
  async rereadPending(): Promise<number> {
    const { link, statements } = this.#reading;
    const { updates, removals } = await this.pending.reread(link, statements);
    this.#folded.changes(updates, removals);
    return updates.length + removals.length;
  }

  /** Reads rows beyond the sequence. The first pass after a start reads what was there before. */
  async readAhead(): Promise<{ rows: number; more: boolean }> {
    const { link, statements } = this.#reading;
    const { rows, more } = await this.ahead.read(link, statements, this.#mustHave().high);
    this.#folded.rows(rows, this.#aheadFirst ? 'start' : 'live');
    if (!more) this.#aheadFirst = false;
    return { rows: rows.length, more };
  }

  /**
   * Reads a page of each thing that is not new: what partitions brought, parts to be read again, the backfill unless
   * there is a backlog. @returns ms until there is more of it to read, Infinity for nothing
   */
  async readOn(backlog: boolean): Promise<number> {
    const cursor = this.#mustHave();
    await this.#leaves.step();
    await this.#refolds.step();
    if (!backlog && this.#backfill?.dueIn === 0) await this.#backfill.step();
    if (cursor.floor === null) this.#backfill = undefined;
    return this.partsWaiting > 0 ? 0 : (this.#backfill?.dueIn ?? Number.POSITIVE_INFINITY);
  }

  /** Asks for parts of the windows to be read again, in the rounds to come. */
  refold(spans: readonly RefoldSpan[]): void {
    this.#refolds.add(spans);
  }

  /** Exactly which rows have been folded. @throws ResetNeededError before the start */
  state(): CursorState {
    return this.#folded.state(this.#mustHave());
  }

  #refill(cursor: Cursor, generation: Generation, raw: (string | null)[][]): void {
    if (raw.length === 0) return;
    const rows: SyncRow[] = raw.map((columns) => decodeRow(columns));
    const ids = rows.map((row) => row.id as number);
    cursor.found(generation, ids);
    this.#folded.readElsewhere(ids);
    this.#folded.rows(rows, this.#folded.restored ? 'start' : 'live');
  }

  #mustHave(): Cursor {
    if (!this.cursor) throw new ResetNeededError('no state yet');
    return this.cursor;
  }
}
