/** One attempt to deliver one notice. Whether and when there is another is for retry.ts to say. */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { maskText } from '../../streams/mask.js';
import { type AddressPolicy, PrivateAddressError, publicLookup, type Resolve, refusalOf } from './address.js';

/** What came of an attempt. `reason` is a sentence without secrets; `status` is null where none was received. */
export type Attempt =
  | { readonly outcome: 'delivered'; readonly status: number; readonly answer: string }
  /** The receiver, or the way to it, is not in order: nothing can be delivered there for a while. */
  | {
      readonly outcome: 'retry';
      readonly status: number | null;
      readonly reason: string;
      readonly retryAfterMs: number | null;
    }
  /** 410: the receiver asks never to be sent anything again. */
  | { readonly outcome: 'gone'; readonly status: number; readonly reason: string }
  /** The receiver works and does not want this, or we must not send there: somebody has to mend it. */
  | { readonly outcome: 'refused'; readonly status: number | null; readonly reason: string };

export interface Delivery {
  readonly url: URL;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly policy: AddressPolicy;
  /** A fault that a receiver tells in the body of its 200; null for none. */
  readonly faultIn?: ((answer: string) => string | null) | undefined;
  /** For Retry-After as a date, ms of the Unix epoch. */
  readonly now: number;
}

export interface Limits {
  /** For the whole attempt, name lookup and answer included. ms */
  readonly timeoutMs: number;
  readonly resolve?: Resolve;
  readonly signal?: AbortSignal;
}

export const STANDARD_LIMITS: Limits = { timeoutMs: 10_000 };

const ANSWER_BYTES = 4_096;
const SHOWN_ANSWER = 160;

/** Where a notice goes, without what may be a secret of the address: user, path and query. */
export function redactedUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname === '/' && url.search === '' ? '' : '/***'}`;
}

/** Posts once. Never throws: what happened is in the result. Redirects are not followed. */
export async function attempt(delivery: Delivery, limits: Limits = STANDARD_LIMITS): Promise<Attempt> {
  const { url, policy } = delivery;
  const where = redactedUrl(url);
  // Checked at start too, but a rule of safety stands where the socket is opened.
  const refusal = refusalOf(url, policy);
  if (refusal !== null)
    return { outcome: 'refused', status: null, reason: `the address ${where} ${refusal}` };
  try {
    return judge(where, await post(delivery, limits), delivery);
  } catch (error) {
    const forbidden = error instanceof PrivateAddressError;
    const reason = `${where}: ${wordsOf(error)}`;
    return forbidden
      ? { outcome: 'refused', status: null, reason }
      : { outcome: 'retry', status: null, reason, retryAfterMs: null };
  }
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

function judge(where: string, { status, retryAfter, body }: Answer, { faultIn, now }: Delivery): Attempt {
  const said = body.trim() === '' ? '' : `: ${maskText(body.trim(), SHOWN_ANSWER)}`;
  const reason = `${where} answered ${status}${said}`;
  if (status >= 200 && status < 300) {
    const fault = faultIn?.(body) ?? null;
    return fault === null
      ? { outcome: 'delivered', status, answer: maskText(body.trim(), SHOWN_ANSWER) }
      : { outcome: 'retry', status, reason, retryAfterMs: null };
  }
  if (status === 410) return { outcome: 'gone', status, reason };
  if (status >= 500 || [408, 425, 429].includes(status))
    return { outcome: 'retry', status, reason, retryAfterMs: waitAsked(retryAfter, body, now) };
  if (status >= 300 && status < 400)
    return {
      outcome: 'refused',
      status,
      reason: `${where} answered ${status}, and redirects are not followed`,
    };
  return { outcome: 'refused', status, reason };
}

/** RFC 9110, 10.2.3: seconds or a date; Telegram says it in the body (`parameters.retry_after`). */
function waitAsked(header: string | undefined, body: string, now: number): number | null {
  const found = parseRetryAfter(header, now);
  if (found !== null) return found;
  const told = /"retry_after"\s*:\s*(\d{1,9})\b/.exec(body);
  return told ? Number(told[1]) * 1_000 : null;
}

/** The wait that a Retry-After asks for, ms, not below 0; null where there is none that can be read. */
export function parseRetryAfter(header: string | undefined, now: number): number | null {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  // Date.parse reads nearly anything as a date; an HTTP date begins with a day's name and ends with GMT.
  const date = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun).*\sGMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

function post({ url, body, headers, policy }: Delivery, limits: Limits): Promise<Answer> {
  const options: RequestOptions = {
    ...urlToHttpOptions(url),
    method: 'POST',
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'customer-sync-monitor',
      ...headers,
      'content-length': Buffer.byteLength(body),
    },
    // A connection of its own: one that was kept open may be half dead by the next alert.
    agent: false,
  };
  if (policy.denyPrivate) options.lookup = publicLookup(limits.resolve);
  const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(options);
  return new Promise((resolve, reject) => {
    let response: IncomingMessage | undefined;
    let text = '';
    const finish = (error?: Error) => {
      clearTimeout(timer);
      limits.signal?.removeEventListener('abort', cancel);
      // With its headers the receiver has answered; a body that never ends changes nothing.
      if (response?.statusCode !== undefined)
        resolve({ status: response.statusCode, retryAfter: response.headers['retry-after'], body: text });
      else reject(error ?? new Error('the connection was closed without an answer'));
      request.destroy();
    };
    const timer = setTimeout(
      () => finish(new Error(`no answer within ${limits.timeoutMs} ms`)),
      limits.timeoutMs,
    );
    const cancel = () => finish(new Error('the monitor is stopping'));
    limits.signal?.addEventListener('abort', cancel, { once: true });
    request.on('response', (message) => {
      response = message;
      message.setEncoding('utf8');
      message.on('data', (part: string) => {
        text += part;
        if (text.length >= ANSWER_BYTES) finish();
      });
      message.on('end', () => finish());
      message.on('error', finish);
      message.on('close', () => finish());
    });
    request.on('error', finish);
    request.end(body);
    if (limits.signal?.aborted) cancel();
  });
}

/** Node's words name host and port, never path or password. A name with several addresses fails once for each. */
function wordsOf(error: unknown): string {
  const errors: unknown[] = error instanceof AggregateError && error.message === '' ? error.errors : [error];
  const words = errors.map((one) => (one instanceof Error ? one.message : String(one)));
  return maskText([...new Set(words)].join(', '), 2 * SHOWN_ANSWER);
}
