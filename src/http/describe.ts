/**
 * A route and its description in one value, so that /openapi.json cannot forget a path or tell of one that is not
 * there, and so that a wrong method on a known path can be answered with 405.
 */
import { type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { errorAnswer } from './schemas.js';

export interface Answer {
  readonly description: string;
  readonly schema: z.ZodType;
  /** Default: application/json. */
  readonly type?: string;
}

export interface RouteDescription {
  /** As SPEC writes it, with its trailing slash; it answers without one as well. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  /** Needs no token. */
  readonly open?: boolean;
  readonly query?: z.ZodObject;
  readonly answers: Readonly<Record<number, Answer>>;
  readonly handle: (c: Context) => Response | Promise<Response>;
}

export const TEXT = z.string();

export const UNAVAILABLE: Answer = {
  description: 'Nothing can be measured now; `code` says why.',
  schema: errorAnswer,
};
export const BAD_PERIOD: Answer = {
  description: 'A date, the period or another parameter is not valid; `message` says how.',
  schema: errorAnswer,
};

/** An answer that no cache keeps. */
export function json(c: Context, body: object, status: 200 | 503 = 200): Response {
  c.header('Cache-Control', 'no-store');
  return c.json(body, status);
}

const error = (description: string): Answer => ({ description, schema: errorAnswer });

const CLOSED_ANSWERS: Readonly<Record<number, Answer>> = {
  401: error('A token is needed, or the one sent is not known.'),
  403: error('The role may not do this, or Host or Origin is not allowed.'),
};

const content = (answer: Answer) => ({
  description: answer.description,
  content: { [answer.type ?? 'application/json']: { schema: answer.schema } },
});

/** The path by which Hono knows a route whose trailing slash does not matter. */
export function bare(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

export function addRoute(app: OpenAPIHono, route: RouteDescription): void {
  const answers = {
    ...(route.open === true ? {} : CLOSED_ANSWERS),
    500: error('The monitor failed; its log says why.'),
    ...route.answers,
  };
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: route.path,
    summary: route.summary,
    tags: [route.tag],
    ...(route.description === undefined ? {} : { description: route.description }),
    ...(route.open === true ? { security: [] } : {}),
    ...(route.query === undefined ? {} : { request: { query: route.query } }),
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, answer]) => [status, content(answer)]),
    ),
  });
  app.get(bare(route.path), route.handle);
}
