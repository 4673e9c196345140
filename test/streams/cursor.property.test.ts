import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Cursor, type CursorLimits, type HoleLimit } from '../../streams/cursor.js';

/** A table with a sequence, as far as the cursor can tell: who holds the lock, which rows are committed. */
class Database {
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
class Follower {
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

type Action =
  | { readonly do: 'read' }
  | { readonly do: 'begin' }
  | { readonly do: 'insert'; readonly nth: number; readonly kept: readonly boolean[] }
  | { readonly do: 'end'; readonly nth: number; readonly commit: boolean };

const nth = fc.nat(9);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 10, arbitrary: fc.constant<Action>({ do: 'read' }) },
  { weight: 3, arbitrary: fc.constant<Action>({ do: 'begin' }) },
  {
    weight: 5,
    arbitrary: fc
      .record({ nth, kept: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }) })
      .map((it): Action => ({ do: 'insert', ...it })),
  },
  {
    weight: 3,
    arbitrary: fc.record({ nth, commit: fc.boolean() }).map((it): Action => ({ do: 'end', ...it })),
  },
);

function perform(one: Action, database: Database, follower?: Follower): void {
  if (one.do === 'read') follower?.statement();
  else if (one.do === 'begin') database.begin();
  else if (one.do === 'insert') database.insert(one.nth, one.kept);
  else database.end(one.nth, one.commit);
}

const setting = fc.record({
  pageRows: fc.integer({ min: 1, max: 20 }),
  skip: fc.integer({ min: 0, max: 3 }),
  recent: fc.record({
    width: fc.integer({ min: 0, max: 10 }),
    ids: fc.integer({ min: 0, max: 20 }),
    steps: fc.integer({ min: 0, max: 5 }),
  }),
});

describe('against a simulated database', () => {
  const history = fc.tuple(fc.array(action, { maxLength: 400, size: 'max' }), setting, fc.boolean());
  // Two at most: generations are joined all the time, which may cost re-reads and must cost no row.
  const limits = fc.constantFrom<Partial<CursorLimits>>({}, { maxGenerations: 2 }, { maxGenerations: 1 });

  test('each committed row is seen exactly once, whatever comes between two statements', () => {
    let filled = 0;
    fc.assert(
      fc.property(history, limits, ([actions, options, commitLast], limits) => {
        const database = new Database();
        const follower = new Follower(database, { ...options, limits });
        const { cursor } = follower;
        for (const one of actions) {
          perform(one, database, follower);
          if (one.do !== 'read') continue;
          const seen = new Set(follower.seen);
          // What may still come is never behind the seal, and is waited for.
          const faults = [...database.uncommitted(), ...database.committed].filter(
            (id) => id <= cursor.high && !seen.has(id) && !(cursor.isOpen(id) && id > cursor.low),
          );
          for (const id of seen) if (cursor.isOpen(id)) faults.push(id);
          if (faults.length > 0) expect(faults).toEqual([]);
        }
        database.endAll(commitLast);
        follower.untilQuiet();
        expect(follower.seen.toSorted((a, b) => a - b)).toEqual(database.between(1, database.s));
        expect([cursor.low, cursor.high]).toEqual([database.s, database.s]);
        expect([cursor.unsealedIds, cursor.openGenerations, cursor.givenUp]).toEqual([0, 0, 0]);
        expect(cursor.openSince).toBeUndefined();
        filled += follower.filled;
      }),
      { numRuns: 2_000 },
    );
    expect(filled).toBeGreaterThan(0);
  });

  test('each is seen exactly once by a backfill too, and by one that goes on from a checkpoint of any moment', () => {
    const withRestarts = fc.array(
      fc.oneof({ weight: 20, arbitrary: action }, { weight: 1, arbitrary: fc.constant('restart' as const) }),
      { maxLength: 400, size: 'max' },
    );
    const before = fc.array(action, { maxLength: 60, size: 'max' });
    let restored = 0;
    fc.assert(
      fc.property(before, withRestarts, setting, fc.boolean(), (old, actions, options, commitLast) => {
        const database = new Database();
        for (const one of old) if (one.do !== 'read') perform(one, database);
        const follower = new Follower(database, { ...options, backfill: true });
        for (const one of actions) {
          if (one === 'restart') {
            if (follower.cursor.holes().length > 0) restored++;
            follower.restart();
          } else perform(one, database, follower);
          const { cursor } = follower;
          const faults = follower.seen.filter((id) => !cursor.holds(id));
          for (const id of [...database.uncommitted(), ...database.committed])
            if (cursor.holds(id) && !follower.seen.includes(id)) faults.push(id);
          if (faults.length > 0) expect(faults).toEqual([]);
        }
        database.endAll(commitLast);
        follower.untilQuiet();
        expect(follower.seen.toSorted((a, b) => a - b)).toEqual(database.between(1, database.s));
        const { cursor } = follower;
        expect([cursor.low, cursor.high, cursor.floor]).toEqual([database.s, database.s, null]);
        expect([cursor.holes(), cursor.givenUp]).toEqual([[], 0]);
      }),
      { numRuns: 2_000 },
    );
    expect(restored).toBeGreaterThan(0);
  });

  test('past its bound of ranges it forgets the oldest holes, counts them, and never sees a row twice', () => {
    let forgotten = 0;
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 4 }), ([actions, options, commitLast], maxRanges) => {
        const database = new Database();
        const follower = new Follower(database, { ...options, limits: { maxRanges, maxGenerations: 4 } });
        const { cursor } = follower;
        let most = 0;
        for (const one of actions) {
          perform(one, database, follower);
          most = Math.max(most, cursor.openGenerations);
        }
        database.endAll(commitLast);
        follower.untilQuiet();
        expect(most).toBeLessThanOrEqual(5); // the new one too, until `compact`
        expect(new Set(follower.seen).size).toBe(follower.seen.length);
        const lost = database.committed.size - follower.seen.length;
        expect(lost).toBeGreaterThanOrEqual(0);
        expect(lost).toBeLessThanOrEqual(cursor.givenUp);
        expect([cursor.low, cursor.unsealedIds]).toEqual([database.s, 0]);
        forgotten += lost;
      }),
      { numRuns: 500 },
    );
    expect(forgotten).toBeGreaterThan(0);
  });
});
