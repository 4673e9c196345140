/**
 * Listens to one Celery through its broker and folds what it hears: events as they come, queue lengths every second, a
 * ping now and then. Each of the three goes on whatever the others do, and none overlaps itself.
 */
import type { Redis } from 'ioredis';
import type { Celery } from '../../streams/celery.js';
import { parseCeleryEvents } from '../../streams/celery-event.js';
import { wordsOf } from '../../streams/error-words.js';
import { type Broker, brokerAt, hasTraces } from './broker.js';
import { bodyOf } from './envelope.js';
import { pingWorkers, sweepBindings } from './ping.js';
import { QueueLengths } from './queue-lengths.js';
import { every } from './rounds.js';

export interface CeleryLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface WatchOptions {
  /** redis:// or rediss:// */
  readonly url: string;
  readonly queues: readonly string[];
  readonly watchWorkers: boolean;
  readonly watchQueues: boolean;
  /** Between two pings, ms. */
  readonly pingIntervalMs: number;
  /** How long workers have to answer one, ms. */
  readonly pingTimeoutMs: number;
  readonly log: CeleryLog;
}

const STEP_MS = 1_000;
/** How exact the moment is in which a worker's silence has lasted too long, ms. */
const ADVANCE_MS = 250;
/** Between two proofs that the connection of events is alive, ms; a half-open one brings none, and no event either. */
const PROOF_MS = 5_000;
/** How long a broker that does not answer may hold up the end, ms. */
const STOP_MS = 500;
/** A refusal to let us listen is not over within milliseconds. ms */
const REFUSED_MS = 5_000;

export class CeleryWatch {
  readonly #fold: Celery;
  readonly #options: WatchOptions;
  readonly #broker: Broker;
  readonly #ended = new AbortController();
  readonly #now: () => number;
  #redis: Redis | undefined;
  #events: Redis | undefined;
  #listening = false;
  /** The connection of events was ended by us because of this. */
  #silent: string | null = null;
  /** Said in the log; null: nothing is wrong, or it was not said yet. */
  #said: string | null = null;
  #swept = false;
  #pinging: Promise<void> | undefined;
  #pingedAt = Number.NEGATIVE_INFINITY;

  /** @param now ms, a clock that never jumps */
  constructor(fold: Celery, options: WatchOptions, now: () => number) {
    this.#fold = fold;
    this.#options = options;
    this.#broker = brokerAt(options.url);
    this.#now = now;
  }

  /** Returns at once; a broker that is not there is waited for. */
  start(): void {
    const { watchWorkers, watchQueues, queues } = this.#options;
    const { signal } = this.#ended;
    const redis = this.#broker.connect();
    this.#redis = redis;
    // Why questions have no answer; they themselves only learn that there is no connection.
    const fault = faultOf(redis);
    redis.on('close', () => {
      this.#swept = false;
    });
    this.#listen();
    every(ADVANCE_MS, signal, async () => this.#fold.advance(this.#now()));
    every(PROOF_MS, signal, () => this.#prove());
    if (watchQueues) {
      const lengths = new QueueLengths(redis, queues, this.#now);
      every(STEP_MS, signal, () => this.#read(lengths, fault));
    }
    // Looked at more often than it is due: the first follows as soon as there is a connection again.
    if (watchWorkers) every(STEP_MS, signal, () => this.#ping(redis));
  }

  /** Takes away what a ping left on the broker, within a moment. */
  async stop(): Promise<void> {
    this.#ended.abort();
    const patience = new Promise((resolve) => setTimeout(resolve, STOP_MS).unref());
    // Whoever waits for the round is told how it failed.
    await Promise.race([this.#pinging?.catch(() => undefined), patience]);
    this.#redis?.disconnect();
    this.#events?.disconnect();
  }

  #listen(): void {
    const redis = this.#broker.connect();
    this.#events = redis;
    const fault = faultOf(redis);
    redis.on('pmessage', (_pattern: string, _channel: string, message: string) => {
      const body = bodyOf(message);
      this.#fold.heard(body === null ? null : parseCeleryEvents(body), this.#now());
    });
    redis.on('ready', () => void this.#subscribe(redis));
    redis.on('close', () => this.#deaf(this.#silent ?? fault() ?? 'the connection was lost'));
  }

  async #subscribe(redis: Redis): Promise<void> {
    try {
      await redis.psubscribe(...this.#broker.eventChannels);
    } catch (error) {
      // The connection may be gone by now, and says so itself; a refusal leaves it open.
      if (redis.status === 'ready') this.#deaf(wordsOf(error));
      await new Promise((resolve) => setTimeout(resolve, REFUSED_MS).unref());
      if (!this.#ended.signal.aborted && redis.status === 'ready') redis.disconnect(true);
      return;
    }
    this.#silent = null;
    this.#listening = true;
    this.#fold.listening(this.#now());
    if (this.#said !== null)
      this.#options.log.info(
        { event_type: 'celery' },
        `Celery's broker at ${this.#broker.host} answers again`,
      );
    this.#said = null;
  }

  #deaf(reason: string): void {
    if (this.#ended.signal.aborted) return;
    this.#listening = false;
    this.#pingedAt = Number.NEGATIVE_INFINITY;
    this.#fold.deaf(reason, this.#now());
    // An outage is said once, whatever words its many tries fail with.
    if (this.#said !== null) return;
    this.#said = reason;
    const missed = 'what workers tell meanwhile is lost';
    this.#options.log.warn(
      { event_type: 'celery', reason },
      `Celery's broker at ${this.#broker.host} cannot be listened to: ${reason}; ${missed}`,
    );
  }

  async #prove(): Promise<void> {
    const redis = this.#events;
    if (redis === undefined || redis.status !== 'ready' || !this.#listening) return;
    try {
      await redis.ping();
    } catch (error) {
      if (redis.status !== 'ready') return;
      this.#silent = `no answer to PING: ${wordsOf(error)}`;
      redis.disconnect(true);
    }
  }

  async #read(lengths: QueueLengths, fault: () => string | null): Promise<void> {
    try {
      const { lists, askedAt, problem, noNewest } = await lengths.read();
      this.#fold.read(lists, { askedAt, now: this.#now() });
      this.#fold.unreadableQueues(problem, false);
      this.#fold.problem('waiting of queues', noNewest);
    } catch (error) {
      this.#fold.unreadableQueues(fault() ?? wordsOf(error), true);
    }
  }

  /** Never throws: what a round failed with is shown until one succeeds. */
  async #ping(redis: Redis): Promise<void> {
    const now = this.#now();
    if (redis.status !== 'ready' || !this.#listening) return;
    if (now - this.#pingedAt < this.#options.pingIntervalMs) return;
    this.#pingedAt = now;
    try {
      this.#pinging = this.#round(redis);
      await this.#pinging;
      this.#fold.problem('ping', null);
    } catch (error) {
      this.#fold.problem('ping', wordsOf(error));
    }
  }

  async #round(redis: Redis): Promise<void> {
    const { signal } = this.#ended;
    const ask = () =>
      pingWorkers(redis, this.#broker, { timeoutMs: this.#options.pingTimeoutMs, now: this.#now(), signal });
    if (!this.#swept) {
      await sweepBindings(redis, this.#broker, this.#now());
      this.#swept = true;
    }
    if (!this.#fold.found && (await hasTraces(redis, this.#broker, this.#options.queues))) this.#fold.trace();
    const answered = await ask();
    // Once more before somebody is given up: a busy worker may have been late.
    if (this.#fold.pingedOnly().some((name) => !answered.has(name)))
      for (const name of await ask()) answered.add(name);
    if (!signal.aborted && this.#listening) this.#fold.pinged(answered, this.#now());
  }
}

/** The newest fault of a connection, until it is ready again. */
function faultOf(redis: Redis): () => string | null {
  let fault: string | null = null;
  redis.on('error', (error: Error) => {
    fault = wordsOf(error);
  });
  redis.on('ready', () => {
    fault = null;
  });
  return () => fault;
}
