/** Minutes that differ from the table are made anew from its rows, those that the checkpoint says are folded. */
import { namesOf, type Rollup, RollupBuilder } from '../../streams/rollup.js';
import type { Vocabulary } from '../../streams/vocabulary.js';
import {
  type AuditLevel,
  type AuditTable,
  floorTo,
  type Known,
  periodMs,
  readKnown,
  sets,
} from './audit-known.js';
import { type RowPart, within } from './audit-table.js';
import { changesOfWindows, type WindowChange, windowsBefore } from './audit-windows.js';
import { timestamp } from './checkpoint.js';
import { DAY_MS } from './cover.js';
import type { Db } from './db.js';
import { coarseOf, type KeptSince, markTodo, type RollupRow, writeRollups } from './rollup-rows.js';

export interface RefoldRequest {
  readonly level: AuditLevel;
  /** The step in which they were found, ms. */
  readonly from: number;
  readonly to: number;
  /** Periods to be made anew: start (ms), and the rows that the table had then. */
  readonly periods: ReadonlyMap<number, number>;
}

export interface Refolded {
  /** Starts of the periods that were made anew, ms. */
  readonly starts: readonly number[];
  readonly windows: readonly WindowChange[];
}

/** Packing as many takes some milliseconds. */
const ROWS_A_STATEMENT = 100;
const ROWS_A_FETCH = 2_000;

type Built = Map<number, Map<string, RollupBuilder>>;

/**
 * Within a transaction that holds the checkpoint and sees one moment.
 * @throws TableReplacedError, and what the database throws
 */
export async function refold(
  tx: Db,
  kept: KeptSince,
  { table, words }: { readonly table: AuditTable; readonly words: Vocabulary },
  request: RefoldRequest,
): Promise<Refolded> {
  const { level } = request;
  const known = await readKnown((text, values) => tx.query(text, values), kept.id, table);
  // Retention may have made quarter hours of these minutes since.
  const wanted = [...request.periods.keys()].filter(
    (start) => known !== undefined && start >= known.minutesFrom === (level === 0),
  );
  if (!known || wanted.length === 0) return { starts: [], windows: [] };
  const ids = table.createdAtIndexed ? null : await idsOf(tx, kept.id, request);
  const built: Built = new Map(wanted.map((start) => [start, new Map()]));
  for (const run of runsOf(wanted, periodMs(level)))
    await readRows(tx, table, { known, ids, ...run }, (row) => addRow(built, row, level, words));
  const starts = wanted.filter((start) => !vanishing(start, built, request, known));
  const before = await windowsBefore(tx, kept.id, starts, known);
  const after = rollupsOf(starts, built);
  await replace(tx, kept, level, starts, after);
  await tx.query('UPDATE sync_monitor.checkpoint SET names = $2::jsonb WHERE id = $1', [
    kept.id,
    JSON.stringify(words.unknown()),
  ]);
  return { starts, windows: await changesOfWindows(tx, kept.id, before, after, known) };
}

/** Between which ids the rows of the step are, as far as history knows. */
async function idsOf(
  tx: Db,
  id: number,
  { level, from, to }: RefoldRequest,
): Promise<readonly [number, number] | null> {
  const [row] = await tx.query(
    `SELECT min(id_min), max(id_max) FROM sync_monitor.rollup
     WHERE checkpoint_id = $1 AND level = $2 AND start >= $3 AND start < $4`,
    [id, level, timestamp(from), timestamp(to)],
  );
  return row?.[0] == null || row[1] == null ? null : [Number(row[0]), Number(row[1])];
}

/** Starts that follow each other, as spans. */
function* runsOf(starts: readonly number[], length: number): Generator<{ from: number; to: number }> {
  let run: { from: number; to: number } | undefined;
  for (const start of starts.toSorted((a, b) => a - b)) {
    if (run && run.to === start) run.to += length;
    else {
      if (run) yield run;
      run = { from: start, to: start + length };
    }
  }
  if (run) yield run;
}

/** By a cursor: a minute of an import may have millions of rows. */
async function readRows(
  tx: Db,
  table: AuditTable,
  part: RowPart,
  take: (row: ReturnType<AuditTable['decode']>) => void,
): Promise<void> {
  await tx.query(
    `DECLARE audited NO SCROLL CURSOR FOR WITH ${sets(part.known)}
     SELECT ${table.selectList} FROM ${table.qualified} t WHERE ${within(part, table)} AND t.status::text IS DISTINCT FROM 'pending'`,
  );
  for (;;) {
    const rows = await tx.query(`FETCH ${ROWS_A_FETCH} FROM audited`);
    for (const row of rows) take(table.decode(row));
    if (rows.length < ROWS_A_FETCH) break;
  }
  await tx.query('CLOSE audited');
}

function addRow(
  built: Built,
  row: ReturnType<AuditTable['decode']>,
  level: AuditLevel,
  words: Vocabulary,
): void {
  const byType = built.get(floorTo(row.createdAt, periodMs(level)));
  if (!byType) return;
  const type = words.types.index(row.operationType);
  const name = words.types.name(type);
  const builder = byType.get(name) ?? new RollupBuilder();
  byType.set(name, builder);
  builder.add(row, namesOf(row, type, words));
}

/** An old period that loses rows while we look: that may be retention, and is looked at again. */
function vanishing(start: number, built: Built, request: RefoldRequest, known: Known): boolean {
  if (start + periodMs(request.level) > known.now - DAY_MS) return false;
  if (known.truncatedBefore !== null && start < known.truncatedBefore) return false;
  return rowsOf(built.get(start)) < (request.periods.get(start) ?? 0);
}

function rowsOf(byType: ReadonlyMap<string, RollupBuilder> | undefined): number {
  let rows = 0;
  for (const builder of byType?.values() ?? [])
    for (const count of builder.build().statuses.values()) rows += count;
  return rows;
}

function rollupsOf(starts: readonly number[], built: Built): RollupRow[] {
  return starts.flatMap((start) =>
    [...(built.get(start) ?? [])].map(
      ([operationType, builder]): { start: number; operationType: string; rollup: Rollup } => ({
        start,
        operationType,
        rollup: builder.build(),
      }),
    ),
  );
}

async function replace(
  tx: Db,
  kept: KeptSince,
  level: AuditLevel,
  starts: readonly number[],
  rows: readonly RollupRow[],
): Promise<void> {
  await tx.query(
    'DELETE FROM sync_monitor.rollup WHERE checkpoint_id = $1 AND level = $2 AND start = ANY ($3::timestamptz[])',
    [kept.id, level, starts.map(timestamp)],
  );
  for (let at = 0; at < rows.length; at += ROWS_A_STATEMENT)
    await writeRollups(tx, kept.id, level, rows.slice(at, at + ROWS_A_STATEMENT));
  await markTodo(tx, kept.id, coarseOf(starts, kept));
}
