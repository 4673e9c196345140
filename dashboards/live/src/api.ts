/** The JSON API as the page asks it. */
import type { OperationMetrics } from '../../../streams/snapshot.js';
import type { SystemHealth } from '../../../streams/system-health.js';
import type { AlertsAnswer, EventPage, SloAnswer } from './answers.js';
import type { Span } from './view.js';

/** An answer that is none, or no answer at all (status 0). */
export class ApiFailure extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ApiFailure';
  }
}

export interface AskOptions {
  readonly signal?: AbortSignal;
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Statuses that carry the very answer too, as health's 503. */
  readonly alsoGood?: readonly number[];
}

/**
 * Asks a path of the API, relative to the page.
 * @throws ApiFailure; DOMException `AbortError` when the signal ended it
 */
export async function ask<T>(path: string, options: AskOptions = {}): Promise<T> {
  const { signal, method = 'GET', body, alsoGood = [] } = options;
  let response: Response;
  try {
    response = await fetch(new URL(path, document.baseURI), {
      method,
      cache: 'no-store',
      headers: {
        Accept: 'application/json',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(signal === undefined ? {} : { signal }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiFailure(0, 'no_answer', 'The monitor does not answer.', { cause: error });
  }
  if (response.ok || alsoGood.includes(response.status)) return (await response.json()) as T;
  throw await failureOf(response);
}

async function failureOf(response: Response): Promise<ApiFailure> {
  // A proxy in between answers with a page of its own.
  const answer: { error?: { code?: string; message?: string } } = await response.json().catch(() => ({}));
  const { code = `http_${response.status}`, message = `${response.status} ${response.statusText}` } =
    answer.error ?? {};
  return new ApiFailure(response.status, code, message);
}

function query(params: Readonly<Record<string, string>>): string {
  return new URLSearchParams(params).toString();
}

export function operationsOf({ from, to }: Span, signal: AbortSignal): Promise<OperationMetrics> {
  const period = { start_date: new Date(from).toISOString(), end_date: new Date(to).toISOString() };
  return ask(`api/monitoring/operations/?${query(period)}`, { signal });
}

export function systemHealth(signal: AbortSignal): Promise<SystemHealth> {
  return ask('api/monitoring/health/', { signal, alsoGood: [503] });
}

export function slo(signal: AbortSignal): Promise<SloAnswer> {
  return ask('api/monitoring/slo/', { signal });
}

export function activeAlerts(signal: AbortSignal): Promise<AlertsAnswer> {
  return ask('api/alerts/?state=active&limit=100', { signal });
}

export function events(params: Readonly<Record<string, string>>, signal: AbortSignal): Promise<EventPage> {
  return ask(`api/events/?${query(params)}`, { signal });
}
