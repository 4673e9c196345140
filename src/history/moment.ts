/**
 * What history knows of consecutive spans of time at one moment, in the database and in memory. A settled row is in the
 * rollups of the database or in a generation of changes that no flush has brought there, a pending one in memory; none
 * is in two of them.
 */
import type { SyncRow } from '../../streams/event.js';
import type { Rollup } from '../../streams/rollup.js';
import type { Vocabulary } from '../../streams/vocabulary.js';
import { ms, timestamp } from './checkpoint.js';
import { type Coarse, type Cover, Coverage, type Kept, type Level, QUARTER_MS } from './cover.js';
import { KEPT_UNTIL } from './rollup-rows.js';
import type { Query, TableShape } from './table-query.js';
import type { Generation } from './waiting.js';

export interface WatchedTable extends TableShape {
  /** An index leads with created_at. */
  readonly createdAtIndexed: boolean;
}

/** The part of history that is in memory: what the store has not written, what the reader knows of pending rows. */
export interface HistoryInMemory {
  readonly checkpointId: number;
  /** Why generations and database do not make up everything; undefined where they do. */
  readonly fault: string | undefined;
  readonly words: Vocabulary;
  generations(): readonly Generation[];
  /** Every row that was pending when it was last read. */
  pending(): Iterable<SyncRow>;
}

/** Settled rows of a minute and type that no flush has brought to the database. */
export interface Unflushed {
  readonly start: number;
  readonly operationType: string;
  readonly rollup: Rollup;
}

export interface Moment {
  readonly checkpointId: number;
  readonly words: Vocabulary;
  readonly minutesFrom: number;
  /** In order of time, without a gap. */
  readonly spans: readonly Cover[];
  /** What is in memory only, of all spans and some minutes more. */
  readonly unflushed: readonly Unflushed[];
  readonly pending: readonly SyncRow[];
}

/**
 * Has to be the first one to ask `query` anything: what is in memory belongs to the moment of its snapshot.
 * @param bounds ms, ascending; the spans lie between each two of them
 * @returns undefined where history cannot tell, and the table has to be asked
 * @throws the database's error
 */
export async function momentOf(
  query: Query,
  table: WatchedTable,
  history: HistoryInMemory,
  bounds: readonly number[],
): Promise<Moment | undefined> {
  const { checkpointId, words } = history;
  // A bound may have to be moved by less than a quarter hour.
  const [from, to] = [(bounds[0] ?? 0) - QUARTER_MS, (bounds.at(-1) ?? 0) + QUARTER_MS];
  if (history.fault !== undefined || to > KEPT_UNTIL) return undefined;
  // Before the snapshot is taken: a flush that it does not see may be done, and its rows let go of, before it answers.
  const before = history.generations();
  const checkpoint = await readCheckpoint(query, table, checkpointId, from, to);
  // From here on without a pause, in which rows would go from pending to the changes.
  if (!checkpoint?.complete || history.fault !== undefined) return undefined;
  const generations = generationsAfter(checkpoint.flushNo, before, history.generations());
  const spans = generations && new Coverage(checkpoint).between(bounds);
  if (!spans) return undefined;
  const unflushed: Unflushed[] = [];
  for (const { changes } of generations) {
    for (const { start, operationType, rollup } of changes.entries())
      if (start >= from && start < to) unflushed.push({ start, operationType, rollup: rollup.build() });
  }
  const pending: SyncRow[] = [];
  for (const row of history.pending()) if (row.createdAt >= from && row.createdAt < to) pending.push(row);
  return { checkpointId, words, minutesFrom: checkpoint.minutesFrom, spans, unflushed, pending };
}

interface CheckpointOfPeriod extends Kept {
  readonly flushNo: number;
  /** The backfill has read all rows of the period. */
  readonly complete: boolean;
}

/** As of the snapshot; undefined where there is none any more. */
async function readCheckpoint(
  query: Query,
  table: WatchedTable,
  id: number,
  from: number,
  to: number,
): Promise<CheckpointOfPeriod | undefined> {
  // Without an index by time a look would cost as much as the answer out of the table.
  const unread = table.createdAtIndexed
    ? `EXISTS (SELECT FROM ${table.qualified} t WHERE t.id <= c.floor AND t.created_at >= $2::timestamptz AND t.created_at < $3::timestamptz)`
    : 'true';
  const [row] = await query(
    `SELECT flush_no, floor IS NULL OR NOT ${unread}, ${ms('minutes_from')}, ${ms('rollups_from')}, ${ms('raw_from')},
       (SELECT string_agg(level || ' ' || ${ms('start')}, ',') FROM sync_monitor.rollup_todo
        WHERE checkpoint_id = c.id AND start >= $2::timestamptz AND start < $3::timestamptz)
     FROM sync_monitor.checkpoint c WHERE id = $1`,
    [id, timestamp(from), timestamp(to)],
  );
  if (!row) return undefined;
  const [flushNo, complete, minutesFrom, rollupsFrom, rawFrom, todo] = row;
  return {
    flushNo: Number(flushNo),
    complete: complete === 't',
    minutesFrom: Number(minutesFrom),
    rollupsFrom: Number(rollupsFrom),
    rawFrom: rawFrom == null ? null : Number(rawFrom),
    todo: (todo?.split(',') ?? []).map((one): Coarse => {
      const [level, start] = one.split(' ').map(Number);
      return { level: level as Level, start: start ?? 0 }; // a CHECK of nobody's, but only levels are written there
    }),
  };
}

/**
 * The generations that no flush up to `flushNo` has brought, out of those that were there shortly before and after;
 * undefined where one may have come and gone between, or where they are not what that flush was followed by.
 */
export function generationsAfter(
  flushNo: number,
  before: readonly Generation[],
  after: readonly Generation[],
): Generation[] | undefined {
  const found = new Map<number, Generation>();
  for (const one of [...before, ...after]) {
    if (one.life !== after[0]?.life) return undefined;
    // The same one, both times.
    if (one.flushNo > flushNo) found.set(one.flushNo, one);
  }
  // The one that is filling is always after every flush that we know to have been made, and there is no gap before it.
  const last = after.at(-1)?.flushNo ?? 0;
  return found.size > 0 && found.size === last - flushNo ? [...found.values()] : undefined;
}
