/** The event feed: what may be set, what was missed, the rows, and the details of one of them. */
import { download } from '../../download.js';
import { Panel } from '../../parts/panel.js';
import { format, messages, view } from '../../state.js';
import { DetailsDialog } from './dialog.js';
import { eventsCsv, fileName } from './export.js';
import { feed } from './feed-state.js';
import { isFiltered } from './filter.js';
import { Filters } from './filters.js';
import { Rows } from './rows.js';

export function Feed() {
  const m = messages.value;
  return (
    <Panel id="feed" title={m.panels.feed} aside={<Controls />}>
      <Filters />
      <Missed />
      <Failure />
      <Rows />
      <Foot />
      <DetailsDialog />
    </Panel>
  );
}

function Controls() {
  const m = messages.value.feed;
  const { count } = format.value;
  const paused = feed.paused.value;
  const { rows } = feed.list.value;
  return (
    <div class="controls">
      <span class="quiet">{m.held(count(rows.length))}</span>
      {paused && (
        <span class="paused">
          <b>{m.paused}</b> {m.came(count(feed.came.value))}
        </span>
      )}
      <button
        type="button"
        class={paused ? 'chosen' : undefined}
        onClick={() => (paused ? feed.resume() : feed.pause())}
      >
        {paused ? m.resume : m.pause}
      </button>
      <button
        type="button"
        title={m.csvTitle}
        disabled={rows.length === 0}
        onClick={() => download(fileName(Date.now()), eventsCsv(feed.list.peek().rows))}
      >
        {m.csv}
      </button>
    </div>
  );
}

function Missed() {
  const m = messages.value.feed;
  const { dropped, gap } = feed.missed.value;
  // The region itself is always there: one that comes with its text is not read out.
  return (
    <div role="status">
      {(gap || dropped > 0) && (
        <p class="notice warn">
          {gap && <span>{m.gap} </span>}
          {dropped > 0 && (
            <>
              <span>{m.dropped(format.value.count(dropped))} </span>
              <button
                type="button"
                onClick={() => {
                  feed.dismiss();
                  feed.resume();
                  feed.reload();
                }}
              >
                {m.readAnew}
              </button>{' '}
            </>
          )}
          <button type="button" onClick={() => feed.dismiss()}>
            {m.dismiss}
          </button>
        </p>
      )}
    </div>
  );
}

function Failure() {
  const m = messages.value.feed;
  const failure = feed.failure.value;
  if (failure === null) return null;
  return (
    <p class="notice" role="alert">
      {m.failed} <span lang="en">{failure.message}</span>{' '}
      <button type="button" onClick={() => (feed.paused.peek() ? feed.readOlder() : feed.reload())}>
        {m.retry}
      </button>
    </p>
  );
}

/** What is beyond the last row. */
function Foot() {
  const m = messages.value.feed;
  const { moment } = format.value;
  const { rows, before } = feed.list.value;
  const reading = feed.reading.value;
  const searchedTo = feed.searchedTo.value;
  const empty = rows.length === 0;
  const ended = before === null && reading === null && feed.failure.value === null;
  return (
    <p class="foot quiet">
      {reading !== null && <span>{m.reading}</span>}
      {ended && <span>{empty ? (isFiltered(view.value.feed) ? m.nothingMatches : m.nothing) : m.end}</span>}
      {before !== null && searchedTo !== null && (
        <span>{m.searchedTo(moment(Date.parse(searchedTo), Date.now()))}</span>
      )}
      {feed.canReadOlder.value && reading === null && (
        <button type="button" onClick={() => feed.readOlder()}>
          {m.older}
        </button>
      )}
      {before !== null && !feed.canReadOlder.value && <span>{m.full}</span>}
    </p>
  );
}
