import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EventPage } from '../../dashboards/live/src/answers.js';
import { ApiFailure } from '../../dashboards/live/src/api.js';
import type { EventsWanted } from '../../dashboards/live/src/connection.js';
import { FeedStore, MOST_LIVE } from '../../dashboards/live/src/panels/feed/store.js';
import { type FeedFilter, NO_FILTER } from '../../dashboards/live/src/view.js';
import type { FeedEvent } from '../../streams/event.js';
import { row } from './feed-rows.js';

/** A table whose pages are given when the test says so, and a connection that it speaks for. */
function scene(filter: FeedFilter = NO_FILTER) {
  const asked: {
    readonly query: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
    readonly answer: (page: EventPage | ApiFailure) => Promise<void>;
  }[] = [];
  let wanted: EventsWanted | null = null;
  const feed = new FeedStore({
    follow: (events) => {
      wanted = events;
    },
    page: (query, signal) =>
      new Promise((settle, fail) => {
        const answer = async (page: EventPage | ApiFailure) => {
          if (page instanceof ApiFailure) fail(page);
          else settle(page);
          await vi.advanceTimersByTimeAsync(0);
        };
        asked.push({ query, signal, answer });
      }),
    failureOf: (error) => error as ApiFailure,
  });
  feed.show(filter);
  const last = () => {
    const one = asked.at(-1);
    if (one === undefined) throw new Error('nothing was asked for');
    return one;
  };
  const following = () => {
    if (wanted === null) throw new Error('nothing is followed');
    return wanted;
  };
  return {
    feed,
    asked,
    last,
    begin: () => following().onBegin(),
    gap: () => following().onEvents({ type: 'gap', from_seq: 1, to_seq: 9 }),
    async events(events: readonly FeedEvent[], dropped = 0) {
      following().onEvents({ type: 'events', epoch: 'e', events, dropped });
      await vi.advanceTimersByTimeAsync(1_000);
    },
    ids: () => feed.list.value.rows.map(({ id }) => id),
  };
}

const event = (id: number, more = {}): FeedEvent => ({ ...row(id, more), seq: id, change: 'insert' });
const page = (ids: readonly number[], next: number | null = null, more = {}): EventPage => ({
  events: ids.map((id) => row(id, more)),
  next_before_id: next,
  complete: true,
});

describe('the feed', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('reads the table only when it hears everything, and puts both together', async () => {
    const { feed, asked, begin, last, events, ids } = scene();
    expect([asked.length, feed.reading.value]).toEqual([0, 'newest']);
    begin();
    await events([event(5), event(6)]);
    await last().answer(page([6, 5, 4, 3], 3));
    expect(ids()).toEqual([6, 5, 4, 3]);
    expect([feed.reading.value, feed.list.value.before]).toEqual([null, '3']);
  });

  it('holds still while it is paused, also over a loss of the connection', async () => {
    const { feed, begin, last, events, gap, ids } = scene();
    begin();
    await last().answer(page([2, 1]));
    feed.pause();
    await events([event(3), event(4)]);
    expect([ids(), feed.came.value]).toEqual([[2, 1], 2]);
    gap();
    await last().answer(page([6, 5, 4, 3, 2, 1]));
    expect([ids(), feed.came.value, feed.missed.value.gap]).toEqual([[2, 1], 4, true]);
    feed.resume();
    expect(ids()).toEqual([6, 5, 4, 3, 2, 1]);
  });

  it('stands still while it reads back, and is as before when it goes on', async () => {
    const { feed, begin, last, events, ids } = scene();
    begin();
    await last().answer(page([9, 8], 8));
    feed.readOlder();
    expect([feed.paused.value, last().query.before_id]).toEqual([true, '8']);
    await events([event(10)]);
    await last().answer(page([7, 6]));
    expect([ids(), feed.canReadOlder.value]).toEqual([[9, 8, 7, 6], false]);
    feed.resume();
    expect([ids(), feed.canReadOlder.value]).toEqual([[10, 9, 8], true]);
  });

  it('forgets what was asked for under another filter', async () => {
    const { feed, asked, begin, last, ids } = scene();
    begin();
    feed.show({ ...NO_FILTER, statuses: ['error'] });
    begin();
    const [first] = asked;
    expect(first?.signal.aborted).toBe(true);
    await last().answer(page([2], null, { status: 'error' }));
    await first?.answer(page([1]));
    expect(ids()).toEqual([2]);
    expect(last().query).toEqual({ status: 'error', limit: '100' });
  });

  it('stays bounded in a flood, and can read again what it let go', async () => {
    const { feed, begin, last, events, ids } = scene();
    begin();
    await events(Array.from({ length: MOST_LIVE + 500 }, (_, index) => event(index + 1)));
    // Of before the flood: between it and what is held something is missing.
    await last().answer(page([3, 2, 1]));
    expect([ids().length, ids()[0], feed.list.value.before]).toEqual([MOST_LIVE, MOST_LIVE + 500, '501']);
    feed.pause();
    await events(Array.from({ length: 3_000 }, (_, index) => event(index + 5_000)));
    expect([feed.came.value, ids()[0]]).toEqual([3_000, MOST_LIVE + 500]);
    feed.resume();
    expect([ids().length, ids()[0]]).toEqual([MOST_LIVE, 7_999]);
  });

  it('looks for a text in what the server sends, page by page, up to a bound', async () => {
    const { feed, asked, begin, last, ids } = scene({ ...NO_FILTER, text: 'Late' });
    begin();
    for (let pages = 1; pages <= 6; pages++) {
      expect(asked).toHaveLength(pages);
      const found = pages === 3 ? [row(1, { error_message: 'too late' })] : [];
      await last().answer({ ...page([100 - pages], 100 - pages), events: [...found, row(100 - pages)] });
    }
    expect([asked.length, ids(), feed.reading.value]).toEqual([6, [1], null]);
    expect([feed.searchedTo.value, feed.canReadOlder.value]).toEqual(['2026-01-31T12:00:00.000Z', true]);
    expect(last().query.limit).toBe('500');
  });

  it('goes on where the server ended a search that had found nothing yet', async () => {
    const { feed, begin, last, ids } = scene({ ...NO_FILTER, correlation: 'c' });
    begin();
    await last().answer({ events: [], next_before_id: '9007199254740993', complete: false });
    expect(last().query).toEqual({ correlation_id: 'c', before_id: '9007199254740993', limit: '100' });
    await last().answer(page([4], null, { correlation_id: 'c' }));
    expect([ids(), feed.canReadOlder.value]).toEqual([[4], false]);
  });

  it('says why it could not read, and keeps what it has', async () => {
    const { feed, begin, last, events, ids } = scene();
    begin();
    await events([event(3)]);
    await last().answer(new ApiFailure(503, 'database_unavailable', 'away'));
    expect([feed.failure.value?.code, feed.reading.value, ids()]).toEqual([
      'database_unavailable',
      null,
      [3],
    ]);
    feed.reload();
    expect(feed.failure.value).toBeNull();
    await last().answer(page([3, 2]));
    expect(ids()).toEqual([3, 2]);
  });

  it('counts what was left out for this browser', async () => {
    const { feed, begin, events } = scene();
    begin();
    await events([event(1)], 40);
    await events([], 2);
    expect(feed.missed.value).toEqual({ dropped: 42, gap: false });
    feed.dismiss();
    expect(feed.missed.value.dropped).toBe(0);
  });
});
