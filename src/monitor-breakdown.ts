/** A period in slices, each out of the table by SQL. */
import type { BreakdownNumbers } from '../streams/breakdown.js';
import { recordOf } from '../streams/names.js';
import type { OperationNumbers } from '../streams/snapshot.js';
import { operationsOfTable, type Query, type TableShape } from './history/table-query.js';

interface Slice extends BreakdownNumbers {
  /** ms */
  readonly start: number;
  readonly by_type: Readonly<Record<string, BreakdownNumbers>>;
}

/** The numbers between each bound (ms, ascending) and the next. @throws the database's error */
export async function breakdownOfTable(query: Query, table: TableShape, bounds: readonly number[]) {
  const slices: Slice[] = [];
  for (const [i, start] of bounds.slice(0, -1).entries()) {
    const end = bounds[i + 1] as number; // the last bound starts no slice
    const of = await operationsOfTable(query, table, new Date(start), new Date(end));
    const byType = Object.entries(of.by_type).map(([type, one]) => [type, breakdownNumbers(one)] as const);
    slices.push({ start, ...breakdownNumbers(of), by_type: recordOf(byType) });
  }
  return slices;
}

function breakdownNumbers(of: OperationNumbers): BreakdownNumbers {
  return {
    total_operations: of.total_operations,
    successful_operations: of.success_count,
    failed_operations: of.error_count,
    success_rate: of.success_rate,
    avg_duration_ms: of.duration_avg_ms,
    p95_duration_ms: of.duration_p95_ms,
    p99_duration_ms: of.duration_p99_ms,
  };
}
