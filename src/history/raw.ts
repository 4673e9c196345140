/**
 * Rows of short spans as the table has them, added up by the database: what a period has beyond its whole minutes.
 * Added up there because such a span can be a quarter of an hour of a large import, and the answer is bounded either way.
 */
import type { Span } from '../../streams/event.js';
import { MAX_DURATION_MS } from '../../streams/histogram.js';
import { OTHER } from '../../streams/names.js';
import { UNKNOWN } from '../../streams/numbers.js';
import type { Rollup } from '../../streams/rollup.js';
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
  const values: unknown[] = [];
  const rows = (columns: string): string =>
    asked
      .map(
        ({ span, place }) =>
          `SELECT ${place} AS span, ${columns} FROM ${table.qualified} WHERE ${within(span, values)}`,
      )
      .join(' UNION ALL ');
  if (wanted === 'operations') {
    for (const row of await query(countsAndCells(rows(operationColumns(table))), values)) found.counted(row);
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

// As the reader reads them (src/source/statements.ts), so that a row has one name whoever counted it.
const NAMES = `coalesce(left(operation_type::text, 200), '') AS type, coalesce(left(status::text, 200), '') AS status`;

function operationColumns({ columns }: TableShape): string {
  return `${NAMES}, ${columns.has('duration_ms') ? 'duration_ms::int8' : 'NULL::int8'} AS ms`;
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

/** Where a cell has the width of two, of four ... milliseconds (streams/histogram.ts). */
const WIDTHS = `'{${Array.from({ length: 20 }, (_, i) => 2 ** (11 + i)).join()}}'::int8[]`;

/** A row for each (span, type, status), and one for each (span, type, cell). */
function countsAndCells(rows: string): string {
  return `SELECT span, type, status, cell, count(*), count(*) FILTER (WHERE ms < 0),
      coalesce(sum(ms) FILTER (WHERE cell IS NOT NULL), 0), min(ms) FILTER (WHERE cell IS NOT NULL), max(ms) FILTER (WHERE cell IS NOT NULL)
    FROM (SELECT *, CASE WHEN ms BETWEEN 0 AND ${MAX_DURATION_MS}
      THEN (width_bucket(ms, ${WIDTHS}) << 10) + (ms >> width_bucket(ms, ${WIDTHS})) END AS cell FROM (${rows}) r) r
    GROUP BY GROUPING SETS ((span, type, status), (span, type, cell)) HAVING grouping(cell) = 1 OR cell IS NOT NULL`;
}

/** A row for each (span, type, status, detail), and one for each customer of each span, whatever the type. */
function countsAndCustomers(rows: string): string {
  return `WITH r AS MATERIALIZED (${rows})
    SELECT span, type, status, detail, count(*), count(*) FILTER (WHERE mailed), NULL AS customer FROM r GROUP BY 1, 2, 3, 4
    UNION ALL (SELECT DISTINCT span, '${OTHER}', 'success', NULL, 0, 0, customer FROM r
      WHERE status = 'success' AND customer IS NOT NULL ORDER BY customer)`;
}

type Row = readonly (string | null)[];

/** The rollup of one span and type while it is put together. */
interface Group {
  readonly statuses: Map<string, number>;
  readonly sources: Map<string, number>;
  readonly methods: Map<string, number>;
  readonly cells: Map<number, number>;
  readonly customers: bigint[];
  sum: number;
  min: number;
  max: number;
  negative: number;
  mails: number;
}

class Groups {
  readonly #spans = new Map<number, Map<string, Group>>();

  counted([span, type, status, cell, count, negative, sum, min, max]: Row): void {
    const group = this.#group(span, type);
    if (cell != null) {
      bump(group.cells, Number(cell), Number(count));
      return;
    }
    bump(group.statuses, status ?? '', Number(count));
    group.negative += Number(negative);
    group.sum += Number(sum);
    if (min != null) group.min = Math.min(group.min, Number(min));
    if (max != null) group.max = Math.max(group.max, Number(max));
  }

  met([span, type, status, detail, count, mails, customer]: Row): void {
    const group = this.#group(span, type);
    if (customer != null) {
      group.customers.push(BigInt(customer));
      return;
    }
    bump(group.statuses, status ?? '', Number(count));
    group.mails += Number(mails);
    if (detail == null) return;
    bump(type === 'conflict_resolution' ? group.sources : group.methods, detail, Number(count));
  }

  rollups(): RawRollup[] {
    return [...this.#spans].flatMap(([span, types]) =>
      [...types].map(([operationType, group]) => ({ span, operationType, rollup: rollupOf(group) })),
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

function newGroup(): Group {
  const [statuses, sources, methods] = [new Map(), new Map(), new Map()];
  const [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const cells = new Map<number, number>();
  return { statuses, sources, methods, cells, customers: [], sum: 0, min, max, negative: 0, mails: 0 };
}

function rollupOf(group: Group): Rollup {
  const cells = Int32Array.from(group.cells.keys()).sort();
  const cellCounts = Float64Array.from(cells, (cell) => group.cells.get(cell) ?? 0);
  return {
    statuses: group.statuses,
    durationCount: cellCounts.reduce((sum, count) => sum + count, 0),
    durationSum: group.sum,
    durationMin: Number.isFinite(group.min) ? group.min : null,
    durationMax: Number.isFinite(group.max) ? group.max : null,
    durationNegative: group.negative,
    cells,
    cellCounts,
    customers: BigInt64Array.from(group.customers),
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
