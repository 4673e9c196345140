/** Adds changes to the rows that are kept. Small statements with pauses between, so that live rows flow meanwhile. */
import { type Rollup, RollupBuilder } from '../../streams/rollup.js';
import { type Level, MINUTE_LEVEL, QUARTER_LEVEL, startOf } from './cover.js';
import type { Db } from './db.js';
import {
  coarseOf,
  KEPT_UNTIL,
  type KeptSince,
  markTodo,
  type RollupKey,
  type RollupRow,
  readRollupsByKey,
  writeRollups,
} from './rollup-rows.js';

/** Packing as many takes some milliseconds. */
const ROWS_A_STATEMENT = 100;

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
export async function addChanges(db: Db, kept: KeptSince, changes: Iterable<Change>): Promise<Written> {
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
  await markTodo(
    db,
    kept.id,
    coarseOf(
      [...minutes, ...ofQuarters].map(({ start }) => start),
      kept,
    ),
  );
  return {
    rollups: minutes.length + ofQuarters.length,
    bytes: written.reduce((sum, bytes) => sum + bytes, 0),
  };
}

function addTo(quarters: Map<string, { key: RollupKey; sum: RollupBuilder }>, change: Change): void {
  const { operationType } = change;
  const start = startOf(QUARTER_LEVEL, change.start);
  const name = `${start} ${operationType}`;
  const quarter = quarters.get(name) ?? { key: { start, operationType }, sum: new RollupBuilder() };
  quarters.set(name, quarter);
  quarter.sum.merge(change.rollup.build());
}

async function addRollups(db: Db, id: number, level: Level, changes: readonly Change[]): Promise<number> {
  let bytes = 0;
  for (let at = 0; at < changes.length; at += ROWS_A_STATEMENT) {
    const some = changes.slice(at, at + ROWS_A_STATEMENT);
    const there = new Map<string, Rollup>();
    for (const { start, operationType, rollup } of await readRollupsByKey(db, id, level, some))
      there.set(`${start} ${operationType}`, rollup);
    const rows: RollupRow[] = some.map(({ start, operationType, rollup }) => {
      const added = rollup.build();
      const before = there.get(`${start} ${operationType}`);
      return { start, operationType, rollup: before ? sumOf(before, added) : added };
    });
    bytes += await writeRollups(db, id, level, rows);
  }
  return bytes;
}

function sumOf(...rollups: readonly Rollup[]): Rollup {
  const sum = new RollupBuilder();
  for (const rollup of rollups) sum.merge(rollup);
  return sum.build();
}
