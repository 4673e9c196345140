import type { UnknownNames } from '../../streams/vocabulary.js';
import { MINUTE_LEVEL, MINUTE_MS, type QUARTER_LEVEL, QUARTER_MS } from './cover.js';
import type { EventTable } from './events-query.js';
import type { Query } from './table-query.js';

/** The watched table, how its rows are read, and which table that was when it was looked up. */
export interface AuditTable extends EventTable {
  readonly oid: number;
}

/** Minutes; quarter hours where minutes are not kept any more. */
export type AuditLevel = typeof MINUTE_LEVEL | typeof QUARTER_LEVEL;

/** The checkpoint as one snapshot of the database has it. Times in ms. */
export interface Known {
  readonly id: number;
  readonly high: number;
  readonly floor: number | null;
  readonly minutesFrom: number;
  readonly rollupsFrom: number;
  /** Older rows are gone by retention. */
  readonly rawFrom: number | null;
  /** What is older went in a TRUNCATE: it is no retention that it is gone. */
  readonly truncatedBefore: number | null;
  readonly names: Partial<UnknownNames>;
  /** The database's clock. */
  readonly now: number;
}

/** The name now means another table, or none: nothing can be said about the one that was folded. */
export class TableReplacedError extends Error {
  constructor(table: string) {
    super(`${table} is not the table any more that was followed`);
    this.name = 'TableReplacedError';
  }
}

/**
 * @returns undefined where nothing is kept under this id
 * @throws TableReplacedError
 */
export async function readKnown(query: Query, id: number, table: AuditTable): Promise<Known | undefined> {
  const [row] = await query(
    `SELECT c.high, c.floor, date_part('epoch', c.minutes_from), date_part('epoch', c.rollups_from), date_part('epoch', c.raw_from),
       c.names, (c.audit ->> 'truncated_before')::float8, date_part('epoch', clock_timestamp()),
       to_regclass($2)::oid IS NOT DISTINCT FROM $3::oid
     FROM sync_monitor.checkpoint c WHERE c.id = $1`,
    [id, table.qualified, table.oid],
  );
  if (!row) return undefined;
  const [high, floor, minutesFrom, rollupsFrom, rawFrom, names, truncatedBefore, now, same] = row;
  if (same !== 't') throw new TableReplacedError(table.qualified);
  return {
    id,
    high: Number(high),
    floor: floor == null ? null : Number(floor),
    minutesFrom: Number(minutesFrom) * 1000,
    rollupsFrom: Number(rollupsFrom) * 1000,
    rawFrom: rawFrom == null ? null : Number(rawFrom) * 1000,
    truncatedBefore: truncatedBefore == null ? null : Number(truncatedBefore),
    names: JSON.parse(names ?? '{}') as Partial<UnknownNames>,
    now: Number(now) * 1000,
  };
}

/** From when on history and the table ought to agree, ms. */
export function auditedFrom({ rollupsFrom, rawFrom }: Known): number {
  return Math.max(rollupsFrom, rawFrom ?? Number.NEGATIVE_INFINITY);
}

export function periodMs(level: AuditLevel): number {
  return level === MINUTE_LEVEL ? MINUTE_MS : QUARTER_MS;
}

export function floorTo(time: number, step: number): number {
  return Math.floor(time / step) * step;
}

export function ceilTo(time: number, step: number): number {
  return Math.ceil(time / step) * step;
}

/** A moment as SQL: a constant to the planner, whatever the session says about plans. */
export function sqlTime(ms: number): string {
  return `to_timestamp(${ms / 1000})`;
}

/** Whether the checkpoint says that a row `t` is in a rollup (streams/checkpoint.ts), as SQL. Needs `sets`. */
export function folded({ high, floor }: Known): string {
  const upTo = `t.id <= ${high}${floor === null ? '' : ` AND t.id > ${floor}`}`;
  // IN is hashed: there may be many of these, and ANY would walk them for each row.
  return `(${upTo} AND NOT t.id::int8 <@ (SELECT holes FROM sets) OR t.id::int8 IN (SELECT unnest(ahead) FROM sets))
    AND NOT t.id::int8 <@ (SELECT pending FROM sets)`;
}

/** A CTE. The sum with nothing makes a value that is not unpacked anew for each row. */
export function sets({ id }: Known): string {
  return `sets AS MATERIALIZED (SELECT holes + '{}'::int8multirange AS holes, pending + '{}'::int8multirange AS pending, ahead
    FROM sync_monitor.checkpoint WHERE id = ${id})`;
}
