import { describe, expect, it } from 'vitest';
import { formatOf } from '../../dashboards/live/src/format.js';

/** ICU writes blanks of several widths, some of which do not break. */
const plain = (text: string | null): string | null => text?.replaceAll(/\s/g, ' ') ?? null;
const en = formatOf('en-GB', 'Europe/Moscow');
const ru = formatOf('ru', 'Europe/Moscow');

describe('values in both languages', () => {
  it.each([
    ['count', 1_234_567, '1,234,567', '1 234 567'],
    ['number', 97.2666, '97.27', '97,27'],
    ['number', 0, '0', '0'],
    ['percent', 4.35, '4.35%', '4,35 %'],
    ['percent', 0, '0%', '0 %'],
    ['percent', 99.99, '99.99%', '99,99 %'],
    ['millis', 0, '0ms', '0 мс'],
    ['millis', 999.4, '999ms', '999 мс'],
    ['millis', 999.6, '1s', '1 с'],
    ['millis', 59_990, '59.99s', '59,99 с'],
    ['millis', 90_000, '1.5m', '1,5 мин'],
    ['span', -3, '0s', '0 с'],
    ['span', 59.9, '59s', '59 с'],
    ['span', 60, '1m', '1 мин'],
    ['span', 5_400, '1.5h', '1,5 ч'],
    ['span', 172_800, '2d', '2 д.'],
  ] as const)('%s of %d', (name, value, english, russian) => {
    expect([plain(en[name](value)), plain(ru[name](value))]).toEqual([english, russian]);
  });

  it('every percentage with two decimals is written with exactly these', () => {
    const all = Array.from({ length: 10_001 }, (_, hundredths) => hundredths / 100);
    expect(all.filter((value) => en.percent(value) !== `${value}%`)).toEqual([]);
  });
});

describe('times', () => {
  const at = Date.UTC(2026, 0, 31, 22, 5, 9, 7);
  it('are of the zone, with the date where it is another day', () => {
    expect(en.time(at)).toBe('01:05:09');
    expect(en.moment(at, at + 60_000)).toBe('01:05:09');
    expect(plain(en.moment(at, at - 7_200_000))).toBe('1 Feb, 01:05');
    expect(plain(ru.exact(at))).toBe('01.02.2026, 01:05:09,007');
  });

  it('of a period are told with their dates, once where it is the same', () => {
    expect(plain(en.period(at, at + 3_600_000))).toBe('1 Feb 2026, 01:05–02:05');
    expect(plain(en.period(at - 86_400_000, at))).toBe('31 Jan 2026, 01:05 – 1 Feb 2026, 01:05');
  });

  it('know midnight as 00', () => {
    expect(formatOf('en-US', 'UTC').time(Date.UTC(2026, 0, 1, 0, 1, 2))).toBe('00:01:02');
  });
});

describe('differences', () => {
  it.each([
    [120, 100, '+20%'],
    [50, 100, '-50%'],
    [100, 100, '0%'],
    [0, 10, '-100%'],
    [999, 100, '+899%'],
    [1_000, 100, '×10'],
    [5, 0, null],
    [0, 0, null],
  ])('%d after %d: %s', (now, before, expected) => {
    expect(en.change(now, before)).toBe(expected);
  });

  it('of percentages are points', () => {
    expect(en.points(4.35, 4.25)).toBe('+0.1');
    expect(plain(ru.points(1.1, 3.35))).toBe('-2,25');
    expect(en.points(2, 2)).toBe('0');
  });
});
