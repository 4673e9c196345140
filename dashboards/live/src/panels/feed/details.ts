/** A row with all the rows of its correlation id. */
import type { EventPage } from '../../answers.js';
import { type FeedRow, including } from './list.js';

export interface Details {
  /** As the table has it now; null: it is not there. */
  readonly row: FeedRow | null;
  /** Oldest first; the row alone where it has no correlation id. */
  readonly timeline: readonly FeedRow[];
  /** There may be more: the server ends a search at a bound of rows or time. */
  readonly cut: boolean;
}

export type AskEvents = (params: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<EventPage>;

const MOST = '200';
/** Clocks of several writers differ by less, ms. */
const SKEW = 600_000;

interface Found {
  readonly rows: readonly FeedRow[];
  readonly cut: boolean;
}

/**
 * Of a huge table the whole is not searched: down from the row, once, and among those written since, each time anew.
 * @returns what gives the details of the row with an id
 */
export function createDetails(ask: AskEvents): (id: string, signal: AbortSignal) => Promise<Details> {
  let older: { readonly id: string; readonly found: Found } | null = null;
  const search = async (params: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Found> => {
    const { events, next_before_id } = await ask({ ...params, limit: MOST }, signal);
    return { rows: events, cut: next_before_id !== null };
  };
  return async (id, signal) => {
    const page = await ask({ before_id: including(id), limit: '1' }, signal);
    const row = page.events.find((one) => String(one.id) === id) ?? null;
    if (row === null) return { row, timeline: [], cut: false };
    const correlation = row.correlation_id ?? '';
    if (correlation === '') return { row, timeline: [row], cut: false };
    const of = { correlation_id: correlation };
    const since =
      row.created_at === null ? {} : { since: new Date(Date.parse(row.created_at) - SKEW).toISOString() };
    if (older?.id !== id) older = { id, found: await search({ ...of, before_id: including(id) }, signal) };
    const newer = await search({ ...of, ...since }, signal);
    const { found } = older;
    return { row, timeline: inOrder([...found.rows, ...newer.rows, row]), cut: found.cut || newer.cut };
  };
}

/** Each once, as it was found last, oldest first. */
export function inOrder(rows: readonly FeedRow[]): readonly FeedRow[] {
  const byId = new Map(rows.map((row) => [String(row.id), row]));
  const time = ({ created_at }: FeedRow): number =>
    created_at === null ? Number.POSITIVE_INFINITY : Date.parse(created_at);
  return [...byId.values()].sort((one, other) => {
    const [a, b] = [time(one), time(other)];
    if (a !== b) return a < b ? -1 : 1;
    return BigInt(one.id) < BigInt(other.id) ? -1 : 1;
  });
}
