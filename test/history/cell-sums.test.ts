import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CellSums } from '../../src/history/cell-sums.js';
import { CodecError, eachDurations, encodeDurations } from '../../src/history/packing.js';
import { cellsArb } from './rollups.js';

type Pairs = readonly (readonly [cell: number, count: number])[];

const encoded = (durations: Pairs): Buffer =>
  encodeDurations(
    Int32Array.from(durations, ([cell]) => cell),
    Float64Array.from(durations, ([, count]) => count),
  );

test('histograms that follow each other are added up, and what was taken is gone', () => {
  const sums = new CellSums();
  fc.assert(
    fc.property(fc.array(cellsArb, { maxLength: 6 }), (histograms) => {
      const expected = new Map<number, number>();
      for (const [cell, count] of histograms.flat()) expected.set(cell, (expected.get(cell) ?? 0) + count);
      eachDurations(Buffer.concat(histograms.map(encoded)), (cells, counts, size) =>
        sums.add(cells, counts, size),
      );
      const { cells, counts } = sums.take();
      expect([...cells].map((cell, i) => [cell, counts[i]])).toEqual([...expected].sort(([a], [b]) => a - b));
    }),
  );
});

test('what is cut off, or no histogram, is refused', () => {
  const two = Buffer.concat([encoded([[7, 1]]), encoded([[900, 2]])]);
  for (const cut of [1, 5, 20, 40])
    expect(() => eachDurations(two.subarray(0, two.length - cut), () => undefined)).toThrow(CodecError);
  expect(() => eachDurations(two.subarray(0, two.length / 2 + 3), () => undefined)).toThrow('cut off');
  expect(() => eachDurations(Buffer.concat([two, Buffer.alloc(9)]), () => undefined)).toThrow(
    'V2 compressed encoding',
  );
});
