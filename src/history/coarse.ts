/**
 * Quarter hours out of minutes, days out of quarter hours, months out of days, once they have ended: in the background,
 * a few at a time, in transactions that flushes wait for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { RollupBuilder } from '../../streams/rollup.js';
import { ms, timestamp } from './checkpoint.js';
import { DAY_LEVEL, DAY_MS, type Level, MINUTE_LEVEL, MONTH_LEVEL, QUARTER_LEVEL } from './cover.js';
import type { Db } from './db.js';
import { type KeptSince, type RollupRow, readRollups, writeRollups } from './rollup-rows.js';
import type { HistoryStore } from './store.js';

export interface CoarseOptions {
  /** The database's clock, ms. */
  readonly now: () => number;
  /** Ends it after the transaction under way. */
  readonly signal?: AbortSignal;
}

export interface CoarseFolded {
  readonly quarters: number;
  readonly days: number;
  readonly months: number;
}

/** How a level is folded: from what, how much of it is read at once where that is a lot (ms), how many in a transaction. */
interface Plan {
  readonly level: Level;
  readonly finer: Level;
  readonly length: string;
  readonly sliceMs: number;
  readonly atOnce: number;
}

const QUARTER: Plan = {
  level: QUARTER_LEVEL,
  finer: MINUTE_LEVEL,
  length: '15 minutes',
  sliceMs: 15 * 60_000,
  atOnce: 4,
};
const DAY: Plan = {
  level: DAY_LEVEL,
  finer: QUARTER_LEVEL,
  length: '1 day',
  sliceMs: 4 * 3_600_000,
  atOnce: 1,
};
const MONTH: Plan = {
  level: MONTH_LEVEL,
  finer: DAY_LEVEL,
  length: '1 month',
  sliceMs: 2 * DAY_MS,
  atOnce: 1,
};

/** Unpacking as many takes some tens of milliseconds. */
const AT_ONCE_BYTES = 500_000;

/** Rows of the last minute may be on their way: folding it twice would be dearer than waiting. */
const GRACE_MS = 60_000;

/**
 * Folds all that has ended and does not hold all of its finer periods. As long a pause as the work took follows each
 * transaction, so that it never takes more than half of anything.
 * @throws HistoryLostError: open() has to follow; and what the connection throws
 */
export async function foldCoarse(store: HistoryStore, { now, signal }: CoarseOptions): Promise<CoarseFolded> {
  const folded = { quarters: 0, days: 0, months: 0 };
  while (signal?.aborted !== true) {
    const began = performance.now();
    // Days need all of their quarter hours, and months their days.
    const quarters = await foldSome(store, QUARTER, now());
    const days = quarters > 0 ? 0 : await foldSome(store, DAY, now());
    const months = quarters + days > 0 ? 0 : await foldSome(store, MONTH, now());
    if (quarters + days + months === 0) break;
    folded.quarters += quarters;
    folded.days += days;
    folded.months += months;
    await sleep(performance.now() - began, undefined, { ref: false });
  }
  return folded;
}

function foldSome(store: HistoryStore, plan: Plan, now: number): Promise<number> {
  return store.exclusive(async (tx, kept) => {
    const due = await duePeriods(tx, kept, plan, now);
    for (const [from, to] of due) await foldOne(tx, kept.id, plan, from, to);
    return due.length;
  });
}

/**
 * Newest first: they are asked for most. While a backfill goes down through the table, what it has reached last is left
 * for later, because every flush changes it again.
 */
async function duePeriods(
  db: Db,
  { id, minutesFrom }: KeptSince,
  { level, finer, length, atOnce }: Plan,
  now: number,
): Promise<[from: number, to: number][]> {
  const rows = await db.query(
    `SELECT ${ms('todo.start')}, ${ms(`todo.start + interval '${length}'`)}
     FROM sync_monitor.rollup_todo todo JOIN sync_monitor.checkpoint c ON c.id = todo.checkpoint_id
     WHERE todo.checkpoint_id = $1 AND todo.level = ${level} AND todo.start + interval '${length}' <= $2
       AND (todo.level > ${QUARTER_LEVEL} OR todo.start >= $3)
       AND NOT EXISTS (SELECT FROM sync_monitor.rollup_todo f WHERE f.checkpoint_id = todo.checkpoint_id
             AND f.level = ${finer} AND f.start >= todo.start AND f.start < todo.start + interval '${length}')
       AND (c.floor IS NULL OR todo.start ${level === QUARTER_LEVEL ? ">= interval '1 day' +" : '>'}
             (SELECT min(reached.start) FROM sync_monitor.rollup_todo reached
              WHERE reached.checkpoint_id = todo.checkpoint_id AND reached.level = ${Math.max(level, DAY_LEVEL)}))
     ORDER BY todo.start DESC LIMIT ${atOnce}`,
    [id, timestamp(now - GRACE_MS), timestamp(minutesFrom)],
  );
  return rows.map((row) => [Number(row[0]), Number(row[1])]);
}

async function foldOne(
  db: Db,
  id: number,
  { level, finer, sliceMs }: Plan,
  from: number,
  to: number,
): Promise<void> {
  const bytes = await bytesByType(db, id, finer, from, to);
  const few = [...bytes.values()].reduce((sum, of) => sum + of, 0) <= AT_ONCE_BYTES;
  // Of a month one type's customers alone can be many.
  for (const some of few ? [undefined] : bytes.keys()) {
    const sums = new Map<string, RollupBuilder>();
    for (let at = from; at < to; at += few ? to - from : sliceMs) {
      const slice = { from: at, to: few ? to : Math.min(to, at + sliceMs) };
      const rows = await readRollups(
        db,
        id,
        finer,
        some === undefined ? slice : { ...slice, operationType: some },
      );
      for (const row of rows) addTo(sums, row);
    }
    const rows = [...sums].map(([operationType, sum]) => ({
      start: from,
      operationType,
      rollup: sum.build(),
    }));
    await writeRollups(db, id, level, rows);
  }
  // The audit may have found that there are none of a type.
  await db.query(
    `DELETE FROM sync_monitor.rollup WHERE checkpoint_id = $1 AND level = $2 AND start = $3 AND operation_type <> ALL ($4)`,
    [id, level, timestamp(from), [...bytes.keys()]],
  );
  await db.query(
    'DELETE FROM sync_monitor.rollup_todo WHERE checkpoint_id = $1 AND level = $2 AND start = $3',
    [id, level, timestamp(from)],
  );
}

/** The operation types of these periods, with about the bytes that their rows hold. */
async function bytesByType(
  db: Db,
  id: number,
  level: Level,
  from: number,
  to: number,
): Promise<Map<string, number>> {
  const rows = await db.query(
    `SELECT operation_type, sum(coalesce(octet_length(customers), 0) + coalesce(octet_length(durations), 0))
     FROM sync_monitor.rollup WHERE checkpoint_id = $1 AND level = $2 AND start >= $3 AND start < $4 GROUP BY operation_type`,
    [id, level, timestamp(from), timestamp(to)],
  );
  return new Map(rows.map(([name, bytes]) => [name ?? '', Number(bytes)]));
}

function addTo(sums: Map<string, RollupBuilder>, { operationType, rollup }: RollupRow): void {
  const sum = sums.get(operationType) ?? new RollupBuilder();
  sums.set(operationType, sum);
  sum.merge(rollup);
}
