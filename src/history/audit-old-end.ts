/**
 * Where the table begins. Its owner deletes what is old, and then history knows more than the table: that is wanted.
 * A TRUNCATE makes the table begin later too, but in the last 24 hours, or nowhere.
 */
import { type AuditTable, auditedFrom, ceilTo, floorTo, type Known, sqlTime } from './audit-known.js';
import { timestamp } from './checkpoint.js';
import { DAY_MS, MINUTE_MS, QUARTER_MS } from './cover.js';
import type { Db } from './db.js';
import type { Query } from './table-query.js';

export type OldEnd =
  /** As far as it can be seen, nothing is missing at the old end. */
  | { readonly kind: 'whole' }
  /** The owner has deleted all that is older than this, ms; it was not in the last 24 hours. */
  | { readonly kind: 'retention'; readonly rawFrom: number }
  /** All that is older than this, ms, has been taken out, some of the last 24 hours too. */
  | { readonly kind: 'truncated'; readonly before: number };

export const WHOLE: OldEnd = { kind: 'whole' };
/** Without an index by time: how many of the first rows are asked for the oldest. */
const FIRST_ROWS = 1000;
/** Rows that may be looked at to see whether what history has is really gone. */
const SEARCHED_ROWS = 200_000;

/**
 * @param vanished start (ms) of the first old period of which rows are missing, where a step has found one: what
 *   retention cuts off can be the beginning of a period only
 */
export async function judgeOldEnd(
  query: Query,
  table: AuditTable,
  known: Known,
  vanished?: number,
): Promise<OldEnd> {
  const bound = auditedFrom(known);
  const oldest = await oldestRow(query, table, bound);
  if (oldest === 'unknown') return WHOLE;
  const cut = oldest === null ? Number.POSITIVE_INFINITY : floorTo(oldest, MINUTE_MS);
  const lost = Math.max(bound, known.truncatedBefore ?? bound);
  const gone = await rollupsBetween(query, known, lost, cut);
  const begun = vanished !== undefined && vanished <= cut && vanished >= lost;
  if (gone === null && !begun) return WHOLE;
  if (
    gone !== null &&
    !table.createdAtIndexed &&
    (await anyLeft(query, table, { ...gone, from: bound, to: cut }))
  )
    return WHOLE;
  const dayAgo = known.now - DAY_MS;
  if (oldest === null) return { kind: 'truncated', before: ceilTo(known.now, MINUTE_MS) };
  const recent = await rollupsBetween(query, known, ceilTo(Math.max(dayAgo, lost), MINUTE_MS), cut);
  if (recent !== null) return { kind: 'truncated', before: cut };
  // Its first minute may have been cut in the middle.
  return { kind: 'retention', rawFrom: ceilTo(oldest, MINUTE_MS) };
}

/** created_at of the oldest settled row from `bound` on, ms; null where there is none. */
async function oldestRow(query: Query, table: AuditTable, bound: number): Promise<number | null | 'unknown'> {
  const t = table.qualified;
  // Pending ones may stay behind: nobody deletes what is not done.
  const wanted = `created_at >= ${sqlTime(bound)} AND created_at < 'infinity' AND status::text IS DISTINCT FROM 'pending'`;
  if (table.createdAtIndexed) {
    const [row] = await query(
      `SELECT date_part('epoch', created_at) FROM ${t} WHERE ${wanted} ORDER BY created_at LIMIT 1`,
    );
    return row?.[0] == null ? null : Number(row[0]) * 1000;
  }
  const [row] = await query(
    `SELECT (SELECT date_part('epoch', min(created_at)) FROM (SELECT created_at, status FROM ${t} ORDER BY id LIMIT ${FIRST_ROWS}) oldest WHERE ${wanted}),
       EXISTS (SELECT FROM ${t})`,
  );
  if (row?.[0] != null) return Number(row[0]) * 1000;
  return row?.[1] === 't' ? 'unknown' : null;
}

interface IdSpan {
  readonly idMin: number | null;
  readonly idMax: number | null;
}

/** Whether anything is kept of whole periods in [from, to), ms, and of which ids; null where nothing is. */
async function rollupsBetween(query: Query, known: Known, from: number, to: number): Promise<IdSpan | null> {
  const [ids] = await query(
    `SELECT count(*), min(id_min), max(id_max) FROM (
       (SELECT id_min, id_max FROM sync_monitor.rollup WHERE checkpoint_id = $1 AND level = 1 AND start >= $2 AND start < $3 LIMIT ${SOME})
       UNION ALL
       (SELECT id_min, id_max FROM sync_monitor.rollup WHERE checkpoint_id = $1 AND level = 0 AND start >= $4 AND start < $5 LIMIT ${SOME})) found`,
    [
      known.id,
      timestampOf(ceilTo(from, QUARTER_MS)),
      timestampOf(Math.min(floorTo(to, QUARTER_MS), known.minutesFrom)),
      timestampOf(Math.max(ceilTo(from, MINUTE_MS), known.minutesFrom)),
      timestampOf(to),
    ],
  );
  if (ids?.[0] === '0') return null;
  const number = (text: string | null | undefined) => (text == null ? null : Number(text));
  return { idMin: number(ids?.[1]), idMax: number(ids?.[2]) };
}

/** Enough to know, and to check some ids of. */
const SOME = 100;

function timestampOf(ms: number): string {
  return ms === Number.POSITIVE_INFINITY ? 'infinity' : timestamp(ms);
}

/** Whether any row of a time has one of these ids; also true where that would take too long to see. */
async function anyLeft(
  query: Query,
  table: AuditTable,
  { idMin, idMax, from, to }: IdSpan & { readonly from: number; readonly to: number },
): Promise<boolean> {
  if (idMin === null || idMax === null) return true;
  const upTo = Number.isFinite(to) ? `AND created_at < ${sqlTime(to)}` : '';
  const [row] = await query(
    `SELECT count(*) FILTER (WHERE created_at >= ${sqlTime(from)} ${upTo} AND status::text IS DISTINCT FROM 'pending'), count(*)
     FROM (SELECT created_at, status FROM ${table.qualified} WHERE id BETWEEN ${idMin} AND ${idMax} LIMIT ${SEARCHED_ROWS}) searched`,
  );
  return Number(row?.[0]) > 0 || Number(row?.[1]) >= SEARCHED_ROWS;
}

/** Notes what was judged; within a transaction that holds the checkpoint. */
export async function writeOldEnd(tx: Db, id: number, end: OldEnd): Promise<void> {
  if (end.kind === 'retention')
    await tx.query(
      'UPDATE sync_monitor.checkpoint SET raw_from = greatest(raw_from, $2::timestamptz) WHERE id = $1',
      [id, timestamp(end.rawFrom)],
    );
  else if (end.kind === 'truncated')
    await tx.query(
      `UPDATE sync_monitor.checkpoint SET audit = audit || jsonb_build_object('truncated_before', $2::float8) WHERE id = $1`,
      [id, end.before],
    );
}

/**
 * Rows that were ever deleted from the table and its partitions, as the server counts them: whether it moves says whether
 * somebody is deleting.
 */
export async function rowsDeleted(query: Query, { oid }: AuditTable): Promise<number> {
  const [row] = await query(
    `WITH RECURSIVE tree (relid) AS (SELECT $1::oid UNION SELECT inhrelid FROM pg_inherits JOIN tree ON inhparent = relid)
     SELECT sum(pg_stat_get_tuples_deleted(relid)) FROM tree`,
    [oid],
  );
  return Number(row?.[0]);
}
