import { beforeEach, describe, expect, test } from 'vitest';
import { Cursor, type CursorLimits } from '../../streams/cursor.js';

/** Ranges of ids that are still open; the generations may hold them in more pieces, never in fewer. */
function openRanges(cursor: Cursor): number {
  let ranges = 0;
  for (let id = 1; id <= cursor.high; id++) if (cursor.isOpen(id) && !cursor.isOpen(id - 1)) ranges++;
  return ranges;
}

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

describe('holes of the last moments', () => {
  const LIMIT = { width: 100, ids: 500 };

  /** Looks at the holes of `ids` and lets them wait for `holder`. */
  function waiting(cursor: Cursor, upTo: number, ids: readonly number[], holder: string, now: number): void {
    cursor.pulled(upTo, ids);
    lookAndReread(cursor, [...holders.add(holder)], now);
  }
  let holders = new Set<string>();
  beforeEach(() => {
    holders = new Set();
  });

  test('those without a look come first, then the newest generation; older ones are left to the looks', () => {
    const cursor = new Cursor(0);
    waiting(cursor, 2, [2], 'old', 100);
    waiting(cursor, 5, [3, 5], 'newer', 200);
    waiting(cursor, 8, [6, 7], 'newest', 300);
    cursor.pulled(10, [9]);
    expect(cursor.recentHoles(200, LIMIT)).toEqual([
      [10, 10],
      [8, 8],
      [4, 4],
    ]);
    expect(cursor.recentHoles(Number.POSITIVE_INFINITY, LIMIT)).toEqual([[10, 10]]);
    expect(cursor.recentHoles(0, LIMIT)).toHaveLength(4);
  });

  test('the hole of an import is too wide; a hole at the bound is not', () => {
    const cursor = new Cursor(0);
    cursor.pulled(100_000, [100, 99_900]); // 1..99, 101..99,899, 99,901..100,000
    expect(cursor.recentHoles(0, LIMIT)).toEqual([
      [1, 99],
      [99_901, 100_000],
    ]);
    expect(cursor.recentHoles(0, { width: 99, ids: 500 })).toEqual([[1, 99]]);
  });

  test('no more ids than the bound in all, whichever holes they are of', () => {
    const cursor = new Cursor(0);
    cursor.pulled(12, [4, 8, 12]); // three holes of three ids
    expect(cursor.recentHoles(0, { width: 100, ids: 9 })).toHaveLength(3);
    expect(cursor.recentHoles(0, { width: 100, ids: 8 })).toEqual([
      [1, 3],
      [5, 7],
    ]);
    expect(cursor.recentHoles(0, { width: 100, ids: 2 })).toEqual([]);
    expect(new Cursor(5).recentHoles(0, LIMIT)).toEqual([]);
  });

  test('what was read from among them is open no longer, in whichever set it was', () => {
    const cursor = new Cursor(0);
    waiting(cursor, 3, [3], 'a', 100);
    waiting(cursor, 6, [6], 'b', 200);
    cursor.pulled(9, [9]);
    cursor.filled([1, 5, 8]);
    expect([1, 2, 3, 4, 5, 6, 7, 8, 9].filter((id) => cursor.isOpen(id))).toEqual([2, 4, 7]);
    expect([cursor.unsealedIds, cursor.low]).toEqual([3, 1]);
    cursor.filled([]);
    expect(cursor.unsealedIds).toBe(3);
  });

  test('a generation that is filled to the last id closes although its holders live on', () => {
    const cursor = new Cursor(0);
    waiting(cursor, 2, [], 'a', 100);
    waiting(cursor, 4, [], 'b', 200);
    cursor.filled([1, 2]);
    expect([cursor.openGenerations, cursor.openSince, cursor.low]).toEqual([1, 200, 2]);
    cursor.filled([3, 4]);
    expect([cursor.openGenerations, cursor.openSince, cursor.low, cursor.needsLook]).toEqual([
      0,
      undefined,
      4,
      false,
    ]);
  });

  test('a generation that is due stays due for what was not filled', () => {
    const cursor = new Cursor(0);
    waiting(cursor, 3, [], 'a', 100);
    cursor.looked(new Set(), 200);
    cursor.filled([2]);
    expect(cursor.due().map((generation) => [...generation.holes])).toEqual([
      [
        [1, 1],
        [3, 3],
      ],
    ]);
  });
});
