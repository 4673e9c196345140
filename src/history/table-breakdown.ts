/** The hours or days of a period out of the table itself, in one pass over it: exact, at the price of a scan. */
import type { BreakdownNumbers } from '../../streams/breakdown.js';
import { isError, OPERATION_TYPES } from '../../streams/event.js';
import { MAX_DURATION_MS } from '../../streams/histogram.js';
import { Names, recordOf } from '../../streams/names.js';
import { percentOf } from '../../streams/operations.js';
import type { Query, TableShape } from './table-query.js';

export interface SpanNumbers extends BreakdownNumbers {
  readonly by_type: Readonly<Record<string, BreakdownNumbers>>;
}

/** `bounds`: ascending, ms; numbers of what lies between each two of them. */
export async function spansOfTable(
  query: Query,
  table: TableShape,
  bounds: readonly number[],
): Promise<SpanNumbers[]> {
  const iso = bounds.map((bound) => new Date(bound).toISOString());
  // As many bounds are at or before it: 1 for what lies behind the first.
  const span = `width_bucket(created_at, $1::timestamptz[])`;
  const type = `coalesce(operation_type::text, '')`;
  const period = `created_at >= $2::timestamptz AND created_at < $3::timestamptz`;
  const values = [iso, iso[0], iso.at(-1)];
  const spans = bounds.slice(1).map(() => ({ all: newCounts(), types: new Map<string, Counts>() }));
  const counts = await query(
    `SELECT ${span}, ${type}, status::text, count(*), sum(count(*)) OVER (PARTITION BY ${type}) AS of_type
     FROM ${table.qualified} WHERE ${period} GROUP BY 1, 2, 3 ORDER BY of_type DESC, 2`,
    values,
  );
  // The most frequent unknown names keep theirs.
  const names = new Names(OPERATION_TYPES);
  for (const [at, name, status, rows] of counts) {
    const one = spans[Number(at) - 1];
    if (!one) continue;
    const kept = names.name(names.index(name ?? ''));
    const ofType = one.types.get(kept) ?? newCounts();
    one.types.set(kept, ofType);
    for (const count of [ofType, one.all]) {
      count.total += Number(rows);
      if (status === 'success') count.success += Number(rows);
      if (isError(status ?? '')) count.errors += Number(rows);
    }
  }
  if (table.columns.has('duration_ms') && counts.length > 0) {
    const known = Array.from({ length: names.size }, (_, i) => names.name(i));
    const durations = await query(
      `SELECT span, type, grouping(type), sum(ms)::float8 / count(*),
         (percentile_disc(ARRAY[0.95, 0.99]) WITHIN GROUP (ORDER BY ms))::text
       FROM (SELECT ${span} AS span, CASE WHEN ${type} = ANY ($4::text[]) THEN ${type} ELSE 'other' END AS type, duration_ms AS ms
             FROM ${table.qualified} WHERE ${period} AND duration_ms BETWEEN 0 AND ${MAX_DURATION_MS}) rows
       GROUP BY GROUPING SETS ((span), (span, type))`,
      [...values, known],
    );
    for (const [at, name, grouping, average, percentiles] of durations) {
      const one = spans[Number(at) - 1];
      const counted = grouping === '1' ? one?.all : one?.types.get(name ?? '');
      if (!counted) continue;
      const [p95, p99] = (percentiles ?? '{}').slice(1, -1).split(',').map(Number);
      counted.durations = { average: Number(average), p95: p95 ?? null, p99: p99 ?? null };
    }
  }
  return spans.map(({ all, types }) => ({
    ...numbersOf(all),
    by_type: recordOf([...types].map(([name, of]) => [name, numbersOf(of)])),
  }));
}

interface Counts {
  total: number;
  success: number;
  errors: number;
  durations:
    | { readonly average: number; readonly p95: number | null; readonly p99: number | null }
    | undefined;
}

function newCounts(): Counts {
  return { total: 0, success: 0, errors: 0, durations: undefined };
}

function numbersOf({ total, success, errors, durations }: Counts): BreakdownNumbers {
  return {
    total_operations: total,
    successful_operations: success,
    failed_operations: errors,
    success_rate: percentOf(success, total),
    avg_duration_ms: durations?.average ?? null,
    p95_duration_ms: durations?.p95 ?? null,
    p99_duration_ms: durations?.p99 ?? null,
  };
}
