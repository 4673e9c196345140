/** Drops what has outlived its time, a few rows at a time: the portal's database is doing other things too. */
import { setTimeout as sleep } from 'node:timers/promises';
import { keptSince, ms, timestamp } from './checkpoint.js';
import { DAY_LEVEL, type Level, MINUTE_LEVEL, MONTH_LEVEL, QUARTER_LEVEL } from './cover.js';
import type { Db } from './db.js';
import type { KeptSince } from './rollup-rows.js';
import type { HistoryStore } from './store.js';

export interface RetentionOptions {
  /** The database's clock, ms. */
  readonly now: () => number;
  /** How long quarter hours, days and months are kept. */
  readonly retentionDays: number;
  /** Rows in one statement, and the pause after it. */
  readonly rows?: number;
  readonly pauseMs?: number;
  /** Ends it after the statement under way; the rest goes next time. */
  readonly signal?: AbortSignal;
}

/** Rows that were dropped. */
export interface Dropped {
  readonly minutes: number;
  readonly quarters: number;
  readonly days: number;
  readonly months: number;
  /** Of histories that began anew, or whose table is watched no more. */
  readonly abandoned: number;
}

const ROWS = 2_000;
const PAUSE_MS = 100;

/**
 * Moves the times from which on minutes and rollups are kept, then drops what lies before them, and what nobody's
 * history is any more.
 * @throws HistoryLostError: open() has to follow; and what the connection throws: what is done so far stays done
 */
export async function dropOld(store: HistoryStore, options: RetentionOptions): Promise<Dropped> {
  const { minutesFrom, rollupsFrom } = await store.exclusive((tx, kept) => moveStart(tx, kept, options));
  const before = (level: Level, time: number) =>
    dropAll(store, options, 'checkpoint_id = $1 AND level = $2 AND start < $3', (id) => [
      id,
      level,
      timestamp(time),
    ]);
  const dropped = {
    minutes: await before(MINUTE_LEVEL, minutesFrom),
    quarters: await before(QUARTER_LEVEL, rollupsFrom),
    days: await before(DAY_LEVEL, rollupsFrom),
    months: await before(MONTH_LEVEL, rollupsFrom),
    abandoned: await dropAll(
      store,
      options,
      'checkpoint_id IN (SELECT id FROM sync_monitor.checkpoint WHERE table_name IS NULL)',
      () => [],
    ),
  };
  if (options.signal?.aborted !== true)
    await store.exclusive((tx) =>
      tx.query(
        `DELETE FROM sync_monitor.checkpoint c WHERE table_name IS NULL
           AND NOT EXISTS (SELECT FROM sync_monitor.rollup WHERE checkpoint_id = c.id)`,
      ),
    );
  return dropped;
}

/** Never back, and never past a quarter hour that does not hold all of its minutes yet: they could not be told again. */
async function moveStart(
  db: Db,
  kept: KeptSince,
  { now, retentionDays }: RetentionOptions,
): Promise<KeptSince> {
  const wanted = keptSince(now(), retentionDays);
  const [row] = await db.query(
    `SELECT ${ms('min(start)')} FROM sync_monitor.rollup_todo WHERE checkpoint_id = $1 AND level = ${QUARTER_LEVEL}`,
    [kept.id],
  );
  const unfolded = row?.[0] == null ? Number.POSITIVE_INFINITY : Number(row[0]);
  const rollupsFrom = Math.max(kept.rollupsFrom, wanted.rollupsFrom);
  const minutesFrom = Math.max(kept.minutesFrom, rollupsFrom, Math.min(wanted.minutesFrom, unfolded));
  await db.query('UPDATE sync_monitor.checkpoint SET minutes_from = $2, rollups_from = $3 WHERE id = $1', [
    kept.id,
    timestamp(minutesFrom),
    timestamp(rollupsFrom),
  ]);
  // What begins before is never whole, nor asked for.
  await db.query('DELETE FROM sync_monitor.rollup_todo WHERE checkpoint_id = $1 AND start < $2', [
    kept.id,
    timestamp(rollupsFrom),
  ]);
  return { ...kept, minutesFrom, rollupsFrom };
}

async function dropAll(
  store: HistoryStore,
  { rows = ROWS, pauseMs = PAUSE_MS, signal }: RetentionOptions,
  where: string,
  values: (id: number) => readonly unknown[],
): Promise<number> {
  const sql = `WITH dropped AS (DELETE FROM sync_monitor.rollup WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM sync_monitor.rollup WHERE ${where} LIMIT ${rows})) RETURNING 1)
    SELECT count(*) FROM dropped`;
  let dropped = 0;
  while (signal?.aborted !== true) {
    const [row] = await store.exclusive((tx, { id }) => tx.query(sql, values(id)));
    const count = Number(row?.[0]);
    dropped += count;
    if (count < rows) break;
    await sleep(pauseMs, undefined, { ref: false });
  }
  return dropped;
}
