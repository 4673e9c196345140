/** A period in steps, for a chart: out of history, and where there is none out of the table in one pass over it. */
import { isError, STATUSES } from '../../streams/event.js';
import { MAX_DURATION_MS } from '../../streams/histogram.js';
import { Names, recordOf } from '../../streams/names.js';
import { percentOf } from '../../streams/operations.js';
import { NOTHING_IN_STEP, type SeriesNumbers, seriesNumbers } from '../../streams/period-series.js';
import { numbersOfSpans } from './breakdown.js';
import { type HistoryInMemory, momentOf, type WatchedTable } from './moment.js';
import type { Query, TableShape } from './table-query.js';

export interface Steps {
  /** As many as there are steps, in their order. */
  readonly steps: readonly SeriesNumbers[];
  /** A bound had to be moved to a whole minute or quarter hour: the steps are not those that were asked for. */
  readonly aligned: boolean;
}

/**
 * The numbers of what lies between each two bounds, by the snapshot that `query` is about to take.
 * @param bounds ms, ascending
 * @throws the database's error, CodecError for a rollup that cannot be read
 */
export async function stepsOfPeriod(
  query: Query,
  table: WatchedTable,
  history: HistoryInMemory | undefined,
  bounds: readonly number[],
): Promise<Steps> {
  if (bounds.length < 2) return { steps: [], aligned: false };
  const moment = history && (await momentOf(query, table, history, bounds));
  if (!moment) return { steps: await stepsOfTable(query, table, bounds), aligned: false };
  const steps = await numbersOfSpans(query, table, moment, { nothing: NOTHING_IN_STEP, of: seriesNumbers });
  return { steps, aligned: moment.spans.some(({ aligned }) => aligned) };
}

async function stepsOfTable(
  query: Query,
  table: TableShape,
  bounds: readonly number[],
): Promise<SeriesNumbers[]> {
  const iso = bounds.map((bound) => new Date(bound).toISOString());
  // As many bounds are at or before it: 1 for what lies behind the first.
  const span = 'width_bucket(created_at, $1::timestamptz[])';
  const from = `FROM ${table.qualified} WHERE created_at >= $2::timestamptz AND created_at < $3::timestamptz`;
  const values = [iso, iso[0], iso.at(-1)];
  const counts = await query(
    `SELECT ${span}, status::text, count(*), sum(count(*)) OVER (PARTITION BY status::text) AS of_status
     ${from} GROUP BY 1, 2 ORDER BY of_status DESC, 2`,
    values,
  );
  const steps = bounds.slice(1).map(() => ({ statuses: new Map<string, number>(), errors: 0, total: 0 }));
  // The most frequent unknown names keep theirs.
  const names = new Names(STATUSES);
  for (const [at, status, count] of counts) {
    const step = steps[Number(at) - 1];
    if (!step) continue;
    const [rows, name] = [Number(count), names.name(names.index(status ?? ''))];
    step.statuses.set(name, (step.statuses.get(name) ?? 0) + rows);
    step.total += rows;
    if (isError(name)) step.errors += rows;
  }
  const durations = new Map<number, readonly number[]>();
  if (table.columns.has('duration_ms') && counts.length > 0) {
    const rows = await query(
      `SELECT ${span}, (percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY duration_ms))::text
       ${from} AND duration_ms BETWEEN 0 AND ${MAX_DURATION_MS} GROUP BY 1`,
      values,
    );
    for (const [at, percentiles] of rows)
      durations.set(Number(at) - 1, (percentiles ?? '{}').slice(1, -1).split(',').map(Number));
  }
  return steps.map(({ statuses, errors, total }, i) => {
    const [p50, p95, p99] = durations.get(i) ?? [];
    return {
      total_operations: total,
      by_status: recordOf([...statuses]),
      error_count: errors,
      error_rate: percentOf(errors, total),
      duration_p50_ms: p50 ?? null,
      duration_p95_ms: p95 ?? null,
      duration_p99_ms: p99 ?? null,
    };
  });
}
