/** The event feed: the newest events on top, drawn once per frame of the screen, at most ROWS of them. */
import { byId, element, setText } from './element.js';
import { millis, text, time } from './format.js';

const ROWS = 100;
const CLASS = { success: 'good', error: 'bad', failed: 'bad', warning: 'warn', pending: 'warn' };

function cell(content, className) {
  return element('td', className, content);
}

function row(event) {
  const made = document.createElement('tr');
  const status = event.change === 'update' ? `${event.previous_status} → ${event.status}` : event.status;
  const message = event.error_message ?? event.batch?.operation_name ?? event.conflict_source ?? null;
  made.append(
    cell(time(event.created_at)),
    cell(event.operation_type),
    cell(status, CLASS[event.status] ?? ''),
    cell(millis(event.duration_ms), 'number'),
    cell(text(event.customer_id ?? event.customer_email)),
    cell(text(event.correlation_id)),
    cell(text(message), 'text'),
  );
  return made;
}

function note(content) {
  const made = document.createElement('tr');
  const only = cell(content, 'warn');
  only.colSpan = 7;
  made.append(only);
  return made;
}

export function createFeed() {
  const body = byId('feed');
  let waiting = [];
  let scheduled = false;
  let paused = false;
  let missed = 0;

  const draw = () => {
    scheduled = false;
    if (paused) return;
    const rows = waiting.map((make) => make()).reverse();
    waiting = [];
    body.prepend(...rows);
    while (body.children.length > ROWS) body.lastElementChild.remove();
  };

  const add = (makers) => {
    // Hidden tabs draw nothing, and a paused feed waits: only what could still be shown is kept.
    waiting = [...waiting, ...makers].slice(-ROWS);
    if (paused) {
      missed += makers.length;
      setText(byId('feed-note'), `${missed} new while paused`);
    } else if (!scheduled) {
      scheduled = true;
      requestAnimationFrame(draw);
    }
  };

  return {
    events(message) {
      const makers = message.events.slice(-ROWS).map((event) => () => row(event));
      if (message.dropped > 0)
        makers.unshift(() => note(`${message.dropped} events were lost: too slow a reader`));
      if (makers.length > 0) add(makers);
    },
    gap(message) {
      add([() => note(`Events ${message.from_seq} to ${message.to_seq} came while disconnected`)]);
    },
    clear() {
      waiting = [];
      body.replaceChildren();
    },
    setPaused(value) {
      paused = value;
      missed = 0;
      setText(byId('feed-note'), '');
      if (!paused) draw();
    },
  };
}
