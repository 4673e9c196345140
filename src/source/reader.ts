import { Cursor, type Generation } from '../../streams/cursor.js';
import type { Batch, SyncRow } from '../../streams/event.js';
import { AheadRows } from './ahead.js';
import type { DatabaseClock } from './clock.js';
import type { Link } from './connection.js';
import { decodeRow } from './decode.js';
import type { Keys } from './keeper.js';
import { leafWithRows } from './leaves.js';
import { type Look, parseLook } from './look.js';
import { PendingRows } from './pending.js';
import { rereadHoles } from './reread.js';
import { type LateScan, startScan } from './start-scan.js';
import { buildStatements, type Statements } from './statements.js';
import type { TableInfo } from './table.js';

/** The folded state no longer follows from the table: it has to be dropped and rebuilt. */
export class ResetNeededError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'ResetNeededError';
  }
}

export interface ReaderOptions {
  readonly link: Link;
  readonly keys: Keys;
  readonly clock: DatabaseClock;
  /** Folds a batch before it returns: the cursor moves in the same turn, so no failure can come in between. */
  readonly emit: (batch: Batch) => void;
  /** Milliseconds of history that the windows need. */
  readonly historyMs: number;
  readonly pendingLimit?: number;
}

/** A quiet poll brings at most this many rows with S; what is more comes in pages. */
const QUIET_ROWS = 500;
const PAGE_ROWS = 10_000;
const MIN_PAGE_ROWS = 500;

/** Holes are asked for with each poll for this long; what stays open longer waits for its holder to leave. ms. */
const RECENT_MS = 250;
const RECENT_HOLES = { width: 100, ids: 500 };

/** Reads what is new, each row once. One statement at a time; each is a transaction of its own. */
export class Reader {
  readonly #options: ReaderOptions;
  #table: TableInfo;
  #statements: Statements;
  #cursor: Cursor | undefined;
  #ahead = new AheadRows();
  readonly pending: PendingRows;
  #late: LateScan | undefined;
  #epoch: string | undefined;
  #leaves: ReadonlySet<string> | undefined;
  #lastS = 0;
  /** What a new partition brings up to here was not read by a poll. */
  #highAtLook = 0;
  #pageRows = PAGE_ROWS;
  #rowsRead = 0;
  #aheadFirst = true;
  #lookMs = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(table: TableInfo, options: ReaderOptions) {
    this.#options = options;
    this.#table = table;
    this.#statements = buildStatements(table);
    this.pending = new PendingRows(options.pendingLimit);
  }

  /** Undefined before the first start scan and after a reset. */
  get cursor(): Cursor | undefined {
    return this.#cursor;
  }

  get ahead(): AheadRows {
    return this.#ahead;
  }

  get rowsRead(): number {
    return this.#rowsRead;
  }

  /** The late scan still waits for transactions that were open at the start. */
  get lateSince(): number | undefined {
    return this.#late?.since;
  }

  /** The table was discovered again (the owner changed it); what was folded stays if it is the same table. */
  useTable(table: TableInfo): void {
    const same = table.oid === this.#table.oid && table.sequence.oid === this.#table.sequence.oid;
    this.#table = table;
    this.#statements = buildStatements(table);
    if (!same) this.forget();
  }

  /** A statement took too long: read less at a time. */
  shrinkPages(): void {
    this.#pageRows = Math.max(MIN_PAGE_ROWS, Math.floor(this.#pageRows / 2));
  }

  forget(): void {
    this.#cursor = undefined;
    this.#epoch = undefined;
    this.#leaves = undefined;
    this.#late = undefined;
    this.#ahead = new AheadRows();
    this.#aheadFirst = true;
    this.pending.clear();
  }

  /** Reads the windows' history and sets the cursor behind it. */
  async start(): Promise<void> {
    this.forget();
    const { link, clock, historyMs } = this.#options;
    const result = await startScan({
      link,
      table: this.#table,
      statements: this.#statements,
      clock,
      historyMs,
      pageRows: () => this.#pageRows,
      look: () => this.#readLook(),
      emit: (rows, origin, reset) => this.#emit(rows, origin, reset),
      isPending: (row) => this.pending.has(row.id),
    });
    this.#cursor = new Cursor(result.high);
    this.#lastS = result.high;
    this.#highAtLook = result.high;
    this.#late = result.late;
    this.#epoch = result.look.epoch;
    this.#leaves = new Set(result.look.leaves);
  }

  /**
   * Reads rows up to S. @returns how many rows came, and whether it stopped with more to read at once.
   * @throws ResetNeededError when the sequence went backwards
   */
  async poll(): Promise<{ rows: number; more: boolean }> {
    const cursor = this.#mustHave();
    const polled = await this.#pollOnce(cursor);
    const first = polled[0] as (string | null)[]; // the sequence always has a row
    const s = Number(first[0]);
    this.#options.clock.set(Number(first[1]) * 1000);
    this.#checkSequence(s);
    const before = cursor.high;
    const raw = polled.filter((columns) => Number(columns[2]) > before);
    let read = this.#fill(
      cursor,
      polled.filter((columns) => columns[2] !== null && Number(columns[2]) <= before),
    );
    if (raw.length === 0) {
      cursor.pulled(s, []);
      return { rows: read, more: false };
    }
    read += this.#take(cursor, raw, 2, s, raw.length >= QUIET_ROWS);
    let size = raw.length >= QUIET_ROWS ? this.#pageRows : 0;
    let last = size;
    // A few pages, then the caller has a turn: locks, pending rows and the bell are looked at under a backlog too.
    for (let pages = 0; size > 0 && last >= size && pages < 8; pages++) {
      size = this.#pageRows;
      const page = await this.#options.link.query(this.#statements.page, [cursor.high, s, size], 'csm_page');
      last = page.length;
      read += this.#take(cursor, page, 0, s, last >= size);
    }
    return { rows: read, more: cursor.high < s };
  }

  /** Holes of the last moments are asked for along with what is new: a look is rationed, and comes later. */
  #pollOnce(cursor: Cursor): Promise<(string | null)[][]> {
    const { link, clock } = this.#options;
    const holes = cursor.recentHoles(clock.now() - RECENT_MS, RECENT_HOLES);
    const values = [cursor.high, QUIET_ROWS];
    if (holes.length === 0) return link.query(this.#statements.poll, values, 'csm_poll');
    const [from, to] = [holes.map(([first]) => first), holes.map(([, last]) => last)];
    return link.query(this.#statements.pollAgain, [...values, from, to], 'csm_poll_again');
  }

  /** ms to wait until the next look: it takes every lock partition's latch for a moment, so it is rationed. */
  get lookDueIn(): number {
    return this.#lookedAt + 20 * this.#lookMs - performance.now();
  }

  get lookWanted(): boolean {
    return this.#cursor?.needsLook === true || this.#late !== undefined;
  }

  /** Looks at locks and epoch, then re-reads the holes that a holder has left. */
  async look(): Promise<Look> {
    const cursor = this.#mustHave();
    const look = await this.#readLook();
    this.#checkSequence(look.s);
    if (look.epoch !== this.#epoch)
      throw new ResetNeededError(`the epoch changed from ${this.#epoch} to ${look.epoch}`);
    await this.#checkLeaves(look, cursor);
    cursor.looked(look.holders, look.now);
    for (const generation of cursor.due()) {
      await rereadHoles({
        link: this.#options.link,
        statements: this.#statements,
        pageRows: () => this.#pageRows,
        holes: [...generation.holes],
        found: (raw) => this.#refill(cursor, generation, raw),
      });
      cursor.settled(generation);
    }
    cursor.compact();
    if (this.#late && (await this.#late.check(look.holders))) this.#late = undefined;
    return look;
  }

  /** Re-reads a slice of the pending rows. */
  async rereadPending(): Promise<number> {
    const { updates, removals } = await this.pending.reread(this.#options.link, this.#statements);
    if (updates.length + removals.length > 0)
      this.#options.emit({ origin: 'live', rows: [], updates, removals, now: this.#options.clock.now() });
    return updates.length + removals.length;
  }

  /** Reads rows beyond the sequence. The first pass after a start reads what was there before. */
  async readAhead(): Promise<{ rows: number; more: boolean }> {
    const cursor = this.#mustHave();
    const { rows, more } = await this.#ahead.read(this.#options.link, this.#statements, cursor.high);
    this.#emit(rows, this.#aheadFirst ? 'start' : 'live');
    if (!more) this.#aheadFirst = false;
    return { rows: rows.length, more };
  }

  #take(cursor: Cursor, raw: (string | null)[][], at: number, s: number, full: boolean): number {
    const rows: SyncRow[] = [];
    const ids: number[] = [];
    for (const columns of raw) {
      const row = decodeRow(columns, at);
      const id = row.id as number; // <= S, which discovery proved to be a safe integer
      ids.push(id);
      if (!this.#ahead.has(id)) rows.push(row);
    }
    cursor.pulled(full ? (ids.at(-1) ?? s) : s, ids);
    this.#ahead.passed(cursor.high);
    this.#emit(rows, 'live');
    return rows.length;
  }

  #fill(cursor: Cursor, raw: (string | null)[][]): number {
    const rows = raw.map((columns) => decodeRow(columns, 2));
    cursor.filled(rows.map((row) => row.id as number));
    this.#emit(rows, 'live');
    return rows.length;
  }

  #refill(cursor: Cursor, generation: Generation, raw: (string | null)[][]): void {
    if (raw.length === 0) return;
    const rows = raw.map((columns) => decodeRow(columns));
    cursor.found(
      generation,
      rows.map((row) => row.id as number),
    );
    this.#emit(rows, 'live');
  }

  #emit(rows: readonly SyncRow[], origin: 'live' | 'start', reset = false): void {
    if (rows.length === 0 && !reset) return;
    this.pending.add(rows);
    this.#rowsRead += rows.length;
    this.#options.emit({ origin, reset, rows, updates: [], removals: [], now: this.#options.clock.now() });
  }

  async #readLook(): Promise<Look> {
    const before = performance.now();
    const [row] = await this.#options.link.query(
      this.#statements.look,
      this.#options.keys.bellWords,
      'csm_look',
    );
    this.#lookedAt = performance.now();
    this.#lookMs = this.#lookedAt - before;
    const look = parseLook(row ?? []);
    this.#options.clock.set(look.now);
    return look;
  }

  #checkSequence(s: number): void {
    if (s < this.#lastS) throw new ResetNeededError(`the sequence went back from ${this.#lastS} to ${s}`);
    this.#lastS = s;
  }

  /** A partition that came with rows in it: they were never announced and may have any id. */
  async #checkLeaves(look: Look, cursor: Cursor): Promise<void> {
    if (!this.#table.partitioned) return;
    const leaves = look.leaves.filter((leaf) => !this.#leaves?.has(leaf));
    const brought = await leafWithRows(this.#options.link, leaves, this.#highAtLook);
    if (brought !== undefined)
      throw new ResetNeededError(`partition ${brought} was attached with rows in it`);
    this.#leaves = new Set(look.leaves);
    this.#highAtLook = cursor.high;
  }

  #mustHave(): Cursor {
    if (!this.#cursor) throw new ResetNeededError('no state yet');
    return this.#cursor;
  }
}
