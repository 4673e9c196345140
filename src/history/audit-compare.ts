/**
 * Whether history says what the table says, minute by minute: one step over as many minutes as hold a bounded number of
 * rows, in one snapshot. The checkpoint of that snapshot says exactly which rows are folded, so that whoever writes
 * meanwhile, and whatever was flushed or was not, the two are equal unless something is wrong.
 *
 * Not compared is what `details` holds: reading it could cost megabytes a row. Where no index leads with created_at the
 * rows are found by their ids, between the smallest and the largest that are known of the minutes of a step: a row of
 * these minutes with an id outside is not found, nor one of a time for which nothing is known at all.
 */
import type { Span } from '../../streams/event.js';
import { Vocabulary } from '../../streams/vocabulary.js';
import { agreement, type Differing, differing, noSums, rowsOf, type Sums } from './audit-difference.js';
import { type FoldedPeriod, readHistory } from './audit-history.js';
import {
  type AuditLevel,
  type AuditTable,
  auditedFrom,
  ceilTo,
  floorTo,
  type Known,
  periodMs,
} from './audit-known.js';
import { readTable, type TableGroup } from './audit-table.js';
import { MINUTE_LEVEL, MINUTE_MS, QUARTER_LEVEL, QUARTER_MS } from './cover.js';
import type { Query } from './table-query.js';

export interface StepBudget {
  /** Rows that a step is meant to compare; a single minute may have more. */
  readonly rows: number;
}

export interface Difference extends Differing {
  /** ms. */
  readonly start: number;
  readonly operationType: string;
  /** Rows that history and the table do not agree on. */
  readonly rows: number;
}

export interface Comparison extends Span {
  /** `from` to `to` (ms) was compared; the next step begins at `to`. */
  readonly level: AuditLevel;
  /** Periods that history or the table has rows of. */
  readonly periods: number;
  readonly rows: number;
  readonly agreeing: number;
  readonly all: number;
  /** In order of time. */
  readonly differences: readonly Difference[];
  /** Rows that the table has in each period with a difference, by its start. */
  readonly tableRows: ReadonlyMap<number, number>;
  /** Periods that hold too many rows, or whose ids do. */
  readonly notCompared: number;
}

/** Where nothing is known of the number of rows, a step is at first not longer than this. */
const FEW_PERIODS = 1440;
/** More than history knows of is normal in a minute that is being written; far more has to be split. */
const SLACK = 4;

/** Compares from `span.from` on, at most up to `span.to` (ms, whole minutes). */
export async function compareStep(
  query: Query,
  table: AuditTable,
  known: Known,
  span: Span,
  budget: StepBudget,
): Promise<Comparison> {
  const { level, from, to } = clip(span, known);
  if (from >= to) return { ...NOTHING, level, from: span.from, to: span.to };
  const { periods, end } = await readHistory(query, { known, level, from, to }, budget.rows);
  const [first] = periods;
  // While rows of before the start are still being read, the table has far more, and history knows of them in time.
  if (known.floor !== null && !first) return { ...NOTHING, level, from, to: end };
  const start = known.floor === null ? from : (first?.start ?? from);
  return compareUpTo(query, table, known, { level, from: start, to: end, periods }, SLACK * budget.rows);
}

interface Step {
  readonly level: AuditLevel;
  readonly from: number;
  readonly to: number;
  readonly periods: readonly FoldedPeriod[];
}

/** In halves where the table has more rows than `most`, down to a single period. */
async function compareUpTo(
  query: Query,
  table: AuditTable,
  known: Known,
  step: Step,
  most: number,
): Promise<Comparison> {
  const { level, from, to, periods } = step;
  const length = periodMs(level);
  const single = to - from <= length;
  const unbounded = single && table.createdAtIndexed;
  const part = { known, level, from, to, ids: idsOf(periods) };
  const groups = await readTable(query, table, unbounded ? part : { ...part, most });
  if (groups !== 'too many') return compare(step, groups, known, table);
  // Where no index goes by time, the ids of one period may be those of half the table.
  if (single) return { ...NOTHING, level, from, to, notCompared: 1 };
  const half = floorTo(Math.min((from + to) / 2, from + FEW_PERIODS * length), length);
  const end = Math.max(from + length, half);
  const fewer = { level, from, to: end, periods: periods.filter(({ start }) => start < end) };
  return compareUpTo(query, table, known, fewer, most);
}

const NO_ROWS: ReadonlyMap<number, number> = new Map();
const NOTHING = {
  periods: 0,
  rows: 0,
  agreeing: 0,
  all: 0,
  differences: [],
  tableRows: NO_ROWS,
  notCompared: 0,
};

/** The part of a span that is kept, and still in the table, in one level. */
function clip(span: Span, known: Known): { level: AuditLevel; from: number; to: number } {
  // A quarter hour of which retention has taken a part cannot be compared: it begins with the next.
  const startOf = (length: number) =>
    Math.max(floorTo(span.from, length), ceilTo(auditedFrom(known), length));
  const quarter = startOf(QUARTER_MS);
  if (quarter < known.minutesFrom)
    return {
      level: QUARTER_LEVEL,
      from: quarter,
      to: Math.min(ceilTo(span.to, QUARTER_MS), known.minutesFrom),
    };
  return {
    level: MINUTE_LEVEL,
    from: Math.max(startOf(MINUTE_MS), known.minutesFrom),
    to: ceilTo(span.to, MINUTE_MS),
  };
}

function idsOf(periods: readonly FoldedPeriod[]): readonly [number, number] | null {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { idMin, idMax } of periods) {
    if (idMin !== null) min = Math.min(min, idMin);
    if (idMax !== null) max = Math.max(max, idMax);
  }
  return min <= max ? [min, max] : null;
}

type ByType = Map<string, Sums>;

function compare(
  { level, from, to, periods }: Step,
  groups: readonly TableGroup[],
  known: Known,
  table: AuditTable,
): Comparison {
  const inHistory = new Map(periods.map(({ start, byType }) => [start, byType]));
  const inTable = sumsByPeriod(groups, new Vocabulary(known.names));
  const starts = [...new Set([...inHistory.keys(), ...inTable.keys()])].sort((a, b) => a - b);
  const differences: Difference[] = [];
  const tableRows = new Map<number, number>();
  let [rows, agreeing, all] = [0, 0, 0];
  for (const start of starts) {
    const [a, b] = [inHistory.get(start) ?? NO_TYPES, inTable.get(start) ?? NO_TYPES];
    let rowsOfPeriod = 0;
    for (const sums of b.values()) rowsOfPeriod += rowsOf(sums);
    rows += rowsOfPeriod;
    for (const operationType of new Set([...a.keys(), ...b.keys()])) {
      const [folded, found] = [a.get(operationType) ?? noSums(), b.get(operationType) ?? noSums()];
      if (!table.columns.has('duration_ms')) forgetDurations(folded);
      if (!table.columns.has('customer_id')) forgetCustomers(folded);
      const both = agreement(folded, found);
      agreeing += both.agreeing;
      all += both.all;
      const difference = differing(folded, found);
      if (difference === null) continue;
      differences.push({ start, operationType, rows: both.all - both.agreeing, ...difference });
      tableRows.set(start, rowsOfPeriod);
    }
  }
  return {
    level,
    from,
    to,
    periods: starts.length,
    rows,
    agreeing,
    all,
    differences,
    tableRows,
    notCompared: 0,
  };
}

// A column that the owner has dropped leaves in history what was known of it.
function forgetDurations(sums: Sums): void {
  sums.durations = 0;
  sums.durationSum = 0;
  sums.negative = 0;
}

function forgetCustomers(sums: Sums): void {
  sums.customers = 0;
  sums.customerSum = 0n;
}

const NO_TYPES: ByType = new Map();

/** Under the names that history has for them, or would have. */
function sumsByPeriod(groups: readonly TableGroup[], words: Vocabulary): Map<number, ByType> {
  const periods = new Map<number, ByType>();
  for (const [start, type, status, rows, timed, sum, negative, customers, customerSum] of groups) {
    const at = Number(start);
    const byType = periods.get(at) ?? new Map<string, Sums>();
    periods.set(at, byType);
    const operationType = words.types.name(words.types.index(type ?? ''));
    const sums = byType.get(operationType) ?? noSums();
    byType.set(operationType, sums);
    if (status === 'pending') {
      sums.reopened += Number(rows);
      continue;
    }
    const name = words.statuses.name(words.statuses.index(status ?? ''));
    sums.statuses.set(name, (sums.statuses.get(name) ?? 0) + Number(rows));
    sums.durations += Number(timed);
    sums.durationSum += Number(sum);
    sums.negative += Number(negative);
    // Of the one group of successful rows.
    if (customers != null) sums.customers += Number(customers);
    if (customerSum != null) sums.customerSum += BigInt(customerSum);
  }
  return periods;
}
