/** Adds changes to the rows that are kept. A little at a time with pauses between, so that live rows flow meanwhile. */
import { type Rollup, RollupBuilder } from '../../streams/rollup.js';
import { type Level, MINUTE_LEVEL, QUARTER_LEVEL, startOf } from './cover.js';
import type { CopyingDb } from './db.js';
import {
  COPY_ROLLUPS,
  coarseOf,
  existingKeys,
  KEPT_UNTIL,
  type KeptSince,
  keyOf,
  markTodo,
  packRollups,
  type RollupKey,
  readRollupsByKey,
  writeRollups,
} from './rollup-rows.js';

/** Packing as many takes some milliseconds. */
const ROWS_A_STATEMENT = 100;
const ROWS_A_COPY = 500;

export interface Change extends RollupKey {
  /** Start of the minute, ms. */
  readonly start: number;
  readonly rollup: { build(): Rollup };
}

export interface Written {
  /** Rows of the rollup table. */
  readonly rollups: number;
  readonly bytes: number;
}

/**
 * Adds the changes of minutes to what is kept, within a transaction that holds the checkpoint. Where no minutes are kept
 * any more their quarter hours are changed. What begins before all that is kept is left out.
 */
export async function addChanges(
  db: CopyingDb,
  kept: KeptSince,
  changes: Iterable<Change>,
): Promise<Written> {
  const quarters = new Map<string, { key: RollupKey; sum: RollupBuilder }>();
  const minutes: Change[] = [];
  for (const change of changes) {
    if (change.start < kept.rollupsFrom || change.start >= KEPT_UNTIL) continue;
    if (change.start >= kept.minutesFrom) minutes.push(change);
    else addTo(quarters, change);
  }
  const ofQuarters = [...quarters.values()].map(({ key, sum }) => ({ ...key, rollup: sum }));
  const written = [
    await addRollups(db, kept.id, MINUTE_LEVEL, minutes),
    await addRollups(db, kept.id, QUARTER_LEVEL, ofQuarters),
  ];
  const starts = new Set([...minutes, ...ofQuarters].map(({ start }) => start));
  await markTodo(db, kept.id, coarseOf(starts, kept));
  return {
    rollups: minutes.length + ofQuarters.length,
    bytes: written.reduce((sum, bytes) => sum + bytes, 0),
  };
}

function addTo(quarters: Map<string, { key: RollupKey; sum: RollupBuilder }>, change: Change): void {
  const { operationType } = change;
  const key = { start: startOf(QUARTER_LEVEL, change.start), operationType };
  const quarter = quarters.get(keyOf(key)) ?? { key, sum: new RollupBuilder() };
  quarters.set(keyOf(key), quarter);
  quarter.sum.merge(change.rollup.build());
}

/** Nobody else adds rows meanwhile: they hold the checkpoint before they do. */
async function addRollups(
  db: CopyingDb,
  id: number,
  level: Level,
  changes: readonly Change[],
): Promise<number> {
  const there = await existingKeys(db, id, level, changes);
  const fresh: Change[] = [];
  const old: Change[] = [];
  for (const change of changes) (there.has(keyOf(change)) ? old : fresh).push(change);
  return (await addFresh(db, id, level, fresh)) + (await addToOld(db, id, level, old));
}

/** The next rows are packed while the server takes the last ones. */
async function addFresh(db: CopyingDb, id: number, level: Level, fresh: Change[]): Promise<number> {
  // As they lie in the index.
  fresh.sort((a, b) => a.start - b.start);
  let bytes = 0;
  let sent = Promise.resolve();
  for (let at = 0; at < fresh.length; at += ROWS_A_COPY) {
    const rows = fresh
      .slice(at, at + ROWS_A_COPY)
      .map(({ start, operationType, rollup }) => ({ start, operationType, rollup: rollup.build() }));
    const packed = packRollups(id, level, rows);
    bytes += packed.length;
    await sent;
    sent = db.copy(COPY_ROLLUPS, packed);
    // It is waited for after the next rows are packed, which may fail.
    sent.catch(() => undefined);
  }
  await sent;
  return bytes;
}

async function addToOld(db: CopyingDb, id: number, level: Level, old: readonly Change[]): Promise<number> {
  let bytes = 0;
  for (let at = 0; at < old.length; at += ROWS_A_STATEMENT) {
    const some = new Map(old.slice(at, at + ROWS_A_STATEMENT).map((change) => [keyOf(change), change]));
    const rows = (await readRollupsByKey(db, id, level, [...some.values()])).map((row) => {
      const change = some.get(keyOf(row)) as Change; // one of those asked for
      return { ...row, rollup: sumOf(row.rollup, change.rollup.build()) };
    });
    if (rows.length < some.size) throw new Error('rows of history were deleted while they were added to');
    bytes += await writeRollups(db, id, level, rows);
  }
  return bytes;
}

function sumOf(...rollups: readonly Rollup[]): Rollup {
  const sum = new RollupBuilder();
  for (const rollup of rollups) sum.merge(rollup);
  return sum.build();
}
