/** Every rule of SPEC section 6 over real rows: data on which it fires, and data just short of that. */
import { describe, expect, test } from 'vitest';
import { SETTINGS } from '../../src/config-table.js';
import type { Observation, SloReading } from '../../streams/alert.js';
import type { SyncRow } from '../../streams/event.js';
import { defaultRules, step } from '../../streams/rules.js';
import { sloReading } from '../../streams/slo.js';
import { firing, LIMITS, observed, THRESHOLDS } from './observations.js';
import { NOON, row } from './rows.js';

const MINUTE = 60_000;
let nextId = 1;

/** So many rows, so many minutes old. */
function some(count: number, ageMinutes: number, fields: Partial<SyncRow> = {}): SyncRow[] {
  return Array.from({ length: count }, () =>
    row(nextId++, { createdAt: NOON - ageMinutes * MINUTE, ...fields }),
  );
}

const failed = { status: 'error' } as const;

test('the table: names, severities, thresholds', () => {
  const all = defaultRules({ ...THRESHOLDS, ALERT_NO_ACTIVITY_MINUTES: 30, ALERT_CUSTOMERS_AFFECTED: 7 });
  const told = all.map((rule) => [
    rule.name,
    rule.severity,
    rule.threshold,
    rule.minimumCount,
    rule.forSeconds,
  ]);
  expect(told).toEqual([
    ['high_error_rate', 'critical', 10, 20, 0],
    ['realtime_error_rate', 'critical', 20, 10, 0],
    ['slow_response', 'warning', 2000, 0, 0],
    ['failed_operations_spike', 'warning', 50, 0, 0],
    ['queue_overflow', 'critical', 1000, 0, 0],
    ['pending_operations', 'warning', 100, 0, 0],
    ['api_unavailable', 'critical', 0, 0, 60],
    ['database_connection', 'critical', 90, 0, 0],
    ['redis_unavailable', 'critical', 0, 0, 0],
    ['celery_workers_down', 'critical', 0, 0, 0],
    ['disk_space', 'warning', 90, 0, 0],
    ['batch_failure', 'warning', 0, 0, 0],
    ['slo_fast_burn', 'critical', 14.4, 0, 0],
    ['slo_slow_burn', 'warning', 6, 0, 0],
    ['monitor_degraded', 'warning', 15, 0, 0],
    ['no_activity', 'critical', 30, 0, 0],
    ['blast_radius', 'critical', 7, 0, 0],
  ]);
  expect(new Set(all.map((rule) => rule.resolveForSeconds))).toEqual(new Set([60]));
  expect(defaultRules(THRESHOLDS).map(({ name }) => name)).toEqual(all.slice(0, -2).map(({ name }) => name));
});

test('the thresholds are the settings of the same names', () => {
  for (const [name, value] of Object.entries(THRESHOLDS)) {
    expect(SETTINGS[name as keyof typeof SETTINGS].fallback, name).toBe(value);
  }
});

test('nothing fires on a quiet table, on one that is well, and on none', () => {
  expect(firing(observed([]))).toEqual([]);
  expect(firing(observed([...some(500, 2, { durationMs: 100 }), ...some(5, 30, failed)]))).toEqual([]);
  expect(firing({ ...observed([]), snapshot: null, measurable: false })).toEqual([]);
});

describe('error rates', () => {
  test('high_error_rate: above 10 % of an hour', () => {
    expect(firing(observed([...some(18, 30), ...some(2, 30, failed)]))).toEqual([]);
    expect(firing(observed([...some(17, 30), ...some(3, 30, failed)]))).toEqual(['high_error_rate']);
    expect(firing(observed([...some(17, 30), ...some(3, 30, { status: 'failed' })]))).toEqual([
      'high_error_rate',
    ]);
    // 19 operations are too few, and those of two hours ago are not of this hour.
    expect(firing(observed(some(19, 30, failed)))).toEqual([]);
    expect(firing(observed(some(40, 120, failed)))).toEqual([]);
    expect(firing(observed([...some(17, 30), ...some(3, 30, { status: 'warning' })]))).toEqual([]);
  });

  test('realtime_error_rate: above 20 % of five minutes', () => {
    const hour = some(500, 30);
    expect(firing(observed([...hour, ...some(8, 2), ...some(2, 2, failed)]))).toEqual([]);
    expect(firing(observed([...hour, ...some(7, 2), ...some(3, 2, failed)]))).toEqual([
      'realtime_error_rate',
    ]);
    expect(firing(observed([...hour, ...some(9, 2, failed)]))).toEqual([]);
  });

  test('failed_operations_spike: more than 50 errors in an hour', () => {
    const many = some(2000, 20);
    expect(firing(observed([...many, ...some(50, 20, failed)]))).toEqual([]);
    expect(firing(observed([...many, ...some(51, 20, failed)]))).toEqual(['failed_operations_spike']);
  });
});

test('slow_response: p95 of an hour above 2000 ms', () => {
  const quick = some(19, 20, { durationMs: 2000 });
  const slow = some(1, 20, { durationMs: 2001 });
  // Nearest rank: the 19th of 20 is the p95.
  expect(firing(observed([...quick, ...slow]))).toEqual([]);
  expect(firing(observed([...quick.slice(1), ...slow, ...some(1, 20, { durationMs: 2001 })]))).toEqual([
    'slow_response',
  ]);
  expect(firing(observed(some(20, 90, { durationMs: 60_000 })))).toEqual([]);
});

describe('queues', () => {
  const waits = { status: 'pending' } as const;

  test('queue_overflow: more than 1000 exports wait', () => {
    const exports = (n: number): SyncRow[] => some(n, 600, { ...waits, operationType: 'export_to_1c' });
    const patient = { REALTIME_PENDING_THRESHOLD: 1e6 };
    expect(firing(observed(exports(1000)), patient)).toEqual([]);
    expect(firing(observed(exports(1001)), patient)).toEqual(['queue_overflow']);
    expect(firing(observed(some(1001, 600, waits)), patient)).toEqual([]);
  });

  test('pending_operations: more than 100 rows of any type wait', () => {
    expect(firing(observed(some(100, 600, waits)))).toEqual([]);
    expect(firing(observed(some(101, 600, waits)))).toEqual(['pending_operations']);
  });
});

describe('batch_failure', () => {
  const reports = (error: number | null, status = 'success'): SyncRow[] =>
    some(1, 1, {
      operationType: 'batch_operation',
      status,
      batch: { operation_name: 'nightly', total: 100, success: null, error },
    });

  test('a batch that failed, or says that parts of it did', () => {
    expect(firing(observed(reports(0)))).toEqual([]);
    expect(firing(observed(reports(null)))).toEqual([]);
    expect(firing(observed(reports(1)))).toEqual(['batch_failure']);
    expect(firing(observed(reports(1, 'warning')))).toEqual(['batch_failure']);
    expect(firing(observed(reports(null, 'error')))).toEqual(['batch_failure']);
    expect(firing(observed(reports(0, 'failed')))).toEqual(['batch_failure']);
    // An error of something that is no batch, however it looks.
    const odd = { batch: { operation_name: null, total: 1, success: 0, error: 9 } };
    expect(firing(observed(some(1, 1, odd)))).toEqual([]);
  });

  test('from ALERT_BATCH_ERRORS on', () => {
    expect(firing(observed(reports(4), {}, { batchErrors: 5 }))).toEqual([]);
    expect(firing(observed(reports(5), {}, { batchErrors: 5 }))).toEqual(['batch_failure']);
    expect(firing(observed(reports(0, 'error'), {}, { batchErrors: 5 }))).toEqual(['batch_failure']);
  });

  test('for five minutes', () => {
    expect(firing(observed(reports(1), {}, { now: NOON + 298_000 }))).toEqual(['batch_failure']);
    expect(firing(observed(reports(1), {}, { now: NOON + 301_000 }))).toEqual([]);
  });
});

describe('no_activity', () => {
  const on = { ALERT_NO_ACTIVITY_MINUTES: 30 };
  const later = (minutes: number, rows = some(1, 0)): Observation =>
    observed(rows, {}, { now: NOON + minutes * MINUTE });

  test('no row for so long', () => {
    expect(firing(later(29.99), on)).toEqual([]);
    expect(firing(later(30), on)).toEqual(['no_activity']);
  });

  test('is off unless it is asked for', () => {
    expect(firing(later(10_000))).toEqual([]);
  });

  test('a row that comes late is a row that came; one from the future came now', () => {
    expect(firing(later(29, some(1, 500)), on)).toEqual([]);
    expect(firing(later(29, some(1, -500)), on)).toEqual([]);
    expect(firing(later(31, some(1, -500)), on)).toEqual(['no_activity']);
  });

  test('a table that was empty for the whole day', () => {
    expect(firing(later(1, []), on)).toEqual(['no_activity']);
    expect(firing(later(1, []), { ALERT_NO_ACTIVITY_MINUTES: 1441 })).toEqual([]);
    expect(firing(later(1441, []), { ALERT_NO_ACTIVITY_MINUTES: 1441 })).toEqual(['no_activity']);
  });
});

describe('blast_radius', () => {
  const on = { ALERT_CUSTOMERS_AFFECTED: 3, ALERT_FAILED_OPERATIONS_THRESHOLD: 1e6 };
  const touched = (ids: readonly SyncRow['customerId'][], ageMinutes = 1): SyncRow[] =>
    ids.flatMap((customerId) => some(1, ageMinutes, { ...failed, customerId }));

  test('errors of more than so many distinct customers in five minutes', () => {
    expect(firing(observed(touched([1, 2, 3, 3, 2, 1, null, null])), on)).toEqual([]);
    expect(firing(observed(touched([1, 2, 3, '9223372036854775807'])), on)).toEqual(['blast_radius']);
    expect(firing(observed(touched([1, 2, 3, 4, 5], 6)), on)).toEqual([]);
    expect(firing(observed(some(9, 1, { customerId: nextId })), on)).toEqual([]);
  });

  test('is off unless it is asked for', () => {
    expect(firing(observed(touched([1, 2, 3, 4, 5, 6, 7, 8, 9])))).toEqual([]);
  });
});

describe('the error budget', () => {
  const burning = (counts: Partial<Record<'5m' | '30m' | '1h' | '6h' | '3d', number>>): SloReading => {
    const of = (errors: number | undefined) => ({ errors: errors ?? 0, total: 1000 });
    const windows = {
      '5m': of(counts['5m']),
      '30m': of(counts['30m']),
      '1h': of(counts['1h']),
      '6h': of(counts['6h']),
      '3d': of(counts['3d']),
    };
    return sloReading({ windows, budget: of(0) }, { target: 99, windowDays: 30 });
  };
  const rules = (slo: SloReading | null): string[] => firing(observed([], { slo }));

  test('slo_fast_burn: above 14.4 over an hour, and over five minutes still', () => {
    expect(rules(burning({ '1h': 144, '5m': 900 }))).toEqual([]);
    expect(rules(burning({ '1h': 900, '5m': 144 }))).toEqual([]);
    expect(rules(burning({ '1h': 145, '5m': 145 }))).toEqual(['slo_fast_burn']);
  });

  test('slo_slow_burn: above 6 over six hours and half an hour, or 1 over three days and six hours', () => {
    expect(rules(burning({ '6h': 60, '30m': 900 }))).toEqual([]);
    expect(rules(burning({ '6h': 900, '30m': 60 }))).toEqual([]);
    expect(rules(burning({ '6h': 61, '30m': 61 }))).toEqual(['slo_slow_burn']);
    expect(rules(burning({ '3d': 10, '6h': 900 }))).toEqual([]);
    expect(rules(burning({ '3d': 11, '6h': 11 }))).toEqual(['slo_slow_burn']);
  });

  test('the notice says which line was crossed', () => {
    const seen = observed([], { slo: burning({ '3d': 20, '6h': 30 }) });
    expect(step(defaultRules(THRESHOLDS), {}, seen, LIMITS).transitions).toMatchObject([
      { rule: 'slo_slow_burn', value: 2, threshold: 1 },
    ]);
  });

  test('neither with few operations', () => {
    const windows = { '5m': 9, '30m': 9, '1h': 9, '6h': 9, '3d': 9 };
    const few = Object.fromEntries(Object.keys(windows).map((name) => [name, { errors: 9, total: 9 }]));
    const reading = sloReading(
      { windows: few as Record<keyof typeof windows, { errors: number; total: number }>, budget: null },
      { target: 99, windowDays: 30 },
    );
    expect(reading.fast.rate).toBe(100);
    expect(rules(reading)).toEqual([]);
  });

  test('neither while it is not known', () => {
    expect(rules(null)).toEqual([]);
  });
});
