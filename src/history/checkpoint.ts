/** The row of sync_monitor.checkpoint: which rows are in history, and from when on it is kept. */
import type { CursorState } from '../../streams/checkpoint.js';
import type { BigId } from '../../streams/event.js';
import { type Range, RangeSet } from '../../streams/ranges.js';
import type { UnknownNames } from '../../streams/vocabulary.js';
import { DAY_LEVEL, DAY_MS, QUARTER_LEVEL, startOf } from './cover.js';
import type { Db } from './db.js';

export interface Checkpoint {
  readonly id: number;
  readonly identity: string;
  readonly leader: string;
  readonly flushNo: number;
  /** ms, as all times here. */
  readonly flushedAt: number;
  readonly state: CursorState;
  readonly names: Partial<UnknownNames>;
  readonly minutesFrom: number;
  readonly rollupsFrom: number;
  /** The owner has deleted what is older; null: all that was ever written is there. */
  readonly rawFrom: number | null;
}

const COLUMNS = `id, identity, leader, flush_no, ${ms('flushed_at')}, high, floor, holes, pending, ahead, names,
  ${ms('minutes_from')}, ${ms('rollups_from')}, ${ms('raw_from')}`;

/** SQL: a timestamptz as whole ms of the epoch. */
export function ms(column: string): string {
  return `floor(extract(epoch FROM ${column}) * 1000)::int8`;
}

/** For a parameter of type timestamptz. */
export function timestamp(at: number): string {
  return new Date(at).toISOString();
}

/**
 * Makes `leader` the one who writes what is kept of a table, once the one before has ended its transaction.
 * @returns what is there; undefined, and nothing is changed, where there is nothing for this identity
 */
export async function takeCheckpoint(
  db: Db,
  tableName: string,
  identity: string,
  leader: string,
): Promise<Checkpoint | undefined> {
  const [row] = await db.query(
    `UPDATE sync_monitor.checkpoint SET leader = $3 WHERE table_name = $1 AND identity = $2 RETURNING ${COLUMNS}`,
    [tableName, identity, leader],
  );
  if (!row) return undefined;
  const number = (at: number) => (row[at] == null ? null : Number(row[at]));
  return {
    id: Number(row[0]),
    identity: row[1] ?? '',
    leader: row[2] ?? '',
    flushNo: Number(row[3]),
    flushedAt: Number(row[4]),
    state: {
      high: Number(row[5]),
      floor: number(6),
      holes: holesOf(row[7] ?? ''),
      pending: idsOf(row[8] ?? ''),
      ahead: [...(row[9] ?? '').matchAll(/-?\d+/g)].map(([digits]) => toId(digits)),
    },
    names: JSON.parse(row[10] ?? '{}'),
    minutesFrom: Number(row[11]),
    rollupsFrom: Number(row[12]),
    rawFrom: number(13),
  };
}

/** Locks a checkpoint until the end of the transaction; undefined where it is gone. */
export async function lockCheckpoint(
  db: Db,
  id: number,
): Promise<Pick<Checkpoint, 'leader' | 'flushNo' | 'minutesFrom' | 'rollupsFrom'> | undefined> {
  const [row] = await db.query(
    `SELECT leader, flush_no, ${ms('minutes_from')}, ${ms('rollups_from')} FROM sync_monitor.checkpoint WHERE id = $1 FOR UPDATE`,
    [id],
  );
  return (
    row && {
      leader: row[0] ?? '',
      flushNo: Number(row[1]),
      minutesFrom: Number(row[2]),
      rollupsFrom: Number(row[3]),
    }
  );
}

/** Puts a new one in the place of what is there for this table. @returns its id */
export async function replaceCheckpoint(
  db: Db,
  one: Pick<Checkpoint, 'identity' | 'leader' | 'state' | 'minutesFrom' | 'rollupsFrom'> & {
    readonly tableName: string;
    readonly names: UnknownNames;
  },
): Promise<number> {
  // Nobody may go on with the old one. It has many rows, which retention drops.
  await db.query(
    'UPDATE sync_monitor.checkpoint SET table_name = NULL, leader = gen_random_uuid() WHERE table_name = $1',
    [one.tableName],
  );
  const [row] = await db.query(
    `INSERT INTO sync_monitor.checkpoint
       (table_name, identity, leader, minutes_from, rollups_from, high, floor, holes, pending, ahead, names)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id`,
    [
      one.tableName,
      one.identity,
      one.leader,
      timestamp(one.minutesFrom),
      timestamp(one.rollupsFrom),
      ...stateValues(one.state, one.names),
    ],
  );
  return Number(row?.[0]);
}

/** Moves the cursor. @param before what is there: what has not changed is not written, for it may be long */
export async function moveCheckpoint(
  db: Db,
  to: Pick<Checkpoint, 'id' | 'flushNo' | 'state'> & { readonly names: UnknownNames },
  before: CursorState | undefined,
): Promise<void> {
  await db.query(
    `UPDATE sync_monitor.checkpoint SET flush_no = $2, flushed_at = clock_timestamp(), high = $3, floor = $4,
       holes = coalesce($5, holes), pending = coalesce($6, pending), ahead = coalesce($7, ahead), names = $8
     WHERE id = $1`,
    [to.id, to.flushNo, ...stateValues(to.state, to.names, before)],
  );
}

export const MINUTES_KEPT_DAYS = 35;

/** From when on history is kept, where it begins or is cut off now; ms. */
export function keptSince(now: number, retentionDays: number): { minutesFrom: number; rollupsFrom: number } {
  const rollupsFrom = startOf(DAY_LEVEL, now - retentionDays * DAY_MS);
  const minutesFrom = startOf(QUARTER_LEVEL, now - MINUTES_KEPT_DAYS * DAY_MS);
  return { minutesFrom: Math.max(minutesFrom, rollupsFrom), rollupsFrom };
}

function stateValues(state: CursorState, names: UnknownNames, before?: CursorState): (string | null)[] {
  const { high, floor, holes, pending, ahead } = state;
  return [
    String(high),
    floor === null ? null : String(floor),
    before && sameHoles(holes, before.holes) ? null : multirangeOf(holes),
    before && sameIds(pending, before.pending) ? null : multirangeOf(rangesOf(pending)),
    before && sameIds(ahead, before.ahead) ? null : `{${ahead.join(',')}}`,
    JSON.stringify(names),
  ];
}

export function sameState(a: CursorState, b: CursorState): boolean {
  return (
    a.high === b.high &&
    a.floor === b.floor &&
    sameHoles(a.holes, b.holes) &&
    sameIds(a.pending, b.pending) &&
    sameIds(a.ahead, b.ahead)
  );
}

function sameIds(a: readonly BigId[], b: readonly BigId[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}

function sameHoles(a: readonly Range[], b: readonly Range[]): boolean {
  return a.length === b.length && a.every(([from, to], i) => from === b[i]?.[0] && to === b[i]?.[1]);
}

const INT64_MAX = 2n ** 63n - 1n;

/** PostgreSQL makes the upper bound exclusive, and the largest bigint has no successor. */
function multirangeOf(ranges: Iterable<readonly [BigId | bigint, BigId | bigint]>): string {
  const parts: string[] = [];
  for (const [from, to] of ranges)
    parts.push(`[${from},${String(to) === String(INT64_MAX) ? ')' : `${to}]`}`);
  return `{${parts.join(',')}}`;
}

function rangesOf(ids: readonly BigId[]): (readonly [bigint | number, bigint | number])[] {
  const small = new RangeSet();
  const big: [bigint, bigint][] = [];
  for (const id of ids.filter((one) => typeof one === 'number').toSorted((a, b) => a - b)) small.add(id, id);
  for (const id of ids) if (typeof id !== 'number') big.push([BigInt(id), BigInt(id)]);
  return [...small, ...big];
}

/** `{[1,3),[7,)}` in PostgreSQL's own form: lower bound inclusive, upper exclusive. */
function* boundsOf(multirange: string): Generator<[bigint, bigint]> {
  for (const [, from, to] of multirange.matchAll(/\[(-?\d+),(-?\d*)\)/g))
    yield [BigInt(from as string), to ? BigInt(to) - 1n : INT64_MAX]; // both groups are in every match
}

function holesOf(multirange: string): Range[] {
  return Array.from(boundsOf(multirange), ([from, to]) => [Number(from), Number(to)]);
}

function idsOf(multirange: string): BigId[] {
  const ids: BigId[] = [];
  for (const [from, to] of boundsOf(multirange))
    for (let id = from; id <= to; id++) ids.push(toId(String(id)));
  return ids;
}

function toId(digits: string): BigId {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : digits;
}
