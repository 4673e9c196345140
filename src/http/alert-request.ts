/** What may be asked of alerts and silences, read strictly: a misspelt filter that is ignored shows the wrong ones. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { AckWire, AlertQuery, SilenceRequest } from '../../streams/alerts-view.js';
import { readBody } from './body.js';
import { ApiError } from './errors.js';
import { dateParameter, parseIsoDate, quoted, single } from './period.js';

const DEFAULT_LIMIT = 100;
/** Of one page; below that of AlertQuery, so that one more can be asked for. */
const MAX_LIMIT = 200;
const STATES = ['active', 'past', 'all'] as const satisfies readonly AlertQuery['state'][];
const RULE = /^[a-z][a-z0-9_]{0,62}$/;
const ALERT_ID = /^[a-z0-9_-]{1,100}$/;
/** Far more than there will ever be, and an integer of PostgreSQL. */
const SILENCE_ID = /^\d{1,9}$/;
const NAME = 100;
const TEXT = 500;

/** Described for the document; the values are read below, so that each fault gets its own sentence. */
export const alertQuery = z.object({
  state: z.enum(STATES).optional().openapi({ description: 'Default: all.' }),
  rule: z.string().regex(RULE).optional().openapi({ example: 'high_error_rate' }),
  before: z.string().optional().openapi({
    description: 'ISO 8601; only alerts that began before: next_before of the page before.',
  }),
  limit: z
    .string()
    .regex(/^\d{1,3}$/)
    .optional()
    .openapi({
      description: `Alerts of a page, 1 to ${MAX_LIMIT}; default ${DEFAULT_LIMIT}. Those that began at the very same time stay together.`,
      example: '100',
    }),
});
export const silenceQuery = z.object({
  past: z.enum(['true', 'false']).optional().openapi({ description: 'true: also those that have ended.' }),
});
export const alertParams = z.object({ id: z.string().openapi({ example: 'high_error_rate-1772366400000' }) });
export const silenceParams = z.object({ id: z.string().regex(SILENCE_ID).openapi({ example: '7' }) });

const name = z.string().trim().min(1).max(NAME);
const ackShape = z.strictObject({
  by: name.nullish().openapi({ description: 'Who has it in hand.' }),
  note: z.string().trim().max(TEXT).nullish(),
});
export const ackBody = ackShape.openapi('AckRequest');

const silenceShape = z.strictObject({
  rule: z.union([z.literal('*'), z.string().regex(RULE)]).openapi({ description: 'A rule, or * for all.' }),
  ends_at: z.string().openapi({ description: 'ISO 8601, in the future, at most a year away.' }),
  starts_at: z.string().nullish().openapi({ description: 'ISO 8601; default: now.' }),
  reason: z.string().trim().min(1).max(TEXT),
  created_by: name.nullish(),
});
export const silenceBody = silenceShape.openapi('SilenceRequest');

const NAMED = `text of 1 to ${NAME} characters`;
const ACK_ALLOWED = { by: NAMED, note: `text of at most ${TEXT} characters` };
const TIME = 'an ISO 8601 time such as 2026-01-31T12:00:00Z';
const SILENCE_ALLOWED = {
  rule: 'the name of a rule, or *',
  ends_at: TIME,
  starts_at: TIME,
  reason: `text of 1 to ${TEXT} characters`,
  created_by: NAMED,
};

function checkNames(query: URLSearchParams, names: readonly string[]): void {
  for (const given of query.keys()) {
    if (names.includes(given)) continue;
    const message = `${quoted(given)} is no parameter of this path; those are ${names.join(', ')}.`;
    throw new ApiError(400, 'unknown_parameter', message);
  }
}

function refuse(parameter: string, value: string, allowed: string): ApiError {
  const message = `${parameter} is ${quoted(value)}; allowed: ${allowed}.`;
  return new ApiError(400, 'invalid_parameter', message, { parameter });
}

/** @throws ApiError 400 that names the parameter, its value and what is allowed */
export function parseAlertQuery(query: URLSearchParams): AlertQuery {
  checkNames(query, Object.keys(alertQuery.shape));
  const state = single(query, 'state') ?? 'all';
  const known = STATES.find((one) => one === state);
  if (known === undefined) throw refuse('state', state, STATES.join(', '));
  const rule = single(query, 'rule');
  if (rule !== undefined && !RULE.test(rule)) throw refuse('rule', rule, 'the name of a rule');
  const limit = single(query, 'limit') ?? String(DEFAULT_LIMIT);
  const number = /^\d{1,3}$/.test(limit) ? Number(limit) : 0;
  if (number < 1 || number > MAX_LIMIT) throw refuse('limit', limit, `a whole number from 1 to ${MAX_LIMIT}`);
  return { state: known, rule, before: dateParameter(query, 'before'), limit: number };
}

/** @throws likewise */
export function parsePast(query: URLSearchParams): boolean {
  checkNames(query, Object.keys(silenceQuery.shape));
  const past = single(query, 'past') ?? 'false';
  if (past !== 'true' && past !== 'false') throw refuse('past', past, 'true, false');
  return past === 'true';
}

/** Undefined: it cannot be the id of an alert. */
export function alertIdOf(c: Context): string | undefined {
  const id = c.req.param('id') ?? '';
  return ALERT_ID.test(id) ? id : undefined;
}

/** @throws ApiError 400 */
export function silenceIdOf(c: Context): number {
  const id = c.req.param('id') ?? '';
  if (!SILENCE_ID.test(id)) throw refuse('id', id, 'the number of a silence, as /api/silences/ has it');
  return Number(id);
}

/** @throws ApiError 400 */
export async function readAck(c: Context): Promise<Pick<AckWire, 'by' | 'note'>> {
  const { by, note } = await readBody(c, ackShape, ACK_ALLOWED);
  return { by: by ?? null, note: note || null };
}

/** @throws ApiError 400 */
export async function readSilence(c: Context): Promise<SilenceRequest> {
  const body = await readBody(c, silenceShape, SILENCE_ALLOWED);
  const time = (key: 'starts_at' | 'ends_at', value: string): number => {
    const ms = parseIsoDate(value);
    if (ms === undefined)
      throw new ApiError(400, 'invalid_body', `${key} is ${quoted(value)}; allowed: ${TIME}.`, {
        parameter: key,
      });
    return ms;
  };
  return {
    rule: body.rule,
    startsAt: body.starts_at ? time('starts_at', body.starts_at) : undefined,
    endsAt: time('ends_at', body.ends_at),
    reason: body.reason,
    createdBy: body.created_by ?? null,
  };
}
