import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SERIES_STEPS, seriesBounds, stepFor, stepsIn } from '../../streams/period-series.js';
import { QueueLog } from '../../streams/queue-log.js';
import type { Queue } from '../../streams/snapshot.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOON = Date.UTC(2026, 2, 10, 12);

describe('a step', () => {
  it.each([
    [5 * MINUTE, 400, 10],
    [5 * MINUTE, 20, 60],
    [10 * MINUTE, 400, 10],
    [10 * MINUTE + 1, 400, 60],
    [HOUR, 400, 60],
    [HOUR, 59, 300],
    [DAY, 400, 300],
    [DAY, 200, 900],
    [7 * DAY, 400, 3_600],
    [30 * DAY, 400, 21_600],
    [399 * DAY, 400, 86_400],
    [401 * DAY, 400, undefined],
    [2 * DAY, 1, undefined],
  ])('of %d ms in at most %d points is %d s', (length, points, step) => {
    expect(stepFor(NOON, NOON + length, points)).toBe(step);
  });

  it('bounds hold the period, and no step that it does not touch', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4e12 }),
        fc.integer({ min: 1, max: DAY }),
        fc.constantFrom(...SERIES_STEPS.slice(1)),
        (start, length, step) => {
          const end = start + length;
          const bounds = seriesBounds(start, end, step);
          expect(bounds).toHaveLength(stepsIn(start, end, step) + 1);
          const [first = 0, second = 0] = bounds;
          const [before = 0, last = 0] = bounds.slice(-2);
          expect([first <= start && start < second, before < end && end <= last, first % step]).toEqual([
            true,
            true,
            0,
          ]);
        },
      ),
    );
    expect(seriesBounds(NOON, NOON - HOUR, 60)).toEqual([NOON]);
  });
});

describe('what waited', () => {
  const queue = (pending_operations: number, export_queue = 0): Queue => ({
    ...{ pending_operations, export_queue, oldest_age_seconds: null, by_type: {} },
  });

  it('is the most at once in a step, of both by itself, and null where nothing was seen', () => {
    const log = new QueueLog();
    log.add(NOON + 1_000, queue(3, 2));
    log.add(NOON + 2_000, queue(5, 0));
    log.add(NOON + 3_000, queue(1, 1));
    log.add(NOON + 70_000, queue(0, 0));
    for (const step of SERIES_STEPS.slice(0, 2))
      expect(log.mostIn(NOON, step)).toEqual({ pending: 5, exports: 2 });
    expect(log.mostIn(NOON + 10_000, 10)).toBeNull();
    expect(log.mostIn(NOON + MINUTE, 60)).toEqual({ pending: 0, exports: 0 });
    expect(log.mostIn(NOON, 3_600)).toEqual({ pending: 5, exports: 2 });
    expect(log.mostIn(NOON - HOUR, 3_600)).toBeNull();
  });

  it('is kept for as long as the steps of its length are shown, and no longer', () => {
    const log = new QueueLog();
    for (let at = NOON; at < NOON + 40 * DAY; at += 5 * MINUTE) log.add(at, queue(1));
    const end = NOON + 40 * DAY;
    expect(log.mostIn(end - 5 * MINUTE, 10)).not.toBeNull();
    expect(log.mostIn(end - HOUR, 10)).toBeNull();
    expect(log.mostIn(end - DAY, 300)).not.toBeNull();
    expect(log.mostIn(end - 2 * DAY, 300)).toBeNull();
    expect(log.mostIn(end - 30 * DAY, 21_600)).not.toBeNull();
    expect(log.mostIn(NOON, 86_400)).toBeNull();
  });
});
