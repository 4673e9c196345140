/** The pages to sign in and out. */
import { describe, expect, it } from 'vitest';
import { ATTEMPT_LIMITS } from '../../src/http/attempts.js';
import type { AccessOptions } from '../../src/http/auth.js';
import { pageLanguage } from '../../src/http/sign-in-page.js';
import { errorOf, setUpApp } from './app.js';

const TOKENS: AccessOptions = {
  host: '0.0.0.0',
  authToken: 'admin',
  viewerToken: 'viewer',
  metricsToken: 'metrics',
};
const HOST = 'monitor.example';

describe('the page to sign in', () => {
  const post = (body: string, headers: Record<string, string> = {}): RequestInit => ({
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...{ host: HOST, origin: `http://${HOST}` },
      ...headers,
    },
  });
  const tokens = () => setUpApp(TOKENS).app;

  it('is what a browser sees instead of any page, with no other question over it', async () => {
    const browser = { accept: 'text/html,*/*', 'accept-language': 'de, ru;q=0.8, en;q=0.7', host: HOST };
    const response = await tokens().request('/?range=1h&type="><script>', { headers: browser });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/Bearer/);
    const html = await response.text();
    expect(html).toContain('<html lang="ru">');
    expect(html).toContain('name="query" value="range=1h&amp;type=%22%3E%3Cscript%3E"');
    expect(html).not.toContain('<script');
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('script-src');
    expect(response.headers.get('cache-control')).toBe('no-store');
    // With that value a browser says "Origin: null" when it sends the form.
    expect(response.headers.get('referrer-policy')).not.toBe('no-referrer');
  });

  it('does not let a browser ask by itself, and lets other programs', async () => {
    const challenge = async (headers: Record<string, string>) =>
      (await tokens().request('/api/monitoring/realtime/', { headers })).headers.get('www-authenticate');
    expect(await challenge({ 'user-agent': 'Mozilla/5.0' })).toBe('Bearer realm="sync-monitor"');
    expect(await challenge({ 'sec-fetch-mode': 'cors' })).toBe('Bearer realm="sync-monitor"');
    expect(await challenge({ 'user-agent': 'Wget/1.21' })).toMatch(/^Basic .*Bearer/);
  });

  it('trades the token for a session, and comes back to the same view', async () => {
    const app = tokens();
    const response = await app.request('/sign-in', post('token=viewer&query=range%3D1h%26lang%3Dru'));
    expect([response.status, response.headers.get('location')]).toEqual([303, './?range=1h&lang=ru']);
    const cookie = response.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
    expect((await app.request('/', { headers: { cookie, host: HOST } })).status).toBe(200);
    const who = await app.request('/api/session/', { headers: { cookie, host: HOST } });
    expect(await who.json()).toMatchObject({ role: 'viewer', signed_in_by: 'session', unmasked: false });
    const out = await app.request('/sign-out', post('', { cookie }));
    expect([out.status, out.headers.get('location')]).toEqual([303, './']);
    expect((await app.request('/', { headers: { cookie, host: HOST } })).status).toBe(401);
  });

  it.each([
    ['token=wrong', 401, /not known/],
    ['token=', 401, /not known/],
    ['', 401, /not known/],
    ['token=metrics', 403, /for metrics only/],
    [`token=${'x'.repeat(20_000)}`, 413, /at most 16384/],
  ])('says what is wrong with %.20s', async (body, status, words) => {
    const response = await tokens().request('/sign-in', post(body));
    expect([response.status, response.headers.get('set-cookie')]).toEqual([status, null]);
    expect(await response.text()).toMatch(words);
  });

  it('says when to come back', async () => {
    const app = tokens();
    for (let i = 0; i < ATTEMPT_LIMITS.burst; i++) await app.request('/sign-in', post('token=x'));
    const page = await app.request('/sign-in', post('token=viewer', { 'accept-language': 'ru' }));
    expect([page.status, page.headers.get('retry-after')]).toEqual([429, '6']);
    expect(await page.text()).toContain('слишком много');
    const api = await app.request('/metrics', { headers: { authorization: 'Bearer metrics' } });
    expect([api.status, api.headers.get('retry-after')]).toEqual([429, '6']);
    expect((await errorOf(api)).code).toBe('too_many_attempts');
    const { app: open } = setUpApp({ ...TOKENS, attempts: { burst: 1e6 } });
    for (let i = 0; i < 3; i++) await open.request('/', { headers: { authorization: 'Bearer x' } });
    const metrics = await (
      await open.request('/metrics', { headers: { authorization: 'Bearer metrics' } })
    ).text();
    expect(metrics).toContain('sync_monitor_wrong_tokens_total 3\n');
  });

  it('leads nowhere else', async () => {
    const evil = [
      '//evil.example',
      'https://evil.example/',
      '\r\nSet-Cookie: a=b',
      '/../..',
      '#@evil.example',
    ];
    for (const query of evil) {
      const body = new URLSearchParams({ token: 'viewer', query }).toString();
      const response = await tokens().request('/sign-in', post(body));
      expect(response.headers.get('location')).toMatch(/^\.\/\?[\w%=.&*+-]*$/);
      expect(response.headers.getSetCookie()).toHaveLength(1);
    }
  });

  it.each([
    ['/sign-in', './', ''],
    ['/sign-in/', '../', '../'],
    ['/sign-out/', '../', '../'],
  ])('goes by relative addresses from %s', async (path, home, base) => {
    const html = await (await tokens().request(path)).text();
    expect(html).toContain(`action="${base}sign-`);
    const open = await setUpApp().app.request(path);
    expect([open.status, open.headers.get('location')]).toEqual([303, home]);
  });

  it.each([
    [null, 'en-GB,en;q=0.9,ru;q=0.8', 'en'],
    [null, 'ru-RU', 'ru'],
    [null, 'de, fr', 'en'],
    [null, undefined, 'en'],
    ['ru', 'en', 'ru'],
    ['xx', 'ru', 'ru'],
    [null, 'en;q=0.1, ru;q=nonsense', 'en'],
  ])('speaks by lang=%s and Accept-Language: %s', (lang, accepted, language) => {
    expect(pageLanguage(lang, accepted)).toBe(language);
  });
});
