import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SparseCounts, SparseScratch } from '../../streams/sparse.js';

const KEYS = 1_000_000;

function countsOf(sparse: SparseCounts): Map<number, number> {
  const counts = new Map<number, number>();
  sparse.each((key, count) => {
    const sum = (counts.get(key) ?? 0) + count;
    if (sum === 0) counts.delete(key);
    else counts.set(key, sum);
  });
  return counts;
}

const key = fc.oneof(
  fc.integer({ min: 0, max: KEYS - 1 }),
  fc.integer({ min: 0, max: 40 }),
  fc.constantFrom(0, KEYS - 1),
);
const step = fc.oneof(
  { weight: 20, arbitrary: key.map((of) => ({ do: 'add' as const, key: of })) },
  { weight: 5, arbitrary: fc.nat().map((pick) => ({ do: 'remove' as const, pick })) },
  { weight: 2, arbitrary: fc.constant({ do: 'pack' as const }) },
  { weight: 1, arbitrary: fc.array(key, { maxLength: 30 }).map((keys) => ({ do: 'merge' as const, keys })) },
  {
    weight: 2,
    arbitrary: fc
      .uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 30 })
      .map((keys) => ({ do: 'counts' as const, keys: keys.sort((a, b) => a - b) })),
  },
);

describe('SparseCounts', () => {
  test('counts like a map, packed or not', () => {
    const scratch = new SparseScratch(KEYS);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const sparse = new SparseCounts(scratch);
        const added: number[] = [];
        for (const each of steps) {
          if (each.do === 'add') {
            sparse.add(each.key);
            added.push(each.key);
          } else if (each.do === 'remove') {
            const [taken] = added.splice(each.pick % Math.max(1, added.length), 1);
            if (taken !== undefined) sparse.remove(taken);
          } else if (each.do === 'counts') {
            sparse.addCounts(
              20,
              Int32Array.from(each.keys),
              Float64Array.from(each.keys, (_, i) => i + 1),
            );
            each.keys.forEach((key, i) => {
              for (let n = 0; n <= i; n++) added.push(20 + key);
            });
          } else if (each.do === 'pack') {
            sparse.pack();
          } else {
            const other = new SparseCounts(scratch);
            for (const of of each.keys) other.add(of);
            sparse.merge(other);
            added.push(...each.keys);
          }
        }
        const expected = new Map<number, number>();
        for (const each of added) expected.set(each, (expected.get(each) ?? 0) + 1);
        expect(countsOf(sparse)).toEqual(expected);
        sparse.pack();
        expect(countsOf(sparse)).toEqual(expected);
      }),
    );
  });

  test('what is packed comes in the order of keys', () => {
    const sparse = new SparseCounts(new SparseScratch(KEYS));
    for (let i = 0; i < 4; i++) for (const each of [999_999, 3, 70_000, 3, 0]) sparse.add(each);
    sparse.pack();
    const seen: [number, number][] = [];
    sparse.each((of, count) => seen.push([of, count]));
    expect(seen).toEqual([
      [0, 4],
      [3, 8],
      [70_000, 4],
      [999_999, 4],
    ]);
  });

  test('a few records are not worth packing, and merge one by one, with themselves too', () => {
    const sparse = new SparseCounts(new SparseScratch(KEYS));
    for (const each of [5, 3, 5]) sparse.add(each);
    sparse.remove(3);
    const before = sparse.byteLength;
    sparse.pack();
    expect(sparse.byteLength).toBe(before);
    for (let i = 0; i < 3; i++) sparse.merge(sparse);
    expect(countsOf(sparse)).toEqual(new Map([[5, 16]]));
  });

  test('large counts survive packing', () => {
    const scratch = new SparseScratch(1000);
    const sparse = new SparseCounts(scratch);
    for (let i = 0; i < 300_000; i++) sparse.add(i % 3);
    const doubled = new SparseCounts(scratch);
    for (let i = 0; i < 12; i++) {
      doubled.merge(sparse);
      doubled.merge(doubled);
    }
    const each = 100_000 * (2 ** 13 - 2);
    expect(countsOf(doubled)).toEqual(
      new Map([
        [0, each],
        [1, each],
        [2, each],
      ]),
    );
  });

  test('takes memory by the keys it has, not by the records', () => {
    const sparse = new SparseCounts(new SparseScratch(KEYS));
    for (let i = 0; i < 1_000_000; i++) sparse.add((i * 7919) % 5000);
    expect(sparse.byteLength).toBeLessThan(5000 * 4 * 3);
    sparse.pack();
    expect(sparse.byteLength).toBeLessThan(5000 * 3);
  });

  test('settling packs a log that has become long, and leaves a short one', () => {
    const sparse = new SparseCounts(new SparseScratch(KEYS));
    for (let i = 0; i < 6000; i++) sparse.add(i);
    sparse.pack();
    for (let i = 0; i < 1000; i++) sparse.add(5);
    const short = sparse.byteLength;
    sparse.settle();
    expect(sparse.byteLength).toBe(short);
    for (let i = 0; i < 1000; i++) sparse.add(5);
    const long = sparse.byteLength;
    sparse.settle();
    expect(sparse.byteLength).toBeLessThan(long - 4 * 2000);
    expect(countsOf(sparse).get(5)).toBe(2001);
  });

  test('merging keeps a few packed parts apart, and settling makes them one', () => {
    const scratch = new SparseScratch(KEYS);
    const other = new SparseCounts(scratch);
    for (let i = 0; i < 1000; i++) other.add(i);
    const sparse = new SparseCounts(scratch);
    const bytes: number[] = [];
    for (let i = 0; i < 20; i++) {
      sparse.merge(other);
      bytes.push(sparse.byteLength);
    }
    expect(Math.max(...bytes)).toBeLessThan(1000 * 2 * 10);
    sparse.settle();
    expect(sparse.byteLength).toBe(1000);
    expect(countsOf(sparse).get(999)).toBe(20);
  });

  test('clear empties it', () => {
    const sparse = new SparseCounts(new SparseScratch(10));
    for (let i = 0; i < 100; i++) sparse.add(i % 10);
    sparse.pack();
    sparse.add(2);
    sparse.clear();
    // Room for the next few records.
    expect([countsOf(sparse).size, sparse.byteLength]).toEqual([0, 16 * 4]);
    for (let i = 0; i < 100; i++) sparse.add(1);
    sparse.clear();
    expect(sparse.byteLength).toBe(0);
  });

  test('more keys than block numbers are refused', () => {
    expect(() => new SparseScratch(2 ** 20 + 1)).toThrow(
      'cannot pack 1048577 different keys; valid are 1 to 1048576',
    );
  });
});
