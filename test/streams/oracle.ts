/**
 * What SPEC section 2 says, computed in the plainest way over all the rows there are: the fold must answer the same.
 */
import { expect } from 'vitest';
import { type BigId, isError, OPERATION_TYPES, STATUSES, type SyncRow } from '../../streams/event.js';
import { isoOf } from '../../streams/iso.js';
import type { OperationNumbers, Snapshot, WindowName, WindowSnapshot } from '../../streams/snapshot.js';

const SECOND = 1000;
const SIZES: Record<WindowName, { size: number; step: number }> = {
  '1m': { size: 60 * SECOND, step: SECOND },
  '5m': { size: 300 * SECOND, step: SECOND },
  '1h': { size: 3600 * SECOND, step: 10 * SECOND },
  '24h': { size: 86_400 * SECOND, step: 300 * SECOND },
};
const MAX_DURATION = 2 ** 31 - 1;

/** First come, first named: 32 unknown names, then `other`. */
class NaiveNames {
  private readonly kept: string[];
  private readonly most: number;

  constructor(known: readonly string[]) {
    this.kept = [...known, 'other'];
    this.most = this.kept.length + 32;
  }

  of(name: string): string {
    if (this.kept.includes(name)) return name;
    if (this.kept.length >= this.most) return 'other';
    this.kept.push(name);
    return name;
  }
}

export class Oracle {
  now = Number.NEGATIVE_INFINITY;
  end = Number.NEGATIVE_INFINITY;
  private rows = new Map<BigId, SyncRow>();
  private types = new NaiveNames(OPERATION_TYPES);
  private statuses = new NaiveNames(STATUSES);

  reset(): void {
    this.now = Number.NEGATIVE_INFINITY;
    this.end = Number.NEGATIVE_INFINITY;
    this.rows = new Map();
    this.types = new NaiveNames(OPERATION_TYPES);
    this.statuses = new NaiveNames(STATUSES);
  }

  move(now: number): void {
    this.now = Math.max(this.now, now);
    this.end = Math.max(this.end, Math.floor(now / SECOND) * SECOND + SECOND);
  }

  put(row: SyncRow): void {
    const named = {
      ...row,
      operationType: this.types.of(row.operationType),
      status: this.statuses.of(row.status),
    };
    this.rows.set(row.id, named);
  }

  remove(row: SyncRow): void {
    this.rows.delete(row.id);
  }

  pending(): SyncRow[] {
    return [...this.rows.values()].filter((row) => row.status === 'pending');
  }

  check(snapshot: Snapshot): void {
    expect(snapshot.at).toBe(isoOf(this.now));
    for (const name of Object.keys(SIZES) as WindowName[]) this.checkWindow(name, snapshot);
    this.checkQueue(snapshot);
    this.checkThroughput(snapshot);
    expect(snapshot.business).toBe(snapshot.windows['24h'].business);
    expect(snapshot.future_rows).toBe(
      [...this.rows.values()].filter((row) => row.createdAt >= this.end).length,
    );
  }

  private between(start: number, end: number): SyncRow[] {
    return [...this.rows.values()].filter((row) => start <= row.createdAt && row.createdAt < end);
  }

  private checkWindow(name: WindowName, snapshot: Snapshot): void {
    const { size, step } = SIZES[name];
    const start = (Math.floor((this.end - 1) / step) + 1) * step - size;
    checkPeriod(snapshot.windows[name], this.between(start, this.end), [start, this.end], name);
  }

  private checkQueue(snapshot: Snapshot): void {
    const pending = this.pending();
    const age = (rows: SyncRow[]): number | null => {
      const times = rows.map((row) => row.createdAt).filter(Number.isFinite);
      return times.length === 0 ? null : Math.max(0, this.now - Math.min(...times)) / 1000;
    };
    expect(snapshot.queue).toMatchObject({
      pending_operations: pending.length,
      export_queue: pending.filter((row) => row.operationType === 'export_to_1c').length,
      oldest_age_seconds: age(pending),
    });
    const types = countBy(pending.map((row) => row.operationType));
    expect(Object.keys(snapshot.queue.by_type).sort()).toEqual(Object.keys(types).sort());
    for (const [type, of] of Object.entries(snapshot.queue.by_type)) {
      expect(of.pending).toBe(types[type]);
      expect(of.oldest_age_seconds).toBe(age(pending.filter((row) => row.operationType === type)));
    }
  }

  private checkThroughput({ throughput }: Snapshot): void {
    const step = throughput.step_seconds * SECOND;
    const steps = throughput.total.length;
    const start = (Math.floor((this.end - 1) / step) + 1 - steps) * step;
    expect(throughput.start).toBe(isoOf(start));
    expect(steps * step).toBe(300 * SECOND);
    for (let i = 0; i < steps; i++) {
      const from = start + i * step;
      const rows = this.between(from, Math.min(from + step, this.end));
      expect(throughput.total[i]).toBe(rows.length);
      expect(throughput.success[i]).toBe(rows.filter((row) => row.status === 'success').length);
      expect(throughput.errors[i]).toBe(rows.filter((row) => isError(row.status)).length);
    }
  }
}

/** `rows`: those of the period, under the names that they are counted by. */
export function checkPeriod(
  period: WindowSnapshot,
  rows: SyncRow[],
  [start, end]: readonly [start: number, end: number],
  where: string,
): void {
  const minutes = (end - start) / 60_000;
  const bounds = { period_start: isoOf(start), period_end: isoOf(end) };
  expect(period, where).toMatchObject({
    ...bounds,
    operations_by_type: countBy(rows.map((row) => row.operationType)),
  });
  checkNumbers(period, rows, minutes, where);
  expect(Object.keys(period.by_type).sort()).toEqual(
    [...new Set(rows.map((row) => row.operationType))].sort(),
  );
  for (const [type, numbers] of Object.entries(period.by_type)) {
    const ofType = rows.filter((row) => row.operationType === type);
    checkNumbers(numbers, ofType, minutes, `${where} ${type}`);
  }
  expect(period.business, where).toEqual({ ...business(rows), ...bounds });
}

function checkNumbers(actual: OperationNumbers, rows: SyncRow[], minutes: number, where: string): void {
  const of = (status: string): number => rows.filter((row) => row.status === status).length;
  const total = rows.length;
  const errors = of('error') + of('failed');
  const durations = rows.flatMap(({ durationMs }) =>
    durationMs !== null && durationMs >= 0 && durationMs <= MAX_DURATION ? [durationMs] : [],
  );
  durations.sort((a, b) => a - b);
  const sum = durations.reduce((all, ms) => all + ms, 0);
  expect(actual, where).toMatchObject({
    total_operations: total,
    success_count: of('success'),
    error_count: errors,
    warning_count: of('warning'),
    skipped_count: of('skipped'),
    pending_count: of('pending'),
    by_status: countBy(rows.map((row) => row.status)),
    success_rate: rate(of('success'), total),
    error_rate: rate(errors, total),
    duration_count: durations.length,
    duration_negative_count: rows.filter((row) => row.durationMs !== null && row.durationMs < 0).length,
    duration_avg_ms: durations.length === 0 ? null : sum / durations.length,
    duration_min_ms: durations[0] ?? null,
    duration_max_ms: durations.at(-1) ?? null,
    throughput_per_minute: total / minutes,
  });
  expect(Object.keys(actual.by_status).sort()).toEqual([...new Set(rows.map((row) => row.status))].sort());
  for (const [percentile, value] of [
    [0.5, actual.duration_p50_ms],
    [0.95, actual.duration_p95_ms],
    [0.99, actual.duration_p99_ms],
  ] as const) {
    const exact = durations[Math.max(1, Math.ceil(percentile * durations.length)) - 1];
    if (exact === undefined) expect(value, where).toBeNull();
    else
      expect(Math.abs((value ?? Number.NaN) - exact), `${where} p${percentile}`).toBeLessThanOrEqual(
        exact / 2000,
      );
  }
}

function business(rows: SyncRow[]): object {
  const successes = rows.filter((row) => row.status === 'success');
  const of = (type: string): SyncRow[] => successes.filter((row) => row.operationType === type);
  const conflicts = rows.filter((row) => row.operationType === 'conflict_resolution').length;
  const resolved = of('conflict_resolution');
  const identified = of('customer_identification');
  const customers = successes.flatMap((row) => (row.customerId === null ? [] : [String(row.customerId)]));
  return {
    synced_customers_count: new Set(customers).size,
    conflicts_resolved: countBy(resolved.map((row) => row.conflictSource ?? 'unknown')),
    total_conflicts: conflicts,
    total_conflicts_resolved: resolved.length,
    identification_methods: countBy(identified.map((row) => row.identificationMethod ?? 'unknown')),
    total_identifications: identified.length,
    new_registrations: of('export_to_1c').length,
    imports_from_1c: of('import_from_1c').length,
    admin_notifications_sent: rows.filter((row) => row.emailSent).length,
    auto_resolution_rate: rate(resolved.length, conflicts),
    automation_hours_saved: (resolved.length * 10) / 60,
  };
}

function rate(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((part * 10_000) / whole) / 100;
}

function countBy(names: string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}
