import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Cursor, type CursorLimits } from '../../streams/cursor.js';

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
  readonly cursor: Cursor;
  readonly seen: number[] = [];
  looks = 0;
  readonly #database: Database;
  readonly #pageRows: number;
  readonly #steps: Generator<void, never>;
  /** Looks are rationed: so many steps go without one. */
  #skip: number;

  constructor(
    database: Database,
    options: { pageRows: number; skip: number; limits?: Partial<CursorLimits> },
  ) {
    this.#database = database;
    this.#pageRows = options.pageRows;
    this.#skip = options.skip;
    this.cursor = new Cursor(0, options.limits);
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
      this.looks < end || this.cursor.needsLook || this.cursor.high < this.#database.s;
    ) {
      this.statement();
      if (this.looks > end + 10_000) throw new Error('never quiet');
    }
  }

  *#run(): Generator<void, never> {
    const database = this.#database;
    const cursor = this.cursor;
    for (let step = 0; ; step++) {
      // The snapshot is taken before the sequence is read: ids <= S may be committed and not in these rows.
      const snapshot = new Set(database.committed);
      yield;
      const s = database.s;
      const rows = [...snapshot].filter((id) => id > cursor.high && id <= s).sort((a, b) => a - b);
      const page = rows.slice(0, this.#pageRows);
      cursor.pulled(page.length === this.#pageRows ? (page.at(-1) ?? s) : s, page);
      this.seen.push(...page);
      yield;
      if (this.#skip > 0 && step % (this.#skip + 1) !== 0) continue;
      this.looks++;
      cursor.looked(database.holders(), step);
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

function perform(one: Action, database: Database, follower: Follower): void {
  if (one.do === 'read') follower.statement();
  else if (one.do === 'begin') database.begin();
  else if (one.do === 'insert') database.insert(one.nth, one.kept);
  else database.end(one.nth, one.commit);
}

/** Ranges of ids that are still open; the generations may hold them in more pieces, never in fewer. */
function openRanges(cursor: Cursor): number {
  let ranges = 0;
  for (let id = 1; id <= cursor.high; id++) if (cursor.isOpen(id) && !cursor.isOpen(id - 1)) ranges++;
  return ranges;
}

const setting = fc.record({
  pageRows: fc.integer({ min: 1, max: 20 }),
  skip: fc.integer({ min: 0, max: 3 }),
});

describe('against a simulated database', () => {
  const history = fc.tuple(fc.array(action, { maxLength: 400, size: 'max' }), setting, fc.boolean());
  // Two at most: generations are joined all the time, which may cost re-reads and must cost no row.
  const limits = fc.constantFrom<Partial<CursorLimits>>({}, { maxGenerations: 2 }, { maxGenerations: 1 });

  test('each committed row is seen exactly once, whatever comes between two statements', () => {
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
      }),
      { numRuns: 2_000 },
    );
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

/** Looks, says which generations are due (by their holes) and settles them as a re-read that finds nothing. */
function lookAndReread(cursor: Cursor, holders: readonly string[], now = 0): (readonly [number, number])[][] {
  cursor.looked(new Set(holders), now);
  const due = cursor.due();
  const holes = due.map((generation) => [...generation.holes]);
  for (const generation of due) cursor.settled(generation);
  cursor.compact();
  return holes;
}

describe('why each rule stands', () => {
  test('a commit between pull and look leaves no holder behind, so new holes are re-read once at once', () => {
    const cursor = new Cursor(0);
    cursor.pulled(1, []); // the transaction of row 1 was open
    cursor.looked(new Set(), 0); // and has committed since: nobody holds the lock
    const [generation, ...others] = cursor.due();
    expect(others).toEqual([]);
    if (!generation) throw new Error('not due');
    cursor.found(generation, [1]);
    cursor.settled(generation);
    expect([cursor.low, cursor.needsLook]).toEqual([1, false]);
  });

  test('a hole of nobody never was, and is sealed by the first look', () => {
    const cursor = new Cursor(10);
    cursor.pulled(13, [12]);
    expect([cursor.low, cursor.high, cursor.unsealedIds, cursor.needsLook]).toEqual([10, 13, 2, true]);
    expect(lookAndReread(cursor, [])).toEqual([
      [
        [11, 11],
        [13, 13],
      ],
    ]);
    expect([cursor.low, cursor.unsealedIds, cursor.needsLook]).toEqual([13, 0, false]);
  });

  test('a hole inside a long import is not re-read when a stranger commits', () => {
    const cursor = new Cursor(0);
    cursor.pulled(100_000, []);
    expect(lookAndReread(cursor, ['import'])).toEqual([[[1, 100_000]]]);
    for (let i = 1; i <= 5; i++) {
      cursor.pulled(100_000 + i, []);
      lookAndReread(cursor, ['import', `stranger ${i}`]);
      // The stranger has gone: its own hole is read, not the import's 100,000 ids.
      expect(lookAndReread(cursor, ['import'])).toEqual([[[100_000 + i, 100_000 + i]]]);
    }
    expect(cursor.low).toBe(0);
    expect(lookAndReread(cursor, [])).toEqual([[[1, 100_005]]]);
    expect(cursor.low).toBe(100_005);
  });

  test('generations that wait for the same holders join, so a long import does not gather hundreds', () => {
    const cursor = new Cursor(0);
    for (let i = 0; i < 300; i++) {
      cursor.pulled(2 * i + 2, [2 * i + 1]);
      lookAndReread(cursor, ['import'], 1_000 + i);
    }
    expect([cursor.openGenerations, cursor.unsealedIds, cursor.low]).toEqual([1, 300, 1]);
    // The age that is shown is that of the oldest hole.
    expect(cursor.openSince).toBe(1_000);
  });

  test('who takes the lock after the look cannot fill the holes: they do not wait for it', () => {
    const cursor = new Cursor(0);
    cursor.pulled(5, []);
    lookAndReread(cursor, ['old']);
    expect(cursor.low).toBe(0);
    expect(lookAndReread(cursor, ['young'])).toEqual([[[1, 5]]]);
    expect(cursor.low).toBe(5);
  });

  test('each holder that leaves makes its holes due once, and the last one seals them', () => {
    const cursor = new Cursor(0);
    cursor.pulled(3, []);
    lookAndReread(cursor, ['a', 'b', 'c']);
    expect(lookAndReread(cursor, ['a', 'b', 'c'])).toEqual([]);
    expect(lookAndReread(cursor, ['a', 'c'])).toEqual([[[1, 3]]]);
    expect(lookAndReread(cursor, ['a', 'c'])).toEqual([]);
    expect(lookAndReread(cursor, ['x'])).toEqual([[[1, 3]]]);
    expect([cursor.low, cursor.openGenerations]).toEqual([3, 0]);
  });

  test('a generation whose holes were all found closes although its holders live on', () => {
    const cursor = new Cursor(0);
    cursor.pulled(2, []);
    cursor.looked(new Set(['idle']), 0);
    for (const generation of cursor.due()) {
      cursor.found(generation, [2, 1]);
      cursor.settled(generation);
    }
    expect([cursor.low, cursor.needsLook]).toEqual([2, false]);
  });

  test('a failed re-read is not settled, and is due again', () => {
    const cursor = new Cursor(0);
    cursor.pulled(2, []);
    cursor.looked(new Set(), 0); // then the connection broke
    expect(lookAndReread(cursor, [])).toEqual([[[1, 2]]]);
    expect(cursor.low).toBe(2);
  });

  test('a page that came back full says nothing about the ids behind it', () => {
    const cursor = new Cursor(0);
    cursor.pulled(7, [3, 7]); // of S = 1000
    expect([cursor.high, cursor.unsealedIds]).toEqual([7, 5]);
    cursor.pulled(1_000, []);
    expect([cursor.high, cursor.unsealedIds]).toEqual([1_000, 998]);
    cursor.pulled(900, []); // a smaller S is the reader's affair (a reset); the cursor does not go back
    expect(cursor.high).toBe(1_000);
  });

  test('steps without a look gather in one generation', () => {
    const cursor = new Cursor(0);
    cursor.pulled(1, []);
    cursor.pulled(2, []);
    expect(cursor.isOpen(2)).toBe(true);
    expect(lookAndReread(cursor, ['a'], 5)).toEqual([[[1, 2]]]);
    expect([cursor.openGenerations, cursor.openSince, cursor.isOpen(2), cursor.isOpen(3)]).toEqual([
      1,
      5,
      true,
      false,
    ]);
  });
});

describe('bounds', () => {
  /** A generation of one hole each, every one with a holder of its own that stays. */
  function crowd(n: number, limits: Partial<CursorLimits>): { cursor: Cursor; holders: string[] } {
    const cursor = new Cursor(0, limits);
    const holders: string[] = [];
    for (let i = 1; i <= n; i++) {
      holders.push(`h${i}`);
      cursor.pulled(2 * i, [2 * i - 1]);
      lookAndReread(cursor, holders, i);
    }
    return { cursor, holders };
  }

  test('beyond maxGenerations the oldest two are joined: more re-reads, nothing given up', () => {
    const { cursor, holders } = crowd(10, { maxGenerations: 3 });
    expect([cursor.openGenerations, cursor.unsealedIds, cursor.givenUp]).toEqual([3, 10, 0]);
    expect(cursor.openSince).toBe(1);
    // The joined one waits for the holders of all it was made of.
    expect(lookAndReread(cursor, holders.slice(1)).flat()).toHaveLength(10);
    expect(cursor.low).toBe(1);
    lookAndReread(cursor, []);
    expect([cursor.low, cursor.openGenerations]).toEqual([20, 0]);
  });

  test('beyond maxRanges the oldest generation is given up, and its ids are counted', () => {
    const { cursor } = crowd(10, { maxRanges: 4 });
    expect([openRanges(cursor), cursor.unsealedIds, cursor.givenUp]).toEqual([4, 4, 6]);
    expect(cursor.low).toBe(13);
    expect(crowd(4, { maxRanges: 4 }).cursor.givenUp).toBe(0);
  });
});
