/**
 * Who may do what (SPEC section 9), as one decision that HTTP requests and the WebSocket upgrade share.
 *
 * On a loopback HOST everything is open, but a web page of another origin must not reach it through the browser of
 * the person at this machine: the Host header must name this machine (DNS rebinding), and an Origin must match it.
 * Any other HOST needs tokens, unless AUTH=off is said on purpose. Tokens that are set are asked for on loopback
 * too: whoever sets one (behind a reverse proxy, say) means it. A browser trades its token for a session once.
 */
import { type AttemptLimits, type AttemptStats, FailedAttempts } from './attempts.js';
import { ApiError } from './errors.js';
import { hostOf, isKnownHost, isLoopback, isOwnOrigin } from './origin.js';
import { type Session, Sessions } from './session.js';
import { credentialsOf, type Role, type TokenOptions, Tokens } from './tokens.js';

export { isLoopback } from './origin.js';
export type { Role } from './tokens.js';

/** What a request is about: `read` covers the page and the API's reading half, `live` the WebSocket. */
export type Need = 'read' | 'live' | 'write' | 'metrics';

export interface AccessOptions extends TokenOptions {
  /** The address that is listened on, as configured. */
  readonly host: string;
  /** `off` opens everything to whoever reaches the port. */
  readonly auth?: 'on' | 'off' | undefined;
  /** Host names besides localhost under which a loopback monitor, or a page of it, is reached (a reverse proxy). */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Where people open the page, whatever Host a reverse proxy sends on. */
  readonly publicUrl?: string | undefined;
  /** A reverse proxy stands in front, and its X-Forwarded-For and X-Forwarded-Proto are believed. */
  readonly trustProxy?: boolean | undefined;
  readonly attempts?: Partial<AttemptLimits> | undefined;
  /** This host's clock, ms; default Date.now. */
  readonly now?: (() => number) | undefined;
  /** Monotonic ms, for the limit of attempts. */
  readonly monotonic?: (() => number) | undefined;
  /** Told when an address has sent as many wrong tokens as it may. */
  readonly onLimited?: ((address: string) => void) | undefined;
}

export interface AccessRequest {
  readonly need: Need;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
  readonly cookie?: string | undefined;
  /** Who asks; requests without a socket share one address. */
  readonly address?: string | undefined;
  /** The caller's side is TLS. */
  readonly secure?: boolean | undefined;
  /** A reverse proxy says that it passes on what somebody else asks. */
  readonly forwarded?: boolean | undefined;
}

export interface Caller {
  readonly role: Role;
  /** `open`: nothing was asked for. */
  readonly by: 'open' | 'token' | 'session';
  readonly session?: Session;
}

export interface Refusal {
  readonly allowed: false;
  readonly status: 401 | 403 | 429;
  readonly code: string;
  readonly message: string;
  /** With 429. */
  readonly retryAfterSeconds?: number;
}

export type Decision = ({ readonly allowed: true } & Caller) | Refusal;

/** `cookie`: the Set-Cookie header. */
export type SignIn = { readonly allowed: true; readonly role: Role; readonly cookie: string } | Refusal;
export type SignOut =
  | { readonly allowed: true; readonly session: Session | undefined; readonly cookie: string }
  | Refusal;

export interface Access {
  /** `loopback`: open to this machine; `tokens`: asked for; `off`: open to all who reach the port. */
  readonly mode: 'loopback' | 'tokens' | 'off';
  readonly trustProxy: boolean;
  decide(request: AccessRequest): Decision;
  /** Trades a token for a session. */
  signIn(token: string, request: AccessRequest): SignIn;
  signOut(request: AccessRequest): SignOut;
  stats(): AttemptStats;
}

const BEARER = 'Bearer realm="sync-monitor"';
const BASIC = 'Basic realm="sync-monitor", charset="UTF-8"';

/** A refusal as the API's own error. */
export function refusalError({ status, code, message, retryAfterSeconds }: Refusal): ApiError {
  const details = retryAfterSeconds === undefined ? {} : { retry_after_seconds: retryAfterSeconds };
  return new ApiError(status, code, message, details);
}

/** What goes with a 401. A browser gets no Basic: it would ask by itself, over the page that lets people sign in. */
export function challengesFor(header: (name: string) => string | undefined): readonly string[] {
  const browser =
    header('origin') !== undefined ||
    header('sec-fetch-mode') !== undefined ||
    (header('user-agent') ?? '').startsWith('Mozilla/');
  return browser ? [BEARER] : [BASIC, BEARER];
}

const MAY: Readonly<Record<Role, readonly Need[]>> = {
  admin: ['read', 'live', 'write', 'metrics'],
  viewer: ['read', 'live', 'metrics'],
  metrics: ['metrics'],
};

const refuse = (status: 401 | 403, code: string, message: string): Refusal => ({
  allowed: false,
  status,
  code,
  message,
});

const HOST_REFUSED = refuse(
  403,
  'host_not_allowed',
  'The Host header must be localhost, 127.0.0.1 or [::1]: this monitor answers its own machine only.',
);
const PROXY_REFUSED = refuse(
  403,
  'proxy_not_allowed',
  'This came through a proxy, but this monitor is open to its own machine only. Set AUTH_TOKEN, or AUTH=off where the proxy lets in only whom it knows.',
);
const ORIGIN_REFUSED = refuse(
  403,
  'origin_not_allowed',
  'The Origin header does not match the Host header: open the page itself. Behind a proxy that changes Host, set PUBLIC_URL.',
);
const ORIGIN_MISSING = refuse(
  403,
  'origin_missing',
  'With the cookie of the page an Origin header is needed here; a program sends "Authorization: Bearer <token>".',
);
const TOKEN_MISSING = refuse(
  401,
  'token_missing',
  'A token is needed: send "Authorization: Bearer <token>", or sign in at /sign-in.',
);
const TOKEN_INVALID = refuse(
  401,
  'token_invalid',
  'The token is not known: check AUTH_TOKEN, VIEWER_TOKEN or METRICS_TOKEN.',
);

/**
 * The access rule of one configuration.
 * @throws Error when HOST is no loopback address, no AUTH_TOKEN is set and AUTH is not off.
 */
export function createAccess(options: AccessOptions): Access {
  const tokens = new Tokens(options);
  const mode =
    options.auth === 'off'
      ? 'off'
      : tokens.hasAdmin
        ? 'tokens'
        : isLoopback(options.host)
          ? 'loopback'
          : undefined;
  if (mode === undefined) {
    throw new Error(
      `HOST is ${options.host}, which other machines can reach, and AUTH_TOKEN is not set. Set AUTH_TOKEN, ` +
        'or HOST=127.0.0.1, or AUTH=off to open the monitor to everybody who reaches it.',
    );
  }
  const { publicUrl, trustProxy = false, onLimited, now = Date.now } = options;
  const monotonic = options.monotonic ?? (() => performance.now());
  const known = {
    hosts: new Set((options.allowedHosts ?? []).map((name) => name.toLowerCase())),
    origins: new Set(publicUrl === undefined ? [] : [new URL(publicUrl).origin]),
  };
  const attempts = new FailedAttempts(options.attempts);
  const sessions = new Sessions({ now });

  const hostFault = ({ host, forwarded }: AccessRequest): Refusal | undefined => {
    if (mode !== 'loopback') return undefined;
    const url = host === undefined ? undefined : hostOf(host, 'http:');
    if (url === undefined || !(isLoopback(url.hostname) || isKnownHost(url, known))) return HOST_REFUSED;
    // A proxy that rewrites Host would open to the world what is meant for this machine.
    return forwarded === true ? PROXY_REFUSED : undefined;
  };
  const originFault = ({ origin, host }: AccessRequest): Refusal | undefined =>
    origin === undefined || isOwnOrigin(origin, host, known) ? undefined : ORIGIN_REFUSED;

  const roleOf = (token: Buffer | undefined, address = ''): Role | Refusal => {
    const wait = attempts.waitMs(address, monotonic());
    if (wait > 0) {
      const retryAfterSeconds = Math.ceil(wait / 1_000);
      const message = `Too many wrong tokens came from this address; try again in ${retryAfterSeconds} s.`;
      return { allowed: false, status: 429, code: 'too_many_attempts', message, retryAfterSeconds };
    }
    const role = token === undefined ? undefined : tokens.roleOf(token);
    if (role !== undefined) return role;
    if (attempts.failed(address, monotonic())) onLimited?.(address);
    return TOKEN_INVALID;
  };

  /** Whom a token or a session makes the caller, whatever they want. */
  const callerOf = (request: AccessRequest): Caller | Refusal => {
    if (request.authorization !== undefined) {
      const role = roleOf(credentialsOf(request.authorization), request.address);
      return typeof role === 'string' ? { role, by: 'token' } : role;
    }
    const session = sessions.read(request.cookie, request.secure ?? false);
    if (session === undefined) return TOKEN_MISSING;
    // A browser sends cookies along by itself: for what acts, and for what hides behind no CORS, the page must say
    // that it is ours. Ports do not part cookies, so SameSite alone does not (RFC 6265, 8.5).
    const acts = request.need === 'write' || request.need === 'live';
    if (acts && request.origin === undefined) return ORIGIN_MISSING;
    return { role: session.role, by: 'session', session };
  };

  const decide = (request: AccessRequest): Decision => {
    const fault = hostFault(request) ?? originFault(request);
    if (fault !== undefined) return fault;
    if (mode !== 'tokens') return { allowed: true, role: 'admin', by: 'open' };
    const caller = callerOf(request);
    if ('allowed' in caller) return caller;
    if (!MAY[caller.role].includes(request.need)) {
      const message = `The role "${caller.role}" of this token may not do this.`;
      return refuse(403, 'role_not_allowed', message);
    }
    return { allowed: true, ...caller };
  };

  const signIn = (token: string, request: AccessRequest): SignIn => {
    const fault =
      hostFault(request) ??
      originFault(request) ??
      (request.origin === undefined ? ORIGIN_MISSING : undefined);
    if (fault !== undefined) return fault;
    const role = roleOf(Buffer.from(token.trim(), 'utf8'), request.address);
    if (typeof role !== 'string') return role;
    if (!MAY[role].includes('read'))
      return refuse(403, 'role_not_allowed', 'This token is for metrics only; it does not open the page.');
    return { allowed: true, role, cookie: sessions.open(role, request.secure ?? false) };
  };

  const signOut = (request: AccessRequest): SignOut => {
    const fault = originFault(request) ?? (request.origin === undefined ? ORIGIN_MISSING : undefined);
    if (fault !== undefined) return fault;
    const secure = request.secure ?? false;
    const session = sessions.read(request.cookie, secure);
    return { allowed: true, session, cookie: sessions.end(session, secure) };
  };

  return { mode, trustProxy, decide, signIn, signOut, stats: () => attempts.stats() };
}
