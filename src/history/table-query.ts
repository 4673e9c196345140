import type { Savings } from '../../streams/business.js';
import { isError, OPERATION_TYPES, STATUSES } from '../../streams/event.js';
import { MAX_DURATION_MS } from '../../streams/histogram.js';
import { Names, recordOf } from '../../streams/names.js';
import { CONFLICT_SOURCES, IDENTIFICATION_METHODS, UNKNOWN } from '../../streams/numbers.js';
import { percentOf } from '../../streams/operations.js';
import type { BusinessMetrics, OperationMetrics, OperationNumbers } from '../../streams/snapshot.js';

/** Runs one statement; rows are arrays of raw text. */
export type Query = (text: string, values?: readonly unknown[]) => Promise<(string | null)[][]>;

/** What of the watched table matters here; names quoted for SQL. */
export interface TableShape {
  readonly qualified: string;
  readonly columns: ReadonlySet<string>;
}

/** The table's rows of a half-open period, in numbers, by SQL: exact for any period, at the price of a scan. */
export async function operationsOfTable(
  query: Query,
  table: TableShape,
  start: Date,
  end: Date,
): Promise<OperationMetrics> {
  const duration = table.columns.has('duration_ms') ? 'duration_ms' : 'NULL::int';
  const inRange = `${duration} BETWEEN 0 AND ${MAX_DURATION_MS}`;
  const bounds = [start.toISOString(), end.toISOString()];
  const period = `created_at >= $1::timestamptz AND created_at < $2::timestamptz`;
  const counts = await query(
    `SELECT coalesce(operation_type::text, ''), status::text, count(*), count(*) FILTER (WHERE ${duration} < 0)
     FROM ${table.qualified} WHERE ${period} GROUP BY 1, 2 ORDER BY 3 DESC`,
    bounds,
  );
  // The most frequent unknown names keep theirs, as in the live windows where the first ones do.
  const types = new Names(OPERATION_TYPES);
  const statuses = new Names(STATUSES);
  const groups = new Map<string, Group>();
  const all: Group = newGroup();
  for (const [type, status, count, negative] of counts) {
    const name = types.name(types.index(type ?? ''));
    const group = groups.get(name) ?? newGroup();
    groups.set(name, group);
    for (const one of [group, all]) {
      const key = statuses.name(statuses.index(status ?? ''));
      one.statuses.set(key, (one.statuses.get(key) ?? 0) + Number(count));
      one.negative += Number(negative);
    }
  }
  const known = Array.from({ length: types.size }, (_, i) => types.name(i));
  const durations = await query(
    `SELECT type, count(*), sum(ms)::numeric, min(ms), max(ms), (percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY ms))::text, grouping(type)
     FROM (SELECT CASE WHEN coalesce(operation_type::text, '') = ANY ($3::text[]) THEN coalesce(operation_type::text, '') ELSE 'other' END AS type, ${duration} AS ms
           FROM ${table.qualified} WHERE ${period} AND ${inRange}) rows
     GROUP BY GROUPING SETS ((), (type))`,
    [...bounds, known],
  );
  for (const [type, count, sum, min, max, percentiles, grouping] of durations) {
    const group = grouping === '1' ? all : groups.get(type ?? '');
    if (!group || count === '0') continue;
    const [p50, p95, p99] = (percentiles ?? '{}').slice(1, -1).split(',').map(Number);
    group.durations = {
      count: Number(count),
      sum: Number(sum),
      min: Number(min),
      max: Number(max),
      p50,
      p95,
      p99,
    };
  }
  const minutes = (end.getTime() - start.getTime()) / 60_000;
  const byType = [...groups].map(([name, group]): [string, OperationNumbers] => [
    name,
    numbersOf(group, minutes),
  ]);
  return {
    ...numbersOf(all, minutes),
    operations_by_type: recordOf(byType.map(([name, of]) => [name, of.total_operations])),
    by_type: recordOf(byType),
    period_start: start.toISOString(),
    period_end: end.toISOString(),
  };
}

/** The business numbers of a half-open period, by SQL. */
export async function businessOfTable(
  query: Query,
  table: TableShape,
  start: Date,
  end: Date,
  savings: Savings,
): Promise<BusinessMetrics> {
  const details = table.columns.has('details');
  const first = (...keys: string[]) =>
    details ? `coalesce(${keys.map((key) => `left(details ->> '${key}', 100)`).join(', ')})` : 'NULL::text';
  const from = `FROM ${table.qualified} WHERE created_at >= $1::timestamptz AND created_at < $2::timestamptz`;
  const bounds = [start.toISOString(), end.toISOString()];
  const groups = await query(
    `SELECT operation_type::text, status::text = 'success',
       CASE operation_type::text WHEN 'conflict_resolution' THEN ${first('conflict_source', 'conflict_type')}
         WHEN 'customer_identification' THEN ${first('search_method', 'identification_method', 'method')} END, count(*)
     ${from} AND operation_type::text IN ('conflict_resolution', 'customer_identification', 'export_to_1c', 'import_from_1c')
     GROUP BY 1, 2, 3 ORDER BY 4 DESC`,
    bounds,
  );
  // A count even where there is nothing to count: a bare 0 would make it a row for each row of the table.
  const [totals] = await query(
    `SELECT count(*) FILTER (WHERE ${details ? `details ->> 'email_sent' = 'true'` : 'false'}),
       ${table.columns.has('customer_id') ? `count(DISTINCT customer_id) FILTER (WHERE status::text = 'success')` : '0'} ${from}`,
    bounds,
  );
  const sources = new Tally(CONFLICT_SOURCES);
  const methods = new Tally(IDENTIFICATION_METHODS);
  const count = { conflicts: 0, resolved: 0, identified: 0, registrations: 0, imports: 0 };
  for (const [type, ok, value, n] of groups) {
    const rows = Number(n);
    if (type === 'conflict_resolution') count.conflicts += rows;
    if (ok !== 't') continue;
    if (type === 'conflict_resolution') {
      count.resolved += rows;
      sources.add(value ?? UNKNOWN, rows);
    } else if (type === 'customer_identification') {
      count.identified += rows;
      methods.add(value ?? UNKNOWN, rows);
    } else if (type === 'export_to_1c') count.registrations += rows;
    else count.imports += rows;
  }
  const hours = (count.resolved * savings.manualResolutionMinutes) / 60;
  return {
    synced_customers_count: Number(totals?.[1]),
    conflicts_resolved: sources.counts(),
    total_conflicts: count.conflicts,
    total_conflicts_resolved: count.resolved,
    identification_methods: methods.counts(),
    total_identifications: count.identified,
    new_registrations: count.registrations,
    imports_from_1c: count.imports,
    admin_notifications_sent: Number(totals?.[0]),
    auto_resolution_rate: percentOf(count.resolved, count.conflicts),
    automation_hours_saved: hours,
    ...(savings.hourCost === undefined ? {} : { automation_money_saved: hours * savings.hourCost }),
    period_start: start.toISOString(),
    period_end: end.toISOString(),
  };
}

/** Counts by name, names capped. */
class Tally {
  readonly #names: Names;
  readonly #counts = new Map<string, number>();

  constructor(known: readonly string[]) {
    this.#names = new Names(known);
  }

  add(name: string, count: number): void {
    const kept = this.#names.name(this.#names.index(name));
    this.#counts.set(kept, (this.#counts.get(kept) ?? 0) + count);
  }

  counts(): Record<string, number> {
    return recordOf([...this.#counts]);
  }
}

interface Group {
  readonly statuses: Map<string, number>;
  negative: number;
  durations:
    | {
        readonly count: number;
        readonly sum: number;
        readonly min: number;
        readonly max: number;
        readonly p50: number | undefined;
        readonly p95: number | undefined;
        readonly p99: number | undefined;
      }
    | undefined;
}

function newGroup(): Group {
  return { statuses: new Map(), negative: 0, durations: undefined };
}

function numbersOf({ statuses, negative, durations }: Group, minutes: number): OperationNumbers {
  let total = 0;
  let errors = 0;
  for (const [status, count] of statuses) {
    total += count;
    if (isError(status)) errors += count;
  }
  const of = (status: string) => statuses.get(status) ?? 0;
  return {
    total_operations: total,
    success_count: of('success'),
    error_count: errors,
    warning_count: of('warning'),
    skipped_count: of('skipped'),
    pending_count: of('pending'),
    by_status: recordOf([...statuses]),
    success_rate: percentOf(of('success'), total),
    error_rate: percentOf(errors, total),
    duration_count: durations?.count ?? 0,
    duration_negative_count: negative,
    duration_avg_ms: durations ? durations.sum / durations.count : null,
    duration_min_ms: durations?.min ?? null,
    duration_max_ms: durations?.max ?? null,
    duration_p50_ms: durations?.p50 ?? null,
    duration_p95_ms: durations?.p95 ?? null,
    duration_p99_ms: durations?.p99 ?? null,
    throughput_per_minute: total / minutes,
  };
}
