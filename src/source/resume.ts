import type { CursorState } from '../../streams/checkpoint.js';
import type { Cursor } from '../../streams/cursor.js';
import { type BigId, PENDING, type SyncRow } from '../../streams/event.js';
import { identityOf, type Resumed, type SourceHistory } from './history-port.js';
import type { Look } from './look.js';
import { SLICE } from './pending.js';
import type { Reading } from './reading.js';
import { readByTime } from './start-scan.js';

/** What is taken over, before anything is read by it. */
export interface TakenOver {
  readonly state: CursorState;
  /** Undefined where history begins anew, and why. */
  readonly resumed: Resumed | undefined;
  readonly reason: string;
  /** S, and the transactions that may still commit ids up to it. */
  readonly s: number;
  readonly look: Look;
}

const MINUTE_MS = 60_000;
const STEP_MS = 5 * MINUTE_MS;
/** The hour's window wants its rows one by one, and room for its step. */
const SINGLE_MS = 65 * MINUTE_MS;
const WIDEST_MS = 24 * 60 * MINUTE_MS;

/**
 * Takes over what history holds; where it holds nothing for this table, or more than the table, it begins anew with S,
 * and a backfill reads what is below.
 */
export async function takeOver(reading: Reading, history: SourceHistory): Promise<TakenOver> {
  const s = await reading.position();
  const look = await reading.look();
  const identity = identityOf(look.epoch);
  const resumed = await history.open(identity);
  if (resumed && s >= resumed.state.high)
    return { state: resumed.state, resumed, reason: 'it is kept', s, look };
  const reason = resumed
    ? `the sequence stands at ${s}, and rows up to ${resumed.state.high} were read`
    : 'nothing is kept of this table';
  const state = { high: s, floor: s, holes: [], pending: [], ahead: [] };
  await history.begin(identity, state);
  return { state, resumed: undefined, reason, s, look };
}

/**
 * Fills the windows from what was taken over. Which rows are counted the checkpoint says; the others are read again, so
 * that none is lost and none counted twice: those that were open or pending here, the ids above `high` by the poll,
 * those below `floor` by the backfill.
 * @returns whether all rows that are pending are known, also those that the backfill has yet to meet
 */
export async function fillFrom(
  reading: Reading,
  { state, resumed }: TakenOver,
  cursor: Cursor,
): Promise<boolean> {
  reading.folded.reset(resumed ? 'window' : 'start');
  if (resumed) await fillWindows(reading, resumed, cursor);
  await readAgain(reading, state.pending, cursor);
  return cursor.floor === null || readPendingBelow(reading, cursor.floor);
}

/**
 * From minutes, and for the last hour from the rows themselves. The two come over different connections, so that the
 * server works on the one while the other is folded.
 */
async function fillWindows(reading: Reading, resumed: Resumed, cursor: Cursor): Promise<void> {
  const { folded, clock } = reading;
  const now = Math.floor(clock.now() / STEP_MS) * STEP_MS;
  const from = Math.floor((clock.now() - SINGLE_MS) / STEP_MS) * STEP_MS;
  const ends = await Promise.allSettled([
    (async () => {
      for await (const minutes of resumed.minutes(now - WIDEST_MS - STEP_MS, from)) folded.minutes(minutes);
    })(),
    readTail(reading, resumed, cursor, from),
  ]);
  // Only when both have ended: what still comes of the one must not be folded into the next try.
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

async function readTail(reading: Reading, resumed: Resumed, cursor: Cursor, from: number): Promise<void> {
  const { folded } = reading;
  const { state } = resumed;
  // Those that were pending are read by their ids.
  const apart = new Set<BigId>(state.pending);
  const take = (rows: readonly SyncRow[]) =>
    folded.rows(
      rows.filter((row) => row.createdAt >= from && !apart.has(row.id)),
      'window',
    );
  const counted = (rows: readonly SyncRow[]) => take(rows.filter(({ id }) => cursor.holds(id as number)));
  if (reading.table.createdAtIndexed)
    await reading.planned(() =>
      readByTime(reading, reading.statements.tailByTime, { high: state.high, from }, counted),
    );
  else await readById(reading, await resumed.firstId(from), state.high, counted);
  await readByIds(reading, state.ahead, take);
}

async function readById(
  reading: Reading,
  first: number | null,
  high: number,
  take: (rows: SyncRow[]) => void,
): Promise<void> {
  for (let after = (first ?? high + 1) - 1; after < high; ) {
    const size = reading.pageRows;
    const rows = await reading.rows(reading.statements.page, [after, high, size], 'csm_page');
    take(rows);
    after = rows.length < size ? high : (rows.at(-1)?.id as number);
  }
}

async function readByIds(
  reading: Reading,
  ids: readonly BigId[],
  take: (rows: SyncRow[]) => void,
): Promise<void> {
  for (let at = 0; at < ids.length; at += SLICE)
    take(await reading.rows(reading.statements.byIds, [ids.slice(at, at + SLICE)], 'csm_by_ids'));
}

/** What became of the rows that were pending: those that have settled are new to history. */
async function readAgain(reading: Reading, ids: readonly BigId[], cursor: Cursor): Promise<void> {
  const { folded } = reading;
  await readByIds(reading, ids, (rows) => {
    // Given ids beyond the sequence are met again by the poll.
    for (const { id } of rows) if (typeof id === 'string' || id > cursor.high) folded.ahead.add(id);
    const settled = rows.filter((row) => row.status !== PENDING);
    for (const { id } of settled) folded.settledEarly(id, cursor.floor);
    folded.rows(settled, 'start');
    folded.rows(
      rows.filter((row) => row.status === PENDING),
      'window',
    );
  });
}

/**
 * The pending rows of all time that the backfill has yet to meet: the queue is right from the start.
 * @returns false where they cannot be found, or not all of them: the backfill brings them
 */
async function readPendingBelow(reading: Reading, floor: number): Promise<boolean> {
  const { folded, statements, table } = reading;
  if (!table.statusIndexed) return false;
  return reading.planned(async () => {
    for (let after = Number.MIN_SAFE_INTEGER; !folded.pending.full; ) {
      const size = reading.pageRows;
      const rows = await reading.rows(statements.pending, [after, floor, size]);
      folded.rows(
        rows.filter(({ id }) => !folded.pending.has(id) && !folded.early.has(id as number)),
        'start',
      );
      if (rows.length < size) return true;
      after = rows.at(-1)?.id as number;
    }
    return false;
  });
}
