/**
 * The feed as it is kept: live events on top of what was read from the table, both under one filter. The connection and
 * the API are passed in.
 */
import { computed, signal } from '@preact/signals';
import type { EventPage } from '../../answers.js';
import type { ApiFailure } from '../../api.js';
import type { EventsWanted } from '../../connection.js';
import type { EventsMessage, GapMessage } from '../../messages.js';
import type { FeedFilter } from '../../view.js';
import { eventsQuery, matcher, subscribeFilter } from './filter.js';
import { addOlder, type EventList, type FeedRow, NO_ROWS, newer, put } from './list.js';

/** Rows held while they stream by. */
export const MOST_LIVE = 2_000;
/** Rows held while somebody reads back. */
export const MOST_READ = 10_000;
/** More often nobody can read it, ms. */
const SHOW_EVERY = 250;
const PAGE = 100;
/** While a text is looked for: the page sifts what the server cannot. */
const SIFTED = { page: 500, enough: 50, pages: 6 };
/** The server ends a search at a bound of rows or time, and tells where to go on. */
const PAGES = 6;

export interface FeedParts {
  readonly follow: (events: EventsWanted) => void;
  /** @throws ApiFailure */
  readonly page: (query: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<EventPage>;
  readonly failureOf: (error: unknown) => ApiFailure;
}

/** What did not come through the connection. */
export interface Missed {
  /** Events that the monitor left out, because this browser read too slowly. */
  readonly dropped: number;
  /** The connection was away for longer than the monitor remembers, and the list was begun anew. */
  readonly gap: boolean;
}

export const NOTHING_MISSED: Missed = { dropped: 0, gap: false };

export class FeedStore {
  readonly #parts: FeedParts;
  readonly #live = signal<EventList>(NO_ROWS);
  readonly #held = signal<EventList | null>(null);
  readonly #came = signal(0);
  readonly #reading = signal<'newest' | 'older' | null>(null);
  readonly #failure = signal<ApiFailure | null>(null);
  readonly #missed = signal<Missed>(NOTHING_MISSED);
  readonly #searchedTo = signal<string | null>(null);

  readonly list = computed<EventList>(() => this.#held.value ?? this.#live.value);
  readonly paused = computed(() => this.#held.value !== null);
  /** Matching events since it was paused, or since the list was begun. */
  readonly came = this.#came;
  readonly reading = this.#reading;
  readonly failure = this.#failure;
  readonly missed = this.#missed;
  /** How far back a search for a text has come, ISO 8601. */
  readonly searchedTo = this.#searchedTo;
  /** There is something older, and room for it. */
  readonly canReadOlder = computed(() => {
    const { rows, before } = this.list.value;
    return before !== null && rows.length < MOST_READ;
  });

  #filter: FeedFilter | null = null;
  #matches: (row: FeedRow) => boolean = () => true;
  #pending: FeedRow[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #shownAt = Number.NEGATIVE_INFINITY;
  #abort = new AbortController();

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  /** Begins anew under this filter. */
  show(filter: FeedFilter): void {
    this.#filter = filter;
    this.#matches = matcher(filter);
    this.#missed.value = NOTHING_MISSED;
    this.#clear();
    this.#held.value = null;
    this.#came.value = 0;
    this.#parts.follow({
      filter: subscribeFilter(filter),
      onBegin: () => this.reload(),
      onEvents: (message) => this.#receive(message),
    });
  }

  pause(): void {
    if (this.paused.peek()) return;
    this.#flush();
    this.#came.value = 0;
    this.#held.value = this.#live.peek();
  }

  resume(): void {
    this.#flush();
    if (this.#reading.peek() === 'older') this.#end();
    this.#held.value = null;
    this.#came.value = 0;
  }

  /** Reads the newest rows from the table; what streams in meanwhile stays on top. What is held stays as it is. */
  reload(): void {
    this.#clear();
    void this.#read(null, (older) => {
      const live = this.#live.peek();
      // So much came meanwhile that some of it is gone: the page may not reach up to it.
      if (live.before === null) this.#live.value = addOlder(live, older);
      const held = this.#held.peek();
      if (held !== null) this.#came.value = Math.max(this.#came.peek(), newer(this.#live.peek(), held));
    });
  }

  /** Stands still meanwhile: rows that are read would be pushed out by those that come. */
  readOlder(): void {
    if (this.#reading.peek() !== null || !this.canReadOlder.peek()) return;
    this.pause();
    this.#reading.value = 'older';
    const from = this.#held.peek() ?? NO_ROWS;
    void this.#read(from.before, (older) => {
      this.#held.value = addOlder(this.#held.peek() ?? from, older);
    });
  }

  /** What was missed has been seen. */
  dismiss(): void {
    this.#missed.value = NOTHING_MISSED;
  }

  #clear(): void {
    this.#end();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pending = [];
    this.#live.value = NO_ROWS;
    this.#searchedTo.value = null;
    this.#reading.value = 'newest';
  }

  #end(): void {
    this.#abort.abort();
    this.#reading.value = null;
    this.#failure.value = null;
  }

  #receive(message: EventsMessage | GapMessage): void {
    const missed = this.#missed.peek();
    if (message.type === 'gap') {
      this.#missed.value = { ...missed, gap: true };
      this.reload();
      return;
    }
    if (message.dropped > 0) this.#missed.value = { ...missed, dropped: missed.dropped + message.dropped };
    if (message.events.length === 0) return;
    for (const event of message.events) this.#pending.push(event);
    const wait = this.#shownAt + SHOW_EVERY - performance.now();
    if (wait <= 0 || this.#pending.length >= MOST_LIVE) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), wait);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.length === 0) return;
    const { list, came } = put(this.#live.peek(), this.#pending, this.#matches, MOST_LIVE);
    this.#pending = [];
    this.#shownAt = performance.now();
    this.#live.value = list;
    this.#came.value += came;
  }

  async #read(before: string | null, done: (older: EventList) => void): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    this.#failure.value = null;
    try {
      const older = await this.#pages(before, abort.signal);
      if (abort.signal.aborted) return;
      done(older);
    } catch (error) {
      if (abort.signal.aborted) return;
      this.#failure.value = this.#parts.failureOf(error);
    }
    this.#reading.value = null;
  }

  /** Pages on until there is something to show, up to a bound. */
  async #pages(before: string | null, signal: AbortSignal): Promise<EventList> {
    const filter = this.#filter;
    if (filter === null) return NO_ROWS;
    const sifted = filter.text !== '';
    const { limit, enough, pages } = sifted
      ? { limit: SIFTED.page, enough: SIFTED.enough, pages: SIFTED.pages }
      : { limit: PAGE, enough: 1, pages: PAGES };
    const rows: FeedRow[] = [];
    let next = before;
    for (let count = 0; count < pages; count++) {
      const page = await this.#parts.page(eventsQuery(filter, next, limit), signal);
      for (const row of page.events) if (this.#matches(row)) rows.push(row);
      next = page.next_before_id === null ? null : String(page.next_before_id);
      const oldest = page.events.at(-1)?.created_at ?? null;
      if (sifted && oldest !== null && !signal.aborted) this.#searchedTo.value = oldest;
      if (next === null || rows.length >= enough) break;
    }
    return { rows, before: next };
  }
}
