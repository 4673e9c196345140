import type { SyncRow } from '../../streams/event.js';
import type { DatabaseClock } from './clock.js';
import type { Link } from './connection.js';
import { decodeCounted, decodeRow } from './decode.js';
import type { Folded } from './folded.js';
import type { Keys } from './keeper.js';
import { type Look, parseLook } from './look.js';
import { buildStatements, type Statements } from './statements.js';
import type { TableInfo } from './table.js';

/** The folded state no longer follows from the table: it has to be dropped and rebuilt. */
export class ResetNeededError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'ResetNeededError';
  }
}

const PAGE_ROWS = 10_000;
const MIN_PAGE_ROWS = 500;

/** What all who read the table share: connection, statements, the last position, and what has been folded. */
export class Reading {
  readonly link: Link;
  readonly clock: DatabaseClock;
  readonly folded: Folded;
  readonly #keys: Keys;
  #table: TableInfo;
  #statements: Statements;
  #pageRows = PAGE_ROWS;
  #s = Number.NEGATIVE_INFINITY;
  #lookMs = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(table: TableInfo, parts: { link: Link; clock: DatabaseClock; keys: Keys; folded: Folded }) {
    this.link = parts.link;
    this.clock = parts.clock;
    this.folded = parts.folded;
    this.#keys = parts.keys;
    this.#table = table;
    this.#statements = buildStatements(table);
  }

  get table(): TableInfo {
    return this.#table;
  }

  get statements(): Statements {
    return this.#statements;
  }

  /** @returns whether it is the same table, with other columns */
  useTable(table: TableInfo): boolean {
    const same = table.oid === this.#table.oid && table.sequence.oid === this.#table.sequence.oid;
    this.#table = table;
    this.#statements = buildStatements(table);
    return same;
  }

  /** Rows of one page. */
  get pageRows(): number {
    return this.#pageRows;
  }

  /** A statement took too long: read less at a time. */
  shrinkPages(): void {
    this.#pageRows = Math.max(MIN_PAGE_ROWS, Math.floor(this.#pageRows / 2));
  }

  /** Decoded rows of one of the statements that bring nothing else. */
  rows(text: string, values: readonly unknown[], name?: string): Promise<SyncRow[]> {
    return this.link.rows(text, values, decodeRow, name);
  }

  /** Likewise of a statement that brings only what is counted. */
  counted(text: string, values: readonly unknown[], name: string): Promise<SyncRow[]> {
    return this.link.rows(text, values, decodeCounted, name);
  }

  /** Lets the planner see the bounds meanwhile: which index is right depends on how much they enclose. */
  async planned<T>(work: () => Promise<T>): Promise<T> {
    await this.link.query('SET plan_cache_mode = auto');
    try {
      return await work();
    } finally {
      if (this.link.connected) await this.link.query('SET plan_cache_mode = force_generic_plan');
    }
  }

  /** Nothing is known of the sequence any more. */
  forget(): void {
    this.#s = Number.NEGATIVE_INFINITY;
  }

  /** Reads S and sets the clock. */
  async position(): Promise<number> {
    const [row] = await this.link.query(this.#statements.position);
    this.clock.set(Number(row?.[1]) * 1000);
    const s = Number(row?.[0]);
    this.reached(s);
    return s;
  }

  /** @throws ResetNeededError when the sequence went backwards */
  reached(s: number): void {
    if (s < this.#s) throw new ResetNeededError(`the sequence went back from ${this.#s} to ${s}`);
    this.#s = s;
  }

  /** ms to wait until the next look: it takes every lock partition's latch for a moment, so it is rationed. */
  get lookDueIn(): number {
    return this.#lookedAt + 20 * this.#lookMs - performance.now();
  }

  async look(): Promise<Look> {
    const [row] = await this.link.query(this.#statements.look, this.#keys.bellWords, 'csm_look');
    this.#lookedAt = performance.now();
    const look = parseLook(row ?? []);
    // Not the time until we had it: after a stall of this process nothing would be sealed for twenty times as long.
    this.#lookMs = look.tookMs;
    this.clock.set(look.now);
    return look;
  }
}
