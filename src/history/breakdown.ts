/**
 * A period hour by hour, day by day, or in any other consecutive spans. Each rollup is read once, a few days at a time, so
 * that neither memory nor other work has to wait for a year.
 */
import type { BreakdownNumbers } from '../../streams/breakdown.js';
import { recordOf } from '../../streams/names.js';
import { RollupSum } from '../../streams/rollup-sum.js';
import type { OperationMetrics, OperationNumbers } from '../../streams/snapshot.js';
import { type Cover, DAY_LEVEL, DAY_MS, MINUTE_MS, type Part, QUARTER_MS } from './cover.js';
import { type HistoryInMemory, type Moment, momentOf, type WatchedTable } from './moment.js';
import { type PlacedRollup, placed, rollupsOfEdges, rollupsOfParts } from './period-parts.js';
import { type SpanNumbers, spansOfTable } from './table-breakdown.js';
import type { Query } from './table-query.js';

export const SPANS_AT_MOST = 10_000;
/** Periods that are read at once, at about a dozen rollups each: some 30 ms in which nothing else can run here. */
const PERIODS_A_QUERY = 192;

export interface Breakdown {
  /** As many as there are spans, in their order. */
  readonly spans: readonly SpanNumbers[];
  /** A bound had to be moved to a whole minute or quarter hour. */
  readonly aligned?: true;
}

/** More spans than can be told one by one. */
export class TooManySpansError extends RangeError {
  readonly code = 'period_too_long';
  constructor(spans: number) {
    super(`the period has ${spans} parts; at most ${SPANS_AT_MOST} are told one by one`);
    this.name = 'TooManySpansError';
  }
}

/**
 * The numbers of what lies between each two bounds, by the snapshot that `query` is about to take; of spans without rows
 * too. Whole hours and days that a period touches, also where it begins or ends within one: Zone.hours(), Zone.days().
 * @param bounds ms, ascending
 * @throws TooManySpansError, and as operationsOfPeriod
 */
export async function breakdownOfPeriod(
  query: Query,
  table: WatchedTable,
  history: HistoryInMemory | undefined,
  bounds: readonly number[],
): Promise<Breakdown> {
  if (bounds.length - 1 > SPANS_AT_MOST) throw new TooManySpansError(bounds.length - 1);
  if (bounds.length < 2) return { spans: [] };
  const moment = history && (await momentOf(query, table, history, bounds));
  if (!moment) return { spans: await spansOfTable(query, table, bounds) };
  const spans = await numbersOfSpans(query, table, moment, { nothing: NOTHING, of: spanNumbers });
  return { spans, ...(moment.spans.some(({ aligned }) => aligned) ? { aligned: true } : {}) };
}

/** What is wanted of a span. */
export interface WantedOfSpan<T> {
  /** Of one without rows. */
  readonly nothing: T;
  readonly of: (metrics: OperationMetrics) => T;
}

/** The numbers of each span of the moment. @throws as operationsOfPeriod */
export async function numbersOfSpans<T>(
  query: Query,
  table: WatchedTable,
  moment: Moment,
  wanted: WantedOfSpan<T>,
): Promise<T[]> {
  const recent = recentBySpan(moment);
  const spans: T[] = [];
  const sum = new RollupSum(moment.words);
  for (const { from, to } of pagesOf(moment.spans)) {
    const page = moment.spans.slice(from, to);
    const adds = page.map((_, i): Add[] => recent.get(from + i) ?? []);
    for (const { place, operationType, rollup } of await readPage(query, table, moment, page))
      adds[place]?.push((into) => into.add(operationType, rollup));
    page.forEach((span, i) => {
      spans.push(numbersOf(sum, span, adds[i] ?? [], wanted));
    });
  }
  return spans;
}

/** What the database has of these spans; `place` is that of the span among them. */
async function readPage(
  query: Query,
  table: WatchedTable,
  moment: Moment,
  page: readonly Cover[],
): Promise<PlacedRollup[]> {
  const edges = page.flatMap((span, place) => span.edges.map((edge) => ({ ...edge, place })));
  const [whole, ragged] = await Promise.all([
    rollupsOfParts(query, moment.checkpointId, placed(page), 'operations'),
    rollupsOfEdges(query, table, moment, edges, 'operations'),
  ]);
  return [...whole, ...ragged.map(({ span, ...of }) => ({ ...of, place: edges[span]?.place ?? 0 }))]; // one of those asked for
}

const NOTHING: SpanNumbers = {
  total_operations: 0,
  successful_operations: 0,
  failed_operations: 0,
  success_rate: null,
  avg_duration_ms: null,
  p95_duration_ms: null,
  p99_duration_ms: null,
  by_type: {},
};

type Add = (sum: RollupSum) => void;

/** What is in memory, by the place of the span in whose core it is. */
function recentBySpan({ spans, unflushed, pending }: Moment): Map<number, Add[]> {
  const found = new Map<number, Add[]>();
  const put = (at: number, add: Add): void => {
    const place = spanAt(spans, at);
    const { core } = spans[place] ?? {};
    if (!core || at < core.from || at >= core.to) return;
    const adds = found.get(place) ?? [];
    found.set(place, adds);
    adds.push(add);
  };
  for (const { start, operationType, rollup } of unflushed)
    put(start, (sum) => sum.add(operationType, rollup));
  for (const row of pending) put(row.createdAt, (sum) => sum.addRow(row));
  return found;
}

/** The place of the span that holds `at`; of the last one before it where none does, -1 before all. */
function spanAt(spans: readonly Cover[], at: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.from ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Places of spans that are read together. */
function* pagesOf(spans: readonly Cover[]): Generator<{ from: number; to: number }> {
  let from = 0;
  let periods = 0;
  for (const [i, { parts }] of spans.entries()) {
    const more = parts.reduce((sum, part) => sum + periodsIn(part), 0);
    if (i > from && periods + more > PERIODS_A_QUERY) {
      yield { from, to: i };
      from = i;
      periods = 0;
    }
    periods += more;
  }
  yield { from, to: spans.length };
}

function periodsIn({ level, from, to }: Part): number {
  const length = level >= DAY_LEVEL ? DAY_MS : level === 0 ? MINUTE_MS : QUARTER_MS;
  return (to - from) / length;
}

function numbersOf<T>(
  sum: RollupSum,
  { from, to }: Cover,
  adds: readonly Add[],
  { nothing, of }: WantedOfSpan<T>,
): T {
  // Clearing and asking the sum is all that an empty hour would cost, and of a quiet table most are.
  if (adds.length === 0) return nothing;
  sum.clear();
  for (const add of adds) add(sum);
  return of(sum.operations({ start: '', end: '', minutes: (to - from) / MINUTE_MS }));
}

function spanNumbers(of: OperationMetrics): SpanNumbers {
  const byType = Object.entries(of.by_type).map(([type, one]) => [type, breakdownNumbers(one)] as const);
  return { ...breakdownNumbers(of), by_type: recordOf(byType) };
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
