/** Metric families of the live windows, the queue and the business numbers (SPEC section 5), from one snapshot. */
import { OPERATION_TYPES, STATUSES } from '../../streams/event.js';
import { type OperationNumbers, type Snapshot, WINDOW_NAMES } from '../../streams/snapshot.js';
import type { Family, Labels } from './exposition.js';
import { many, seconds, single, type Value } from './family.js';

/** Stands for every type in the ratios and quantiles, which cannot be summed up over the types. */
const ALL = 'all';

const QUANTILES = [
  ['0.5', 'duration_p50_ms'],
  ['0.95', 'duration_p95_ms'],
  ['0.99', 'duration_p99_ms'],
] as const;

/** The known types and those that were seen; the known ones are present from the start. */
function typesOf(seen: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  return new Set([...OPERATION_TYPES, ...Object.keys(seen)]);
}

/** Every known status, and the seen ones under their own names. */
function statusCounts(numbers: OperationNumbers | undefined): ReadonlyMap<string, number> {
  const counts = new Map<string, number>(STATUSES.map((status) => [status, 0]));
  for (const [status, count] of Object.entries(numbers?.by_status ?? {})) counts.set(status, count);
  return counts;
}

function* groups(snapshot: Snapshot): Generator<readonly [Labels, OperationNumbers]> {
  for (const window of WINDOW_NAMES) {
    const numbers = snapshot.windows[window];
    yield [{ window, operation_type: ALL }, numbers];
    for (const [type, ofType] of Object.entries(numbers.by_type)) {
      // A type that calls itself "all" would make the same series twice, which ends the whole scrape.
      if (type !== ALL) yield [{ window, operation_type: type }, ofType];
    }
  }
}

function* windowOperations(snapshot: Snapshot): Generator<readonly [Labels, Value]> {
  for (const window of WINDOW_NAMES) {
    const { by_type: byType } = snapshot.windows[window];
    for (const type of typesOf(byType)) {
      const ofType = Object.hasOwn(byType, type) ? byType[type] : undefined;
      for (const [status, count] of statusCounts(ofType)) {
        yield [{ window, operation_type: type, status }, count];
      }
    }
  }
}

function* errorRatios(snapshot: Snapshot): Generator<readonly [Labels, Value]> {
  for (const [labels, numbers] of groups(snapshot)) {
    const total = numbers.total_operations;
    yield [labels, total === 0 ? null : numbers.error_count / total];
  }
}

function* durations(snapshot: Snapshot): Generator<readonly [Labels, Value]> {
  for (const [labels, numbers] of groups(snapshot)) {
    for (const [q, key] of QUANTILES) yield [{ ...labels, q }, seconds(numbers[key])];
  }
}

function perWindow(snapshot: Snapshot, value: (window: Snapshot['windows']['1m']) => Value) {
  return WINDOW_NAMES.map((window) => [{ window }, value(snapshot.windows[window])] as const);
}

export function windowFamilies(snapshot: Snapshot): readonly Family[] {
  const day = snapshot.windows['24h'];
  const types = typesOf(day.by_type);
  const pendingTypes = typesOf(snapshot.queue.by_type);
  const queueOf = (type: string) =>
    Object.hasOwn(snapshot.queue.by_type, type) ? snapshot.queue.by_type[type] : undefined;
  const countOf = (type: string): number =>
    Object.hasOwn(day.operations_by_type, type) ? (day.operations_by_type[type] ?? 0) : 0;
  return [
    many(
      'gauge',
      'sync_operations_by_type',
      'Operations of the last 24 hours by type.',
      [...types].map((type) => [{ type }, countOf(type)] as const),
    ),
    single(
      'gauge',
      'sync_success_rate',
      'Successful operations of the last 24 hours, percent.',
      day.success_rate,
    ),
    single(
      'gauge',
      'sync_duration_avg_ms',
      'Average duration over the last 24 hours, ms.',
      day.duration_avg_ms,
    ),
    many('gauge', 'sync_window_operations', 'Operations in the window.', windowOperations(snapshot)),
    many(
      'gauge',
      'sync_window_error_ratio',
      'Share of errors in the window, 0 to 1; operation_type "all" covers every type.',
      errorRatios(snapshot),
    ),
    many(
      'gauge',
      'sync_window_duration_seconds',
      'Duration of operations in the window at the quantile q; operation_type "all" covers every type.',
      durations(snapshot),
    ),
    many(
      'gauge',
      'sync_pending_operations',
      'Pending operations by type.',
      [...pendingTypes].map((type) => [{ operation_type: type }, queueOf(type)?.pending ?? 0] as const),
    ),
    many(
      'gauge',
      'sync_pending_oldest_age_seconds',
      'Age of the oldest pending operation by type.',
      [...pendingTypes].map((type) => [{ operation_type: type }, queueOf(type)?.oldest_age_seconds] as const),
    ),
    many(
      'gauge',
      'sync_customers_synced',
      'Distinct customers over successful operations in the window.',
      perWindow(snapshot, (window) => window.business.synced_customers_count),
    ),
    many(
      'gauge',
      'sync_auto_resolution_ratio',
      'Resolved conflicts over all conflicts in the window, 0 to 1.',
      perWindow(snapshot, ({ business }) =>
        business.total_conflicts === 0 ? null : business.total_conflicts_resolved / business.total_conflicts,
      ),
    ),
  ];
}
