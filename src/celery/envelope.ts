/**
 * Messages as kombu puts them on Redis: JSON around a body that is JSON in base64.
 * Source: kombu/transport/virtual/base.py (Channel.prepare_message) and kombu/pidbox.py of kombu 5.2.
 */
import { randomUUID } from 'node:crypto';

/** A worker sends at most 24 events at once; a larger message is not worth the time to read. UTF-16 units. */
export const MESSAGE_LIMIT = 4 * 1024 * 1024;

/** The body of a message; null where it cannot be read (another serializer, too large, or no message of kombu). */
export function bodyOf(message: string): unknown {
  if (message.length > MESSAGE_LIMIT) return null;
  try {
    const { body, properties } = JSON.parse(message) as {
      readonly body?: unknown;
      readonly properties?: { readonly body_encoding?: unknown };
    };
    if (typeof body !== 'string') return null;
    const text = properties?.body_encoding === 'base64' ? Buffer.from(body, 'base64').toString('utf8') : body;
    return JSON.parse(text) ?? null;
  } catch {
    // Anybody may publish anything; the caller counts it.
    return null;
  }
}

export interface Broadcast {
  /** celery.pidbox */
  readonly exchange: string;
  readonly method: string;
  readonly replyTo: { readonly exchange: string; readonly routingKey: string };
  readonly ticket: string;
}

/** A remote control command for all workers, as `celery inspect` sends it. */
export function broadcastMessage({ exchange, method, replyTo, ticket }: Broadcast): string {
  const body = {
    ...{ method, arguments: {}, destination: null, pattern: null, matcher: null, ticket },
    reply_to: { exchange: replyTo.exchange, routing_key: replyTo.routingKey },
  };
  return JSON.stringify({
    body: Buffer.from(JSON.stringify(body)).toString('base64'),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    // Never: it would be compared with the worker's clock, and an answer that comes too late finds no queue anyway.
    headers: { clock: 1, expires: 0 },
    properties: {
      delivery_mode: 2,
      delivery_info: { exchange, routing_key: '' },
      priority: 0,
      body_encoding: 'base64',
      delivery_tag: randomUUID(),
    },
  });
}
