/** What a refold does to each part of the fold, by examples; that it is right is in refold.property.test.ts. */
import { describe, expect, test } from 'vitest';
import type { Batch, SyncRow } from '../../streams/event.js';
import { Feed } from '../../streams/feed.js';
import { Fold, type FoldOptions } from '../../streams/fold.js';
import { Totals } from '../../streams/totals.js';
import { batch, NOON, row, tick } from './rows.js';

const MINUTE = 60_000;
const SPAN = { from: NOON - 5 * MINUTE, to: NOON };
const INSIDE = NOON - 90_000;

function foldOf(rows: readonly SyncRow[], options: FoldOptions = {}): Fold {
  const fold = new Fold(options);
  fold.apply(batch(NOON, { rows }));
  return fold;
}

function refold(rows: readonly SyncRow[], more: Partial<Batch> = {}): Batch {
  return batch(NOON, { origin: 'refold', span: SPAN, rows, ...more });
}

describe('a refold', () => {
  test('puts its rows in the place of all that the span held; what is beside it stays', () => {
    const beside = [row(1, { createdAt: SPAN.from - 0.001 }), row(2, { createdAt: NOON, durationMs: 9 })];
    const fold = foldOf([
      ...beside,
      row(3, { createdAt: INSIDE, status: 'error', durationMs: 70_000 }),
      row(4, { createdAt: INSIDE, operationType: 'created' }),
    ]);
    fold.apply(refold([row(3, { createdAt: INSIDE, durationMs: 40 })]));
    const { windows, throughput } = fold.snapshot();
    expect(windows['5m']).toMatchObject({ total_operations: 2, success_count: 2, duration_max_ms: 40 });
    expect(windows['24h']).toMatchObject({
      operations_by_type: { sync_changes: 3 },
      duration_min_ms: 9,
      duration_max_ms: 40,
      duration_p99_ms: 40,
    });
    expect([throughput.total, throughput.errors].map((series) => series.reduce((a, b) => a + b, 0))).toEqual([
      2, 0,
    ]);
  });

  test('a customer who is not in it any more counts on where a witness says so', () => {
    const of = (id: number, createdAt: number, customerId: number): SyncRow =>
      row(id, { createdAt, customerId });
    const rows = [
      of(1, NOON - 50 * MINUTE, 7),
      of(2, INSIDE, 7),
      of(3, NOON - 40 * MINUTE, 8),
      of(4, INSIDE, 8),
      of(5, INSIDE, 9),
    ];
    const fold = foldOf(rows);
    const late = row(6, { createdAt: NOON + 2 * MINUTE, customerId: 9 });
    fold.apply(refold([of(2, INSIDE, 8)], { witnesses: [of(1, NOON - 50 * MINUTE, 7), late] }));
    const synced = (): number[] =>
      Object.values(fold.snapshot().windows).map((of) => of.business.synced_customers_count);
    expect(synced()).toEqual([0, 1, 2, 2]);
    // A witness says nothing of operations.
    expect(fold.snapshot().windows['24h'].total_operations).toBe(3);
  });

  test('who was pending in the span and is not in it any more leaves the queue without being named', () => {
    const pending = (id: number, createdAt: number): SyncRow => row(id, { status: 'pending', createdAt });
    const rows = [pending(1, INSIDE), pending(2, INSIDE + 1), pending(3, NOON - 6 * MINUTE)];
    const fold = foldOf(rows);
    const settled = { ...pending(1, INSIDE), status: 'success' };
    fold.apply(refold([settled, pending(2, INSIDE + 1), pending(4, INSIDE)]));
    expect(fold.snapshot().queue).toMatchObject({ pending_operations: 3, oldest_age_seconds: 360 });
    expect(fold.snapshot().windows['5m']).toMatchObject({ pending_count: 2, success_count: 1 });
    // The rows that were folded anew can be taken back as any other.
    fold.apply(batch(NOON, { removals: [pending(2, INSIDE + 1), pending(3, NOON - 6 * MINUTE)] }));
    fold.apply(
      batch(NOON, { updates: [{ previous: pending(4, INSIDE), row: row(4, { createdAt: INSIDE }) }] }),
    );
    expect(fold.snapshot().queue).toMatchObject({ pending_operations: 0, oldest_age_seconds: null });
    expect(fold.snapshot().windows['1h']).toMatchObject({ pending_count: 0, success_count: 2 });
    expect(fold.stats().mismatches).toBe(0);
  });

  test('rows that are beyond what the queue tracks leave it where the removals name them', () => {
    const rows = [1, 2, 3].map((id) => row(id, { status: 'pending', createdAt: INSIDE }));
    const fold = foldOf(rows, { pendingRows: 1 });
    expect(fold.stats().pendingUntracked).toBe(2);
    fold.apply(refold([], { removals: rows }));
    expect(fold.snapshot().queue.pending_operations).toBe(0);
    expect(fold.snapshot().windows['24h'].total_operations).toBe(0);
    expect(fold.stats()).toMatchObject({ pendingUntracked: 0, mismatches: 0 });
  });

  test('a row that was dropped for being too far in the future is none any more when its span is refolded', () => {
    const rows = [1, 2, 3].map((id) => row(id, { status: 'pending', createdAt: NOON + id * MINUTE }));
    const fold = foldOf(rows, { futureRows: 1 });
    expect([fold.snapshot().future_rows, fold.stats().futureDropped]).toEqual([1, 2]);
    fold.advance(tick(NOON + 4 * MINUTE));
    const span = { from: NOON, to: NOON + 5 * MINUTE };
    fold.apply(batch(NOON + 4 * MINUTE, { origin: 'refold', span, rows }));
    expect(fold.snapshot().windows['5m'].pending_count).toBe(3);
    fold.apply(batch(NOON + 4 * MINUTE, { removals: rows }));
    expect(fold.snapshot().windows['5m'].pending_count).toBe(0);
    expect(fold.stats().mismatches).toBe(0);
  });

  test.each<[string, Batch, string]>([
    [
      'no span',
      batch(NOON, { origin: 'refold' }),
      'a refold needs a span of multiples of 300000 ms, not none',
    ],
    [
      'a span within a step',
      refold([], { span: { from: NOON, to: NOON + MINUTE } }),
      'multiples of 300000 ms',
    ],
    [
      'a row beside its span',
      refold([row(7, { createdAt: NOON })]),
      `row 7 of ${NOON} is not in the refolded span`,
    ],
  ])('with %s is refused, and nothing is folded', (_, wrong, message) => {
    const fold = foldOf([row(1, { createdAt: INSIDE })]);
    const before = fold.snapshot();
    expect(() => fold.apply(wrong)).toThrow(message);
    expect(fold.snapshot()).toEqual(before);
  });

  test('neither it nor what comes from history is an event or counted in the totals', () => {
    const feed = new Feed('x');
    const totals = new Totals();
    const before = totals.view();
    for (const each of [
      refold([row(1, { createdAt: INSIDE })]),
      batch(NOON, { origin: 'window', rows: [row(2)] }),
    ]) {
      expect(feed.apply(each)).toBeNull();
      totals.apply(each);
    }
    expect(totals.view()).toEqual(before);
    expect(feed.lastSeq).toBe(0);
  });
});
