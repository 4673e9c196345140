/** The rows that the feed holds, as a value: each row of the table once, what happened last first. Pure. */
import type { BigId, SyncEvent } from '../../../../../streams/event.js';

export interface FeedRow extends SyncEvent {
  /** What it was before it last changed while the page looked on. */
  readonly previous_status?: string;
}

export interface EventList {
  readonly rows: readonly FeedRow[];
  /** Every row with this id or a higher one is here; digits, to be asked on from. Null: there are no older ones. */
  readonly before: string | null;
}

export const NO_ROWS: EventList = { rows: [], before: null };

export interface Put {
  readonly list: EventList;
  /** Events that match, whether they are still held or not. */
  readonly came: number;
}

/**
 * Adds what happened. A row that no longer matches after a change leaves the list.
 * @param events oldest first
 * @param most rows that are held; those that happened longest ago give way
 */
export function put(
  list: EventList,
  events: readonly FeedRow[],
  matches: (row: FeedRow) => boolean,
  most: number,
): Put {
  const changed = new Map<string, FeedRow | null>();
  let came = 0;
  for (const event of events) {
    const key = String(event.id);
    const fits = matches(event);
    if (fits) came += 1;
    // Deleted first: a Map keeps the place of a key that is set again.
    changed.delete(key);
    changed.set(key, fits ? event : null);
  }
  const fresh = [...changed.values()].filter((row) => row !== null).reverse();
  const rest = list.rows.filter(({ id }) => !changed.has(String(id)));
  return { list: bounded({ rows: [...fresh, ...rest], before: list.before }, most), came };
}

/** Adds a page of older rows; what is there already is at least as new. */
export function addOlder(list: EventList, older: EventList): EventList {
  const known = new Set(list.rows.map(({ id }) => String(id)));
  const added = older.rows.filter(({ id }) => !known.has(String(id)));
  return { rows: [...list.rows, ...added], before: older.before };
}

/** How many rows of a list have come into the table since the other was read, at least. */
export function newer(list: EventList, than: EventList): number {
  const highest = than.rows.reduce<bigint | null>((top, { id }) => {
    const value = BigInt(id);
    return top === null || value > top ? value : top;
  }, null);
  return list.rows.filter(({ id }) => highest === null || BigInt(id) > highest).length;
}

/** What gives way can be read again: `before` moves up to above it. */
function bounded(list: EventList, most: number): EventList {
  if (list.rows.length <= most) return list;
  let before = list.before === null ? null : BigInt(list.before);
  for (const { id } of list.rows.slice(most)) {
    const above = BigInt(id) + 1n;
    if (before === null || above > before) before = above;
  }
  return { rows: list.rows.slice(0, most), before: before === null ? null : String(before) };
}

/** The `before_id` that makes this row the first of a page. */
export function including(id: BigId): string {
  return String(BigInt(id) + 1n);
}
