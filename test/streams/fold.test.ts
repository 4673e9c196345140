import { describe, expect, test } from 'vitest';
import type { SyncRow } from '../../streams/event.js';
import { Fold } from '../../streams/fold.js';
import type { Snapshot } from '../../streams/snapshot.js';
import { Oracle } from './oracle.js';
import { batch, COMPLETE, NOON, row, tick } from './rows.js';

function foldOf(rows: readonly SyncRow[], now = NOON): Fold {
  const fold = new Fold();
  fold.apply(batch(now, { rows }));
  return fold;
}

const totals = ({ windows }: Snapshot): number[] =>
  (['1m', '5m', '1h', '24h'] as const).map((name) => windows[name].total_operations);

describe('bounds', () => {
  test('the current second is in; every window ends with it and starts with a step of its own', () => {
    const { windows } = foldOf([], NOON + 7_250).snapshot();
    const bounds = Object.entries(windows).map(([name, { period_start, period_end }]) => [
      name,
      period_start,
      period_end,
    ]);
    expect(bounds).toEqual([
      ['1m', '2025-06-15T11:59:08.000Z', '2025-06-15T12:00:08.000Z'],
      ['5m', '2025-06-15T11:55:08.000Z', '2025-06-15T12:00:08.000Z'],
      ['1h', '2025-06-15T11:00:10.000Z', '2025-06-15T12:00:08.000Z'],
      ['24h', '2025-06-14T12:05:00.000Z', '2025-06-15T12:00:08.000Z'],
    ]);
  });

  test('half-open: the start is in, the end is not', () => {
    const fold = foldOf(
      [
        row(1, { createdAt: NOON + 1000 }),
        row(2, { createdAt: NOON + 999.999 }),
        row(3, { createdAt: NOON - 59_000 }),
        row(4, { createdAt: NOON - 59_000.001 }),
      ],
      NOON,
    );
    expect(totals(fold.snapshot())).toEqual([2, 3, 3, 3]);
    expect(fold.snapshot().future_rows).toBe(1);
    fold.advance(tick(NOON + 1000));
    expect(totals(fold.snapshot())).toEqual([2, 4, 4, 4]);
  });

  test('a row of this second counts at once, without a tick between', () => {
    const fold = foldOf([], NOON + 900);
    fold.apply(batch(NOON + 1005, { rows: [row(1, { createdAt: NOON + 1003 })] }));
    expect(totals(fold.snapshot())).toEqual([1, 1, 1, 1]);
  });

  test('time that steps back keeps the windows where they are', () => {
    const fold = foldOf([row(1)], NOON);
    fold.advance(tick(NOON - 600_000));
    expect(fold.snapshot().windows['1m'].period_end).toBe('2025-06-15T12:00:01.000Z');
    expect(fold.snapshot().at).toBe('2025-06-15T12:00:00.000Z');
    fold.apply(batch(NOON - 600_000, { reset: true, origin: 'start' }));
    expect(fold.snapshot().windows['1m'].period_end).toBe('2025-06-15T11:50:01.000Z');
    expect(totals(fold.snapshot())).toEqual([0, 0, 0, 0]);
  });

  test('idle for twelve hours, row by row out of the windows', () => {
    const fold = foldOf([row(1, { customerId: 1, durationMs: 5 }), row(2, { createdAt: NOON - 3_000_000 })]);
    const seen: string[] = [];
    for (let minute = 0; minute <= 12 * 60; minute++) {
      fold.advance(tick(NOON + minute * 60_000));
      const picture = totals(fold.snapshot()).join(' ');
      if (seen.at(-1) !== picture) seen.push(picture);
    }
    expect(seen).toEqual(['1 1 2 2', '0 1 2 2', '0 0 2 2', '0 0 1 2', '0 0 0 2']);
    fold.advance(tick(NOON + 86_400_000));
    expect(totals(fold.snapshot())).toEqual([0, 0, 0, 0]);
    expect(fold.snapshot().business.synced_customers_count).toBe(0);
  });
});

describe('nothing', () => {
  test('counts are 0, rates, averages and percentiles are null', () => {
    const { windows, queue, business } = foldOf([]).snapshot();
    expect(windows['5m']).toMatchObject({
      total_operations: 0,
      by_status: {},
      by_type: {},
      success_rate: null,
      error_rate: null,
      duration_count: 0,
      duration_avg_ms: null,
      duration_min_ms: null,
      duration_max_ms: null,
      duration_p50_ms: null,
      duration_p99_ms: null,
      throughput_per_minute: 0,
    });
    expect(business).toMatchObject({ auto_resolution_rate: null, automation_hours_saved: 0 });
    expect(queue).toEqual({ pending_operations: 0, export_queue: 0, oldest_age_seconds: null, by_type: {} });
  });

  test('before the first batch or tick there is no snapshot', () => {
    expect(() => new Fold().snapshot()).toThrow('no snapshot before the first batch or tick');
  });
});

describe('savings', () => {
  const resolved = Array.from({ length: 9 }, (_, id) => row(id, { operationType: 'conflict_resolution' }));

  test('resolved conflicts save the minutes and the money that were configured', () => {
    const fold = new Fold({ manualResolutionMinutes: 20, hourCost: 1500 });
    fold.apply(batch(NOON, { rows: resolved }));
    expect(fold.snapshot().business).toMatchObject({
      automation_hours_saved: 3,
      automation_money_saved: 4500,
    });
  });

  test('without a cost there is no money', () => {
    expect(foldOf(resolved).snapshot().business).not.toHaveProperty('automation_money_saved');
  });
});

describe('bounds of memory', () => {
  test('ten thousand types: 32 under their own name, the rest as other, in every window', () => {
    const rows = Array.from({ length: 10_000 }, (_, id) =>
      row(id, { operationType: `bomb_${id}`, durationMs: id }),
    );
    const { windows, other_types } = foldOf(rows).snapshot();
    expect(Object.keys(windows['24h'].by_type)).toHaveLength(33);
    expect(windows['24h'].operations_by_type.other).toBe(10_000 - 32);
    expect(other_types).toBe(10_000 - 32);
    expect(windows['24h'].duration_max_ms).toBe(9999);
  });

  test('rows of the future beyond the bound are dropped, counted, and never taken back from a window', () => {
    const fold = new Fold({ futureRows: 10 });
    const rows = Array.from({ length: 20 }, (_, id) =>
      row(id, { status: 'pending', createdAt: NOON + 60_000 + id }),
    );
    fold.apply(batch(NOON, { rows }));
    expect(fold.snapshot().future_rows).toBe(10);
    fold.advance(tick(NOON + 61_000));
    expect(fold.snapshot().windows['1m'].pending_count).toBe(10);
    fold.apply(batch(NOON + 61_000, { removals: rows }));
    expect(fold.snapshot().windows['1m'].total_operations).toBe(0);
    expect(fold.snapshot().queue.pending_operations).toBe(0);
    expect(fold.stats()).toMatchObject({ futureDropped: 10, mismatches: 0 });
  });

  test('a waiting row keeps nothing of its texts, and names too long are other', () => {
    const fold = new Fold();
    const long = 'x'.repeat(5000);
    const rows = [
      row(1, { operationType: 'conflict_resolution', conflictSource: long, createdAt: NOON + 5000 }),
      row(2, { operationType: long, status: long, errorMessage: long, createdAt: NOON + 5000 }),
    ];
    fold.apply(batch(NOON, { rows }));
    fold.advance(tick(NOON + 5000));
    const { operations_by_type, by_status, business } = fold.snapshot().windows['1m'];
    expect(operations_by_type).toEqual({ conflict_resolution: 1, other: 1 });
    expect(by_status).toEqual({ success: 1, other: 1 });
    expect(business.conflicts_resolved).toEqual({ other: 1 });
  });

  test('more future rows than the columns hold enter at once', () => {
    const rows = Array.from({ length: 3000 }, (_, id) => row(id, { createdAt: NOON + 30_000 + id }));
    const fold = foldOf(rows);
    fold.advance(tick(NOON + 40_000));
    expect(fold.snapshot().windows['1m'].total_operations).toBe(3000);
  });

  test('what cannot be counted is said', () => {
    const fold = new Fold({ pendingRows: 3 });
    fold.apply(
      batch(NOON, {
        rows: [
          row(1, { durationMs: 2 ** 31 }),
          row(2, { durationMs: Number.NaN, customerId: 'not a number' }),
          ...[3, 4, 5, 6, 7].map((id) => row(id, { status: 'pending', durationMs: id })),
        ],
      }),
    );
    expect(fold.stats()).toEqual({
      futureDropped: 0,
      customersDropped: 0,
      customersUnreadable: 1,
      pendingUntracked: 2,
      pendingDurationsFinal: 2,
      durationsTooLong: 1,
      mismatches: 0,
    });
  });
});

describe('pending rows', () => {
  test('minimum and maximum are exact again when a pending row leaves, also after it has aged', () => {
    const pending = [
      row(1, { status: 'pending', durationMs: 1 }),
      row(2, { status: 'pending', durationMs: 9000 }),
      row(3, { durationMs: 50 }),
      row(4, { durationMs: 60 }),
    ];
    const fold = foldOf(pending);
    fold.advance(tick(NOON + 400_000));
    const hour = () => fold.snapshot().windows['1h'];
    expect([hour().duration_min_ms, hour().duration_max_ms]).toEqual([1, 9000]);
    fold.apply(batch(NOON + 400_000, { removals: pending.slice(0, 2) }));
    expect([hour().duration_min_ms, hour().duration_max_ms, hour().total_operations]).toEqual([50, 60, 2]);
  });

  test('only a pending row can be taken back; nothing of such a batch is folded', () => {
    const fold = foldOf([row(1)]);
    const before = JSON.stringify(fold.snapshot());
    const wrong = { row: row(1, { status: 'error' }), previous: row(1) };
    expect(() => fold.apply(batch(NOON, { rows: [row(2)], updates: [wrong] }))).toThrow(
      'row 1 cannot be taken back: its status was "success", only \'pending\' rows change',
    );
    expect(() => fold.apply(batch(NOON, { rows: [row(2)], removals: [row(1)] }))).toThrow(RangeError);
    expect(JSON.stringify(fold.snapshot())).toBe(before);
  });

  test('one that was never folded is counted as a mismatch and changes no number', () => {
    const fold = foldOf([row(1)]);
    fold.apply(batch(NOON, { removals: [row(9, { status: 'pending', operationType: 'never_seen' })] }));
    const { windows, queue, throughput } = fold.snapshot();
    expect([windows['1m'].total_operations, queue.pending_operations, throughput.total.at(-1)]).toEqual([
      1, 0, 1,
    ]);
    expect(fold.stats().mismatches).toBe(1);
  });
});

describe('what a snapshot says besides the windows', () => {
  test('completeness and lag are those of the last tick', () => {
    const fold = foldOf([]);
    expect(fold.snapshot().completeness.state).toBe('catching_up');
    fold.advance(tick(NOON + 1));
    expect(fold.snapshot()).toMatchObject({ completeness: COMPLETE, lag_ms: 5 });
  });

  test('the skew of clocks is the median over live rows, whatever an odd row says', () => {
    expect(foldOf([]).snapshot().clock_skew_ms).toBeNull();
    const rows = [1, 2, 3, 4, 5].map((id) => row(id, { createdAt: NOON + 2000 + id }));
    const fold = foldOf([...rows, row(6, { createdAt: Infinity }), row(7, { createdAt: 0 })]);
    expect(fold.snapshot().clock_skew_ms).toBe(2003);
    const many = Array.from({ length: 500 }, (_, id) => row(100 + id, { createdAt: NOON - 40 }));
    fold.apply(batch(NOON, { rows: many }));
    expect(fold.snapshot().clock_skew_ms).toBe(-40);
    fold.apply(batch(NOON, { origin: 'start', rows: [row(999, { createdAt: NOON - 9999 })] }));
    expect(fold.snapshot().clock_skew_ms).toBe(-40);
  });

  test('a snapshot that was taken does not change any more', () => {
    const fold = foldOf([row(1, { durationMs: 5 })]);
    const taken = fold.snapshot();
    const before = JSON.stringify(taken);
    fold.apply(batch(NOON + 1500, { rows: [row(2, { createdAt: NOON + 1400, durationMs: 9 })] }));
    fold.snapshot();
    expect(JSON.stringify(taken)).toBe(before);
  });
});

test('many rows through all the rings equal the naive computation', { timeout: 60_000 }, () => {
  const fold = new Fold();
  const oracle = new Oracle();
  let id = 0;
  let now = NOON;
  // Enough in a second, in ten and in five minutes for the buckets to be packed, merged and packed again.
  for (const [seconds, perSecond] of [
    [2, 4000],
    [400, 5],
    [5000, 1],
    [1, 3000],
  ] as const) {
    for (let second = 0; second < seconds; second++) {
      now += 1000;
      const rows = Array.from({ length: perSecond }, (_, i) => {
        id += 1;
        const late = id % 7 === 0 ? (id % 3500) * 1000 : 0;
        return row(id, {
          createdAt: now - 1 - i / 10 - late,
          durationMs: (id * 7919) % 3001,
          customerId: id % 600,
          status: id % 11 === 0 ? 'error' : 'success',
          operationType: id % 3 === 0 ? 'sync_changes' : 'updated',
        });
      });
      fold.apply(batch(now, { rows }));
      oracle.move(now);
      for (const each of rows) oracle.put(each);
    }
    oracle.check(fold.snapshot());
  }
});
