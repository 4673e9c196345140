/** `sync-monitor tail --no-follow`: events out of the table through `/api/events/`, oldest first, and then the end. */
import type { BigId } from '../../streams/event.js';
import type { TailOptions } from './tail.js';
import { eventLine, jsonLine, type ShownEvent, visible } from './tail-format.js';
import { apiUrlOf } from './tail-since.js';

export interface PastOptions extends TailOptions {
  /** Events before this time, ms of the Unix epoch; null for all. */
  readonly until: number | null;
}

interface PastPage {
  readonly events: readonly ShownEvent[];
  readonly next_before_id: BigId | null;
  readonly complete: boolean;
}

/** Without `since`: as many as fit on some screens. */
const LAST = 100;
/** They are held until the oldest is known, for that one is shown first. */
const MOST = 20_000;
const PAGE = 500;
const ANSWER_MS = 30_000;

/** Shows what matches. Gives false when the monitor cannot be asked, or refuses. */
export async function tailPast(options: PastOptions): Promise<boolean> {
  const { since, json, colours, width, print, note, signal } = options;
  const wanted = since === null ? LAST : MOST;
  const url = new URL(apiUrlOf(options.url, '/api/events/'));
  url.search = queryOf(options).toString();
  const found: ShownEvent[] = [];
  let searching = false;
  for (;;) {
    url.searchParams.set('limit', String(Math.min(PAGE, wanted - found.length)));
    const page = await ask(url, options);
    if (signal.aborted) return true;
    if (typeof page === 'string') {
      note(`cannot read ${url.origin}${url.pathname}: ${page}`);
      return false;
    }
    found.push(...page.events);
    if (page.next_before_id === null) break;
    if (found.length >= wanted) {
      if (since !== null)
        note(`only the newest ${wanted} events are shown; a later --since shows all there are`);
      break;
    }
    if (!page.complete && !searching) note('searching; few of the rows match');
    searching ||= !page.complete;
    url.searchParams.set('before_id', String(page.next_before_id));
  }
  for (const event of found.reverse()) print(json ? jsonLine(event) : eventLine(event, colours, width?.()));
  note(`${found.length} events`);
  return true;
}

function queryOf({ filter, since, until }: PastOptions): URLSearchParams {
  const query = new URLSearchParams();
  for (const type of filter.operation_types ?? []) query.append('type', type);
  for (const status of filter.statuses ?? []) query.append('status', status);
  if (filter.correlation_id !== undefined) query.set('correlation_id', filter.correlation_id);
  if (filter.customer_id !== undefined) query.set('customer_id', String(filter.customer_id));
  if (since !== null) query.set('since', new Date(since).toISOString());
  if (until !== null) query.set('until', new Date(until).toISOString());
  return query;
}

/** One page, or why there is none. */
async function ask(url: URL, { token, signal }: PastOptions): Promise<PastPage | string> {
  try {
    const response = await fetch(url, {
      headers: token ? { authorization: `Bearer ${token}` } : {},
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    });
    const answer: unknown = await response.json();
    if (response.ok && isPage(answer)) return answer;
    const { message = 'no monitor answers there' } = (answer as { error?: { message?: string } }).error ?? {};
    return `HTTP ${response.status}: ${visible(String(message))}`;
  } catch (error) {
    if (error instanceof SyntaxError) return 'what answers there is no monitor';
    const { message, cause } = error as Error;
    return cause instanceof Error ? `${cause.message || (cause as NodeJS.ErrnoException).code}` : message;
  }
}

function isPage(answer: unknown): answer is PastPage {
  return typeof answer === 'object' && answer !== null && 'events' in answer && Array.isArray(answer.events);
}
