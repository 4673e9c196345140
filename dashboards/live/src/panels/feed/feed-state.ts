/** The page's one feed, and the row whose details are open. */
import { computed, effect } from '@preact/signals';
import { ApiFailure, events } from '../../api.js';
import { resource } from '../../resource.js';
import { changeView, live, view } from '../../state.js';
import type { FeedFilter } from '../../view.js';
import { createDetails } from './details.js';
import { FeedStore } from './store.js';

export const feed = new FeedStore({
  follow: (wanted) => live.follow(wanted),
  page: events,
  failureOf: (error) =>
    error instanceof ApiFailure ? error : new ApiFailure(0, 'unexpected', String(error), { cause: error }),
});

// By its text: a view is made anew whenever anything of it changes.
const filterText = computed(() => JSON.stringify(view.value.feed));
effect(() => {
  feed.show(JSON.parse(filterText.value) as FeedFilter);
});

export function changeFilter(change: Partial<FeedFilter>): void {
  changeView({ feed: { ...view.peek().feed, ...change } });
}

/** Asks for what is open again; null: it is not in the table any more. */
export const details = resource({
  key: () => view.value.open,
  ask: createDetails(events),
  everyMs: () => 15_000,
});
