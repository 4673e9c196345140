import { describe, expect, test } from 'vitest';
import { OPERATION_TYPES } from '../../streams/event.js';
import { SecondsHistogram } from '../../streams/seconds.js';
import { DURATION_BOUNDS, LAG_BOUNDS, Totals } from '../../streams/totals.js';
import { batch, NOON, row } from './rows.js';

function countOf(totals: Totals, type: string, status: string): number | undefined {
  return totals.view().operations.find((one) => one.operation_type === type && one.status === status)?.count;
}

describe('Totals', () => {
  test('begin with 0 for everything known, and without pending', () => {
    const view = new Totals().view();
    expect(view.operations).toHaveLength(OPERATION_TYPES.length * 5);
    expect(view.operations.every(({ count, status }) => count === 0 && status !== 'pending')).toBe(true);
    expect(view.conflicts_resolved).toEqual({ portal_registration: 0, data_import: 0, unknown: 0 });
    expect(view.identifications).toEqual({ onec_id: 0, onec_guid: 0, tax_id: 0, email: 0, unknown: 0 });
    expect(Object.keys(view.durations)).toEqual([...OPERATION_TYPES]);
    expect(view.lag.cumulative).toEqual(new Array(LAG_BOUNDS.length + 1).fill(0));
  });

  test('count a live row once, when it is first seen not pending', () => {
    const totals = new Totals();
    const pending = row(1, { status: 'pending' });
    const done = row(1, { status: 'success' });
    totals.apply(batch(NOON, { rows: [pending, row(2)] }));
    expect(countOf(totals, 'sync_changes', 'success')).toBe(1);
    expect(countOf(totals, 'sync_changes', 'pending')).toBeUndefined();
    const still = row(1, { status: 'pending', durationMs: 7 });
    totals.apply(batch(NOON, { updates: [{ row: still, previous: pending }] }));
    totals.apply(batch(NOON, { updates: [{ row: done, previous: still }] }));
    totals.apply(batch(NOON, { updates: [{ row: row(1, { status: 'error' }), previous: done }] }));
    expect(countOf(totals, 'sync_changes', 'success')).toBe(2);
    expect(countOf(totals, 'sync_changes', 'error')).toBe(0);
  });

  test('rows read at start count nothing, and a reset takes nothing back', () => {
    const totals = new Totals();
    totals.apply(batch(NOON, { rows: [row(1)] }));
    totals.apply(batch(NOON, { origin: 'start', reset: true, rows: [row(1), row(2), row(3)] }));
    expect(countOf(totals, 'sync_changes', 'success')).toBe(1);
  });

  test('business counters', () => {
    const totals = new Totals({ manualResolutionMinutes: 3 });
    const conflict = { operationType: 'conflict_resolution' };
    const identified = { operationType: 'customer_identification' };
    totals.apply(
      batch(NOON, {
        rows: [
          row(1, { ...conflict, conflictSource: 'data_import', emailSent: true }),
          row(2, { ...conflict, conflictSource: 'odd' }),
          row(3, conflict),
          row(4, { ...conflict, status: 'error' }),
          row(5, { ...identified, identificationMethod: 'tax_id' }),
          row(6, { ...identified, status: 'failed', identificationMethod: 'tax_id', emailSent: true }),
          row(7, { operationType: 'export_to_1c' }),
          row(8, { operationType: 'import_from_1c' }),
          row(9, { operationType: 'import_from_1c', status: 'skipped' }),
          row(10, { operationType: 'odd', status: 'odd' }),
        ],
      }),
    );
    expect(totals.view()).toMatchObject({
      conflicts: 4,
      conflicts_resolved: { portal_registration: 0, data_import: 1, unknown: 1, odd: 1 },
      identifications: { tax_id: 1, unknown: 0 },
      registrations: 1,
      imports: 1,
      admin_mails: 2,
      automation_saved_seconds: 3 * 3 * 60,
      other_types: 0,
    });
    expect(countOf(totals, 'odd', 'odd')).toBe(1);
  });

  test('durations by type in seconds, those out of range left out', () => {
    const totals = new Totals();
    const rows = [0, 5, 6, 250, 999_999, -1, 2 ** 31, null].map((durationMs, id) =>
      row(id, { durationMs, operationType: id === 1 ? 'odd' : 'sync_changes' }),
    );
    totals.apply(batch(NOON, { rows }));
    const { sync_changes, odd } = totals.view().durations;
    expect(sync_changes).toMatchObject({
      count: 4,
      sum: (6 + 250 + 999_999) / 1000,
      bounds: DURATION_BOUNDS,
    });
    expect(sync_changes?.cumulative.slice(0, 7)).toEqual([1, 2, 2, 2, 2, 3, 3]);
    expect(sync_changes?.cumulative.slice(-2)).toEqual([3, 4]);
    expect(odd).toMatchObject({ count: 1 });
  });

  test('the lag is from created_at to the reading, never below 0, for pending rows too', () => {
    const totals = new Totals();
    const rows = [NOON - 3, NOON + 9000, NOON - 70_000, -Infinity].map((createdAt, id) =>
      row(id, { createdAt, status: 'pending' }),
    );
    totals.apply(batch(NOON, { rows }));
    const { lag } = totals.view();
    expect([lag.count, lag.sum]).toEqual([3, 70.003]);
    expect(lag.cumulative[2]).toBe(2);
    expect(lag.exemplars.every((exemplar) => exemplar === null)).toBe(true);
  });

  test('ten thousand types end in other', () => {
    const totals = new Totals();
    totals.apply(
      batch(NOON, { rows: Array.from({ length: 10_000 }, (_, id) => row(id, { operationType: `b${id}` })) }),
    );
    expect(totals.view().other_types).toBe(10_000 - 32);
    expect(countOf(totals, 'other', 'success')).toBe(10_000 - 32);
    expect(totals.view().operations.length).toBeLessThan(OPERATION_TYPES.length * 5 + 40);
  });
});

describe('SecondsHistogram', () => {
  test('a bound belongs to its bucket; the latest exemplar of each is kept', () => {
    const histogram = new SecondsHistogram([0.1, 1]);
    histogram.record(100, 'first', NOON);
    histogram.record(100, 'second', NOON + 500);
    histogram.record(100.1, null, NOON);
    histogram.record(5000, 'slow', Infinity);
    expect(histogram.view()).toEqual({
      bounds: [0.1, 1],
      cumulative: [2, 3, 4],
      exemplars: [
        { correlation_id: 'second', value: 0.1, timestamp: (NOON + 500) / 1000 },
        null,
        { correlation_id: 'slow', value: 5, timestamp: null },
      ],
      sum: expect.closeTo(5.3001, 9),
      count: 4,
    });
  });

  test('an id that OpenMetrics has no room for is no exemplar', () => {
    const histogram = new SecondsHistogram([1]);
    histogram.record(1, 'x'.repeat(115), NOON);
    histogram.record(1, '', NOON);
    expect(histogram.view().exemplars).toEqual([null, null]);
    histogram.record(1, 'x'.repeat(114), NOON);
    expect(histogram.view().exemplars[0]).not.toBeNull();
  });
});
