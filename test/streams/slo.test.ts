import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SLO_WINDOWS, type SloCount, type SloReading, type SloWindow } from '../../streams/alert.js';
import { type SloCounts, type SloOptions, sloReading } from '../../streams/slo.js';

const TARGET = { target: 99, windowDays: 30 };
const of = (errors: number, total: number): SloCount => ({ errors, total });

/** Every window has the same counts but for those that are given. */
function counts(all: SloCount | null, fields: Partial<Record<SloWindow, SloCount | null>> = {}): SloCounts {
  const windows = { '5m': all, '30m': all, '1h': all, '6h': all, '3d': all, ...fields };
  return { windows, budget: all };
}

const read = (given: SloCounts, options: Partial<SloOptions> = {}): SloReading =>
  sloReading(given, { ...TARGET, ...options });

describe('budget', () => {
  test.each([
    // errors, of 10,000 at 99 %, and what is left of the hundred that are allowed
    [0, 1],
    [1, 0.99],
    [50, 0.5],
    [99, 0.01],
    [100, 0],
    [150, -0.5],
    [10_000, -99],
  ])('%i errors leave %d', (errors, left) => {
    expect(read(counts(of(errors, 10_000))).budgetLeft).toBe(left);
  });

  test('of nothing is not known, neither are the rates', () => {
    for (const nothing of [of(0, 0), null]) {
      expect(read(counts(nothing))).toMatchObject({
        budgetLeft: null,
        goneInSeconds: null,
        burnRates: { '5m': null, '30m': null, '1h': null, '6h': null, '3d': null },
        fast: { rate: null, enough: false },
        words: { en: 'No operations in the last 30 days.' },
      });
    }
  });

  test('a target without errors is none', () => {
    expect(() => read(counts(of(0, 1)), { target: 100 })).toThrow(
      'an SLO target of 100 % leaves no error budget; valid are 0 to below 100',
    );
    expect(() => read(counts(of(0, 1)), { target: Number.NaN })).toThrow(RangeError);
    expect(() => read(counts(of(0, 1)), { windowDays: 0 })).toThrow('0 days is no time');
  });
});

describe('burn rates', () => {
  test('exact at the lines, where binary fractions are not', () => {
    expect(read(counts(of(144, 1000))).burnRates['1h']).toBe(14.4);
    expect(read(counts(of(144, 10_000)), { target: 99.9 }).burnRates['1h']).toBe(14.4);
    expect(read(counts(of(6, 1000)), { target: 99.9 }).burnRates['6h']).toBe(6);
    expect(read(counts(of(1, 100))).burnRates['3d']).toBe(1);
  });

  test('the slower of the two windows decides', () => {
    const { fast, slow, steady } = read(
      counts(of(1, 1000), { '5m': of(200, 1000), '1h': of(150, 1000), '6h': of(70, 1000) }),
    );
    expect(fast).toEqual({ long: '1h', short: '5m', line: 14.4, rate: 15, enough: true });
    expect(slow).toEqual({ long: '6h', short: '30m', line: 6, rate: 0.1, enough: true });
    expect(steady).toEqual({ long: '3d', short: '6h', line: 1, rate: 0.1, enough: false });
  });

  test('a window that is not known, or empty, burns nothing', () => {
    expect(read(counts(of(500, 1000), { '5m': of(0, 0) })).fast.rate).toBeNull();
    expect(read(counts(of(500, 1000), { '3d': null })).steady).toMatchObject({ rate: null, enough: false });
  });

  test.each([
    // errors, operations of the hour: 50 operations and 5 errors are enough
    [5, 49, false],
    [5, 50, true],
    [4, 50, false],
    [49, 49, false],
    [4, 5000, false],
    [5, 5000, true],
  ])('%i errors of %i operations: enough is %s', (errors, total, enough) => {
    expect(read(counts(of(errors, total))).fast.enough).toBe(enough);
  });

  test('on every count: what the definition says', () => {
    const count = fc
      .nat(100_000)
      .chain((total) => fc.record({ errors: fc.nat(total), total: fc.constant(total) }));
    const all = fc.record({ '5m': count, '30m': count, '1h': count, '6h': count, '3d': count });
    const target = fc.constantFrom(50, 90, 99, 99.5, 99.9, 99.99);
    fc.assert(
      fc.property(all, count, target, (windows, budget, percent) => {
        const reading = read({ windows, budget }, { target: percent });
        const rate = ({ errors, total }: SloCount): number => errors / total / (1 - percent / 100);
        for (const window of SLO_WINDOWS) {
          const burn = reading.burnRates[window];
          if (windows[window].total === 0) expect(burn).toBeNull();
          else expect(burn).toBeCloseTo(rate(windows[window]), 6);
        }
        if (budget.total > 0) expect(reading.budgetLeft).toBeCloseTo(1 - rate(budget), 6);
        const { words, goneInSeconds } = reading;
        if (goneInSeconds !== null) {
          expect(goneInSeconds).toBeGreaterThanOrEqual(0);
          expect(goneInSeconds).toBeLessThanOrEqual(30 * 86_400);
        }
        expect(words.en).toMatch(/^[^{}]*[a-z]\.$|% of it is spent\.$/);
        expect(words.ru).toMatch(/\.$/);
        expect(words.en + words.ru).not.toMatch(/NaN|undefined|null|Infinity/);
      }),
    );
  });
});

describe('in words', () => {
  /** So much of the budget left, and so fast an hour. */
  const words = (left: number, rate: number | null): SloReading['words'] => {
    const hour = rate === null ? of(0, 0) : of(rate * 1000, 100_000);
    return read({ ...counts(null, { '1h': hour }), budget: of((1 - left) * 10_000, 1_000_000) }).words;
  };

  test.each([
    // 30 days x what is left / speed
    [
      1,
      0,
      '100% of the error budget is left; at this rate it lasts.',
      'Осталось 100 % бюджета ошибок; при таком темпе его хватит.',
    ],
    [
      0.5,
      0.5,
      '50% of the error budget is left; at this rate the budget is gone in 30 days.',
      'Осталось 50 % бюджета ошибок; при таком темпе он закончится через 30 дней.',
    ],
    [
      0.5,
      0.49,
      '50% of the error budget is left; at this rate it lasts.',
      'Осталось 50 % бюджета ошибок; при таком темпе его хватит.',
    ],
    [
      0.1,
      18,
      '10% of the error budget is left; at this rate the budget is gone in 4 hours.',
      'Осталось 10 % бюджета ошибок; при таком темпе он закончится через 4 часа.',
    ],
    [
      0.2,
      6.85,
      '20% of the error budget is left; at this rate the budget is gone in 21 hours.',
      'Осталось 20 % бюджета ошибок; при таком темпе он закончится через 21 час.',
    ],
    [
      0.01,
      7.2,
      '1% of the error budget is left; at this rate the budget is gone in 1 hour.',
      'Осталось 1 % бюджета ошибок; при таком темпе он закончится через 1 час.',
    ],
    [
      0.01,
      20,
      '1% of the error budget is left; at this rate the budget is gone in 22 minutes.',
      'Осталось 1 % бюджета ошибок; при таком темпе он закончится через 22 минуты.',
    ],
    [
      0.001,
      90,
      '<1% of the error budget is left; at this rate the budget is gone in 1 minute.',
      'Осталось <1 % бюджета ошибок; при таком темпе он закончится через 1 минуту.',
    ],
    [
      0.999,
      null,
      '>99% of the error budget is left; there were no operations in the last hour.',
      'Осталось >99 % бюджета ошибок; за последний час операций не было.',
    ],
    [
      0,
      3,
      'The error budget of 30 days is gone: 100% of it is spent.',
      'Бюджет ошибок на 30 дней исчерпан: израсходовано 100 %.',
    ],
    [
      -0.5,
      3,
      'The error budget of 30 days is gone: 150% of it is spent.',
      'Бюджет ошибок на 30 дней исчерпан: израсходовано 150 %.',
    ],
  ])('%d left at %d', (left, rate, en, ru) => {
    expect(words(left, rate)).toEqual({ en, ru });
  });

  test('of an empty table', () => {
    expect(read(counts(null)).words.ru).toBe('За последние 30 дней операций не было.');
    expect(read(counts(null), { windowDays: 1 }).words).toEqual({
      en: 'No operations in the last 1 day.',
      ru: 'За последний 1 день операций не было.',
    });
  });
});
