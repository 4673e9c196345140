/** What a period is made of, out of the database: whole periods from the rollups, and their ragged ends from the table. */
import type { Span } from '../../streams/event.js';
import type { Rollup, Tally } from '../../streams/rollup.js';
import { CellSums } from './cell-sums.js';
import { timestamp } from './checkpoint.js';
import { decodeRollup, ROLLUP_COLUMNS, STATUS_COLUMNS } from './codec.js';
import {
  type Cover,
  type Level,
  MINUTE_LEVEL,
  MINUTE_MS,
  type Part,
  QUARTER_LEVEL,
  QUARTER_MS,
  startOf,
} from './cover.js';
import type { Moment, WatchedTable } from './moment.js';
import { eachDurations } from './packing.js';
import { type RawRollup, type RawSpan, rollupsOfTable, type Wanted } from './raw.js';
import type { Query } from './table-query.js';

/** A part, and to which of the spans that are asked for it belongs. */
export interface PlacedPart extends Part {
  readonly place: number;
}

export interface PlacedRollup {
  /** Of the span. */
  readonly place: number;
  readonly operationType: string;
  /** Only what is wanted of it: durations or customers and details, and statuses in any case. */
  readonly rollup: Rollup;
}

/** All parts of these spans. */
export function placed(spans: readonly Cover[]): PlacedPart[] {
  return spans.flatMap(({ parts }, place) => parts.map((part) => ({ ...part, place })));
}

/** LATERAL, so that each part is one walk along the primary key. */
const ROWS_OF_PARTS = `FROM unnest($2::int2[], $3::timestamptz[], $4::timestamptz[], $5::int[]) part (level, since, before, place)
  CROSS JOIN LATERAL (SELECT * FROM sync_monitor.rollup WHERE checkpoint_id = $1
    AND level = part.level AND start >= part.since AND start < part.before OFFSET 0) r`;

/**
 * Added up by the database as far as it can: a day has more than a thousand rows, and to read as many here took longer
 * than anything else. Their histograms come one after the other, and are added up here.
 */
const OPERATIONS = `SELECT part.place, r.operation_type, ${STATUS_COLUMNS.map((name) => `sum(r.${name})`).join(', ')},
    json_agg(r.other_statuses) FILTER (WHERE r.other_statuses IS NOT NULL),
    sum(r.duration_count), sum(r.duration_sum), min(r.duration_min), max(r.duration_max), sum(r.duration_negative),
    encode(string_agg(r.durations, ''), 'base64')
  ${ROWS_OF_PARTS} GROUP BY 1, 2`;

const BUSINESS = `SELECT part.place, r.operation_type,
    ${ROLLUP_COLUMNS.map((column) => (column === 'durations' ? 'NULL' : `r.${column}`)).join(', ')}
  ${ROWS_OF_PARTS}`;

/** The rollups of these parts, at least one for each span and operation type that has any. @throws the database's error */
export async function rollupsOfParts(
  query: Query,
  checkpointId: number,
  parts: readonly PlacedPart[],
  wanted: Wanted,
): Promise<PlacedRollup[]> {
  if (parts.length === 0) return [];
  const values = [checkpointId, ...columnsOf(parts), parts.map(({ place }) => place)];
  const rows = await query(wanted === 'operations' ? OPERATIONS : BUSINESS, values);
  const cells = new CellSums();
  return rows.map((row) => ({
    place: Number(row[0]),
    operationType: row[1] ?? '',
    rollup: wanted === 'operations' ? summedRollup(row.slice(2), cells) : decodeRollup(row, 2),
  }));
}

function summedRollup(row: readonly (string | null)[], sums: CellSums): Rollup {
  const statuses = new Map<string, number>();
  const count = (name: string, rows: number): void => {
    if (rows > 0) statuses.set(name, (statuses.get(name) ?? 0) + rows);
  };
  STATUS_COLUMNS.forEach((name, i) => {
    count(name, Number(row[i]));
  });
  const [others, durationCount, durationSum, min, max, negative, encodings] = row.slice(
    STATUS_COLUMNS.length,
  );
  for (const other of JSON.parse(others ?? '[]') as Record<string, number>[])
    for (const [name, rows] of Object.entries(other)) count(name, rows);
  if (encodings != null)
    eachDurations(Buffer.from(encodings, 'base64'), (cells, counts, size) => sums.add(cells, counts, size));
  const { cells, counts } = sums.take();
  return {
    statuses,
    durationCount: Number(durationCount),
    durationSum: Number(durationSum),
    durationMin: min == null ? null : Number(min),
    durationMax: max == null ? null : Number(max),
    durationNegative: Number(negative),
    cells,
    cellCounts: counts,
    customers: NOBODY,
    sources: NOTHING,
    methods: NOTHING,
    adminMails: 0,
    idMin: null,
    idMax: null,
  };
}

const NOTHING: Tally = new Map();
const NOBODY = new BigInt64Array(0);

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
