/** What a cursor follows, without a database: a table with a sequence, and a reader of it. */
import { Cursor, type CursorLimits, type HoleLimit } from '../../streams/cursor.js';

/** A table with a sequence, as far as the cursor can tell: who holds the lock, which rows are committed. */
export class Database {
  /** Position of the sequence. */
  s = 0;
  readonly committed = new Set<number>();
  readonly #open = new Map<string, number[]>();
  #begun = 0;

  /** INSERT takes the table's lock before `nextval`: a holder may not have an id yet. */
  begin(): void {
    this.#open.set(`3/${++this.#begun}`, []);
  }

  /** Takes ids in the transaction that is `nth` of those open; `kept` says which of them become rows. */
  insert(nth: number, kept: readonly boolean[]): void {
    const ids = this.#nth(nth)?.[1];
    if (!ids) return;
    for (const keep of kept) {
      this.s++;
      // ON CONFLICT DO NOTHING and ROLLBACK TO take an id and leave no row, in a transaction that commits.
      if (keep) ids.push(this.s);
    }
  }

  end(nth: number, commit: boolean): void {
    const found = this.#nth(nth);
    if (!found) return;
    if (commit) for (const id of found[1]) this.committed.add(id);
    this.#open.delete(found[0]);
  }

  endAll(commit: boolean): void {
    while (this.#open.size > 0) this.end(0, commit);
  }

  holders(): ReadonlySet<string> {
    return new Set(this.#open.keys());
  }

  between(from: number, to: number): number[] {
    return [...this.committed].filter((id) => id >= from && id <= to).sort((a, b) => a - b);
  }

  /** Ids that some open transaction may still commit. */
  uncommitted(): number[] {
    return [...this.#open.values()].flat();
  }

  #nth(n: number): [string, number[]] | undefined {
    return this.#open.size === 0 ? undefined : [...this.#open][n % this.#open.size];
  }
}

/** The reader's statements in the reader's order; each `yield` is a moment in which the database goes on. */
export class Follower {
  cursor: Cursor;
  readonly seen: number[] = [];
  looks = 0;
  /** Rows found by a poll in a hole of the last moments. */
  filled = 0;
  readonly #database: Database;
  readonly #pageRows: number;
  readonly #recent: HoleLimit & { readonly steps: number };
  #steps: Generator<void, never>;
  /** Looks are rationed: so many steps go without one. */
  #skip: number;

  constructor(
    database: Database,
    options: {
      pageRows: number;
      skip: number;
      recent: HoleLimit & { readonly steps: number };
      limits?: Partial<CursorLimits>;
      /** Starts at the present position and reads what is below afterwards. */
      backfill?: boolean;
    },
  ) {
    this.#database = database;
    this.#pageRows = options.pageRows;
    this.#recent = options.recent;
    this.#skip = options.skip;
    this.cursor = options.backfill
      ? new Cursor(database.s, options.limits, database.s)
      : new Cursor(0, options.limits);
    this.#steps = this.#run();
  }

  /** Ends in the middle of whatever it does, and goes on from what a checkpoint says of this moment. */
  restart(): void {
    const { high, floor } = this.cursor;
    this.cursor = Cursor.restore({ high, floor, holes: this.cursor.holes() });
    this.#steps = this.#run();
  }

  statement(): void {
    this.#steps.next();
  }

  /** Enough for a poll of what is left, a look and all re-reads, twice over. */
  untilQuiet(): void {
    this.#skip = 0;
    for (
      const end = this.looks + 3;
      this.looks < end ||
      this.cursor.needsLook ||
      this.cursor.floor !== null ||
      this.cursor.high < this.#database.s;
    ) {
      this.statement();
      if (this.looks > end + 10_000) throw new Error('never quiet');
    }
  }

  *#run(): Generator<void, never> {
    const database = this.#database;
    const cursor = this.cursor;
    // Read after the position from which the backfill goes down.
    let late = database.holders();
    for (let step = 0; ; step++) {
      if (cursor.floor !== null) {
        const rows = database.between(0, cursor.floor).reverse().slice(0, this.#pageRows);
        const floor = rows.length < this.#pageRows ? null : (rows.at(-1) ?? 0) - 1;
        yield;
        cursor.pulledDown(floor, rows, late, step);
        this.seen.push(...rows);
        yield;
      }
      // The snapshot is taken before the sequence is read: ids <= S may be committed and not in these rows.
      const recent = cursor.recentHoles(step - this.#recent.steps, this.#recent);
      const snapshot = new Set(database.committed);
      yield;
      const s = database.s;
      const filled = [...snapshot].filter((id) => recent.some(([from, to]) => id >= from && id <= to));
      cursor.filled(filled);
      this.filled += filled.length;
      this.seen.push(...filled);
      const rows = [...snapshot].filter((id) => id > cursor.high && id <= s).sort((a, b) => a - b);
      const page = rows.slice(0, this.#pageRows);
      cursor.pulled(page.length === this.#pageRows ? (page.at(-1) ?? s) : s, page);
      this.seen.push(...page);
      yield;
      if (this.#skip > 0 && step % (this.#skip + 1) !== 0) continue;
      this.looks++;
      const holders = database.holders();
      yield;
      cursor.looked(holders, step);
      late = new Set([...late].filter((holder) => holders.has(holder)));
      yield;
      for (const generation of cursor.due()) {
        for (const [from, to] of [...generation.holes]) {
          const found = database.between(from, to);
          cursor.found(generation, found);
          this.seen.push(...found);
          yield;
        }
        cursor.settled(generation);
      }
      cursor.compact();
      yield;
    }
  }
}
