import { setTimeout as sleep } from 'node:timers/promises';
import type { SyncRow } from '../../streams/event.js';
import { RangeSet } from '../../streams/ranges.js';
import type { Look } from './look.js';
import type { Reading } from './reading.js';

export interface StartScanResult {
  /** S of the scan: every id up to here is settled, but for what `late` may still bring. */
  readonly high: number;
  readonly look: Look;
  /** Transactions that were open when the scan began may still commit ids up to `high`. */
  readonly late: LateScan | undefined;
}

/** How long short transactions are given to end before the scan begins. */
const PATIENCE_MS = 1_000;
/** Rows of one block where no index leads with created_at; rows and not ids: a sequence may stand far ahead. */
const BLOCK_ROWS = 50_000;
/** Later than this no window of this process will slide, and float8 stops holding microseconds. ms. */
export const FAR_FUTURE = 8_000_000_000_000;

/**
 * Fills the windows from the table: the rows of the last `historyMs` and the pending rows of all time, in pages, so
 * that no lock and no snapshot of ours is held for long.
 *
 * S is read first, then the holders: when those have ended, every id up to S is decided before the first page is read,
 * and the pages together see each row once. Only those that outlast our patience leave a late scan behind.
 */
export async function startScan(reading: Reading, historyMs: number): Promise<StartScanResult> {
  const { folded } = reading;
  const high = await reading.position();
  const since = reading.clock.now();
  let look = await reading.look();
  let holders = look.holders;
  for (const until = performance.now() + PATIENCE_MS; holders.size > 0 && performance.now() < until; ) {
    await sleep(20);
    look = await reading.look();
    holders = intersection(holders, look.holders);
  }
  folded.reset('start');
  const from = since - historyMs;
  const seen = holders.size > 0 ? new RangeSet() : undefined;
  const take = (rows: SyncRow[]) => {
    if (seen) for (const row of rows) seen.add(row.id as number, row.id as number); // <= S: a number
    folded.rows(rows, 'start');
  };
  await readRecent(reading, high, from, take);
  const late = seen ? new LateScan(reading, { high, from, seen, holders, since }) : undefined;
  return { high, look, late };
}

/** The recent rows and the pending ones of all time. */
function readRecent(
  reading: Reading,
  high: number,
  from: number,
  take: (rows: SyncRow[]) => void,
): Promise<void> {
  return reading.planned(() => readPages(reading, high, from, take));
}

/** Pending rows of any age first, then the recent ones that were not pending: one read as both is taken once. */
async function readPages(
  reading: Reading,
  high: number,
  from: number,
  take: (rows: SyncRow[]) => void,
): Promise<void> {
  const { link, statements, table, folded } = reading;
  if (!table.createdAtIndexed || !table.statusIndexed) {
    for (let after = Number.MIN_SAFE_INTEGER; ; ) {
      const [end] = await link.query(statements.blockEnd, [after, high, BLOCK_ROWS]);
      if (end?.[0] == null) return;
      take(await reading.rows(statements.recentById, [after, end[0], from / 1000]));
      after = Number(end[0]);
    }
  }
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const size = reading.pageRows;
    const rows = await reading.rows(statements.pending, [after, high, size]);
    take(rows);
    if (rows.length < size) break;
    after = rows.at(-1)?.id as number;
  }
  await readByTime(reading, statements.recentByTime, { high, from }, (rows) =>
    take(rows.filter((row) => !folded.pending.has(row.id))),
  );
}

/** All pages of `recentByTime` or `tailByTime`. */
export async function readByTime(
  reading: Reading,
  statement: string,
  { high, from }: { high: number; from: number },
  take: (rows: SyncRow[]) => void,
): Promise<void> {
  let place = { createdAt: from, id: Number.MIN_SAFE_INTEGER };
  for (;;) {
    const size = reading.pageRows;
    const rows = await reading.rows(statement, [place.createdAt / 1000, place.id, high, size]);
    take(rows);
    const last = rows.at(-1);
    if (!last || rows.length < size || last.createdAt > FAR_FUTURE) break;
    place = { createdAt: last.createdAt, id: last.id as number };
  }
}

/**
 * The rows that transactions open at the start commit later, with ids up to the start's S. There are no holes to
 * re-read (the scan reads by time, not by id), so the scan is repeated when one of them has ended, and what it had
 * seen is skipped.
 */
export class LateScan {
  readonly #reading: Reading;
  readonly #high: number;
  readonly #from: number;
  readonly #seen: RangeSet;
  #holders: ReadonlySet<string>;
  /** A holder ended and the scan after it did not finish yet. */
  #due = false;
  /** Database clock, ms. */
  readonly since: number;

  constructor(
    reading: Reading,
    state: { high: number; from: number; seen: RangeSet; holders: ReadonlySet<string>; since: number },
  ) {
    this.#reading = reading;
    this.#high = state.high;
    this.#from = state.from;
    this.#seen = state.seen;
    this.#holders = state.holders;
    this.since = state.since;
  }

  /** Scans again where a holder has ended. @returns true when none is left and all is read. */
  async check(holders: ReadonlySet<string>): Promise<boolean> {
    const remaining = intersection(this.#holders, holders);
    if (remaining.size < this.#holders.size) this.#due = true;
    this.#holders = remaining;
    if (this.#due) {
      await readRecent(this.#reading, this.#high, this.#from, (rows) => {
        const fresh = rows.filter((row) => !this.#seen.has(row.id as number));
        for (const row of fresh) this.#seen.add(row.id as number, row.id as number);
        this.#reading.folded.rows(fresh, 'live'); // committed while we watch
      });
      this.#due = false;
    }
    return this.#holders.size === 0;
  }
}

function intersection(a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> {
  const both = new Set<string>();
  for (const one of a) if (b.has(one)) both.add(one);
  return both;
}
