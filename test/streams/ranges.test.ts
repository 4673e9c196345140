import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Range, RangeSet } from '../../streams/ranges.js';

/** Small enough that ranges touch, overlap and swallow each other all the time. */
const MOST = 60;
const id = fc.integer({ min: 0, max: MOST });
const span = fc.tuple(id, id);

type Op =
  | { readonly op: 'add'; readonly from: number; readonly to: number }
  | { readonly op: 'deleteAll'; readonly ids: readonly number[] }
  | { readonly op: 'deleteUpTo'; readonly id: number };

const op: fc.Arbitrary<Op> = fc.oneof(
  // `from > to` too: an empty range is no error.
  { weight: 6, arbitrary: span.map(([from, to]): Op => ({ op: 'add', from, to })) },
  {
    weight: 2,
    arbitrary: fc.array(id, { maxLength: 12 }).map((ids): Op => ({ op: 'deleteAll', ids })),
  },
  { weight: 1, arbitrary: id.map((upTo): Op => ({ op: 'deleteUpTo', id: upTo })) },
);

/** The same operation on the plainest set there is. */
function play(model: Set<number>, one: Op): void {
  if (one.op === 'add') for (let n = one.from; n <= one.to; n++) model.add(n);
  else if (one.op === 'deleteAll') for (const n of one.ids) model.delete(n);
  else for (const n of [...model]) if (n <= one.id) model.delete(n);
}

function apply(set: RangeSet, one: Op): void {
  if (one.op === 'add') set.add(one.from, one.to);
  else if (one.op === 'deleteAll') set.deleteAll(one.ids);
  else set.deleteUpTo(one.id);
}

function rangesOf(ids: Iterable<number>): Range[] {
  const ranges: [number, number][] = [];
  for (const n of [...ids].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && last[1] === n - 1) last[1] = n;
    else ranges.push([n, n]);
  }
  return ranges;
}

describe('RangeSet is a set of numbers', () => {
  test('after any operations every reading equals that of a Set', () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 40 }), fc.array(span, { maxLength: 6 }), (ops, questions) => {
        const set = new RangeSet();
        const model = new Set<number>();
        for (const one of ops) {
          apply(set, one);
          play(model, one);
          const ranges = rangesOf(model);
          // Sorted, disjoint, and nothing that touches: anything else would be two ranges where one does.
          expect([...set]).toEqual(ranges);
          expect(set.size).toBe(ranges.length);
          expect(set.ids).toBe(model.size);
          expect(set.first).toBe(ranges[0]?.[0]);
        }
        for (let n = -1; n <= MOST + 1; n++) expect(set.has(n)).toBe(model.has(n));
        for (const [from, to] of questions) {
          const missing: number[] = [];
          for (let n = from; n <= to; n++) if (!model.has(n)) missing.push(n);
          expect([...set.gaps(from, to)]).toEqual(rangesOf(missing));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('of() takes ranges in any order, overlapping or not', () => {
    fc.assert(
      fc.property(fc.array(span, { maxLength: 20 }), (spans) => {
        const model = new Set<number>();
        for (const [from, to] of spans) for (let n = from; n <= to; n++) model.add(n);
        expect([...RangeSet.of(spans)]).toEqual(rangesOf(model));
      }),
    );
  });
});

describe('what it is for', () => {
  test('the hole of an import of a million rows is one range, at both ends of what a number can hold', () => {
    const high = Number.MAX_SAFE_INTEGER;
    const set = RangeSet.of([
      [high - 1_000_000, high - 1],
      [Number.MIN_SAFE_INTEGER, Number.MIN_SAFE_INTEGER + 9],
    ]);
    expect(set.size).toBe(2);
    expect(set.ids).toBe(1_000_010);
    set.deleteAll([high - 500_000]);
    expect([...set].slice(1)).toEqual([
      [high - 1_000_000, high - 500_001],
      [high - 499_999, high - 1],
    ]);
    expect([...set.gaps(high - 3, high)]).toEqual([[high, high]]);
  });

  test('ids to delete may come twice, unsorted and from outside', () => {
    const set = RangeSet.of([[1, 5]]);
    set.deleteAll([9, 3, 3, -4, 1]);
    expect([...set]).toEqual([
      [2, 2],
      [4, 5],
    ]);
    expect(set.ids).toBe(3);
    set.deleteAll([]);
    expect(set.ids).toBe(3);
  });

  test('the gaps of an empty set are the whole question, those of a full one nothing', () => {
    const set = new RangeSet();
    expect(set.first).toBeUndefined();
    expect([...set.gaps(3, 7)]).toEqual([[3, 7]]);
    expect([...set.gaps(7, 3)]).toEqual([]);
    set.add(0, 10);
    expect([...set.gaps(3, 7)]).toEqual([]);
    set.deleteUpTo(100);
    expect([set.size, set.ids]).toEqual([0, 0]);
  });
});
