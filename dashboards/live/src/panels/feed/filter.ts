/** One filter in its three forms: for the subscription, for the API, and for what only the page can tell. Pure. */
import type { SyncEvent } from '../../../../../streams/event.js';
import type { SubscribeFilter } from '../../messages.js';
import type { FeedFilter } from '../../view.js';

const PENDING = 'pending';

/**
 * What the server need not send. A filter that shows waiting rows asks for all statuses: the server goes by the new one,
 * and the page would never hear that a row does not wait any more.
 */
export function subscribeFilter({ types, statuses, correlation, customer }: FeedFilter): SubscribeFilter {
  return {
    ...(types.length > 0 && { operation_types: types }),
    ...(statuses.length > 0 && !statuses.includes(PENDING) && { statuses }),
    ...(correlation !== '' && { correlation_id: correlation }),
    ...(customer !== '' && { customer_id: customer }),
  };
}

/** @param before null: the newest */
export function eventsQuery(
  { types, statuses, correlation, customer }: FeedFilter,
  before: string | null,
  limit: number,
): Record<string, string> {
  return {
    ...(types.length > 0 && { type: types.join(',') }),
    ...(statuses.length > 0 && { status: statuses.join(',') }),
    ...(correlation !== '' && { correlation_id: correlation }),
    ...(customer !== '' && { customer_id: customer }),
    ...(before !== null && { before_id: before }),
    limit: String(limit),
  };
}

/** Whether a row passes all of it; the text is looked for in the masked message, whatever its case. */
export function matcher(filter: FeedFilter): (row: SyncEvent) => boolean {
  const types = new Set(filter.types);
  const statuses = new Set(filter.statuses);
  const customer = filter.customer === '' ? null : String(BigInt(filter.customer));
  const text = filter.text.toLowerCase();
  return (row) =>
    (types.size === 0 || types.has(row.operation_type)) &&
    (statuses.size === 0 || statuses.has(row.status)) &&
    (filter.correlation === '' || row.correlation_id === filter.correlation) &&
    (customer === null || (row.customer_id !== null && String(row.customer_id) === customer)) &&
    (text === '' || (row.error_message?.toLowerCase().includes(text) ?? false));
}

export function isFiltered(filter: FeedFilter): boolean {
  return Object.values(filter).some((condition) => condition.length > 0);
}

/** The same list with a word more, or without it. */
export function toggled(words: readonly string[], word: string): readonly string[] {
  return words.includes(word) ? words.filter((one) => one !== word) : [...words, word];
}
