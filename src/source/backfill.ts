import type { Cursor } from '../../streams/cursor.js';
import { PENDING, type SyncRow } from '../../streams/event.js';
import type { BackfillState } from '../../streams/source-state.js';
import type { Reading } from './reading.js';
import { FAR_FUTURE } from './start-scan.js';

export interface BackfillOptions {
  /** Transactions that may still commit an id of those to be read; read after S. */
  readonly holders: ReadonlySet<string>;
  /** Database time of that look, ms. */
  readonly since: number;
  /** Milliseconds of history that the windows need. */
  readonly historyMs: number;
  readonly rowsPerSecond: number;
  /** Too much is waiting to be flushed. */
  readonly full: () => boolean;
}

const HOUR_MS = 3_600_000;
/** A page is at most what may be read in this time: live rows come between. ms. */
const PAGE_MS = 100;
/** What looking for the smallest recent id may add to a page; but one hour at least. ms. */
const RECENT_MS = 20;
/** When there is too much to be flushed, it asks again after this. ms. */
const FULL_MS = 15;
/** The speed that is shown is that of so many seconds. */
const SPEED_SECONDS = 10;

/** The next page is asked for at once when it would be soon. ms. */
const SOON_MS = 10;

/** A page that is on its way. */
interface Asked {
  readonly page: Promise<SyncRow[]>;
  readonly size: number;
  readonly lean: boolean;
  /** When it was asked for: those of a look since then may have left before it. */
  readonly holders: ReadonlySet<string>;
}

/**
 * Reads what was there before the first start, newest first, page by page between the rounds of the live rows. What a
 * page does not find may yet be committed by a transaction that was open at the start: such holes wait for its end, in
 * the cursor. The floor goes down with every page, so that a restart goes on where this one stopped.
 */
export class Backfill {
  /** The pending rows of all time have been read. */
  pendingKnown = false;
  readonly #reading: Reading;
  readonly #cursor: Cursor;
  readonly #options: BackfillOptions;
  /** The id from which on downwards all is read. */
  readonly #top: number;
  /** The floor when this process began. */
  readonly #startedAt: number;
  #holders: ReadonlySet<string>;
  #asked: Asked | undefined;
  #dueAt = performance.now();
  #rows = 0;
  /** Where the ids begin, once known. */
  #bottom: number | null = null;
  /** Hours in which the smallest recent id has not been looked for, ms. */
  readonly #hours: (readonly [from: number, to: number])[] = [];
  #smallestRecent = Number.POSITIVE_INFINITY;
  /** Monotonic ms and rows read by then, a second apart. */
  readonly #speed: { at: number; rows: number }[] = [];

  constructor(reading: Reading, cursor: Cursor, options: BackfillOptions) {
    this.#reading = reading;
    this.#cursor = cursor;
    this.#top = cursor.high;
    this.#startedAt = cursor.floor ?? cursor.high;
    this.#options = options;
    this.#holders = options.holders;
    const { historyMs, since } = options;
    if (reading.table.createdAtIndexed)
      for (let from = since - historyMs; from < since; from += HOUR_MS)
        this.#hours.push([from, from + HOUR_MS >= since ? FAR_FUTURE : from + HOUR_MS]);
  }

  /** Rows read by this process. */
  get rows(): number {
    return this.#rows;
  }

  /** The holders of a look that was made before the next page. */
  looked(holders: ReadonlySet<string>): void {
    if (this.#holders.size === 0) return;
    this.#holders = new Set([...this.#holders].filter((holder) => holders.has(holder)));
  }

  /** ms until the next page. */
  get dueIn(): number {
    const due = Math.max(0, this.#dueAt - performance.now());
    return this.#options.full() ? Math.max(due, FULL_MS) : due;
  }

  /** Reads a page; the next one is on its way while this one is folded, where there is no need to wait for it. */
  async step(): Promise<void> {
    const cursor = this.#cursor;
    const { floor } = cursor;
    if (floor === null) return;
    const { link, statements, folded } = this.#reading;
    this.#bottom ??= Number((await link.query(statements.firstId))[0]?.[0] ?? floor);
    await this.#lookForRecent();
    const asked = this.#asked ?? this.#ask(floor);
    this.#asked = undefined;
    const page = await asked.page;
    const ids = page.map((row) => row.id as number); // <= S
    const next = page.length < asked.size ? null : (ids.at(-1) ?? floor) - 1;
    // Not those that were read first because they are pending, or were.
    const rows = page.filter(({ id }) => !folded.early.has(id as number) && !folded.pending.has(id));
    const whole = asked.lean ? await this.#whole(rows) : rows;
    this.#count(page.length);
    if (next !== null && this.dueIn < SOON_MS) this.#asked = this.#ask(next);
    for (const id of ids) folded.early.delete(id);
    if (next === null) folded.early.clear();
    cursor.pulledDown(next, ids, asked.holders, this.#options.since);
    folded.readElsewhere(ids);
    folded.rows(whole, 'start');
  }

  /** The page that is on its way was asked for before there was all that it should bring. */
  askAgain(): void {
    this.#asked = undefined;
  }

  #ask(floor: number): Asked {
    const { statements, pageRows } = this.#reading;
    const size = Math.max(1, Math.min(pageRows, Math.round((this.#options.rowsPerSecond * PAGE_MS) / 1000)));
    const lean = this.#hours.length === 0 && floor < this.#smallestRecent;
    const page = lean
      ? this.#reading.counted(statements.pageDownLean, [floor, size], 'csm_page_down_lean')
      : this.#reading.rows(statements.pageDown, [floor, size], 'csm_page_down');
    // Where it fails before anybody waits for it, whoever waits next is told.
    page.catch(() => undefined);
    return { page, size, lean, holders: this.#holders };
  }

  /** Pending rows will be shown when they settle, and have to be known as they are. */
  async #whole(rows: readonly SyncRow[]): Promise<readonly SyncRow[]> {
    const pending = rows.filter((row) => row.status === PENDING).map((row) => row.id);
    if (pending.length === 0) return rows;
    const again = await this.#reading.rows(this.#reading.statements.byIds, [pending], 'csm_by_ids');
    return [...rows.filter((row) => row.status !== PENDING), ...again];
  }

  /** All rows of the windows, and all that are pending, have been read. */
  get windowsFilled(): boolean {
    const { floor } = this.#cursor;
    if (floor === null) return true;
    const known = this.pendingKnown && this.#reading.table.createdAtIndexed && this.#hours.length === 0;
    return known && floor < this.#smallestRecent;
  }

  state(): BackfillState {
    const top = this.#top;
    const bottom = this.#bottom ?? top;
    const floor = this.#cursor.floor ?? bottom - 1;
    const left = Math.max(0, floor - bottom + 1);
    const percent = top < bottom ? 0 : Math.min(100, (100 * (top - floor)) / (top - bottom + 1));
    // As many rows to an id below as above.
    const read = this.#startedAt - floor;
    const total = read > 0 ? Math.round(this.#rows + (this.#rows * left) / read) : null;
    const [oldest, newest] = [this.#speed[0], this.#speed.at(-1)];
    const seconds = oldest && newest ? (newest.at - oldest.at) / 1000 : 0;
    const rowsPerSecond = oldest && newest && seconds > 0 ? (newest.rows - oldest.rows) / seconds : 0;
    const secondsLeft = total === null || rowsPerSecond <= 0 ? null : (total - this.#rows) / rowsPerSecond;
    return { percent, rows: this.#rows, total, rowsPerSecond, secondsLeft };
  }

  #count(rows: number): void {
    const now = performance.now();
    this.#rows += rows;
    // Not faster later for what was not read meanwhile.
    this.#dueAt = Math.max(this.#dueAt, now - PAGE_MS) + (1000 * rows) / this.#options.rowsPerSecond;
    const newest = this.#speed.at(-1);
    if (newest && now - newest.at < 1_000) return;
    this.#speed.push({ at: now, rows: this.#rows });
    if (this.#speed.length > SPEED_SECONDS + 1) this.#speed.shift();
  }

  /** The smallest id of the last day, hour by hour: a day of a busy portal would take too long at once. */
  async #lookForRecent(): Promise<void> {
    const { link, statements } = this.#reading;
    for (const until = performance.now() + RECENT_MS; performance.now() < until; this.#hours.shift()) {
      const hour = this.#hours[0];
      if (!hour) return;
      const [found] = await link.query(statements.firstIdBetween, [hour[0] / 1000, hour[1] / 1000]);
      if (found?.[0] != null) this.#smallestRecent = Math.min(this.#smallestRecent, Number(found[0]));
    }
  }
}
