/** What waits: rows of the future, pending rows, the durations of pending rows; and the heap below. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OPERATION_TYPES } from '../../streams/event.js';
import { FutureRows } from '../../streams/future.js';
import { TimeHeap } from '../../streams/heap.js';
import { isoOf } from '../../streams/iso.js';
import { Names } from '../../streams/names.js';
import { PendingBudget, PendingDurations } from '../../streams/pending-durations.js';
import { PendingQueue } from '../../streams/queue.js';
import { NOON, row } from './rows.js';

test('the heap gives the smallest time first', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 })), fc.nat(60), (times, least) => {
      const heap = new TimeHeap<{ time: number }>();
      for (const time of times) heap.push({ time });
      expect(heap.top()?.time ?? null).toBe(times.length === 0 ? null : Math.min(...times));
      heap.keep(({ time }) => time >= least);
      const out: number[] = [];
      for (let item = heap.pop(); item !== null; item = heap.pop()) out.push(item.time);
      expect(out).toEqual(times.filter((time) => time >= least).sort((a, b) => a - b));
      expect(heap.size).toBe(0);
    }),
  );
});

describe('FutureRows', () => {
  test('rows come out when the end has passed them, each once', () => {
    const future = new FutureRows(100);
    for (const [id, time] of [
      [1, 5000],
      [2, 7000],
      [3, Infinity],
      [4, 5999],
    ] as const) {
      future.add(row(id, { createdAt: time }));
    }
    expect(future.due(5000)).toEqual([]);
    expect(future.due(6000).map(({ id }) => id)).toEqual([1, 4]);
    expect(future.due(7000)).toEqual([]);
    expect(future.due(7001).map(({ id }) => id)).toEqual([2]);
    expect(future.due(1e15)).toEqual([]);
    expect(future.size).toBe(1);
  });

  test('a row that waits can be taken back, any other cannot', () => {
    const future = new FutureRows(100);
    future.add(row('9007199254740993', { createdAt: 5000 }));
    expect([future.remove('9007199254740993'), future.remove('9007199254740993'), future.remove(7)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(future.due(6000)).toEqual([]);
  });

  test('beyond the bound the farthest are dropped and counted, and known to be in no window', () => {
    const future = new FutureRows(100);
    for (let i = 0; i < 130; i++) future.add(row(i, { createdAt: i % 2 === 0 ? 10_000 - i : Infinity }));
    expect(future.size).toBe(100);
    expect(future.dropped).toBe(30);
    const waiting = future.due(20_000).length;
    expect(waiting).toBe(65);
    // Every row, waiting or dropped, is not in a window; those that entered are.
    let nowhere = 0;
    for (let i = 0; i < 130; i++) if (future.remove(i)) nowhere += 1;
    expect(nowhere).toBe(65);
  });
});

describe('PendingQueue', () => {
  const types = new Names(OPERATION_TYPES);
  const of = (name: string): number => types.index(name);

  test('a row that comes again is one row, where it says now; a span forgets those that it holds', () => {
    const queue = new PendingQueue(100);
    queue.add(1, of('created'), NOON - 90_000);
    queue.add(1, of('sync_changes'), NOON - 30_000);
    queue.add(2, of('sync_changes'), NOON - 20_000);
    queue.add(3, of('sync_changes'), Number.NEGATIVE_INFINITY);
    const pending = (): [string, number][] =>
      Object.entries(queue.snapshot(NOON, types).by_type).map(([type, { pending }]) => [type, pending]);
    expect(pending()).toEqual([['sync_changes', 3]]);
    expect(queue.snapshot(NOON, types).oldest_age_seconds).toBe(30);
    queue.forget(NOON - 30_000, NOON - 20_000);
    expect(pending()).toEqual([['sync_changes', 2]]);
    expect(queue.snapshot(NOON, types).oldest_age_seconds).toBe(20);
  });

  test('counts by type, the export queue apart, the oldest of each and of all', () => {
    const queue = new PendingQueue(100);
    queue.add(1, of('export_to_1c'), NOON - 90_000);
    queue.add(2, of('export_to_1c'), NOON - 30_000);
    queue.add(3, of('sync_changes'), NOON - 120_000);
    queue.add(4, of('created'), NOON + 5000);
    expect(queue.snapshot(NOON, types)).toEqual({
      pending_operations: 4,
      export_queue: 2,
      oldest_age_seconds: 120,
      by_type: {
        export_to_1c: { pending: 2, oldest_created_at: isoOf(NOON - 90_000), oldest_age_seconds: 90 },
        sync_changes: { pending: 1, oldest_created_at: isoOf(NOON - 120_000), oldest_age_seconds: 120 },
        created: { pending: 1, oldest_created_at: isoOf(NOON + 5000), oldest_age_seconds: 0 },
      },
    });
    queue.remove(3, of('sync_changes'));
    queue.remove(1, of('export_to_1c'));
    expect(queue.snapshot(NOON, types)).toMatchObject({ pending_operations: 2, oldest_age_seconds: 30 });
    expect(Object.keys(queue.snapshot(NOON, types).by_type)).toEqual(['export_to_1c', 'created']);
  });

  test('infinite times have no age', () => {
    const queue = new PendingQueue(100);
    queue.add(1, 0, -Infinity);
    queue.add(2, 0, Infinity);
    expect(queue.snapshot(NOON, types).by_type).toEqual({
      import_from_1c: { pending: 2, oldest_created_at: null, oldest_age_seconds: null },
    });
    queue.add(3, 0, NOON - 1500);
    expect(queue.snapshot(NOON, types).oldest_age_seconds).toBe(1.5);
    queue.remove(1, 0);
    queue.remove(2, 0);
    expect(queue.snapshot(NOON, types).pending_operations).toBe(1);
  });

  test('beyond the bound rows are counted without their age', () => {
    const queue = new PendingQueue(2);
    for (let id = 1; id <= 5; id++) queue.add(id, 0, NOON - id * 1000);
    expect(queue.untracked).toBe(3);
    expect(queue.snapshot(NOON, types)).toMatchObject({ pending_operations: 5, oldest_age_seconds: 2 });
    for (let id = 1; id <= 5; id++) queue.remove(id, 0);
    queue.remove(99, 0);
    expect([queue.untracked, queue.snapshot(NOON, types).pending_operations]).toEqual([0, 0]);
  });

  test('the oldest stays right while all the others leave', () => {
    const queue = new PendingQueue(1000);
    for (let id = 0; id < 500; id++) queue.add(id, 0, NOON - 1000 + id);
    for (let id = 499; id > 0; id--) {
      queue.remove(id, 0);
      expect(queue.snapshot(NOON, types).oldest_age_seconds).toBe(1);
    }
    queue.remove(0, 0);
    expect(queue.snapshot(NOON, types).oldest_age_seconds).toBeNull();
  });

  test('a long life of coming and going keeps the oldest right', () => {
    const operation = fc.record({ come: fc.boolean(), type: fc.nat(2), time: fc.nat(1000), pick: fc.nat() });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 400 }), (operations) => {
        const queue = new PendingQueue(1000);
        const waiting = new Map<number, { type: number; time: number }>();
        operations.forEach(({ come, type, time, pick }, id) => {
          const [gone, was] = [...waiting][pick % Math.max(1, waiting.size)] ?? [];
          if (come || gone === undefined || was === undefined) {
            queue.add(id, type, time);
            waiting.set(id, { type, time });
          } else {
            queue.remove(gone, was.type);
            waiting.delete(gone);
          }
        });
        const times = [...waiting.values()].map((one) => one.time);
        const { pending_operations, oldest_age_seconds } = queue.snapshot(5000, types);
        expect(pending_operations).toBe(times.length);
        expect(oldest_age_seconds).toBe(times.length === 0 ? null : (5000 - Math.min(...times)) / 1000);
      }),
      { numRuns: 200 },
    );
  });
});

describe('PendingDurations', () => {
  test('minimum and maximum follow what comes and goes', () => {
    const budget = new PendingBudget(100);
    const pending = new PendingDurations(budget);
    expect([pending.min(1), pending.max(1)]).toEqual([Infinity, -Infinity]);
    for (const ms of [30, 10, 20, 10]) pending.add(1, ms);
    pending.add(2, 5);
    expect([pending.min(1), pending.max(1), budget.used]).toEqual([10, 30, 4]);
    pending.remove(1, 10);
    expect(pending.min(1)).toBe(10);
    pending.remove(1, 10);
    pending.remove(1, 30);
    expect([pending.min(1), pending.max(1), pending.min(2), budget.used]).toEqual([20, 20, 5, 2]);
    const left: [number, number][] = [];
    pending.each((type, ms) => left.push([type, ms]));
    expect(left).toEqual([
      [1, 20],
      [2, 5],
    ]);
    pending.release();
    expect([pending.min(1), budget.used]).toEqual([Infinity, 0]);
  });

  test('beyond the budget a duration is refused and counted; one already there is not', () => {
    const budget = new PendingBudget(2);
    const pending = new PendingDurations(budget);
    expect([pending.add(0, 1), pending.add(0, 2), pending.add(0, 3), pending.add(0, 2)]).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect([budget.used, budget.refused]).toEqual([2, 1]);
    pending.remove(0, 3);
    pending.remove(7, 3);
    expect([pending.max(0), budget.used]).toEqual([2, 2]);
  });
});

describe('isoOf', () => {
  test.each([
    [Date.UTC(2025, 5, 15, 12), '2025-06-15T12:00:00.000Z'],
    [Date.UTC(2025, 5, 15, 12) + 0.125, '2025-06-15T12:00:00.000125Z'],
    [Date.UTC(2025, 5, 15, 12) + 999.999, '2025-06-15T12:00:00.999999Z'],
    [Date.UTC(2025, 5, 15, 12) + 0.0002, '2025-06-15T12:00:00.000Z'],
    [0, '1970-01-01T00:00:00.000Z'],
    [-0.5, '1969-12-31T23:59:59.999500Z'],
    [8.64e15, '+275760-09-13T00:00:00.000Z'],
    [9.2e15, null],
    [Infinity, null],
    [-Infinity, null],
    [Number.NaN, null],
  ])('%d is %s', (time, iso) => {
    expect(isoOf(time)).toBe(iso);
  });
});
