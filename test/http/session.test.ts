/** The session that signing in gives, and wrong tokens in numbers. */
import { describe, expect, it } from 'vitest';
import { ATTEMPT_LIMITS } from '../../src/http/attempts.js';
import { type AccessOptions, type AccessRequest, createAccess, type Need } from '../../src/http/auth.js';
import { accessRequest } from '../../src/http/caller.js';

const TOKENS: AccessOptions = {
  host: '0.0.0.0',
  authToken: 'admin-new\nadmin-old',
  viewerToken: 'viewer',
  metricsToken: 'metrics',
};
const HOST = 'monitor.example';
const ORIGIN = `https://${HOST}`;

const request = (part: Partial<AccessRequest> = {}): AccessRequest => ({
  ...{ need: 'read', host: HOST, origin: ORIGIN, authorization: undefined, address: '192.0.2.1' },
  ...part,
});

function clocked(options: Partial<AccessOptions> = {}) {
  const time = { now: Date.parse('2026-03-10T12:00:00Z'), monotonic: 0 };
  const limited: string[] = [];
  const access = createAccess({
    ...TOKENS,
    ...{
      now: () => time.now,
      monotonic: () => time.monotonic,
      onLimited: (address) => limited.push(address),
    },
    ...options,
  });
  const outcome = (part: Partial<AccessRequest>): string => {
    const decision = access.decide(request(part));
    return decision.allowed ? `${decision.role} by ${decision.by}` : `${decision.status} ${decision.code}`;
  };
  /** The Cookie header of somebody who has signed in. */
  const signedIn = (token: string, secure = true): string => {
    const result = access.signIn(token, request({ secure }));
    if (!result.allowed) throw new Error(result.code);
    return result.cookie.split(';', 1)[0] ?? '';
  };
  return { access, time, limited, outcome, signedIn };
}

describe('a session', () => {
  it.each([
    [true, '__Host-sync_monitor=', '; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict; Secure'],
    [false, 'sync_monitor=', '; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict'],
  ])('is a cookie that no script and no other site gets, secure: %s', (secure, name, attributes) => {
    const result = clocked().access.signIn('admin-old', request({ secure }));
    if (!result.allowed) throw new Error(result.code);
    expect(result.cookie).toMatch(/^[\w-]+=admin\.[0-9a-z]+\.[\w-]{22}\.[\w-]{43};/);
    expect([result.cookie.startsWith(name), result.cookie.endsWith(attributes)]).toEqual([true, true]);
    expect(result.cookie).not.toContain('admin-old');
  });

  const needs: readonly Need[] = ['read', 'live', 'write', 'metrics'];
  it.each([
    ['admin-new', ORIGIN, ['admin', 'admin', 'admin', 'admin']],
    ['viewer', ORIGIN, ['viewer', 'viewer', '403 role_not_allowed', 'viewer']],
    // A GET of the page itself has no Origin.
    ['admin-new', undefined, ['admin', '403 origin_missing', '403 origin_missing', 'admin']],
    ['admin-new', 'https://evil.example', Array(4).fill('403 origin_not_allowed')],
    ['admin-new', 'null', Array(4).fill('403 origin_not_allowed')],
    // Another port of the same host: the browser does send it the cookie.
    ['admin-new', `https://${HOST}:3000`, Array(4).fill('403 origin_not_allowed')],
  ])('of "%s", from a page of %s', (token, origin, expected) => {
    const { outcome, signedIn } = clocked();
    const cookie = `theme=dark; ${signedIn(token)}; other=1`;
    const given = needs.map((need) =>
      outcome({ need, origin, cookie, secure: true }).replace(' by session', ''),
    );
    expect(given).toEqual(expected);
  });

  it('does not count where a token was sent along', () => {
    const { outcome, signedIn } = clocked();
    const cookie = signedIn('admin-new');
    expect(outcome({ cookie, secure: true, authorization: 'Bearer wrong' })).toBe('401 token_invalid');
    expect(outcome({ cookie, secure: true, authorization: 'Bearer viewer' })).toBe('viewer by token');
  });

  it('ends with its time, with signing out, and with the process', () => {
    const { access, time, outcome, signedIn } = clocked();
    const [first, second] = [signedIn('admin-new'), signedIn('admin-new')];
    const ended = access.signOut(request({ cookie: first, secure: true }));
    expect(ended).toMatchObject({
      allowed: true,
      cookie: expect.stringMatching(/=; Path=\/; Max-Age=0; HttpOnly/),
    });
    expect(outcome({ cookie: first, secure: true })).toBe('401 token_missing');
    expect(outcome({ cookie: second, secure: true })).toBe('admin by session');
    expect(clocked().outcome({ cookie: second, secure: true })).toBe('401 token_missing');
    time.now += 7 * 86_400_000 - 1;
    expect(outcome({ cookie: second, secure: true })).toBe('admin by session');
    time.now += 1;
    expect(outcome({ cookie: second, secure: true })).toBe('401 token_missing');
  });

  it('cannot be made up or changed', () => {
    const { outcome, signedIn } = clocked();
    const cookie = signedIn('viewer');
    const [name, value = ''] = cookie.split('=');
    const changed = [...value].map(
      (letter, i) => `${name}=${value.slice(0, i)}${letter === 'x' ? 'y' : 'x'}${value.slice(i + 1)}`,
    );
    const made = [cookie.replace('=viewer.', '=admin.'), `${name}=`, `${name}=${value}.`, `x${cookie}`];
    for (const one of [...made, ...changed, `${name}=; `.repeat(100) + cookie])
      expect([one, outcome({ cookie: one, secure: true })]).toEqual([one, '401 token_missing']);
    // The name that TLS has is not believed without it, nor the other way round.
    expect(outcome({ cookie, secure: false })).toBe('401 token_missing');
    expect(outcome({ cookie, secure: true })).toBe('viewer by session');
  });

  it('is not begun or ended by a page of others, and not with a token for metrics', () => {
    const { access, signedIn } = clocked();
    const cookie = signedIn('admin-new');
    for (const origin of [undefined, 'null', 'https://evil.example']) {
      expect(access.signIn('admin-new', request({ origin }))).toMatchObject({ status: 403 });
      expect(access.signOut(request({ origin, cookie, secure: true }))).toMatchObject({ status: 403 });
    }
    expect(access.signIn('metrics', request())).toMatchObject({ status: 403, code: 'role_not_allowed' });
    expect(access.decide(request({ cookie, secure: true }))).toMatchObject({ allowed: true });
  });

  it('is the page of PUBLIC_URL, whatever Host the proxy sends on', () => {
    const { access } = clocked({ publicUrl: 'https://sync.example/monitor/' });
    const behind = { host: '127.0.0.1:8080', secure: true };
    expect(access.signIn('admin-new', request({ ...behind, origin: 'https://sync.example' })).allowed).toBe(
      true,
    );
    expect(access.signIn('admin-new', request({ ...behind, origin: 'http://sync.example' })).allowed).toBe(
      false,
    );
  });
});

describe('wrong tokens', () => {
  it('are refused unheard after ten, the right one too, until the time is over', () => {
    const { access, time, limited, outcome, signedIn } = clocked();
    const cookie = signedIn('admin-new');
    for (let i = 1; i <= ATTEMPT_LIMITS.burst; i++) {
      expect(limited).toEqual([]);
      expect(outcome({ authorization: `Bearer guess-${i}` })).toBe('401 token_invalid');
    }
    expect(limited).toEqual(['192.0.2.1']);
    expect(outcome({ authorization: 'Bearer admin-new' })).toBe('429 too_many_attempts');
    expect(access.signIn('admin-new', request())).toMatchObject({ status: 429, retryAfterSeconds: 6 });
    // Who guesses nothing, and who is elsewhere, is not concerned.
    expect(outcome({})).toBe('401 token_missing');
    expect(outcome({ cookie, secure: true })).toBe('admin by session');
    expect(outcome({ authorization: 'Bearer admin-new', address: '192.0.2.2' })).toBe('admin by token');
    time.monotonic = 5_999;
    expect(outcome({ authorization: 'Bearer admin-new' })).toBe('429 too_many_attempts');
    time.monotonic = 6_000;
    expect(outcome({ authorization: 'Bearer admin-new' })).toBe('admin by token');
    expect(outcome({ authorization: 'Bearer guess' })).toBe('401 token_invalid');
    expect(outcome({ authorization: 'Bearer admin-new' })).toBe('429 too_many_attempts');
    expect(access.stats()).toEqual({ failed: 11, limited: 4, forgotten: 0 });
  });

  it.each([
    ['2001:db8:1:2::5', '2001:db8:1:2:ffff::1', true],
    ['2001:db8::5', '2001:db8:0:0:1::', true],
    ['2001:db8:1:2::5', '2001:db8:1:3::5', false],
    ['::ffff:192.0.2.9', '192.0.2.9', true],
    ['192.0.2.9', '192.0.2.10', false],
    ['fe80::1%eth0', 'fe80::2%eth1', true],
  ])('%s and %s are one address: %s', (one, other, same) => {
    const { outcome } = clocked();
    for (let i = 0; i < ATTEMPT_LIMITS.burst; i++) outcome({ address: one, authorization: 'Bearer x' });
    expect(outcome({ address: other, authorization: 'Bearer x' })).toBe(
      same ? '429 too_many_attempts' : '401 token_invalid',
    );
  });

  it('of any number of addresses take a bounded memory, and that is counted', () => {
    const { access, time, outcome } = clocked({ attempts: { addresses: 100 } });
    for (let i = 0; i < 1_000; i++)
      outcome({ address: `10.0.${i >> 8}.${i & 255}`, authorization: 'Bearer x' });
    expect(access.stats().forgotten).toBe(900);
    time.monotonic = 60_000;
    outcome({ address: '10.1.0.0', authorization: 'Bearer x' });
    expect(access.stats().forgotten).toBe(900);
  });
});

describe('who asks', () => {
  const wire = { remoteAddress: '127.0.0.1', encrypted: false };
  const headers: Record<string, string> = {
    'x-forwarded-for': '203.0.113.7, 198.51.100.4',
    'x-forwarded-proto': 'http, https',
  };
  it.each([
    [true, { address: '198.51.100.4', secure: true, forwarded: true }],
    [false, { address: '127.0.0.1', secure: false, forwarded: true }],
  ])('is told by the nearest proxy, where it is trusted: %s', (trustProxy, expected) => {
    expect(accessRequest('read', (name) => headers[name], wire, { trustProxy })).toMatchObject(expected);
  });

  it('is not let in through a proxy where only this machine is meant', () => {
    const { access } = clocked({ host: '127.0.0.1', authToken: undefined });
    const ask = { host: 'localhost', origin: undefined };
    expect(access.decide(request(ask))).toMatchObject({ allowed: true });
    expect(access.decide(request({ ...ask, forwarded: true }))).toMatchObject({ code: 'proxy_not_allowed' });
  });
});
