/**
 * The rows, of which only those in sight are in the document. One of them is reached by Tab, the others by arrows. Who
 * scrolls down or walks by keyboard reads, so the list stops moving.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { changeView, messages } from '../../state.js';
import { feed } from './feed-state.js';
import type { FeedRow } from './list.js';
import { RowButton } from './row.js';
import { moved, renderedRows, scrollTo } from './window.js';

/** Until it was measured, pixels. */
const ROW = 30;

export function Rows() {
  const m = messages.value.feed;
  const box = useRef<HTMLDivElement>(null);
  const size = useSignal({ height: 0, row: ROW });
  const top = useSignal(0);
  /** Id of the row that has the focus, or had it last. */
  const active = useSignal<string | null>(null);
  const focused = useRef(false);
  /** Asked for by a key: given when the row is in the document. */
  const wanted = useRef(false);
  const { rows } = feed.list.value;
  const paused = feed.paused.value;

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      // Of a row that is higher on narrow screens.
      const row = element.querySelector('li')?.offsetHeight || size.peek().row;
      size.value = { height: element.clientHeight, row };
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [size]);
  // The first row comes after the box.
  const any = rows.length > 0;
  useLayoutEffect(() => {
    const row = any ? box.current?.querySelector('li')?.offsetHeight : 0;
    if (row && row !== size.peek().row) size.value = { ...size.peek(), row };
  }, [any, size]);
  useLayoutEffect(() => {
    if (!paused && box.current !== null) box.current.scrollTop = 0;
  }, [paused]);

  const { height, row } = size.value;
  const { from, to } = renderedRows({ count: rows.length, top: top.value, height, row });
  const at = active.value === null ? -1 : rows.findIndex(({ id }) => String(id) === active.value);
  const shown = rows.slice(from, to).map((each, index) => ({ each, index: from + index }));
  const holder = rows[at];
  // What has the focus stays in the document, wherever it has been pushed.
  if (holder !== undefined && (at < from || at >= to)) shown.push({ each: holder, index: at });
  const first = Math.min(rows.length - 1, Math.ceil(top.value / row));
  const reachable = at === -1 ? first : at;

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const lost = focused.current && document.activeElement === document.body;
    if (!wanted.current && !lost) return;
    wanted.current = false;
    element.querySelector<HTMLElement>('button[tabindex="0"]')?.focus({ preventScroll: true });
  });

  const walk = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(height / row) - 1);
    const next = moved(event.key, reachable, rows.length, page);
    const target = next === null ? undefined : rows[next];
    if (next === null || target === undefined || box.current === null) return;
    event.preventDefault();
    feed.pause();
    active.value = String(target.id);
    wanted.current = true;
    box.current.scrollTop = scrollTo(next, { top: box.current.scrollTop, height, row });
  };

  return (
    <div class="rows">
      <div class="head" aria-hidden="true">
        {Object.entries(m.columns).map(([name, word]) => (
          <span key={name} class={`c-${name}`}>
            {word}
          </span>
        ))}
      </div>
      <div
        ref={box}
        class="box"
        onScroll={({ currentTarget }) => {
          top.value = currentTarget.scrollTop;
          if (currentTarget.scrollTop > row) feed.pause();
        }}
      >
        <ol
          aria-label={m.list}
          style={{ height: `${rows.length * row}px` }}
          onKeyDown={walk}
          onFocusIn={({ target }) => {
            focused.current = true;
            const id = target instanceof HTMLElement ? target.dataset.id : undefined;
            if (id !== undefined) active.value = id;
          }}
          onFocusOut={({ relatedTarget }) => {
            // Null also when the button itself is gone; then the focus is given on.
            if (relatedTarget !== null) focused.current = false;
          }}
        >
          {shown.map(({ each, index }) => (
            <li
              key={String(each.id)}
              aria-setsize={rows.length}
              aria-posinset={index + 1}
              style={{ transform: `translateY(${index * row}px)` }}
            >
              <RowButton row={each} tabIndex={index === reachable ? 0 : -1} onOpen={open} />
            </li>
          ))}
        </ol>
      </div>
    </div>
  );
}

function open({ id }: FeedRow): void {
  changeView({ open: String(id) }, 'step');
}
