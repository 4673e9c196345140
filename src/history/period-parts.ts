/** What a period is made of, out of the database: whole periods from the rollups, and their ragged ends from the table. */
import type { Span } from '../../streams/event.js';
import { ms, timestamp } from './checkpoint.js';
import { decodeRollup, ROLLUP_COLUMNS } from './codec.js';
import {
  type Level,
  MINUTE_LEVEL,
  MINUTE_MS,
  type Part,
  QUARTER_LEVEL,
  QUARTER_MS,
  startOf,
} from './cover.js';
import type { Moment, WatchedTable } from './moment.js';
import { type RawRollup, type RawSpan, rollupsOfTable, type Wanted } from './raw.js';
import type { RollupRow } from './rollup-rows.js';
import type { Query } from './table-query.js';

/** What an answer does not need is not sent: customers are most of a month's bytes, durations most of a minute's. */
const UNWANTED: Readonly<Record<Wanted, readonly string[]>> = {
  operations: ['customers', 'business', 'id_min', 'id_max'],
  business: ['durations', 'id_min', 'id_max'],
};

/** LATERAL, so that each part is one walk along the primary key. */
const partsSql = (columns: string): string => `SELECT ${ms('r.start')}, r.operation_type, ${columns}
  FROM unnest($2::int2[], $3::timestamptz[], $4::timestamptz[]) part (level, since, before)
  CROSS JOIN LATERAL (SELECT * FROM sync_monitor.rollup WHERE checkpoint_id = $1
    AND level = part.level AND start >= part.since AND start < part.before OFFSET 0) r`;

const SQL: Readonly<Record<Wanted, string>> = {
  operations: partsSql(columnsFor('operations')),
  business: partsSql(columnsFor('business')),
};

function columnsFor(wanted: Wanted): string {
  return ROLLUP_COLUMNS.map((column) => (UNWANTED[wanted].includes(column) ? 'NULL' : `r.${column}`)).join(
    ', ',
  );
}

/** The rollups of these parts, in no order; the half that is not wanted is empty. @throws the database's error */
export async function rollupsOfParts(
  query: Query,
  checkpointId: number,
  parts: readonly Part[],
  wanted: Wanted,
): Promise<RollupRow[]> {
  if (parts.length === 0) return [];
  const rows = await query(SQL[wanted], [checkpointId, ...columnsOf(parts)]);
  return rows.map((row) => ({
    start: Number(row[0]),
    operationType: row[1] ?? '',
    rollup: decodeRollup(row, 2),
  }));
}

function columnsOf(parts: readonly Part[]): unknown[] {
  return [
    parts.map(({ level }) => level),
    parts.map(({ from }) => timestamp(from)),
    parts.map(({ to }) => timestamp(to)),
  ];
}

/** The rows of these edges of the moment's spans, whatever their status. @throws the database's error */
export async function rollupsOfEdges(
  query: Query,
  table: WatchedTable,
  moment: Moment,
  edges: readonly Span[],
  wanted: Wanted,
): Promise<RawRollup[]> {
  if (edges.length === 0) return [];
  const spans = table.createdAtIndexed ? edges : await withIds(query, moment, edges);
  return rollupsOfTable(query, table, spans, wanted);
}

/** No id is between these. */
const NO_IDS = [1, 0] as const;

/** Without an index by time: the ids between which the rows of each edge are, as far as history knows of them. */
async function withIds(query: Query, moment: Moment, edges: readonly Span[]): Promise<RawSpan[]> {
  const known = edges.map((): { ids: number[]; rows: boolean } => ({ ids: [], rows: false }));
  const note = (place: number, ...ids: readonly unknown[]): void => {
    const one = known[place];
    if (!one) return;
    one.rows = true;
    for (const id of ids) if (id != null && Number.isSafeInteger(Number(id))) one.ids.push(Number(id));
  };
  const wholes = edges.map((edge) => wholePartsOf(edge, moment.minutesFrom));
  const parts = wholes.flatMap((some, place) => some.map((part) => ({ place, part })));
  const rows = await query(
    `SELECT part.place, min(r.id_min), max(r.id_max)
     FROM unnest($2::int2[], $3::timestamptz[], $4::timestamptz[], $5::int[]) part (level, since, before, place)
     JOIN sync_monitor.rollup r ON r.checkpoint_id = $1 AND r.level = part.level AND r.start >= part.since AND r.start < part.before
     GROUP BY part.place`,
    [moment.checkpointId, ...columnsOf(parts.map(({ part }) => part)), parts.map(({ place }) => place)],
  );
  for (const [place, min, max] of rows) note(Number(place), min, max);
  edges.forEach((edge, place) => {
    const whole = { from: wholes[place]?.at(0)?.from ?? edge.from, to: wholes[place]?.at(-1)?.to ?? edge.to };
    for (const { start, rollup } of moment.unflushed)
      if (start >= whole.from && start < whole.to) note(place, rollup.idMin, rollup.idMax);
    for (const { id, createdAt } of moment.pending)
      if (createdAt >= edge.from && createdAt < edge.to) note(place, id);
  });
  return edges.map((edge, place) => {
    const { ids, rows } = known[place] ?? { ids: [], rows: false };
    if (!rows) return { ...edge, ids: null };
    return { ...edge, ids: ids.length === 0 ? NO_IDS : [Math.min(...ids), Math.max(...ids)] };
  });
}

/** The finest periods that an edge touches. */
function wholePartsOf({ from, to }: Span, minutesFrom: number): Part[] {
  const parts: Part[] = [];
  const put = (level: Level, length: number, since: number, before: number): void => {
    if (since < before)
      parts.push({ level, from: startOf(level, since), to: startOf(level, before - 1) + length });
  };
  put(QUARTER_LEVEL, QUARTER_MS, from, Math.min(to, minutesFrom));
  put(MINUTE_LEVEL, MINUTE_MS, Math.max(from, minutesFrom), to);
  return parts;
}
