/** The numbers of the period by operation type as a file: all of them, not only what the table has room for. */
import type { OperationMetrics } from '../../../../../streams/snapshot.js';
import { type Cell, csvOf } from '../../csv.js';
import { download } from '../../download.js';
import { operations } from '../../state.js';
import { fileTime } from './file-time.js';
import { words } from './words.js';

const COLUMNS = [
  ...['total_operations', 'success_count', 'error_count', 'warning_count', 'skipped_count', 'pending_count'],
  ...[
    'success_rate',
    'error_rate',
    'duration_count',
    'duration_avg_ms',
    'duration_min_ms',
    'duration_max_ms',
  ],
  ...['duration_p50_ms', 'duration_p95_ms', 'duration_p99_ms', 'throughput_per_minute'],
] as const satisfies readonly (keyof OperationMetrics)[];

/** Names as in the API; the first row is of all types. */
export function typesCsv(metrics: OperationMetrics): string {
  const { period_start, period_end, by_type } = metrics;
  const of = (type: string, numbers: Pick<OperationMetrics, (typeof COLUMNS)[number]>): Cell[] => [
    ...[period_start, period_end, type],
    ...COLUMNS.map((key) => numbers[key]),
  ];
  const types = Object.entries(by_type).sort(
    ([a, one], [b, other]) => other.total_operations - one.total_operations || a.localeCompare(b),
  );
  return csvOf(
    ['period_start', 'period_end', 'operation_type', ...COLUMNS],
    [of('*', metrics), ...types.map(([type, numbers]) => of(type, numbers))],
  );
}

export function TypesCsv() {
  const { csv, csvTypes } = words.value;
  const metrics = operations.value;
  return (
    <button
      type="button"
      class="csv"
      disabled={metrics === null}
      aria-label={csvTypes}
      title={csvTypes}
      onClick={() => {
        if (metrics === null) return;
        download(`operations-${fileTime(Date.parse(metrics.period_start))}.csv`, typesCsv(metrics));
      }}
    >
      {csv}
    </button>
  );
}
