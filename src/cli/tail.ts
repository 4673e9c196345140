/**
 * `sync-monitor tail`: the event feed in a terminal or as lines of JSON. It reconnects by itself and resumes where
 * it was; what it could not get is said on standard error.
 */
import type { FeedEvent } from '../../streams/event.js';
import { FEED_SIZE } from '../../streams/feed.js';
import type { LiveMessage } from './tail-connection.js';
import { eventLine, jsonLine, timeOf, visible } from './tail-format.js';
import { stayConnected } from './tail-reconnect.js';

export interface TailFilter {
  readonly operation_types?: readonly string[];
  readonly statuses?: readonly string[];
  readonly correlation_id?: string;
  readonly customer_id?: number | string;
}

export interface TailOptions {
  /** ws:// or wss:// address of the monitor's /ws. */
  readonly url: string;
  readonly token?: string | undefined;
  readonly filter: TailFilter;
  /** Events from this time on, ms of the Unix epoch, as far as the feed holds them; null for new ones only. */
  readonly since: number | null;
  readonly json: boolean;
  readonly colours: boolean;
  /** Characters that fit on a line of the terminal now; undefined where there is none. */
  readonly width?: (() => number | undefined) | undefined;
  /** Takes an event as a line, without its line end. */
  readonly print: (line: string) => void;
  /** Takes what is said about the feed, without a line end. */
  readonly note: (text: string) => void;
  /** Ends the tail. */
  readonly signal: AbortSignal;
}

/** No feed has this name, so a monitor answers with where its feed stands. */
const NOWHERE = { epoch: '-', seq: 0 };
/** Matches no row; used to ask for the position alone. */
const NOTHING = { correlation_id: '\u0000' };
/** How far back a replay begins: a little less than the feed holds, because it moves on meanwhile. */
const REPLAY = FEED_SIZE - 500;
const KEPT_STATUSES = 40;

/**
 * Follows the feed until the signal. Gives false when the monitor cannot be reached at first, or refuses us.
 */
export async function tail(options: TailOptions): Promise<boolean> {
  const follower = new Follower(options);
  const failure = await stayConnected(options, follower);
  if (failure !== null) {
    options.note(`cannot follow ${options.url}: ${failure}`);
    return false;
  }
  follower.summarise();
  return true;
}

/** What was asked for on this connection, and so what a `gap` answers. */
type Phase = 'asking where the feed stands' | 'following';

/** Where we are in the feed, over all connections. */
class Follower {
  readonly #options: TailOptions;
  readonly #began = performance.now();
  readonly #counts = new Map<string, number>();
  #phase: Phase = 'following';
  #epoch: string | null = null;
  /** The last event we had, or know that we do not want; null before we know any. */
  #seq: number | null = null;
  /** Events up to here are past ones, which `since` chooses from. */
  #pastUntil = 0;
  #oldestShown = false;
  #events = 0;
  #missed = 0;
  #gaps = 0;
  #losses = 0;
  connected = false;
  fault: string | null = null;

  constructor(options: TailOptions) {
    this.#options = options;
  }

  take(message: LiveMessage, send: (message: unknown) => void): void {
    if (message.type === 'hello') this.#greet(message.epoch, send);
    else if (message.type === 'events') this.#show(message);
    else if (message.type === 'gap') this.#gap(message.from_seq, message.to_seq, send);
    else if (message.type === 'error') this.fault = `the monitor says: ${visible(message.message)}`;
  }

  lost(reason: string): void {
    this.#losses += 1;
    this.#options.note(`connection lost (${reason}); trying again`);
  }

  #greet(epoch: string, send: (message: unknown) => void): void {
    if (this.#losses > 0) this.#options.note('connected again');
    this.connected = true;
    const known = this.#epoch;
    this.#epoch = epoch;
    if (this.#seq !== null && known === epoch) {
      this.#phase = 'following';
      this.#subscribe({ epoch, seq: this.#seq }, this.#options.filter, send);
    } else if (this.#seq !== null) {
      this.#options.note('the monitor was started anew: rows of the time between are not in its feed');
      this.#seq = 0;
      this.#pastUntil = 0;
      this.#phase = 'following';
      this.#subscribe({ epoch, seq: 0 }, this.#options.filter, send);
    } else {
      this.#phase = 'asking where the feed stands';
      this.#subscribe(NOWHERE, this.#options.since === null ? this.#options.filter : NOTHING, send);
    }
  }

  #subscribe(since: { epoch: string; seq: number }, filter: TailFilter, send: (message: unknown) => void) {
    send({ type: 'subscribe', topics: ['events'], filter, since });
  }

  #gap(from: number, to: number, send: (message: unknown) => void): void {
    if (this.#phase === 'asking where the feed stands') {
      this.#phase = 'following';
      this.#seq = to;
      if (this.#options.since === null || this.#epoch === null) return;
      this.#pastUntil = to;
      this.#seq = Math.max(0, to - REPLAY);
      this.#subscribe({ epoch: this.#epoch, seq: this.#seq }, this.#options.filter, send);
      return;
    }
    const lost = to - from + 1;
    if (lost > 0) {
      this.#gaps += 1;
      this.#options.note(`gap: ${lost} events of the feed are no longer kept (${from} to ${to})`);
    }
    this.#seq = Math.max(this.#seq ?? 0, to);
  }

  #show({ epoch, events, dropped }: Extract<LiveMessage, { type: 'events' }>): void {
    if (this.#phase !== 'following') return;
    if (epoch !== this.#epoch) this.#seq = 0;
    this.#epoch = epoch;
    if (dropped > 0) {
      this.#missed += dropped;
      this.#options.note(`${dropped} events were dropped: this end reads too slowly`);
    }
    for (const event of events) {
      if (event.seq <= (this.#seq ?? 0)) continue;
      this.#seq = event.seq;
      if (this.#isWanted(event)) this.#print(event);
    }
  }

  #isWanted(event: FeedEvent): boolean {
    const { since } = this.#options;
    if (since === null || event.seq > this.#pastUntil || event.created_at === null) return true;
    const wanted = Date.parse(event.created_at) >= since;
    if (!this.#oldestShown && wanted) {
      this.#options.note(`the feed holds matching events from ${timeOf(event.created_at)} on`);
    }
    this.#oldestShown = true;
    return wanted;
  }

  #print(event: FeedEvent): void {
    const { json, colours, width, print } = this.#options;
    this.#events += 1;
    const status =
      this.#counts.size < KEPT_STATUSES || this.#counts.has(event.status) ? event.status : 'other';
    this.#counts.set(status, (this.#counts.get(status) ?? 0) + 1);
    print(json ? jsonLine(event) : eventLine(event, colours, width?.()));
  }

  summarise(): void {
    const seconds = Math.round((performance.now() - this.#began) / 1000);
    const parts = [...this.#counts].sort((a, b) => b[1] - a[1]).map(([name, n]) => `${visible(name)} ${n}`);
    const counts = parts.length > 0 ? `: ${parts.join(', ')}` : '';
    const losses = `${this.#missed} dropped, ${this.#gaps} gaps, ${this.#losses} lost connections`;
    this.#options.note(`${this.#events} events in ${seconds} s${counts}; ${losses}`);
  }
}
