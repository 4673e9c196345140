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

/** The JSON that a request carries; reading it is the handler's business (body.ts). */
export interface Body {
  readonly schema: z.ZodType;
  readonly required: boolean;
}

export interface RouteDescription {
  /** Default: get. */
  readonly method?: 'get' | 'post' | 'delete';
  /** As SPEC writes it, `:id` for a part that varies; it answers with and without its trailing slash. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  /** Needs no token. */
  readonly open?: boolean;
  /** A page for people and its forms: not part of the API that the document describes. */
  readonly hidden?: boolean;
  readonly query?: z.ZodObject;
  /** The parts of the path that vary. */
  readonly params?: z.ZodObject;
  readonly body?: Body;
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
export function json(c: Context, body: object, status: 200 | 201 | 503 = 200): Response {
  c.header('Cache-Control', 'no-store');
  return c.json(body, status);
}

const error = (description: string): Answer => ({ description, schema: errorAnswer });

const CLOSED_ANSWERS: Readonly<Record<number, Answer>> = {
  401: error('A token is needed, or the one sent is not known.'),
  403: error('The role may not do this, or Host or Origin is not allowed.'),
  429: error('Too many wrong tokens came from this address; Retry-After says when it is listened to again.'),
};

const BODY_ANSWERS: Readonly<Record<number, Answer>> = {
  400: error('The body is no such JSON; `message` says what is wrong with it.'),
  413: error('The body is too long.'),
  415: error('The body is compressed.'),
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
  const { method = 'get', query, params, body } = route;
  const answers = {
    ...(route.open === true ? {} : CLOSED_ANSWERS),
    ...(body === undefined ? {} : BODY_ANSWERS),
    500: error('The monitor failed; its log says why.'),
    ...route.answers,
  };
  const request = {
    ...(query === undefined ? {} : { query }),
    ...(params === undefined ? {} : { params }),
    ...(body === undefined
      ? {}
      : { body: { content: { 'application/json': { schema: body.schema } }, required: body.required } }),
  };
  if (route.hidden !== true)
    app.openAPIRegistry.registerPath({
      method,
      path: route.path.replace(/:(\w+)/g, '{$1}'),
      summary: route.summary,
      tags: [route.tag],
      ...(route.description === undefined ? {} : { description: route.description }),
      ...(route.open === true ? { security: [] } : {}),
      request,
      responses: Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [status, content(answer)]),
      ),
    });
  app.on(method.toUpperCase(), bare(route.path), (c) => route.handle(c));
}

/** The methods that a path answers to, as an Allow header has them; none for a path that is not known. */
export function methodsOf(
  routes: readonly RouteDescription[],
  files: Iterable<string>,
): (path: string) => readonly string[] {
  const readable = new Set(files);
  const known = routes.map(({ path, method = 'get' }) => ({
    pattern: new RegExp(`^${bare(path).replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+')}$`),
    methods: method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()],
  }));
  return (path) => {
    const found = known.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods);
    return found.length === 0 && readable.has(path) ? ['GET', 'HEAD'] : found;
  };
}
