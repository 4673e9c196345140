import fc from 'fast-check';
import { build, type Histogram } from 'hdr-histogram-js';
import { describe, expect, test } from 'vitest';
import {
  BLOCK_CELLS,
  CELLS,
  cellLow,
  cellMiddle,
  cellOf,
  Durations,
  MAX_DURATION_MS,
  rankOf,
  SIGNIFICANT_DIGITS,
} from '../../streams/histogram.js';

function hdr(): Histogram {
  return build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: MAX_DURATION_MS,
    numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
    useWebAssembly: false,
  });
}

const duration = fc.oneof(
  fc.integer({ min: 0, max: 5000 }),
  fc.integer({ min: 0, max: MAX_DURATION_MS }),
  fc.integer({ min: 0, max: 31 }).map((bits) => Math.min(2 ** bits, MAX_DURATION_MS)),
  fc.integer({ min: 0, max: 31 }).map((bits) => 2 ** bits - 1),
);

describe('cells', () => {
  test('are those of hdr-histogram-js', () => {
    const theirs = hdr();
    fc.assert(
      fc.property(duration, (ms) => {
        theirs.reset();
        theirs.recordValue(ms);
        // The only value is the highest of its cell there; it lies in the same cell here, and its neighbour does not.
        const highest = theirs.getValueAtPercentile(100);
        expect(cellOf(highest)).toBe(cellOf(ms));
        if (highest < MAX_DURATION_MS) expect(cellOf(highest + 1)).toBe(cellOf(ms) + 1);
        expect(theirs.minNonZeroValue === 0 ? ms : cellLow(cellOf(ms))).toBeLessThanOrEqual(ms);
      }),
      { numRuns: 2000 },
    );
  });

  test('begin at 0, end at 2^31-1 ms and are as many as their layout has', () => {
    expect(cellOf(0)).toBe(0);
    expect(cellOf(MAX_DURATION_MS)).toBe(CELLS - 1);
    expect(CELLS % BLOCK_CELLS).toBe(0);
  });

  test('every cell begins after the one before, and its middle is within 3 significant digits of all in it', () => {
    for (let cell = 0; cell < CELLS; cell++) {
      const low = cellLow(cell);
      const high = cell === CELLS - 1 ? MAX_DURATION_MS : cellLow(cell + 1) - 1;
      if (cellOf(low) !== cell || cellOf(high) !== cell) throw new Error(`cell ${cell}: ${low} to ${high}`);
      const middle = cellMiddle(cell);
      if (Math.max(middle - low, high - middle) > low / 2000)
        throw new Error(`middle of cell ${cell}: ${middle}`);
    }
  });
});

test('ranks are those of percentile_disc', () => {
  expect([rankOf(0.5, 1), rankOf(0.5, 2), rankOf(0.5, 3), rankOf(0.95, 20), rankOf(0.99, 100)]).toEqual([
    1, 1, 2, 19, 99,
  ]);
});

describe('Durations', () => {
  test('blocks and cells count what was added and taken back, by type and in all', () => {
    const durations = new Durations(2);
    durations.add(cellOf(5), 3);
    durations.add(CELLS + cellOf(5), 1);
    durations.add(CELLS + cellOf(7), 2);
    durations.add(CELLS + cellOf(7), -1);
    expect([durations.inBlock(0, 0), durations.inBlock(1, 0), durations.inBlock(2, 0)]).toEqual([5, 3, 2]);
    const cells = new Uint32Array(BLOCK_CELLS);
    durations.addCellsTo(cells, 0, 0);
    expect([cells[5], cells[7]]).toEqual([4, 1]);
  });

  test('growing keeps what there is; a type beyond the room has nothing', () => {
    const durations = new Durations(1);
    durations.add(cellOf(100), 1);
    const cells = new Uint32Array(BLOCK_CELLS);
    durations.addCellsTo(cells, 9, 0);
    expect([durations.inBlock(9, 0), cells.every((count) => count === 0)]).toEqual([0, true]);
    durations.reserve(10);
    durations.add(8 * CELLS + cellOf(100), 1);
    const block = Math.floor(cellOf(100) / BLOCK_CELLS);
    expect([durations.inBlock(0, block), durations.inBlock(1, block), durations.inBlock(9, block)]).toEqual([
      2, 1, 1,
    ]);
  });
});
