/**
 * Who may do what (SPEC section 9), as one pure decision that HTTP requests and the WebSocket upgrade share.
 *
 * On a loopback HOST everything is open, but a web page of another origin must not reach it through the browser of
 * the person at this machine: the Host header must name this machine (DNS rebinding), and an Origin must match it.
 * Any other HOST needs tokens, unless AUTH=off is said on purpose. Tokens that are set are asked for on loopback
 * too: whoever sets one (behind a reverse proxy, say) means it.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIPv4 } from 'node:net';

export type Role = 'admin' | 'viewer' | 'metrics';
/** What a request is about: `read` covers the page, the API's reading half and the WebSocket. */
export type Need = 'read' | 'write' | 'metrics';

export interface AccessOptions {
  /** The address that is listened on, as configured. */
  readonly host: string;
  /** `off` opens everything to whoever reaches the port. */
  readonly auth?: 'on' | 'off' | undefined;
  /** Each may hold several tokens separated by blanks, for rotation. */
  readonly authToken?: string | undefined;
  readonly viewerToken?: string | undefined;
  readonly metricsToken?: string | undefined;
  /** Host names besides localhost under which a loopback monitor, or a page of it, is reached (a reverse proxy). */
  readonly allowedHosts?: readonly string[] | undefined;
}

export interface AccessRequest {
  readonly need: Need;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
}

export type Decision =
  | { readonly allowed: true; readonly role: Role }
  | { readonly allowed: false; readonly status: 401 | 403; readonly code: string; readonly message: string };

export interface Access {
  /** `loopback`: open to this machine; `tokens`: asked for; `off`: open to all who reach the port. */
  readonly mode: 'loopback' | 'tokens' | 'off';
  decide(request: AccessRequest): Decision;
}

/** Sent with a 401: Basic makes a browser ask (any user name, the token as password). */
export const CHALLENGES = [
  'Basic realm="sync-monitor", charset="UTF-8"',
  'Bearer realm="sync-monitor"',
] as const;

const MAY: Readonly<Record<Role, readonly Need[]>> = {
  admin: ['read', 'write', 'metrics'],
  viewer: ['read', 'metrics'],
  metrics: ['metrics'],
};

/** Whether an address, name or bracketed IPv6 address is this machine itself. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  if (name === 'localhost' || name === '::1') return true;
  const v4 = name.startsWith('::ffff:') ? name.slice(7) : name;
  return isIPv4(v4) && v4.startsWith('127.');
}

/** The host and port of a Host header under a scheme, default port left out; undefined when it is none. */
function hostOf(header: string, scheme: string): URL | undefined {
  // A Host header is host[:port] and nothing else: 'user@host' or 'host/path' would be read as a URL by URL.
  if (!/^[\w.:[\]-]+$/.test(header)) return undefined;
  return URL.canParse(`${scheme}//${header}`) ? new URL(`${scheme}//${header}`) : undefined;
}

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

function tokenHashes(tokens: string | undefined): readonly Buffer[] {
  return (tokens ?? '')
    .split(/\s+/)
    .filter((token) => token !== '')
    .map((token) => sha256(Buffer.from(token, 'utf8')));
}

/** The token of a Bearer header, or the password of a Basic one, as raw bytes. */
function credentials(authorization: string): Buffer | undefined {
  const match = /^(bearer|basic) +(\S+) *$/i.exec(authorization);
  const value = match?.[2];
  if (value === undefined) return undefined;
  // Node.js hands header values out as latin1: one character is one byte of what was sent.
  if (match?.[1]?.toLowerCase() === 'bearer') return Buffer.from(value, 'latin1');
  const pair = Buffer.from(value, 'base64');
  const colon = pair.indexOf(0x3a);
  return colon < 0 ? undefined : pair.subarray(colon + 1);
}

const refuse = (status: 401 | 403, code: string, message: string): Decision => ({
  allowed: false,
  status,
  code,
  message,
});

/**
 * The access rule of one configuration.
 * @throws Error when HOST is no loopback address, no AUTH_TOKEN is set and AUTH is not off.
 */
export function createAccess(options: AccessOptions): Access {
  const roles: readonly (readonly [Role, readonly Buffer[]])[] = [
    ['admin', tokenHashes(options.authToken)],
    ['viewer', tokenHashes(options.viewerToken)],
    ['metrics', tokenHashes(options.metricsToken)],
  ];
  const hasAdmin = (roles[0]?.[1].length ?? 0) > 0;
  const loopback = isLoopback(options.host);
  const mode = options.auth === 'off' ? 'off' : hasAdmin ? 'tokens' : loopback ? 'loopback' : undefined;
  if (mode === undefined) {
    throw new Error(
      `HOST is ${options.host}, which other machines can reach, and AUTH_TOKEN is not set. Set AUTH_TOKEN, ` +
        'or HOST=127.0.0.1, or AUTH=off to open the monitor to everybody who reaches it.',
    );
  }
  const allowedHosts = new Set((options.allowedHosts ?? []).map((name) => name.toLowerCase()));
  const isAllowedHost = (url: URL): boolean => allowedHosts.has(url.hostname) || allowedHosts.has(url.host);

  const checkOrigin = (origin: string, host: string | undefined): Decision | undefined => {
    const from = URL.canParse(origin) ? new URL(origin) : undefined;
    if (from !== undefined && from.host !== '') {
      if (isAllowedHost(from)) return undefined;
      if (host !== undefined && hostOf(host, from.protocol)?.host === from.host) return undefined;
    }
    return refuse(
      403,
      'origin_not_allowed',
      'The Origin header does not match the Host header: open the page itself.',
    );
  };

  const roleOf = (authorization: string): Role | undefined => {
    const given = credentials(authorization);
    if (given === undefined) return undefined;
    const hash = sha256(given);
    let found: Role | undefined;
    // Every token is compared, whatever matched before: the time must not tell which one was nearly right.
    for (const [role, hashes] of roles) {
      for (const known of hashes) if (timingSafeEqual(known, hash)) found ??= role;
    }
    return found;
  };

  const decide = (request: AccessRequest): Decision => {
    if (mode === 'loopback') {
      const host = request.host === undefined ? undefined : hostOf(request.host, 'http:');
      if (host === undefined || !(isLoopback(host.hostname) || isAllowedHost(host))) {
        return refuse(
          403,
          'host_not_allowed',
          'The Host header must be localhost, 127.0.0.1 or [::1]: this monitor answers its own machine only.',
        );
      }
    }
    if (request.origin !== undefined) {
      const refused = checkOrigin(request.origin, request.host);
      if (refused !== undefined) return refused;
    }
    if (mode !== 'tokens') return { allowed: true, role: 'admin' };
    if (request.authorization === undefined) {
      return refuse(401, 'token_missing', 'A token is needed: send "Authorization: Bearer <token>".');
    }
    const role = roleOf(request.authorization);
    if (role === undefined) {
      return refuse(
        401,
        'token_invalid',
        'The token is not known: check AUTH_TOKEN, VIEWER_TOKEN or METRICS_TOKEN.',
      );
    }
    if (!MAY[role].includes(request.need)) {
      return refuse(403, 'role_not_allowed', `The role "${role}" of this token may not do this.`);
    }
    return { allowed: true, role };
  };

  return { mode, decide };
}
