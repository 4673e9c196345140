/**
 * The numbers of any period: from history, its ragged ends from the table; all of it from the table where history does not
 * reach. Either way of one moment, and as a SELECT over the table would have it then.
 */
import type { Savings } from '../../streams/business.js';
import type { Period } from '../../streams/operations.js';
import type { Rollup } from '../../streams/rollup.js';
import { RollupSum } from '../../streams/rollup-sum.js';
import type { BusinessMetrics, OperationMetrics } from '../../streams/snapshot.js';
import { MINUTE_MS } from './cover.js';
import { type HistoryInMemory, type Moment, momentOf, type WatchedTable } from './moment.js';
import { placed, rollupsOfEdges, rollupsOfParts } from './period-parts.js';
import type { Wanted } from './raw.js';
import { businessOfTable, operationsOfTable, type Query } from './table-query.js';

/**
 * Operation numbers of the half-open period, by the snapshot that `query` is about to take; without history, or where it
 * has not read as far back yet, out of the table.
 * @returns `aligned` where the period had to be widened to whole minutes or quarter hours: its bounds are the used ones
 * @throws the database's error, CodecError for a rollup that cannot be read
 */
export async function operationsOfPeriod(
  query: Query,
  table: WatchedTable,
  history: HistoryInMemory | undefined,
  start: Date,
  end: Date,
): Promise<OperationMetrics> {
  const moment = history && (await momentOf(query, table, history, [start.getTime(), end.getTime()]));
  if (!moment) return operationsOfTable(query, table, start, end);
  const { sum, period, aligned } = await sumOf(query, table, moment, 'operations');
  return { ...sum.operations(period), ...aligned };
}

/** Business numbers of the half-open period, likewise. @throws as above */
export async function businessOfPeriod(
  query: Query,
  table: WatchedTable,
  history: HistoryInMemory | undefined,
  start: Date,
  end: Date,
  savings: Savings,
): Promise<BusinessMetrics> {
  const moment = history && (await momentOf(query, table, history, [start.getTime(), end.getTime()]));
  if (!moment) return businessOfTable(query, table, start, end, savings);
  const { sum, period, aligned } = await sumOf(query, table, moment, 'business');
  return { ...sum.business(period, savings), ...aligned };
}

interface OfType {
  readonly operationType: string;
  readonly rollup: Rollup;
}

async function sumOf(query: Query, table: WatchedTable, moment: Moment, wanted: Wanted) {
  const { checkpointId, spans, unflushed, pending } = moment;
  const [span] = spans;
  if (!span) throw new RangeError('a period has two bounds');
  const { core } = span;
  const sum = new RollupSum(moment.words);
  // Both at once: while the first answer is added up here, the database works on the second.
  const add = (rollups: readonly OfType[]) => {
    for (const { operationType, rollup } of rollups) sum.add(operationType, rollup);
  };
  await Promise.all([
    rollupsOfParts(query, checkpointId, placed([span]), wanted).then(add),
    rollupsOfEdges(query, table, moment, span.edges, wanted).then(add),
  ]);
  for (const { start, operationType, rollup } of unflushed)
    if (start >= core.from && start < core.to) sum.add(operationType, rollup);
  for (const row of pending) if (row.createdAt >= core.from && row.createdAt < core.to) sum.addRow(row);
  const period: Period = {
    start: new Date(span.from).toISOString(),
    end: new Date(span.to).toISOString(),
    minutes: (span.to - span.from) / MINUTE_MS,
  };
  const aligned: { readonly aligned?: true } = span.aligned ? { aligned: true } : {};
  return { sum, period, aligned };
}
