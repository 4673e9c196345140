import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Coarse,
  type Cover,
  Coverage,
  DAY_LEVEL,
  DAY_MS,
  type Kept,
  type Level,
  MINUTE_LEVEL,
  MINUTE_MS,
  MONTH_LEVEL,
  QUARTER_LEVEL,
  QUARTER_MS,
  startOf,
} from '../../src/history/cover.js';
import type { Span } from '../../streams/event.js';

const HOUR = 3_600_000;
const at = (text: string) => Date.parse(`${text}Z`);
const MINUTES_FROM = at('2024-03-01T00:15');
const ALL: Kept = { todo: [], minutesFrom: MINUTES_FROM, rollupsFrom: at('2023-01-01T00:00'), rawFrom: null };

/** As `level from/to`, without what they have in common, so that a table of them can be read. */
function shown({ parts, edges, aligned, from, to }: Cover): string[] {
  const iso = (time: number) =>
    new Date(time)
      .toISOString()
      .slice(5, -1)
      .replace(/(:00)?\.000$/, '');
  const span = (one: Span) => `${iso(one.from)}/${iso(one.to)}`;
  return [
    ...(aligned ? [`aligned ${span({ from, to })}`] : []),
    ...parts.map((part) => `${part.level} ${span(part)}`),
    ...edges.map((edge) => `edge ${span(edge)}`),
  ];
}

const cover = (from: string, to: string, kept: Partial<Kept> = {}) => {
  const found = new Coverage({ ...ALL, ...kept }).between([at(from), at(to)]);
  return found ? found.flatMap(shown) : 'the table';
};

describe('a period is put together from', () => {
  test('the coarsest that fit', () => {
    expect(cover('2024-02-28T23:44:59.999', '2024-05-02T00:16:00.001')).toEqual([
      '1 02-28T23:45/02-29T00:00',
      '2 02-29T00:00/03-01T00:00',
      '3 03-01T00:00/05-01T00:00',
      '2 05-01T00:00/05-02T00:00',
      '1 05-02T00:00/05-02T00:15',
      '0 05-02T00:15/05-02T00:16',
      'edge 02-28T23:44:59.999/02-28T23:45',
      'edge 05-02T00:16/05-02T00:16:00.001',
    ]);
  });

  test.each([
    ['one instant', '2024-05-02T00:00', '2024-05-02T00:00', []],
    [
      'less than a minute',
      '2024-05-02T00:00:01',
      '2024-05-02T00:00:59',
      ['edge 05-02T00:00:01/05-02T00:00:59'],
    ],
    [
      'two halves of minutes',
      '2024-05-02T00:00:30',
      '2024-05-02T00:01:30',
      ['edge 05-02T00:00:30/05-02T00:01:30'],
    ],
    ['a minute', '2024-05-02T00:00', '2024-05-02T00:01', ['0 05-02T00:00/05-02T00:01']],
    ['a month', '2024-05-01T00:00', '2024-06-01T00:00', ['3 05-01T00:00/06-01T00:00']],
    [
      'the end of the old time, where a quarter is the finest',
      '2024-03-01T00:05',
      '2024-03-01T00:16',
      ['0 03-01T00:15/03-01T00:16', 'edge 03-01T00:05/03-01T00:15'],
    ],
  ])('for %s', (_, from, to, expected) => {
    expect(cover(from, to)).toEqual(expected);
  });

  test('finer ones where the coarse do not hold all of them', () => {
    const todo: Coarse[] = [
      { level: MONTH_LEVEL, start: at('2024-05-01') },
      { level: DAY_LEVEL, start: at('2024-05-11') },
      { level: QUARTER_LEVEL, start: at('2024-05-11T10:15') },
    ];
    expect(cover('2024-05-01T00:00', '2024-06-01T00:00', { todo })).toEqual([
      '2 05-01T00:00/05-11T00:00',
      '1 05-11T00:00/05-11T10:15',
      '0 05-11T10:15/05-11T10:30',
      '1 05-11T10:30/05-12T00:00',
      '2 05-12T00:00/06-01T00:00',
    ]);
  });

  test('quarters that hold all though they are to be added to their day, where there are no minutes', () => {
    const todo: Coarse[] = [
      { level: QUARTER_LEVEL, start: at('2024-02-11T10:15') },
      { level: DAY_LEVEL, start: at('2024-02-11') },
    ];
    expect(cover('2024-02-11T00:00', '2024-02-12T00:00', { todo })).toEqual(['1 02-11T00:00/02-12T00:00']);
  });

  test('more than was asked for, where the table does not have the rest any more', () => {
    const rawFrom = at('2024-06-01T00:00:30');
    expect(cover('2024-05-02T00:05:30', '2024-06-01T00:00:10', { rawFrom })).toEqual([
      'aligned 05-02T00:05/06-01T00:01',
      '0 05-02T00:05/05-02T00:15',
      '1 05-02T00:15/05-03T00:00',
      '2 05-03T00:00/06-01T00:00',
      '0 06-01T00:00/06-01T00:01',
    ]);
    expect(cover('2024-02-11T10:29:59', '2024-02-11T10:30:01', { rawFrom })).toEqual([
      'aligned 02-11T10:15/02-11T10:45',
      '1 02-11T10:15/02-11T10:45',
    ]);
    expect(cover('2024-06-01T00:00:20', '2024-06-01T00:00:40', { rawFrom })).toEqual([
      'aligned 06-01T00:00/06-01T00:01',
      '0 06-01T00:00/06-01T00:01',
    ]);
    expect(cover('2024-06-01T00:00:30', '2024-06-01T00:01', { rawFrom })).toEqual([
      'edge 06-01T00:00:30/06-01T00:01',
    ]);
  });

  test('the table where history begins later, unless it does not have more', () => {
    const rollupsFrom = at('2024-04-01T00:01');
    const [from, to] = ['2024-03-31T00:00', '2024-04-01T00:30'];
    expect(cover(from, to, { rollupsFrom })).toBe('the table');
    expect(cover(from, to, { rollupsFrom, rawFrom: at('2024-03-31T12:00') })).toBe('the table');
    expect(cover(from, to, { rollupsFrom, rawFrom: at('2024-04-01T00:20') })).toEqual([
      '1 04-01T00:15/04-01T00:30',
    ]);
    // Neither knows anything of that time; it stays the period that was asked for.
    const nothing = new Coverage({ ...ALL, rollupsFrom, rawFrom: at('2024-04-01T00:20') });
    const asked = { from: at('2024-03-01'), to: at('2024-03-02') };
    expect(nothing.between([asked.from, asked.to])).toMatchObject([
      { ...asked, aligned: false, parts: [], edges: [] },
    ]);
  });

  test('as much as a Date can hold, and ends', () => {
    const [found] = new Coverage(ALL).between([at('2024-05-01'), 8.64e15]) ?? [];
    expect(found?.parts.at(-1)?.to).toBe(8.64e15);
  });
});

const LEVELS = [MINUTE_LEVEL, QUARTER_LEVEL, DAY_LEVEL, MONTH_LEVEL] as const;
const SINCE = at('2024-01-20T00:00');
const times = fc.oneof(
  fc.integer({ min: 0, max: 70 * DAY_MS }),
  fc.integer({ min: 0, max: 70 * 24 * 60 }).map((minutes) => minutes * MINUTE_MS),
  fc.integer({ min: 0, max: 70 * 24 }).map((hours) => hours * HOUR + 1),
);
const periods = fc
  .tuple(times, times)
  .map(([a, b]) => ({ from: SINCE + Math.min(a, b), to: SINCE + Math.max(a, b) + 1 }));
const keeps: fc.Arbitrary<Kept> = fc.record({
  todo: fc.array(
    fc.tuple(fc.constantFrom(QUARTER_LEVEL, DAY_LEVEL, MONTH_LEVEL), times).map(([level, time]) => ({
      level,
      start: startOf(level, SINCE + time),
    })),
  ),
  minutesFrom: times.map((time) => startOf(QUARTER_LEVEL, SINCE + time)),
  rollupsFrom: fc.constant(SINCE),
  rawFrom: fc.option(times.map((time) => SINCE + time)),
});

/** The periods of this level that touch the span. */
function unitsOf(level: Level, { from, to }: Span): Span[] {
  const units: Span[] = [];
  for (let start = startOf(level, from); start < to; ) {
    const next = startOf(
      level,
      start + (level === MONTH_LEVEL ? 31 * DAY_MS : ([6e4, 9e5, DAY_MS][level] ?? 0)),
    );
    units.push({ from: start, to: next });
    start = next;
  }
  return units;
}

describe('any cover', () => {
  const check = (judge: (found: Cover, asked: Span, kept: Kept) => void) =>
    fc.assert(
      fc.property(periods, keeps, (asked, kept) => {
        const [found] = new Coverage(kept).between([asked.from, asked.to]) ?? [];
        if (!found) throw new Error('history begins before every period here');
        judge(found, asked, kept);
      }),
      { numRuns: 2_000 },
    );
  const complete = ({ todo, minutesFrom }: Kept, level: Level, start: number) =>
    level === MINUTE_LEVEL ||
    (level === QUARTER_LEVEL && start < minutesFrom) ||
    ![...todo].some((one) => one.level === level && one.start === start);

  test('has every moment of the period once', () => {
    check((found) => {
      const pieces = [...found.parts, ...found.edges].sort((a, b) => a.from - b.from);
      expect(pieces[0]?.from).toBe(found.from);
      expect(pieces.at(-1)?.to).toBe(found.to);
      pieces.slice(1).forEach((piece, i) => {
        expect(piece.from).toBe(pieces[i]?.to);
      });
      for (const { from, to } of pieces) expect(from).toBeLessThan(to);
      const whole = found.parts.length > 0;
      expect(found.core).toEqual({
        from: whole ? found.parts[0]?.from : found.from,
        to: whole ? found.parts.at(-1)?.to : found.from,
      });
    });
  });

  test('uses whole periods that are kept and hold all, and none that could be one coarser', () => {
    check(({ parts, core }, _, kept) => {
      for (const part of parts) {
        expect(startOf(part.level, part.from)).toBe(part.from);
        expect(startOf(part.level, part.to)).toBe(part.to);
        if (part.level === MINUTE_LEVEL) expect(part.from).toBeGreaterThanOrEqual(kept.minutesFrom);
        for (const { from } of unitsOf(part.level, part)) expect(complete(kept, part.level, from)).toBe(true);
        if (part.level === MONTH_LEVEL) continue;
        const coarser = (part.level + 1) as Level;
        for (const unit of unitsOf(coarser, part)) {
          const fits = unit.from >= core.from && unit.to <= core.to;
          expect(fits && complete(kept, coarser, unit.from)).toBe(false);
        }
      }
    });
  });

  test('reads at each end less than the finest period that is kept, and only what the table has', () => {
    check(({ edges }, _, kept) => {
      for (const { from, to } of edges) {
        const unit = from < kept.minutesFrom ? QUARTER_MS : MINUTE_MS;
        expect(to - from).toBeLessThan(edges.length === 1 ? 2 * unit : unit);
        expect(from).toBeGreaterThanOrEqual(kept.rawFrom ?? SINCE);
      }
    });
  });

  test('is wider only where the table does not have the rest, and then to the finest period', () => {
    check((found, asked, { rawFrom, minutesFrom }) => {
      expect(found.aligned).toBe(found.from !== asked.from || found.to !== asked.to);
      const finest = (time: number) => (time < minutesFrom ? QUARTER_LEVEL : MINUTE_LEVEL);
      if (found.from !== asked.from) {
        expect(found.from).toBe(startOf(finest(asked.from), asked.from));
        expect(asked.from).toBeLessThan(rawFrom ?? SINCE);
      }
      if (found.to !== asked.to) {
        expect(found.to).toBe(unitsOf(finest(asked.to), { from: asked.to, to: asked.to + 1 })[0]?.to);
        expect(startOf(finest(asked.to), asked.to)).toBeLessThan(rawFrom ?? SINCE);
      }
    });
  });

  test('has few rows: those of the units that are todo, and else no more than fill one coarser at each end', () => {
    check(({ parts }, _, { todo }) => {
      const open = LEVELS.map(
        (level) => new Set([...todo].filter((one) => one.level === level).map(({ start }) => start)).size,
      );
      const [quarters, days, months] = [open[1] ?? 0, open[2] ?? 0, open[3] ?? 0];
      const units = LEVELS.map((level) =>
        parts
          .filter((part) => part.level === level)
          .reduce((sum, part) => sum + unitsOf(level, part).length, 0),
      );
      expect(units[0]).toBeLessThanOrEqual(2 * 14 + 15 * quarters);
      expect(units[1]).toBeLessThanOrEqual(2 * 95 + 96 * days);
      expect(units[2]).toBeLessThanOrEqual(2 * 30 + 31 * months);
      expect(parts.length).toBeLessThanOrEqual(7 + 2 * (quarters + days + months));
    });
  });

  test('of several spans follows the one before it, and moves a bound no further than to the finest period', () => {
    fc.assert(
      fc.property(fc.array(times, { minLength: 2, maxLength: 6 }), keeps, (some, kept) => {
        const bounds = [...new Set(some)].sort((a, b) => a - b).map((time) => SINCE + time);
        const coverage = new Coverage(kept);
        const covers = coverage.between(bounds) ?? [];
        expect(covers).toHaveLength(bounds.length - 1);
        covers.forEach((one, i) => {
          if (i > 0) expect(one.from).toBe(covers[i - 1]?.to);
          const [alone] = coverage.between([bounds[i] ?? 0, bounds[i + 1] ?? 0]) ?? [];
          if (!alone?.aligned && covers.every(({ aligned }) => !aligned)) expect(one).toEqual(alone);
          // A bound that is good for the span after it may have to be moved for the one before it.
          const unit = (time: number) => {
            const level = time < kept.minutesFrom ? QUARTER_LEVEL : MINUTE_LEVEL;
            return unitsOf(level, { from: time, to: time + 1 })[0];
          };
          expect(one.from).toBeGreaterThanOrEqual(unit(bounds[i] ?? 0)?.from ?? Number.NaN);
          expect(one.to).toBeLessThanOrEqual(unit(bounds[i + 1] ?? 0)?.to ?? Number.NaN);
        });
      }),
      { numRuns: 1_000 },
    );
  });
});
