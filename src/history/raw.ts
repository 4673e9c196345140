/**
 * Rows of short spans as the table has them, added up by the database: what a period has beyond its whole minutes.
 * Added up there because such a span can be a quarter of an hour of a large import, and the answer is bounded either way.
 */
import type { Span } from '../../streams/event.js';
import { cellOf, MAX_DURATION_MS } from '../../streams/histogram.js';
import { OTHER } from '../../streams/names.js';
import { UNKNOWN } from '../../streams/numbers.js';
import type { Rollup } from '../../streams/rollup.js';
import { CellSums } from './cell-sums.js';
import { MINUTE_MS } from './cover.js';
import type { Query, TableShape } from './table-query.js';

export interface RawSpan extends Span {
  /** Ids among which its rows are, where there is no index by time; absent: any, null: it has no rows. */
  readonly ids?: readonly [number, number] | null;
}

export interface RawRollup {
  /** Place of the span among those that were asked for. */
  readonly span: number;
  readonly operationType: string;
  /** Of all statuses, `pending` too. */
  readonly rollup: Rollup;
}

/** What of the rows is wanted; the other half of the rollups is empty. */
export type Wanted = 'operations' | 'business';

/** The names are those of the rows: who adds them up bounds them. @throws the database's error */
export async function rollupsOfTable(
  query: Query,
  table: TableShape,
  spans: readonly RawSpan[],
  wanted: Wanted,
): Promise<RawRollup[]> {
  const asked = spans.flatMap((span, place) => (span.ids === null ? [] : [{ span, place }]));
  if (asked.length === 0) return [];
  const found = new Groups();
  const short = asked.every(({ span }) => span.to - span.from <= SHORT_MS);
  const values: unknown[] = [];
  const rows = (columns: string): string =>
    asked
      .map(
        ({ span, place }) =>
          `SELECT ${place} AS span, ${columns} FROM ${table.qualified} WHERE ${within(span, values)}`,
      )
      .join(' UNION ALL ');
  if (wanted === 'operations') {
    for (const row of await query(countsAndDurations(rows(operationColumns(table)), short), values))
      found.counted(row);
  } else {
    for (const row of await query(countsAndCustomers(rows(businessColumns(table))), values)) found.met(row);
  }
  return found.rollups();
}

function within({ from, to, ids }: RawSpan, values: unknown[]): string {
  const at = values.push(new Date(from).toISOString(), new Date(to).toISOString());
  const time = `created_at >= $${at - 1}::timestamptz AND created_at < $${at}::timestamptz`;
  if (!ids) return time;
  const id = values.push(...ids);
  // Those that are no exact numbers here are in no range.
  const { MAX_SAFE_INTEGER: exact } = Number;
  return `(id BETWEEN $${id - 1}::int8 AND $${id}::int8 OR id > ${exact} OR id < -${exact}) AND ${time}`;
}

// Cut as the reader cuts them (src/source/statements.ts), so that a row has one name whoever counted it.
const NAMES = `coalesce(left(operation_type::text, 200), '') AS type, coalesce(left(status::text, 200), '') AS status`;

function operationColumns({ columns }: TableShape): string {
  return `operation_type, status, ${columns.has('duration_ms') ? 'duration_ms' : 'NULL::int'} AS ms`;
}

function businessColumns({ columns }: TableShape): string {
  const details = columns.has('details');
  const first = (...keys: string[]) =>
    details ? `coalesce(${keys.map((key) => `left(details ->> '${key}', 100)`).join(', ')})` : 'NULL::text';
  return `${NAMES}, ${columns.has('customer_id') ? 'customer_id::int8' : 'NULL::int8'} AS customer,
    ${details ? `coalesce(details ->> 'email_sent' = 'true', false)` : 'false'} AS mailed,
    CASE WHEN status::text <> 'success' THEN NULL
      WHEN operation_type::text = 'conflict_resolution' THEN coalesce(${first('conflict_source', 'conflict_type')}, '${UNKNOWN}')
      WHEN operation_type::text = 'customer_identification' THEN coalesce(${first('search_method', 'identification_method', 'method')}, '${UNKNOWN}')
    END AS detail`;
}

/** Up to here the durations of a span are taken one by one. */
const SHORT_MS = 2 * MINUTE_MS;

/**
 * A row for each (span, type, status): its rows and their durations, NULL among them. In a long span there may be
 * millions, but few different ones: each once, and how many rows have it.
 */
function countsAndDurations(rows: string, short: boolean): string {
  return short
    ? `SELECT span, ${NAMES}, count(*), array_agg(ms), NULL FROM (${rows}) r GROUP BY span, operation_type, status`
    : `SELECT span, ${NAMES}, sum(n), array_agg(ms), array_agg(n)
       FROM (SELECT span, operation_type, status, ms, count(*) AS n FROM (${rows}) r GROUP BY 1, 2, 3, 4) r
       GROUP BY span, operation_type, status`;
}

/** A row for each (span, type, status, detail), and one for all customers of a span, whatever the type. */
function countsAndCustomers(rows: string): string {
  return `WITH r AS MATERIALIZED (${rows})
    SELECT span, type, status, detail, count(*), count(*) FILTER (WHERE mailed), NULL FROM r GROUP BY 1, 2, 3, 4
    UNION ALL
    SELECT span, '${OTHER}', NULL, NULL, 0, 0, array_agg(DISTINCT customer) FROM r WHERE status = 'success' AND customer IS NOT NULL GROUP BY 1`;
}

type Row = readonly (string | null)[];

/** The rollup of one span and type while it is put together. */
interface Group {
  readonly statuses: Map<string, number>;
  readonly sources: Map<string, number>;
  readonly methods: Map<string, number>;
  /** Each followed by the number of rows that have it. */
  readonly durations: number[];
  readonly customers: bigint[];
  negative: number;
  mails: number;
}

class Groups {
  readonly #spans = new Map<number, Map<string, Group>>();

  counted([span, type, status, rows, durations, counts]: Row): void {
    const group = this.#group(span, type);
    bump(group.statuses, status ?? '', Number(rows));
    const times = counts == null ? undefined : numbersIn(counts);
    numbersIn(durations ?? '{}').forEach((ms, i) => {
      const n = times?.[i] ?? 1;
      if (ms < 0) group.negative += n;
      if (!(ms >= 0 && ms <= MAX_DURATION_MS)) return;
      group.durations.push(ms, n);
    });
  }

  met([span, type, status, detail, rows, mails, customers]: Row): void {
    const group = this.#group(span, type);
    if (customers != null) {
      for (const customer of customers.slice(1, -1).split(',')) group.customers.push(BigInt(customer));
      return;
    }
    bump(group.statuses, status ?? '', Number(rows));
    group.mails += Number(mails);
    if (detail == null) return;
    bump(type === 'conflict_resolution' ? group.sources : group.methods, detail, Number(rows));
  }

  rollups(): RawRollup[] {
    const cells = new CellSums();
    return [...this.#spans].flatMap(([span, types]) =>
      [...types].map(([operationType, group]) => ({ span, operationType, rollup: rollupOf(group, cells) })),
    );
  }

  #group(span: string | null | undefined, type: string | null | undefined): Group {
    const number = Number(span);
    const types = this.#spans.get(number) ?? new Map<string, Group>();
    this.#spans.set(number, types);
    const group = types.get(type ?? '') ?? newGroup();
    types.set(type ?? '', group);
    return group;
  }
}

const MINUS = '-'.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);

/** Of an array of whole numbers in PostgreSQL's text form, NaN for NULL. By hand: a text for each would be the dearest. */
function numbersIn(array: string): number[] {
  const numbers: number[] = [];
  let number = Number.NaN;
  let sign = 1;
  for (let i = 1; i < array.length; i++) {
    const digit = array.charCodeAt(i) - ZERO;
    if (digit >= 0 && digit <= 9) number = (Number.isNaN(number) ? 0 : number * 10) + digit;
    else if (digit === MINUS - ZERO) sign = -1;
    else if (array[i] === ',' || array[i] === '}') {
      numbers.push(sign * number);
      number = Number.NaN;
      sign = 1;
    }
  }
  return numbers;
}

function newGroup(): Group {
  const [statuses, sources, methods] = [new Map(), new Map(), new Map()];
  return { statuses, sources, methods, durations: [], customers: [], negative: 0, mails: 0 };
}

function rollupOf(group: Group, sums: CellSums): Rollup {
  const { durations } = group;
  let [count, sum, min, max] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < durations.length; i += 2) {
    const ms = durations[i] as number; // they are pairs
    const rows = durations[i + 1] as number;
    count += rows;
    sum += rows * ms;
    if (ms < min) min = ms;
    if (ms > max) max = ms;
    sums.addOne(cellOf(ms), rows);
  }
  const { cells, counts } = sums.take();
  return {
    statuses: group.statuses,
    durationCount: count,
    durationSum: sum,
    durationMin: count === 0 ? null : min,
    durationMax: count === 0 ? null : max,
    durationNegative: group.negative,
    cells,
    cellCounts: counts,
    customers: BigInt64Array.from(group.customers).sort(),
    sources: group.sources,
    methods: group.methods,
    adminMails: group.mails,
    idMin: null,
    idMax: null,
  };
}

function bump<K>(tally: Map<K, number>, key: K, by: number): void {
  tally.set(key, (tally.get(key) ?? 0) + by);
}
