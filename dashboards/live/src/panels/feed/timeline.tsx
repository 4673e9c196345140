/** Everything with one correlation id, oldest first, with the time since the first of them. */
import { Value } from '../../parts/value.js';
import { changeView, format, messages } from '../../state.js';
import type { Details } from './details.js';
import type { FeedRow } from './list.js';
import { Status, summaryOf } from './row.js';

export function Timeline({ of, found }: { readonly of: FeedRow; readonly found: Details }) {
  const m = messages.value;
  const { millis, moment } = format.value;
  const start = found.timeline.find(({ created_at }) => created_at !== null)?.created_at ?? null;
  if (of.correlation_id === null || of.correlation_id === '') {
    return <p class="quiet">{m.feed.details.alone}</p>;
  }
  return (
    <section aria-labelledby="timeline-title">
      <h3 id="timeline-title">{m.feed.details.timeline}</h3>
      {found.cut && <p class="quiet">{m.feed.details.cut}</p>}
      <ol class="timeline">
        {found.timeline.map((row) => {
          const { id, created_at, operation_type, duration_ms } = row;
          const own = String(id) === String(of.id);
          return (
            <li key={String(id)} aria-current={own ? 'true' : undefined}>
              <button type="button" onClick={() => changeView({ open: String(id) })}>
                <span class="c-time">
                  <Value of={created_at} as={(at) => moment(Date.parse(at), Date.now())} />
                </span>
                <span class="c-offset">
                  {created_at !== null && start !== null && (
                    <>+{millis(Math.max(0, Date.parse(created_at) - Date.parse(start)))}</>
                  )}
                </span>
                <span class="c-type">{m.types[operation_type] ?? operation_type}</span>
                <Status of={row} />
                <span class="c-duration">
                  <Value of={duration_ms} as={millis} />
                </span>
                {own && <span class="unseen">{m.feed.details.current}</span>}
                <span class="c-message">{summaryOf(row)}</span>
              </button>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
