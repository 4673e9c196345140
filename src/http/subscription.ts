/**
 * What one client asked for: a message is read into a Subscription, or into a fault that names itself.
 */
import type { FeedEvent } from '../../streams/event.js';
import { type EventFilterMessage, subscribeMessage, type Topic } from './messages.js';
import type { FeedPosition } from './view.js';

export interface Subscription {
  readonly topics: ReadonlySet<Topic>;
  /** Undefined: every event. */
  readonly filter: EventFilter | undefined;
  readonly since: FeedPosition | undefined;
}

/** A filter by the event's new state; `key` is equal for equal filters, so that their frames can be shared. */
export interface EventFilter {
  readonly key: string;
  matches(event: FeedEvent): boolean;
}

export interface Fault {
  readonly code: string;
  readonly message: string;
}

/** One predicate for all that a filter says; undefined where it says nothing. */
export function createFilter(message: EventFilterMessage | undefined): EventFilter | undefined {
  if (message === undefined) return undefined;
  const types = message.operation_types === undefined ? undefined : new Set(message.operation_types);
  const statuses = message.statuses === undefined ? undefined : new Set(message.statuses);
  const correlationId = message.correlation_id;
  // An id is a number or, beyond 2^53, its digits: compare the digits.
  const customerId = message.customer_id === undefined ? undefined : String(message.customer_id);
  if (
    types === undefined &&
    statuses === undefined &&
    correlationId === undefined &&
    customerId === undefined
  ) {
    return undefined;
  }
  const sorted = (values: Set<string> | undefined): string[] | null =>
    values === undefined ? null : [...values].sort();
  return {
    key: JSON.stringify([sorted(types), sorted(statuses), correlationId ?? null, customerId ?? null]),
    matches: (event) =>
      (types === undefined || types.has(event.operation_type)) &&
      (statuses === undefined || statuses.has(event.status)) &&
      (correlationId === undefined || event.correlation_id === correlationId) &&
      (customerId === undefined || (event.customer_id !== null && String(event.customer_id) === customerId)),
  };
}

const excerpt = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
};

/** Reads a client's message; never throws. */
export function readMessage(text: string): Subscription | Fault {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { code: 'invalid_json', message: `The message is no JSON: ${excerpt(text)}.` };
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return { code: 'invalid_message', message: `A message must be a JSON object, this is ${excerpt(json)}.` };
  }
  const type = 'type' in json ? json.type : undefined;
  if (type !== 'subscribe') {
    return {
      code: 'unknown_type',
      message: `The message's "type" is ${excerpt(type)}; the only one a client may send is "subscribe".`,
    };
  }
  const result = subscribeMessage.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0];
    const place = issue === undefined || issue.path.length === 0 ? '' : ` in "${issue.path.join('.')}"`;
    return {
      code: 'invalid_subscription',
      message: `The subscription is not valid${place}: ${excerptText(issue?.message ?? 'unknown fault')}.`,
    };
  }
  const { topics, filter, since } = result.data;
  return { topics: new Set(topics), filter: createFilter(filter), since };
}

// Messages of the validator quote what was sent, which can be the whole 16 KiB.
const excerptText = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}...` : text);
