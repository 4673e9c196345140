import { MAX_DURATION_MS } from '../../streams/histogram.js';
import {
  type AuditLevel,
  type AuditTable,
  folded,
  type Known,
  periodMs,
  sets,
  sqlTime,
} from './audit-known.js';
import type { Query } from './table-query.js';

/** Where to look for folded rows. */
export interface RowPart {
  readonly known: Known;
  /** ms, half-open. */
  readonly from: number;
  readonly to: number;
  /** Between which ids to look where no index leads with created_at; null: nothing is known. */
  readonly ids: readonly [number, number] | null;
}

export interface TablePart extends RowPart {
  readonly level: AuditLevel;
  /** More rows than that, folded or not, are too many. */
  readonly most?: number;
}

/** Start (ms), type, status, rows, durations in range, their sum, negative ones, distinct customers, the sum of their ids. */
export type TableGroup = readonly (string | null)[];

/**
 * The folded rows of a part, added up by period, type and status; pending ones among them are those that were settled
 * before. Customers are those of successful rows.
 */
export async function readTable(
  query: Query,
  table: AuditTable,
  part: TablePart,
): Promise<TableGroup[] | 'too many'> {
  const { known, most } = part;
  if (!table.createdAtIndexed && part.ids === null) return [];
  const limit = most === undefined ? '' : `LIMIT ${most + 1}`;
  const ofTable = (column: string) => (table.columns.has(column) ? `t.${column}::int8` : 'NULL::int8');
  const inRange = `ms BETWEEN 0 AND ${MAX_DURATION_MS}`;
  const inTime = table.createdAtIndexed ? 'true' : time(part);
  const groups = await query(
    `WITH ${sets(known)}, rows AS (SELECT t.created_at, t.operation_type::text COLLATE "C" AS type, t.status::text COLLATE "C" AS status,
       ${ofTable('customer_id')} AS customer, ${ofTable('duration_ms')} AS ms, ${inTime} AND ${folded(known)} AS folded
       FROM ${table.qualified} t WHERE ${table.createdAtIndexed ? time(part) : ids(part)} ${limit})
     SELECT CASE WHEN folded THEN extract(epoch FROM date_bin('${periodMs(part.level)} milliseconds', created_at, 'epoch'))::int8 * 1000 END,
       CASE WHEN folded THEN coalesce(left(type, 200), '') END, CASE WHEN folded THEN coalesce(left(status, 200), '') END, count(*),
       count(*) FILTER (WHERE ${inRange}), coalesce(sum(ms) FILTER (WHERE ${inRange}), 0), count(*) FILTER (WHERE ms < 0),
       count(DISTINCT customer) FILTER (WHERE folded AND status = 'success'),
       coalesce(sum(DISTINCT customer) FILTER (WHERE folded AND status = 'success'), 0)
     FROM rows GROUP BY 1, 2, 3`,
  );
  const rows = groups.reduce((sum, group) => sum + Number(group[3]), 0);
  return most !== undefined && rows > most ? 'too many' : groups.filter(([start]) => start !== null);
}

/** The folded rows `t` of a part, as a condition; needs `sets`. */
export function within(part: RowPart, table: AuditTable): string {
  if (table.createdAtIndexed) return `${time(part)} AND ${folded(part.known)}`;
  return `${ids(part)} AND ${time(part)} AND ${folded(part.known)}`;
}

function time({ from, to }: RowPart): string {
  return `t.created_at >= ${sqlTime(from)} AND t.created_at < ${sqlTime(to)}`;
}

function ids({ ids }: RowPart): string {
  return ids === null ? 'false' : `t.id BETWEEN ${ids[0]} AND ${ids[1]}`;
}
