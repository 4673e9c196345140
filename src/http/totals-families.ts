/** The `*_total` families and the histograms (SPEC section 5), out of what streams/totals.ts has counted. */
import { isError } from '../../streams/event.js';
import type { SecondsHistogramView } from '../../streams/seconds.js';
import type { OperationsTotal, TotalsView } from '../../streams/totals.js';
import type { ExemplarSample, Family, Labels, Sample } from './exposition.js';
import { many, single } from './family.js';

/** One sum per operation type over the statuses that `counts` holds true for; known types are there with 0. */
function perType(
  operations: readonly OperationsTotal[],
  counts: (status: string) => boolean,
): readonly (readonly [Labels, number])[] {
  const sums = new Map<string, number>();
  for (const { operation_type: type, status, count } of operations) {
    sums.set(type, (sums.get(type) ?? 0) + (counts(status) ? count : 0));
  }
  return [...sums].map(([type, sum]) => [{ operation_type: type }, sum] as const);
}

function exemplarOf(view: SecondsHistogramView, bucket: number): ExemplarSample | undefined {
  const exemplar = view.exemplars[bucket];
  if (exemplar === null || exemplar === undefined) return undefined;
  return {
    labels: { correlation_id: exemplar.correlation_id },
    value: exemplar.value,
    timestampSeconds: exemplar.timestamp,
  };
}

export function histogramSamples(labels: Labels, view: SecondsHistogramView): readonly Sample[] {
  const samples = view.cumulative.map((count, bucket): Sample => {
    const bound = view.bounds[bucket];
    return {
      labels: { ...labels, le: bound === undefined ? '+Inf' : String(bound) },
      value: count,
      suffix: '_bucket',
      exemplar: exemplarOf(view, bucket),
    };
  });
  return [
    ...samples,
    { labels, value: view.sum, suffix: '_sum' },
    { labels, value: view.count, suffix: '_count' },
  ];
}

const byName = (counts: Readonly<Record<string, number>>, label: string) =>
  Object.entries(counts).map(([name, count]) => [{ [label]: name }, count] as const);

export function totalsFamilies(totals: TotalsView): readonly Family[] {
  return [
    many(
      'counter',
      'sync_operations_total',
      'Operations seen live in a status other than pending.',
      totals.operations.map((one) => [{ operation_type: one.operation_type, status: one.status }, one.count]),
    ),
    many(
      'counter',
      'sync_errors_total',
      'Operations with the status error or failed.',
      perType(totals.operations, isError),
    ),
    many(
      'counter',
      'sync_success_total',
      'Successful operations.',
      perType(totals.operations, (status) => status === 'success'),
    ),
    {
      name: 'sync_operation_duration_seconds',
      help: 'Duration of operations; the exemplar is a correlation id.',
      type: 'histogram',
      samples: Object.entries(totals.durations).flatMap(([type, view]) =>
        histogramSamples({ operation_type: type }, view),
      ),
    },
    many(
      'counter',
      'sync_conflicts_resolved_total',
      'Resolved conflicts by source.',
      byName(totals.conflicts_resolved, 'source'),
    ),
    single('counter', 'sync_conflicts_total', 'Conflicts.', totals.conflicts),
    many(
      'counter',
      'sync_identifications_total',
      'Successful identifications by method.',
      byName(totals.identifications, 'method'),
    ),
    single('counter', 'sync_registrations_total', 'Successful exports to 1C.', totals.registrations),
    single('counter', 'sync_imports_total', 'Successful imports from 1C.', totals.imports),
    single('counter', 'sync_admin_mails_total', 'Mails sent to admins.', totals.admin_mails),
    single(
      'counter',
      'sync_automation_saved_seconds_total',
      'Manual work saved by resolved conflicts.',
      totals.automation_saved_seconds,
    ),
    {
      name: 'sync_monitor_fold_lag_seconds',
      help: "From a row's created_at, by the writer's clock, to the moment it was folded.",
      type: 'histogram',
      samples: histogramSamples({}, totals.lag),
    },
    single(
      'counter',
      'sync_monitor_other_types_total',
      'Live rows whose type is counted as "other".',
      totals.other_types,
    ),
    single(
      'counter',
      'sync_monitor_other_statuses_total',
      'Live rows whose status is counted as "other".',
      totals.other_statuses,
    ),
  ];
}
