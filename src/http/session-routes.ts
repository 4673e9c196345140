/** Signing in and out on the page, and who the caller is. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { type Access, type Refusal, type Role, refusalError } from './auth.js';
import { readText } from './body.js';
import { callerOf, requestOf } from './caller.js';
import { json, type RouteDescription, TEXT } from './describe.js';
import { ApiError, errorResponse } from './errors.js';
import { pageLanguage, SIGN_IN_POLICY, signInPage, signOutPage } from './sign-in-page.js';

export interface SessionRouteOptions {
  readonly access: Access;
  /** UNMASK */
  readonly unmask: boolean;
  /** Told whose session was ended by hand: its WebSockets go too. */
  readonly onSignOut: (sessionId: string) => void;
}

export const sessionAnswer = z
  .object({
    role: z.enum(['admin', 'viewer', 'metrics'] satisfies [Role, ...Role[]]),
    signed_in_by: z.enum(['token', 'session']).nullable().openapi({
      description: 'Null: this monitor asks for no token.',
    }),
    expires_at: z.iso.datetime().nullable().openapi({ description: 'Of a session.' }),
    unmasked: z.boolean().openapi({ description: '/api/events/ shows personal data to this caller.' }),
  })
  .openapi('Session');

/** A token, the view to come back to, and the words around them. */
const MAX_FORM_BYTES = 16 * 1024;
const MAX_QUERY = 2_000;

/** Whether this caller may see personal data: asked for by setting, and only with AUTH_TOKEN in hand. */
export function maySeeUnmasked(c: Context, unmask: boolean): boolean {
  const caller = callerOf(c);
  return unmask && caller?.role === 'admin' && caller.by !== 'open';
}

/** The page instead of an error, for a person whose browser opened an address without being signed in. */
export function signInResponse(
  c: Context,
  status: 200 | 401 | 403 | 413 | 429,
  fault?: string,
  query = queryOf(c),
): Response {
  const html = signInPage({ language: languageOf(c), fault, query, base: baseOf(c) });
  return htmlResponse(c, html, status);
}

/** Whether a person's browser wants to show what comes. */
export function wantsPage(c: Context): boolean {
  const asks = c.req.method === 'GET' && (c.req.header('accept') ?? '').includes('text/html');
  return asks && c.req.header('authorization') === undefined;
}

export function sessionRoutes({
  access,
  unmask,
  onSignOut,
}: SessionRouteOptions): readonly RouteDescription[] {
  const page = { tag: 'page', open: true, hidden: true } as const;
  const html = { 200: { description: 'A page', schema: TEXT, type: 'text/html' } };
  // Relative to /sign-in: right also where a proxy puts the monitor under a path of its own.
  const toPage = (c: Context, query = ''): Response =>
    c.redirect(`${baseOf(c) || './'}${query === '' ? '' : `?${query}`}`, 303);
  const refused = (c: Context, refusal: Refusal, query: string): Response => {
    if (refusal.retryAfterSeconds !== undefined) c.header('Retry-After', String(refusal.retryAfterSeconds));
    return signInResponse(c, refusal.status, refusal.code, query);
  };
  return [
    {
      ...{ ...page, path: '/sign-in', summary: 'The page to sign in', answers: html },
      handle: (c) => (access.mode === 'tokens' ? signInResponse(c, 200) : toPage(c)),
    },
    {
      ...{
        ...page,
        method: 'post',
        path: '/sign-in',
        summary: 'Trades a token for a session',
        answers: html,
      },
      handle: async (c) => {
        if (access.mode !== 'tokens') return toPage(c);
        const form = new URLSearchParams(await readText(c, MAX_FORM_BYTES));
        const query = (form.get('query') ?? '').slice(0, MAX_QUERY);
        const result = access.signIn(form.get('token') ?? '', requestOf(c, 'read', access));
        if (!result.allowed) return refused(c, result, query);
        c.header('Set-Cookie', result.cookie);
        c.header('Cache-Control', 'no-store');
        return toPage(c, new URLSearchParams(query).toString());
      },
    },
    {
      ...{ ...page, path: '/sign-out', summary: 'The page to sign out', answers: html },
      handle: (c) =>
        access.mode === 'tokens'
          ? htmlResponse(c, signOutPage({ language: languageOf(c), base: baseOf(c) }), 200)
          : toPage(c),
    },
    {
      ...{ ...page, method: 'post', path: '/sign-out', summary: 'Ends the session', answers: html },
      handle: (c) => {
        if (access.mode !== 'tokens') return toPage(c);
        const result = access.signOut(requestOf(c, 'write', access));
        if (!result.allowed) return errorResponse(c, refusalError(result));
        if (result.session !== undefined) onSignOut(result.session.id);
        c.header('Set-Cookie', result.cookie);
        c.header('Cache-Control', 'no-store');
        return toPage(c);
      },
    },
    {
      path: '/api/session/',
      summary: 'Who the caller is, and what they may see',
      tag: 'page',
      answers: { 200: { description: 'The role', schema: sessionAnswer } },
      handle: (c) => {
        const caller = callerOf(c);
        if (caller === undefined) throw new ApiError(401, 'token_missing', 'A token is needed.');
        return json(c, {
          role: caller.role,
          signed_in_by: caller.by === 'open' ? null : caller.by,
          expires_at: caller.session ? new Date(caller.session.expiresAt).toISOString() : null,
          unmasked: maySeeUnmasked(c, unmask),
        });
      },
    },
  ];
}

function htmlResponse(c: Context, html: string, status: 200 | 401 | 403 | 413 | 429): Response {
  c.header('Content-Security-Policy', SIGN_IN_POLICY);
  c.header('Cache-Control', 'no-store');
  c.header('Vary', 'Accept-Language');
  return c.html(html, status);
}

function queryOf(c: Context): string {
  return new URL(c.req.url).search.slice(1, MAX_QUERY);
}

function languageOf(c: Context) {
  return pageLanguage(new URL(c.req.url).searchParams.get('lang'), c.req.header('accept-language'));
}

/** `/sign-in/` lies one step deeper than `/sign-in`. */
function baseOf(c: Context): string {
  return '../'.repeat(new URL(c.req.url).pathname.split('/').length - 2);
}
