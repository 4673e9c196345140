/**
 * `celery inspect ping` for all workers: a message on the channel of remote control, and the answers in a list of ours,
 * to which the workers find by a binding. Both are taken away again; what a killed monitor left is swept by the next.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { TEXT_LIMIT } from '../../streams/celery-event.js';
import { type Broker, bindingsOf } from './broker.js';
import { bodyOf, broadcastMessage } from './envelope.js';

const OURS = 'customer-sync-monitor';
const LOOK_MS = 50;
/** More than there are workers (streams/celery-workers.ts). */
const ANSWERS_LIMIT = 2_000;
/** Bindings that are looked at to find out how they are made. */
const LOOKED_AT = 20;
/** Longer than any round takes, ms. */
const LEFT_BEHIND_MS = 60_000;

export interface PingOptions {
  /** How long workers have to answer, ms. Those that are connected and free answer within milliseconds. */
  readonly timeoutMs: number;
  /** Wall clock, ms: names what has to be swept. */
  readonly now: number;
  readonly signal: AbortSignal;
}

/**
 * Names of the workers that answered. Waits for as many as are subscribed, or until the time is over.
 * @throws the driver's error where Redis does not answer or does not allow it
 */
export async function pingWorkers(redis: Redis, broker: Broker, options: PingOptions): Promise<Set<string>> {
  const { timeoutMs, now, signal } = options;
  const { channel, exchange, replies } = broker.control;
  const answered = new Set<string>();
  const separator = await separatorOf(redis, exchange);
  // Nobody takes remote control.
  if (separator === null) return answered;
  const routingKey = `${OURS}.${Math.round(now)}.${randomUUID()}`;
  const queue = `${routingKey}.${replies}`;
  const binding = [routingKey, '', queue].join(separator);
  await redis.sadd(bindingsOf(replies), binding);
  try {
    const message = broadcastMessage({
      ...{ exchange, method: 'ping', ticket: randomUUID() },
      replyTo: { exchange: replies, routingKey },
    });
    const asked = await redis.publish(channel, message);
    const until = performance.now() + timeoutMs;
    while (answered.size < asked && performance.now() < until && !signal.aborted) {
      await pause(LOOK_MS);
      for (const answer of await redis.lrange(queue, 0, ANSWERS_LIMIT)) addNames(answer, answered);
      // Where nobody is left to delete it.
      await redis.pexpire(queue, LEFT_BEHIND_MS);
    }
    return answered;
  } finally {
    await redis.pipeline().srem(bindingsOf(replies), binding).del(queue).exec();
  }
}

/**
 * What the workers put between the parts of a binding: the portal may have set its own (`sep`), and a binding that is put
 * together in another way would fail every answer of every worker, not only those to us. Null: there are no workers.
 */
async function separatorOf(redis: Redis, exchange: string): Promise<string | null> {
  const found = new Set<string>();
  // Routing key and pattern of a worker's mailbox are empty: separator, separator, name.
  for (const binding of await redis.srandmember(bindingsOf(exchange), LOOKED_AT)) {
    const separator = /^(.{1,8}?)\1/s.exec(binding)?.[1];
    if (separator !== undefined) found.add(separator);
  }
  const [separator, second] = found;
  if (separator === undefined) return null;
  if (second !== undefined)
    throw new Error('the workers do not agree on the separator (sep) of their queue names');
  if (/[\w.-]/.test(separator))
    throw new Error(`the separator ${JSON.stringify(separator)} is part of our own names`);
  return separator;
}

/** Takes away bindings of monitors that were killed within a round. */
export async function sweepBindings(redis: Redis, broker: Broker, now: number): Promise<void> {
  const key = bindingsOf(broker.control.replies);
  let cursor = '0';
  do {
    const [next, members] = await redis.sscan(key, cursor, 'MATCH', `${OURS}.*`, 'COUNT', 1_000);
    cursor = next;
    const old = members.filter((member) => now - Number(member.split('.')[1]) > LEFT_BEHIND_MS);
    if (old.length > 0) await redis.srem(key, ...old);
  } while (cursor !== '0');
}

/** An answer is `{"worker@host": {"ok": "pong"}}`; any answer shows that the worker lives. */
function addNames(message: string, names: Set<string>): void {
  const body = bodyOf(message);
  if (typeof body !== 'object' || body === null) return;
  for (const name of Object.keys(body)) if (name.length <= TEXT_LIMIT) names.add(name);
}
