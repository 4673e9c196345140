/** The query of `GET /api/events/`, read strictly: a misspelt filter that is ignored shows the wrong events. */
import { z } from '@hono/zod-openapi';
import { ApiError } from './errors.js';
import { dateParameter, quoted, single } from './period.js';
import type { EventRequest } from './view.js';

const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 500;
const MAX_TEXT = 200;
const MAX_NAMES = 32;
const LOWEST_ID = -(2n ** 63n) + 1n;
const HIGHEST_ID = 2n ** 63n - 1n;

const words = (what: string, example: string) =>
  z
    .string()
    .optional()
    .openapi({ description: `${what}; several separated by commas.`, example });
const id = (what: string) =>
  z
    .string()
    .regex(/^-?\d{1,19}$/)
    .optional()
    .openapi({ description: what });

/** Described for the document; `parseEventRequest` reads the values, so that each fault gets its own sentence. */
export const eventQuery = z.object({
  type: words('Operation types', 'export_to_1c'),
  status: words('Statuses', 'error,failed'),
  correlation_id: z.string().max(MAX_TEXT).optional(),
  customer_id: id('A customer.'),
  onec_id: z.string().max(MAX_TEXT).optional(),
  since: z.string().optional().openapi({
    description: 'ISO 8601, by created_at, inclusive; UTC where no offset is given.',
    example: '2026-01-31T00:00:00Z',
  }),
  until: z.string().optional().openapi({ description: 'ISO 8601, by created_at, exclusive.' }),
  before_id: id('Only events with a smaller id: next_before_id of the page before.'),
  limit: z
    .string()
    .regex(/^\d{1,3}$/)
    .optional()
    .openapi({
      description: `Events of a page, 1 to ${MAX_LIMIT}; default ${DEFAULT_LIMIT}.`,
      example: '100',
    }),
});

const NAMES = Object.keys(eventQuery.shape);

/** @throws ApiError 400 that names the parameter, its value and what is allowed. */
export function parseEventRequest(query: URLSearchParams): EventRequest {
  for (const name of query.keys()) {
    if (!NAMES.includes(name)) {
      const message = `${quoted(name)} is no parameter of this path; those are ${NAMES.join(', ')}.`;
      throw new ApiError(400, 'unknown_parameter', message);
    }
  }
  const [since, until] = [dateParameter(query, 'since'), dateParameter(query, 'until')];
  if (since !== undefined && until !== undefined && until <= since) {
    const message = 'until is not after since; the period runs from since up to, and without, until.';
    throw new ApiError(400, 'invalid_period', message);
  }
  return {
    filter: defined({
      types: list(query, 'type'),
      statuses: list(query, 'status'),
      correlationId: text(query, 'correlation_id'),
      customerId: digits(query, 'customer_id'),
      onecId: text(query, 'onec_id'),
      since: since === undefined ? undefined : new Date(since),
      until: until === undefined ? undefined : new Date(until),
    }),
    ...defined({ beforeId: digits(query, 'before_id') }),
    limit: limit(query),
  };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Defined<T>;
}

function refuse(name: string, value: string, allowed: string): ApiError {
  const message = `${name} is ${quoted(value)}; allowed: ${allowed}.`;
  return new ApiError(400, 'invalid_parameter', message, { parameter: name });
}

/** Text as it would stand in the table. PostgreSQL has no NUL in a text. */
function isText(value: string): boolean {
  return value !== '' && value.length <= MAX_TEXT && !/\p{Cc}/u.test(value);
}

const TEXT = `text of 1 to ${MAX_TEXT} characters without control characters`;

function text(query: URLSearchParams, name: string): string | undefined {
  const value = single(query, name);
  if (value !== undefined && !isText(value)) throw refuse(name, value, TEXT);
  return value;
}

function list(query: URLSearchParams, name: string): readonly string[] | undefined {
  const values = query.getAll(name).flatMap((value) => value.split(','));
  if (values.length === 0) return undefined;
  if (values.length > MAX_NAMES) throw refuse(name, values.join(','), `at most ${MAX_NAMES} names`);
  for (const value of values) if (!isText(value)) throw refuse(name, value, TEXT);
  return values;
}

function digits(query: URLSearchParams, name: string): string | undefined {
  const value = single(query, name);
  if (value === undefined) return undefined;
  const number = /^-?\d{1,19}$/.test(value) ? BigInt(value) : null;
  if (number === null || number < LOWEST_ID || number > HIGHEST_ID)
    throw refuse(name, value, `a whole number from ${LOWEST_ID} to ${HIGHEST_ID}`);
  return String(number);
}

function limit(query: URLSearchParams): number {
  const value = single(query, 'limit');
  if (value === undefined) return DEFAULT_LIMIT;
  const number = /^\d{1,3}$/.test(value) ? Number(value) : 0;
  if (number < 1 || number > MAX_LIMIT) throw refuse('limit', value, `a whole number from 1 to ${MAX_LIMIT}`);
  return number;
}
