import type { Cursor } from '../../streams/cursor.js';
import type { SyncRow } from '../../streams/event.js';
import { decodeRow } from './decode.js';
import type { Reading } from './reading.js';

type Raw = (string | null)[][];

/** A quiet poll brings at most this many rows with S; what is more comes in pages. */
const QUIET_ROWS = 500;
/** Then the caller has a turn: locks, pending rows and the bell are looked at under a backlog too. */
const MAX_PAGES = 8;

/** Holes are asked for with each poll for this long; what stays open longer waits for its holder to leave. ms. */
const RECENT_MS = 250;
const RECENT_HOLES = { width: 100, ids: 500 };

/**
 * Reads rows up to S. @returns how many rows came, and whether it stopped with more to read at once.
 * @throws ResetNeededError when the sequence went backwards
 */
export async function poll(reading: Reading, cursor: Cursor): Promise<{ rows: number; more: boolean }> {
  const polled = await ask(reading, cursor);
  const [s, now] = (polled[0] ?? []).map(Number) as [number, number]; // the sequence always has a row
  reading.clock.set(now * 1000);
  reading.reached(s);
  const before = cursor.high;
  const rows = polled.filter((columns) => columns[2] !== null);
  const fresh = rows.filter((columns) => Number(columns[2]) > before);
  let read = fill(
    reading,
    cursor,
    rows.filter((columns) => Number(columns[2]) <= before),
  );
  if (fresh.length === 0) {
    cursor.pulled(s, []);
    reading.folded.ahead.passed(s);
    return { rows: read, more: false };
  }
  let full = fresh.length >= QUIET_ROWS;
  read += take(reading, cursor, fresh, { at: 2, s, full });
  for (let pages = 0; full && pages < MAX_PAGES; pages++) {
    const size = reading.pageRows;
    const page = await reading.link.query(reading.statements.page, [cursor.high, s, size], 'csm_page');
    full = page.length >= size;
    read += take(reading, cursor, page, { at: 0, s, full });
  }
  return { rows: read, more: cursor.high < s };
}

/** Holes of the last moments are asked for along with what is new: a look is rationed, and comes later. */
function ask({ link, clock, statements }: Reading, cursor: Cursor): Promise<Raw> {
  const holes = cursor.recentHoles(clock.now() - RECENT_MS, RECENT_HOLES);
  const values = [cursor.high, QUIET_ROWS];
  if (holes.length === 0) return link.query(statements.poll, values, 'csm_poll');
  const [from, to] = [holes.map(([first]) => first), holes.map(([, last]) => last)];
  return link.query(statements.pollAgain, [...values, from, to], 'csm_poll_again');
}

/** Folds what is new. `full`: there may be more behind the last of it. */
function take(
  { folded }: Reading,
  cursor: Cursor,
  raw: Raw,
  { at, s, full }: { at: number; s: number; full: boolean },
): number {
  const before: SyncRow[] = [];
  const live: SyncRow[] = [];
  const ids: number[] = [];
  for (const columns of raw) {
    const row = decodeRow(columns, at);
    const id = row.id as number; // <= S, which discovery proved to be a safe integer
    ids.push(id);
    if (!folded.ahead.has(id)) (id > folded.startUpTo ? live : before).push(row);
  }
  cursor.pulled(full ? (ids.at(-1) ?? s) : s, ids);
  folded.ahead.passed(cursor.high);
  folded.rows(before, 'start');
  folded.rows(live, 'live');
  return before.length + live.length;
}

function fill({ folded }: Reading, cursor: Cursor, raw: Raw): number {
  const rows = raw.map((columns) => decodeRow(columns, 2));
  const ids = rows.map((row) => row.id as number);
  cursor.filled(ids);
  folded.readElsewhere(ids);
  folded.rows(rows, folded.restored ? 'start' : 'live');
  return rows.length;
}
