/**
 * The one form in which the API says no: `{"error": {"code", "message", ...}}`.
 * What the view throws is translated here, so that no message of a driver or a stack ever leaves the process.
 */
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';

export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 413 | 415 | 426 | 429 | 500 | 503;

export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly [detail: string]: unknown };
}

/** A refusal whose message was written for the caller. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: ErrorStatus;
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(status: ErrorStatus, code: string, message: string, details: Record<string, unknown> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** Codes the view's failures may carry, with what the caller is told. Their own messages stay in the log. */
const UNAVAILABLE: ReadonlyMap<string, string> = new Map([
  [
    'database_unavailable',
    'The database does not answer, so this cannot be measured now. The monitor keeps trying; ask again in some seconds.',
  ],
  ['standby', 'This process is the standby of another monitor on the same database; ask the leader.'],
  ['starting', 'The monitor is still starting and has no numbers yet; ask again in some seconds.'],
]);

/** What PostgreSQL says of a question that came at a bad time: cancelled for its length, or kept from a lock. */
const BUSY = ['57014', '55P03', '40001', '53300'];
const BUSY_MESSAGE =
  'The database took too long over this, or was busy with something else. Ask for a shorter period or for less, or again in some seconds.';

const INTERNAL = 'The monitor failed on this request. Its log says why.';

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * What the caller is told of a failure.
 * @returns the failure as an ApiError, and whether it was foreseen (an unforeseen one belongs in the log).
 */
export function toApiError(error: unknown): { readonly answer: ApiError; readonly foreseen: boolean } {
  if (error instanceof ApiError) return { answer: error, foreseen: true };
  const code = codeOf(error);
  const message = code === undefined ? undefined : UNAVAILABLE.get(code);
  if (code !== undefined && message !== undefined) {
    return { answer: new ApiError(503, code, message), foreseen: true };
  }
  if (code !== undefined && BUSY.includes(code)) {
    return { answer: new ApiError(503, 'database_busy', BUSY_MESSAGE), foreseen: true };
  }
  if (code === 'column_absent') {
    const column = String((error as { column?: unknown }).column);
    const text = `This log table has no column ${column}, so it cannot be filtered by it; leave that parameter out.`;
    return { answer: new ApiError(400, code, text, { column }), foreseen: true };
  }
  // Its words were written for the caller, in src/alerts/silences.ts.
  if (code === 'invalid_silence' && error instanceof Error) {
    return { answer: new ApiError(400, code, `${error.message}.`), foreseen: true };
  }
  // Hono's own refusals (a malformed request found by a middleware) carry a status but no text for the caller.
  if (error instanceof HTTPException && error.status < 500) {
    return { answer: new ApiError(400, 'bad_request', 'The request is malformed.'), foreseen: true };
  }
  return { answer: new ApiError(500, 'internal_error', INTERNAL), foreseen: false };
}

/** The error form of an ApiError. */
export function errorBody(error: ApiError): ErrorBody {
  return { error: { ...error.details, code: error.code, message: error.message } };
}

/** The error form as an answer; 429 and 503 say when to try again, 401 how to sign in. */
export function errorResponse(c: Context, error: ApiError): Response {
  c.header('Cache-Control', 'no-store');
  if (error.status === 503) c.header('Retry-After', '5');
  if (error.status === 429) c.header('Retry-After', String(error.details.retry_after_seconds ?? 5));
  return c.json(errorBody(error), error.status);
}
