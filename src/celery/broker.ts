/** Where Celery's broker is, and how its transport (kombu on Redis) names what it puts there. */
import { Redis } from 'ioredis';
import { backoff } from '../../streams/backoff.js';

/** A question that takes longer has no answer. ms */
const PATIENCE_MS = 5_000;
const PAUSES = { firstMs: 100, longestMs: 5_000 };

export interface Broker {
  /** For words: never with user or password. */
  readonly host: string;
  /** Patterns of the channels of events: `task.*`, `worker.*`, and all in one where fanout_patterns is off. */
  readonly eventChannels: readonly string[];
  /** The channel of remote control, and where its answers are looked for. */
  readonly control: { readonly channel: string; readonly exchange: string; readonly replies: string };
  /** A new connection that comes back for ever by itself. */
  connect(): Redis;
}

/** Between the parts of a name (kombu/transport/redis.py, Channel.sep). */
export const SEPARATOR = '\x06\x16';

/** The key of the bindings of an exchange (Channel.keyprefix_queue). */
export function bindingsOf(exchange: string): string {
  return `_kombu.binding.${exchange}`;
}

/** @param url redis:// or rediss://, as Celery has it, its `ssl_cert_reqs` included */
export function brokerAt(url: string): Broker {
  const parsed = new URL(url);
  const db = /^\/(\d+)$/.exec(parsed.pathname)?.[1] ?? '0';
  const unchecked = /^(cert_)?none$/i.test(parsed.searchParams.get('ssl_cert_reqs') ?? '');
  // The library would take every parameter for an option of its own.
  parsed.search = '';
  const prefix = `/${db}.`;
  return {
    host: parsed.host,
    eventChannels: [`${prefix}celeryev/*`, `${prefix}celeryev`],
    control: {
      channel: `${prefix}celery.pidbox`,
      exchange: 'celery.pidbox',
      replies: 'reply.celery.pidbox',
    },
    connect: () =>
      new Redis(parsed.href, {
        connectTimeout: PATIENCE_MS,
        commandTimeout: PATIENCE_MS,
        keepAlive: 10_000,
        // What cannot be asked now is asked with the next round.
        maxRetriesPerRequest: 0,
        enableOfflineQueue: false,
        // For ever: the broker comes back, and nobody restarts the monitor for it.
        retryStrategy: (tries) => backoff(tries, PAUSES, Math.random()),
        ...(unchecked && { tls: { rejectUnauthorized: false } }),
        // Whether it is allowed is asked, and told, each time.
        autoResubscribe: false,
      }),
  };
}

/** Whether any of what workers leave on a broker is there: it outlives them. @throws the driver's error */
export async function hasTraces(redis: Redis, broker: Broker, queues: readonly string[]): Promise<boolean> {
  const exchanges = [broker.control.exchange, 'celeryev', ...queues];
  return (await redis.exists(...exchanges.map(bindingsOf))) > 0;
}
