import fc from 'fast-check';
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, JsHistogram } from 'hdr-histogram-js';
import { describe, expect, test } from 'vitest';
import { decodeRollup, ROLLUP_COLUMNS, rollupValues } from '../../src/history/codec.js';
import { CodecError, decodeDurations, encodeDurations } from '../../src/history/packing.js';
import { decodeCustomers, encodeCustomers } from '../../src/history/packing-customers.js';
import { CELLS, cellLow, MAX_DURATION_MS } from '../../streams/histogram.js';
import { cellsArb, customersArb, rollupArb } from './rollups.js';

function hdr(digits: 2 | 3 = 3) {
  return build({
    bitBucketSize: 64,
    lowestDiscernibleValue: 1,
    highestTrackableValue: MAX_DURATION_MS,
    numberOfSignificantValueDigits: digits,
  });
}

describe('durations', () => {
  test('hdr-histogram-js reads the very counts that were written', () => {
    fc.assert(
      fc.property(cellsArb, (durations) => {
        const bytes = encodeDurations(
          Int32Array.from(durations, ([cell]) => cell),
          Float64Array.from(durations, ([, count]) => count),
        );
        const theirs = decodeFromCompressedBase64(bytes.toString('base64'), 64);
        if (!(theirs instanceof JsHistogram)) throw new Error('not the implementation asked for');
        expect([theirs.numberOfSignificantValueDigits, theirs.highestTrackableValue]).toEqual([
          3,
          MAX_DURATION_MS,
        ]);
        const found: [number, number][] = [];
        for (let cell = 0; cell < CELLS; cell++) {
          const count = theirs.getCountAtIndex(cell);
          if (count > 0) found.push([cell, count]);
        }
        expect(found).toEqual(durations);
      }),
      { numRuns: 200 },
    );
  });

  test('what hdr-histogram-js writes is read, cell for cell', () => {
    fc.assert(
      fc.property(cellsArb, (durations) => {
        const theirs = hdr();
        for (const [cell, count] of durations) theirs.recordValueWithCount(cellLow(cell), count);
        const { cells, counts } = decodeDurations(Buffer.from(encodeIntoCompressedBase64(theirs), 'base64'));
        expect([...cells].map((cell, i) => [cell, counts[i]])).toEqual(durations);
      }),
      { numRuns: 200 },
    );
  });

  test('a long one too', () => {
    const cells = Int32Array.from({ length: 4_000 }, (_, i) => i * 5);
    const counts = Float64Array.from(cells, (cell) => 1 + (cell % 300));
    const bytes = encodeDurations(cells, counts);
    expect(decodeDurations(bytes)).toEqual({ cells, counts });
    expect(decodeFromCompressedBase64(bytes.toString('base64'), 64).totalCount).toBe(
      counts.reduce((sum, count) => sum + count, 0),
    );
  });

  test('another layout, another encoding and broken bytes are refused', () => {
    const theirs = hdr(2);
    theirs.recordValue(5);
    const other = Buffer.from(encodeIntoCompressedBase64(theirs), 'base64');
    expect(() => decodeDurations(other)).toThrow('3 digits');
    const ours = encodeDurations(Int32Array.of(7, 900), Float64Array.of(1, 2));
    expect(() => decodeDurations(ours.subarray(8))).toThrow('V2 compressed encoding');
    expect(() => decodeDurations(ours.subarray(0, ours.length - 6))).toThrow(CodecError);
    expect(() => decodeDurations(Buffer.alloc(0))).toThrow(CodecError);
  });
});

describe('customers', () => {
  test('any ascending bigints come back', () => {
    fc.assert(
      fc.property(customersArb, (customers) => {
        expect(decodeCustomers(encodeCustomers(customers))).toEqual(customers);
      }),
    );
  });

  test('many neighbours take a few bits each', () => {
    const customers = BigInt64Array.from({ length: 10_000 }, (_, i) => BigInt(i * 3 + 2 ** 40));
    const bytes = encodeCustomers(customers);
    expect(bytes.length).toBeLessThan(100);
    expect(decodeCustomers(bytes)).toEqual(customers);
  });

  test('broken bytes are refused', () => {
    const bytes = encodeCustomers(BigInt64Array.of(1n, 500n, 70_000n));
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeCustomers(bytes.subarray(0, length))).toThrow(CodecError);
    expect(() => decodeCustomers(Buffer.of(9, 9, 9))).toThrow('in no known encoding');
    expect(() => decodeCustomers(Buffer.of(1, 9, 9))).toThrow(CodecError);
  });
});

test('a rollup comes back from its columns as it was', () => {
  fc.assert(
    fc.property(rollupArb, fc.integer({ min: 0, max: 3 }), (rollup, at) => {
      const values = rollupValues(rollup);
      expect(values).toHaveLength(ROLLUP_COLUMNS.length);
      expect(decodeRollup([...Array<null>(at).fill(null), ...values], at)).toEqual(rollup);
    }),
  );
});
