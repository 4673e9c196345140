/** From what came over the wire to what the access rule judges, the same for requests and upgrades. */
import type { Context } from 'hono';
import type { Access, AccessRequest, Caller, Need } from './auth.js';

/** The part of a socket that matters here. */
export interface Wire {
  readonly remoteAddress?: string | undefined;
  readonly encrypted?: boolean | undefined;
}

type HeaderOf = (name: string) => string | undefined;

/** The part behind the last comma: what the proxy nearest to us added; all before it anybody may have sent. */
const last = (list: string | undefined): string | undefined => list?.split(',').at(-1)?.trim() || undefined;

export function accessRequest(
  need: Need,
  header: HeaderOf,
  wire: Wire | undefined,
  access: Pick<Access, 'trustProxy'>,
): AccessRequest {
  const forwardedFor = header('x-forwarded-for');
  const believed = access.trustProxy;
  return {
    need,
    host: header('host'),
    origin: header('origin'),
    authorization: header('authorization'),
    cookie: header('cookie'),
    address: (believed ? last(forwardedFor) : undefined) ?? wire?.remoteAddress ?? '',
    secure:
      wire?.encrypted === true || (believed && last(header('x-forwarded-proto'))?.toLowerCase() === 'https'),
    forwarded: forwardedFor !== undefined || header('forwarded') !== undefined,
  };
}

/** The same of a request in the app; one made without a socket (app.request) has no Host header, only its URL. */
export function requestOf(c: Context, need: Need, access: Pick<Access, 'trustProxy'>): AccessRequest {
  const bindings = c.env as { readonly incoming?: { readonly socket?: Wire } } | undefined;
  const request = accessRequest(need, (name) => c.req.header(name), bindings?.incoming?.socket, access);
  return { ...request, host: request.host ?? new URL(c.req.url).host };
}

const KEY = 'caller';

/** Remembers whom the access rule let through. */
export function setCaller(c: Context, caller: Caller): void {
  c.set(KEY, caller);
}

/** Who asks; undefined on the open paths. */
export function callerOf(c: Context): Caller | undefined {
  return c.get(KEY) as Caller | undefined;
}
