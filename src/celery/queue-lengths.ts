/**
 * Lengths of the lists that make up the queues: one for each queue, and one more for each priority above 0, whose number
 * is appended to its name. Which priorities and which separator are used is the portal's setting (`priority_steps`, `sep`
 * of broker_transport_options), so all of them are looked at.
 */
import type { Redis } from 'ioredis';
import type { ListReading } from '../../streams/celery-queues.js';
import { wordsOf } from '../../streams/error-words.js';
import { SEPARATOR } from './broker.js';

const PRIORITIES = [1, 2, 3, 4, 5, 6, 7, 8, 9];
/** kombu's own, and the one that Celery's documentation recommends with priorities. */
const SEPARATORS = [SEPARATOR, ':'];

/**
 * The id of the newest message, found by Redis itself: a message can be megabytes and holds personal data, neither of
 * which is wanted here. The headers come after the body, and quotes inside of them are escaped.
 */
const NEWEST = `
local message = redis.call('LINDEX', KEYS[1], 0)
if not message then return false end
if #message > 65536 then message = string.sub(message, -65536) end
return string.match(message, '"id"%s*:%s*"([^"\\\\]+)"') or false`;

interface List {
  readonly key: string;
  readonly queue: string;
  readonly priority: number;
}

export interface LengthsRead {
  readonly lists: readonly ListReading[];
  /** When the question was sent. */
  readonly askedAt: number;
  /** What could not be read of them; null: nothing. */
  readonly problem: string | null;
  /** Why it is not known which message is the newest; null: it is. */
  readonly noNewest: string | null;
}

export class QueueLengths {
  readonly #redis: Redis;
  readonly #lists: readonly List[];
  readonly #now: () => number;
  /** Redis does not let us: said once for each connection, and not asked again. */
  #noScripts: string | null = null;

  constructor(redis: Redis, queues: readonly string[], now: () => number) {
    this.#redis = redis;
    this.#lists = listsOf(queues);
    this.#now = now;
    redis.on('ready', () => {
      this.#noScripts = null;
    });
  }

  /** @throws the driver's error where Redis does not answer */
  async read(): Promise<LengthsRead> {
    const askedAt = this.#now();
    const pipeline = this.#redis.pipeline();
    for (const { key } of this.#lists) pipeline.llen(key);
    const answers = (await pipeline.exec()) ?? [];
    let problem: string | null = null;
    const lists: ListReading[] = [];
    for (const [index, list] of this.#lists.entries()) {
      const [error, length] = answers[index] ?? [new Error('no answer'), null];
      // A lost connection fails all of them, with its own words.
      if (error && !isRefusal(error)) throw error;
      if (error) problem ??= `${JSON.stringify(list.queue)}: ${wordsOf(error)}`;
      else lists.push({ ...list, length: Number(length), newest: null });
    }
    return { lists: await this.#withNewest(lists), askedAt, problem, noNewest: this.#noScripts };
  }

  async #withNewest(lists: readonly ListReading[]): Promise<ListReading[]> {
    const filled = lists.filter(({ length }) => length > 0);
    if (filled.length === 0 || this.#noScripts !== null) return [...lists];
    const pipeline = this.#redis.pipeline();
    for (const { key } of filled) pipeline.eval(NEWEST, 1, key);
    const answers = (await pipeline.exec()) ?? [];
    const newest = new Map<ListReading, string>();
    for (const [index, list] of filled.entries()) {
      const [error, id] = answers[index] ?? [null, null];
      if (error) this.#noScripts = wordsOf(error);
      else if (typeof id === 'string') newest.set(list, id);
    }
    return lists.map((list) => ({ ...list, newest: newest.get(list) ?? null }));
  }
}

function listsOf(queues: readonly string[]): List[] {
  // A queue whose own name looks like a priority of another is that queue.
  const taken = new Set(queues);
  return queues.flatMap((queue) => [
    { key: queue, queue, priority: 0 },
    ...SEPARATORS.flatMap((separator) =>
      PRIORITIES.map((priority) => ({ key: `${queue}${separator}${priority}`, queue, priority })),
    ).filter(({ key }) => !taken.has(key)),
  ]);
}

/** What Redis answers to a command that it understood, such as WRONGTYPE or NOPERM. */
function isRefusal(error: Error): boolean {
  return error.name === 'ReplyError';
}
