/** How an event looks in a terminal, and as a line of JSON. */
import type { FeedEvent } from '../../streams/event.js';

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

/** One line without its line end: time, status, type, duration, customer, ids, message. A dash stands for nothing. */
export function eventLine(event: FeedEvent, colours: boolean): string {
  const paint = (code: string | undefined, text: string) =>
    colours && code !== undefined ? `${code}${text}${RESET}` : text;
  const status = visible(event.status);
  const before = event.previous_status === undefined ? '' : `${visible(event.previous_status)} > `;
  const columns = [
    paint(DIM, timeOf(event.created_at)),
    before + paint(COLOURS[status], status.padEnd(Math.max(0, 18 - before.length))),
    visible(event.operation_type).padEnd(23),
    (event.duration_ms === null ? '-' : `${event.duration_ms} ms`).padStart(10),
    `customer ${event.customer_id ?? '-'}`.padEnd(17),
    visible(event.onec_id ?? '-').padEnd(12),
    paint(DIM, visible(event.correlation_id ?? '-')),
    ...remarks(event),
  ];
  return columns.join('  ').trimEnd();
}

function remarks(event: FeedEvent): string[] {
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
export function jsonLine(event: FeedEvent): string {
  return JSON.stringify(event).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
