import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdSet } from '../../streams/id-set.js';

const id = fc.oneof(
  fc.bigInt({ min: -70n, max: 200n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  // Equal but for one bit of either word, on both sides of the bounds of a group.
  fc
    .tuple(fc.integer({ min: 0, max: 62 }), fc.integer({ min: -1, max: 1 }))
    .map(([bit, by]) => 2n ** BigInt(bit) + BigInt(by)),
  fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n),
);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.array(id, { maxLength: 40 }).map((ids) => BigInt64Array.from(ids).sort()) },
  { weight: 3, arbitrary: id },
  { weight: 1, arbitrary: fc.constant(null) },
);

test('distinct ids are counted as a Set counts them, also after it was emptied', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const set = new IdSet();
      const expected = new Set<bigint>();
      for (const each of steps) {
        if (each === null) {
          set.clear();
          expected.clear();
        } else if (typeof each === 'bigint') {
          set.add(Number(BigInt.asIntN(32, each)), Number(each >> 32n));
          expected.add(each);
        } else {
          set.addAll(each);
          for (const one of each) expected.add(one);
        }
        expect(set.size).toBe(expected.size);
      }
    }),
  );
});

test('many, close together and scattered, with ever fewer of them after each emptying', () => {
  const set = new IdSet();
  for (const [count, step] of [
    [50_000, 1n],
    [50_000, 1_000_003n],
    [30_000, 2n ** 40n + 1n],
    [10, 1n],
  ] as const) {
    const ids = BigInt64Array.from({ length: count }, (_, i) => (BigInt(i) - 1000n) * step);
    set.clear();
    set.addAll(ids);
    set.addAll(ids.subarray(ids.length >> 1));
    expect(set.size).toBe(count);
  }
});
