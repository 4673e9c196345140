/**
 * Who signed in on the page. The browser holds a value that this process signed with a key of its own, never the token:
 * a stolen cookie ends with the session, and a restart ends them all.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Role } from './tokens.js';

export interface Session {
  readonly id: string;
  readonly role: Role;
  /** ms */
  readonly expiresAt: number;
}

export interface SessionOptions {
  /** This host's clock, ms. */
  readonly now: () => number;
  /** Default a week: a dashboard on a wall is signed in on Monday. */
  readonly lifetimeMs?: number;
  /** Sessions that were ended by hand and are remembered until they would have expired. */
  readonly maxEnded?: number;
}

const WEEK_MS = 7 * 86_400_000;
const MAX_ENDED = 10_000;
/** `__Host-`: only this very host over TLS can have set it, for all of its paths (RFC 6265bis, 4.1.3). */
const SECURE_NAME = '__Host-sync_monitor';
const PLAIN_NAME = 'sync_monitor';
/** A browser sends few of one name; a header made of them is not worked through. */
const MAX_COOKIES = 8;
const VALUE = /^(admin|viewer|metrics)\.([0-9a-z]{1,12})\.([\w-]{22})\.([\w-]{43})$/;

export class Sessions {
  readonly #options: Required<SessionOptions>;
  readonly #ended = new Map<string, number>();
  #key = randomBytes(32);

  constructor(options: SessionOptions) {
    this.#options = { lifetimeMs: WEEK_MS, maxEnded: MAX_ENDED, ...options };
  }

  /** Begins a session. @returns the Set-Cookie header; `secure`: the browser is on TLS */
  open(role: Role, secure: boolean): string {
    const { now, lifetimeMs } = this.#options;
    const signed = `${role}.${(now() + lifetimeMs).toString(36)}.${randomBytes(16).toString('base64url')}`;
    return cookie(`${signed}.${this.#mac(signed)}`, Math.floor(lifetimeMs / 1_000), secure);
  }

  /** The session of a Cookie header: signed by this process, not expired, not ended. */
  read(header: string | undefined, secure: boolean): Session | undefined {
    for (const value of valuesOf(header, secure ? SECURE_NAME : PLAIN_NAME)) {
      const session = this.#verify(value);
      if (session !== undefined) return session;
    }
    return undefined;
  }

  /** Ends a session. @returns the Set-Cookie header that takes it out of the browser */
  end(session: Session | undefined, secure: boolean): string {
    if (session !== undefined) {
      const now = this.#options.now();
      for (const [id, expiresAt] of this.#ended) if (expiresAt <= now) this.#ended.delete(id);
      this.#ended.set(session.id, session.expiresAt);
      // Rather all sign in again than one that was ended comes back.
      if (this.#ended.size > this.#options.maxEnded) {
        this.#key = randomBytes(32);
        this.#ended.clear();
      }
    }
    return cookie('', 0, secure);
  }

  #mac(signed: string): string {
    return createHmac('sha256', this.#key).update(signed).digest('base64url');
  }

  #verify(value: string): Session | undefined {
    const [, role, expires = '', id = '', mac = ''] = VALUE.exec(value) ?? [];
    if (role === undefined) return undefined;
    const expected = this.#mac(`${role}.${expires}.${id}`);
    if (!timingSafeEqual(Buffer.from(mac), Buffer.from(expected))) return undefined;
    const expiresAt = Number.parseInt(expires, 36);
    if (expiresAt <= this.#options.now() || this.#ended.has(id)) return undefined;
    return { id, role: role as Role, expiresAt };
  }
}

function cookie(value: string, maxAge: number, secure: boolean): string {
  const name = secure ? SECURE_NAME : PLAIN_NAME;
  return `${name}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
}

function valuesOf(header: string | undefined, name: string): readonly string[] {
  return (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .slice(0, MAX_COOKIES)
    .map((pair) => pair.slice(name.length + 1));
}
