/** Rows of sync_monitor.rollup and sync_monitor.rollup_todo, read and written many at a time. */
import type { Rollup } from '../../streams/rollup.js';
import { ms, timestamp } from './checkpoint.js';
import { copyRollup, decodeRollup, ROLLUP_COLUMNS, rollupValues } from './codec.js';
import { CopyRows } from './copy-format.js';
import {
  type Coarse,
  DAY_LEVEL,
  type Level,
  MINUTE_LEVEL,
  MONTH_LEVEL,
  QUARTER_LEVEL,
  startOf,
} from './cover.js';
import type { Db } from './db.js';

/** Of one level; `start` in ms. */
export interface RollupKey {
  readonly start: number;
  readonly operationType: string;
}

export interface RollupRow extends RollupKey {
  readonly rollup: Rollup;
}

/** Which history, and from when on it is kept (ms). */
export interface KeptSince {
  readonly id: number;
  readonly minutesFrom: number;
  readonly rollupsFrom: number;
}

const TYPES = ROLLUP_COLUMNS.map((column) => {
  if (column === 'durations' || column === 'customers') return 'bytea';
  return column === 'other_statuses' || column === 'business'
    ? 'jsonb'
    : column === 'duration_min' || column === 'duration_max'
      ? 'int4'
      : 'int8';
});
const COLUMNS = ROLLUP_COLUMNS.join(', ');
const KEY = 'checkpoint_id, level, start, operation_type';
const KEY_COLUMNS = 4;

const WRITE = `WITH written AS (
    INSERT INTO sync_monitor.rollup AS r (${KEY}, ${COLUMNS})
    SELECT $1, $2, new.* FROM unnest($3::timestamptz[], $4::text[], ${TYPES.map((type, i) => `$${i + 5}::${type}[]`).join(', ')}) new
    ON CONFLICT (${KEY}) DO UPDATE SET ${ROLLUP_COLUMNS.map((column) => `${column} = EXCLUDED.${column}`).join(', ')}
    RETURNING pg_column_size(r) AS bytes)
  SELECT coalesce(sum(bytes), 0) FROM written`;

/** Writes these rows in place of what is there. @returns their bytes, without those of the index */
export async function writeRollups(
  db: Db,
  checkpointId: number,
  level: Level,
  rows: readonly RollupRow[],
): Promise<number> {
  if (rows.length === 0) return 0;
  const values = rows.map(({ rollup }) => rollupValues(rollup));
  const columns = ROLLUP_COLUMNS.map((_, i) => values.map((value) => value[i]));
  const starts = rows.map(({ start }) => timestamp(start));
  const types = rows.map(({ operationType }) => operationType);
  const [row] = await db.query(WRITE, [checkpointId, level, starts, types, ...columns]);
  return Number(row?.[0]);
}

/** Adds rows that are known not to be there: `packRollups` has them. */
export const COPY_ROLLUPS = `COPY sync_monitor.rollup (${KEY}, ${COLUMNS}) FROM STDIN (FORMAT binary)`;

export function packRollups(checkpointId: number, level: Level, rows: readonly RollupRow[]): Buffer {
  const copied = new CopyRows(KEY_COLUMNS + ROLLUP_COLUMNS.length);
  for (const { start, operationType, rollup } of rows) {
    copied.row();
    copied.int4(checkpointId);
    copied.int2(level);
    copied.timestamptz(start);
    copied.text(operationType);
    copyRollup(rollup, copied);
  }
  return copied.end();
}

const KEYS_OF = `SELECT ${ms('start')}, operation_type FROM sync_monitor.rollup
  WHERE checkpoint_id = $1 AND level = $2 AND start = ANY ($3::timestamptz[])`;
const STARTS_A_STATEMENT = 5_000;

/** Which rows there are of the periods of these, by `keyOf`. */
export async function existingKeys(
  db: Db,
  checkpointId: number,
  level: Level,
  keys: readonly RollupKey[],
): Promise<Set<string>> {
  const starts = [...new Set(keys.map(({ start }) => start))];
  const found = new Set<string>();
  for (let at = 0; at < starts.length; at += STARTS_A_STATEMENT) {
    const some = starts.slice(at, at + STARTS_A_STATEMENT).map(timestamp);
    for (const [start, operationType] of await db.query(KEYS_OF, [checkpointId, level, some]))
      found.add(keyOf({ start: Number(start), operationType: operationType ?? '' }));
  }
  return found;
}

export function keyOf({ start, operationType }: RollupKey): string {
  return `${start} ${operationType}`;
}

// OFFSET 0 keeps the order of the join: while a backfill fills a table that nobody has analysed yet, the planner would
// walk all of it for each hundred keys.
const BY_KEY = `SELECT r.* FROM unnest($3::timestamptz[], $4::text[]) key (start, operation_type)
  CROSS JOIN LATERAL (SELECT ${ms('r.start')}, r.operation_type, ${COLUMNS} FROM sync_monitor.rollup r
    WHERE r.checkpoint_id = $1 AND r.level = $2 AND r.start = key.start AND r.operation_type = key.operation_type OFFSET 0) r`;

/** Those of the asked rows that exist, in no order. */
export async function readRollupsByKey(
  db: Db,
  checkpointId: number,
  level: Level,
  keys: readonly RollupKey[],
): Promise<RollupRow[]> {
  if (keys.length === 0) return [];
  const starts = keys.map(({ start }) => timestamp(start));
  const rows = await db.query(BY_KEY, [
    checkpointId,
    level,
    starts,
    keys.map(({ operationType }) => operationType),
  ]);
  return rows.map(decodeRow);
}

const BY_TIME = `SELECT ${ms('start')}, operation_type, ${COLUMNS} FROM sync_monitor.rollup
  WHERE checkpoint_id = $1 AND level = $2 AND start >= $3 AND start < $4`;

/** The rows of a level that start in [from, to), ms, in no order; of one operation type where it is given. */
export async function readRollups(
  db: Db,
  checkpointId: number,
  level: Level,
  {
    from,
    to,
    operationType,
  }: { readonly from: number; readonly to: number; readonly operationType?: string },
): Promise<RollupRow[]> {
  const values = [checkpointId, level, timestamp(from), timestamp(to)];
  const rows =
    operationType === undefined
      ? await db.query(BY_TIME, values)
      : await db.query(`${BY_TIME} AND operation_type = $5`, [...values, operationType]);
  return rows.map(decodeRow);
}

function decodeRow(row: readonly (string | null)[]): RollupRow {
  return { start: Number(row[0]), operationType: row[1] ?? '', rollup: decodeRollup(row, 2) };
}

/** The smallest id among the rows of minutes (or of their quarter hours) from `from` (ms) on; null for none. */
export async function smallestId(
  db: Db,
  { id, minutesFrom }: KeptSince,
  from: number,
): Promise<number | null> {
  const [row] = await db.query(
    `SELECT min(id_min) FROM sync_monitor.rollup WHERE checkpoint_id = $1
       AND (level = ${MINUTE_LEVEL} AND start >= $2 OR level = ${QUARTER_LEVEL} AND start >= $3 AND start < $4)`,
    [id, ...[from, startOf(QUARTER_LEVEL, from), minutesFrom].map(timestamp)],
  );
  return row?.[0] == null ? null : Number(row[0]);
}

/** Notes that these coarse periods do not hold all of the finer ones. */
export async function markTodo(db: Db, checkpointId: number, periods: readonly Coarse[]): Promise<void> {
  if (periods.length === 0) return;
  await db.query(
    `INSERT INTO sync_monitor.rollup_todo (checkpoint_id, level, start)
     SELECT $1, todo.* FROM unnest($2::int2[], $3::timestamptz[]) todo ON CONFLICT DO NOTHING`,
    [checkpointId, periods.map(({ level }) => level), periods.map(({ start }) => timestamp(start))],
  );
}

/**
 * The coarse periods that do not hold all any more once these minutes (or quarter hours, where no minutes are kept;
 * `starts` in ms) have changed, each once. What begins before `rollupsFrom` is never whole, and is not among them.
 */
export function coarseOf(starts: Iterable<number>, { minutesFrom, rollupsFrom }: KeptSince): Coarse[] {
  const found = new Map<string, Coarse>();
  for (const start of starts)
    for (const level of start < minutesFrom ? ABOVE_QUARTER : ABOVE_MINUTE) {
      const coarse = { level, start: startOf(level, start) };
      if (coarse.start >= rollupsFrom) found.set(`${level} ${coarse.start}`, coarse);
    }
  return [...found.values()];
}

const ABOVE_QUARTER = [DAY_LEVEL, MONTH_LEVEL] as const;
const ABOVE_MINUTE = [QUARTER_LEVEL, ...ABOVE_QUARTER] as const;

/** From here on (ms) nothing is kept: PostgreSQL does not read what Date makes of later times. Somebody's mistake. */
export const KEPT_UNTIL = Date.UTC(9999, 0);
