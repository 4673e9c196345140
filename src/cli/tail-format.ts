/** How an event looks in a terminal, and as a line of JSON. */
import type { FeedEvent, SyncEvent } from '../../streams/event.js';

/** Characters of `12:00:00.123`. */
const CLOCK = 12;
const RESET = '\u001b[0m';
const DIM = '\u001b[2m';
const COLOURS: Readonly<Record<string, string>> = {
  success: '\u001b[32m',
  error: '\u001b[31m',
  failed: '\u001b[31m',
  warning: '\u001b[33m',
  pending: '\u001b[36m',
  skipped: DIM,
};

/**
 * Control characters, and marks that turn the direction of text around, as a visible sign: a row's text comes from
 * outside and must not steer the terminal it is shown on.
 */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

/** An event of the feed or of the table. */
export type ShownEvent = SyncEvent & Pick<Partial<FeedEvent>, 'previous_status'>;

interface Column {
  readonly text: string;
  readonly colour?: string | undefined;
}

/**
 * One line without its line end: time, status, type, duration, customer, ids, message. A dash stands for nothing.
 * On a terminal of `width` characters the less telling columns go first, and what is still too long is cut.
 */
export function eventLine(event: ShownEvent, colours: boolean, width = Number.POSITIVE_INFINITY): string {
  const columns = columnsOf(event, width);
  const last = columns.at(-1);
  if (last) columns[columns.length - 1] = { ...last, text: last.text.trimEnd() };
  let room = width;
  let line = '';
  for (const [n, { text, colour }] of columns.entries()) {
    const gap = n === 0 ? '' : '  ';
    const shown = shorten(text, room - gap.length);
    if (shown === '' && text !== '') break;
    room -= gap.length + [...shown].length;
    line += gap + (colours && colour !== undefined ? `${colour}${shown}${RESET}` : shown);
  }
  return line.trimEnd();
}

/** At least so many characters for a line with the date, the 1C id, and the customer. */
const [WITH_DATE, WITH_ONEC_ID, WITH_CUSTOMER] = [140, 100, 70];

function columnsOf(event: ShownEvent, width: number): Column[] {
  const status = visible(event.status);
  const before = event.previous_status === undefined ? '' : `${visible(event.previous_status)} > `;
  const wide = width >= WITH_DATE;
  const time = event.created_at === null ? '-' : timeOf(event.created_at);
  const correlation = visible(event.correlation_id ?? '-');
  return [
    { text: wide ? time.padEnd(23) : time.slice(-CLOCK).padEnd(CLOCK), colour: DIM },
    { text: (before + status).padEnd(wide ? 18 : 9), colour: COLOURS[status] },
    { text: visible(event.operation_type).padEnd(23) },
    { text: (event.duration_ms === null ? '-' : `${event.duration_ms} ms`).padStart(wide ? 10 : 8) },
    ...(width >= WITH_CUSTOMER
      ? [{ text: `customer ${event.customer_id ?? '-'}`.padEnd(wide ? 17 : 14) }]
      : []),
    ...(width >= WITH_ONEC_ID ? [{ text: visible(event.onec_id ?? '-').padEnd(wide ? 12 : 8) }] : []),
    ...(width >= WITH_CUSTOMER
      ? [{ text: wide ? correlation : shorten(correlation, 9).padEnd(9), colour: DIM }]
      : []),
    ...remarks(event).map((text) => ({ text })),
  ];
}

/** The text, or as much of it as fits, a mark at its end. */
function shorten(text: string, room: number): string {
  const points = [...text];
  if (points.length <= room) return text;
  return room < 1 ? '' : `${points.slice(0, room - 1).join('')}\u2026`;
}

function remarks(event: ShownEvent): string[] {
  const found: string[] = [];
  if (event.conflict_source) found.push(`source ${visible(event.conflict_source)}`);
  if (event.identification_method) found.push(`by ${visible(event.identification_method)}`);
  if (event.batch) {
    const { operation_name, total, success, error } = event.batch;
    const name = visible(operation_name ?? 'batch');
    found.push(`${name}: ${total ?? '-'} rows, ${success ?? '-'} well, ${error ?? '-'} in error`);
  }
  if (event.customer_email) found.push(visible(event.customer_email));
  if (event.error_message) found.push(visible(event.error_message));
  return found;
}

/** Local date and time; the table's clock, not this machine's. */
export function timeOf(iso: string | null): string {
  if (iso === null) return '-'.padEnd(23);
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return visible(iso).padEnd(23);
  const pad = (value: number, digits = 2) => String(value).padStart(digits, '0');
  const date = `${pad(time.getFullYear(), 4)}-${pad(time.getMonth() + 1)}-${pad(time.getDate())}`;
  const clock = `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;
  return `${date} ${clock}.${pad(time.getMilliseconds(), 3)}`;
}

/** One line of JSON without its line end; what JSON leaves in clear of control characters is escaped too. */
export function jsonLine(event: SyncEvent): string {
  return JSON.stringify(event).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
