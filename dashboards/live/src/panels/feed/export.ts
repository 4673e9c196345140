/** The feed as a file: the names of the API, times in UTC, nothing in anybody's locale. Pure. */
import type { SyncEvent } from '../../../../../streams/event.js';
import { type Cell, csvOf } from '../../csv.js';

const COLUMNS = [
  'id',
  'created_at',
  'operation_type',
  'status',
  'duration_ms',
  'customer_id',
  'customer_email',
  'onec_id',
  'correlation_id',
  'error_message',
  'conflict_source',
  'identification_method',
] as const;
const BATCH = ['operation_name', 'total', 'success', 'error'] as const;

export function eventsCsv(rows: readonly SyncEvent[]): string {
  const header = [...COLUMNS, ...BATCH.map((name) => `batch_${name}`)];
  const cells = (row: SyncEvent): Cell[] => [
    ...COLUMNS.map((name) => row[name]),
    ...BATCH.map((name) => row.batch?.[name] ?? null),
  ];
  return csvOf(header, rows.map(cells));
}

/** Sorts by time, and is allowed in every file system. */
export function fileName(now: number): string {
  return `events-${new Date(now).toISOString().slice(0, 19).replaceAll(':', '')}Z.csv`;
}
