import { MAX_DURATION_MS } from '../../streams/histogram.js';
import { type AuditLevel, type AuditTable, folded, type Known, sets, sqlTime } from './audit-known.js';
import { QUARTER_LEVEL } from './cover.js';
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
  /** Rows beyond which it is not worth going on. */
  readonly most?: number;
}

/**
 * The folded rows of a part, added up by period, type and status: start (ms), type, status, rows, durations in range,
 * their sum, negative ones, distinct customers of the successful ones, the sum of their ids.
 */
export async function readTable(
  query: Query,
  table: AuditTable,
  part: TablePart,
): Promise<(string | null)[][] | 'too many'> {
  const { known, most } = part;
  if (!table.createdAtIndexed) {
    if (part.ids === null) return [];
    // Counted before they are looked at: an id that does not go with its time makes any range a long one.
    if (most !== undefined && (await countIds(query, table, part.ids, most)) > most) return 'too many';
  }
  const limit = table.createdAtIndexed && most !== undefined ? `LIMIT ${most + 1}` : '';
  const ofTable = (column: string) => (table.columns.has(column) ? `t.${column}::int8` : 'NULL::int8');
  const raw = await query(
    `WITH ${sets(known)}, rows AS (SELECT t.created_at, t.operation_type::text COLLATE "C" AS type, t.status::text COLLATE "C" AS status,
       ${ofTable('customer_id')} AS customer, ${ofTable('duration_ms')} AS ms FROM ${table.qualified} t WHERE ${within(part, table)} ${limit})
     SELECT extract(epoch FROM date_bin('${part.level === QUARTER_LEVEL ? 15 : 1} minutes', created_at, 'epoch'))::int8 * 1000,
       coalesce(left(type, 200), ''), coalesce(left(status, 200), ''), count(*),
       count(*) FILTER (WHERE ms BETWEEN 0 AND ${MAX_DURATION_MS}), coalesce(sum(ms) FILTER (WHERE ms BETWEEN 0 AND ${MAX_DURATION_MS}), 0),
       count(*) FILTER (WHERE ms < 0), count(DISTINCT customer) FILTER (WHERE status = 'success'),
       coalesce(sum(DISTINCT customer) FILTER (WHERE status = 'success'), 0)
     FROM rows GROUP BY 1, 2, 3`,
  );
  if (limit === '') return raw;
  return raw.reduce((sum, row) => sum + Number(row[3]), 0) > (most ?? 0) ? 'too many' : raw;
}

/** The folded rows `t` of a part, as a condition; needs `sets`. */
export function within({ known, from, to, ids }: RowPart, table: AuditTable): string {
  if (!table.createdAtIndexed && ids === null) return 'false';
  const byId = table.createdAtIndexed || ids === null ? '' : `t.id BETWEEN ${ids[0]} AND ${ids[1]} AND `;
  return `${byId}t.created_at >= ${sqlTime(from)} AND t.created_at < ${sqlTime(to)} AND ${folded(known)}`;
}

/** Rows between two ids, or one more than `most`. */
async function countIds(
  query: Query,
  table: AuditTable,
  [from, to]: readonly [number, number],
  most: number,
): Promise<number> {
  const [row] = await query(
    `SELECT count(*) FROM (SELECT FROM ${table.qualified} t WHERE t.id BETWEEN ${from} AND ${to} LIMIT ${most + 1}) found`,
  );
  return Number(row?.[0]);
}
