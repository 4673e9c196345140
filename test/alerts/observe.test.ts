/** What a first start is, and when it is over or stuck: the rules take `starting` from here. */
import { expect, test } from 'vitest';
import { Observer, progressOf } from '../../src/alert-observe.js';
import type { Completeness } from '../../streams/event.js';
import { Fold } from '../../streams/fold.js';
import { NO_INCIDENTS } from '../streams/observations.js';
import { NOON } from '../streams/rows.js';

const MINUTE = 60_000;

/** What an observer makes of a second, one after the other. */
function watch() {
  const observer = new Observer();
  return (at: number, state: Completeness['state'], progress: string): boolean => {
    const fold = new Fold();
    fold.advance({ now: NOON + at, completeness: { state, ratio: null, reasons: [] }, lagMs: null });
    const snapshot = fold.snapshot();
    const seen = { now: NOON + at, snapshot, components: {}, slo: null, incidents: NO_INCIDENTS, progress };
    return observer.observe(seen).starting;
  };
}

test('starting: until rows were measured once, and never again', () => {
  const starting = watch();
  expect(starting(0, 'catching_up', '0')).toBe(true);
  expect(starting(MINUTE - 1, 'catching_up', '9')).toBe(true);
  expect(starting(MINUTE, 'complete', '10')).toBe(false);
  expect(starting(MINUTE + 1, 'catching_up', '11')).toBe(false);
});

test('no longer starting: what gets no further for a minute; and again, when it does', () => {
  const starting = watch();
  expect(starting(0, 'unknown', '0')).toBe(true);
  expect(starting(MINUTE - 1, 'unknown', '0')).toBe(true);
  expect(starting(MINUTE, 'unknown', '0')).toBe(false);
  expect(starting(MINUTE + 1, 'catching_up', '1')).toBe(true);
  expect(starting(2 * MINUTE, 'catching_up', '1')).toBe(true);
  expect(starting(2 * MINUTE + 1, 'catching_up', '1')).toBe(false);
});

test('a clock that goes back lets it wait a minute from there, and not for ever', () => {
  const starting = watch();
  expect(starting(60 * MINUTE, 'catching_up', '0')).toBe(true);
  expect(starting(0, 'catching_up', '0')).toBe(true);
  expect(starting(MINUTE, 'catching_up', '0')).toBe(false);
});

test('progress: any row, and any part of the table without one', () => {
  const backfill = { percent: 10, rows: 5, total: null, rowsPerSecond: 0, secondsLeft: null };
  const at = { rowsRead: 1, highId: 1, backfill };
  const all = [
    at,
    { ...at, rowsRead: 2 },
    { ...at, highId: 2 },
    { ...at, backfill: null },
    { ...at, backfill: { ...backfill, percent: 11 } },
    { ...at, backfill: { ...backfill, rows: 6 } },
  ].map(progressOf);
  expect(new Set(all).size).toBe(all.length);
  expect(progressOf({ ...at })).toBe(all[0]);
});
