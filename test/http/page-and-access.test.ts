import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { AccessOptions } from '../../src/http/auth.js';
import { notReadyAnswer } from '../../src/http/schemas.js';
import { loadPage } from '../../src/http/static.js';
import { busyApp as busy, errorOf, setUpApp as setUp } from './app.js';

describe('health', () => {
  const down = { connected: false };
  it.each([
    ['leading', {}, 200, 200, undefined],
    ['the database is down', down, 503, 503, 'database_unavailable'],
    ['standby', { role: 'standby' }, 200, 503, 'standby'],
    ['standby without its database', { role: 'standby', connected: false }, 503, 503, 'database_unavailable'],
    ['starting', { role: 'starting' }, 503, 503, 'starting'],
    ['stopping', { role: 'stopped' }, 503, 503, 'stopping'],
  ] as const)('%s', async (_name, source, health, ready, code) => {
    const { app, view } = busy();
    view.setSource(source);
    const answers = await Promise.all(['/api/health/', '/readyz', '/livez'].map((path) => app.request(path)));
    expect(answers.map((answer) => answer.status)).toEqual([health, ready, 200]);
    for (const answer of answers.filter(({ status }) => status === 503)) {
      expect(notReadyAnswer.parse(await answer.json()).error.code).toBe(code);
    }
  });

  it('is not ready before the first snapshot', async () => {
    const response = await setUp().app.request('/readyz');
    expect(response.status).toBe(503);
    expect(notReadyAnswer.parse(await response.json())).toMatchObject({
      status: 'not_ready',
      error: { code: 'starting' },
    });
  });
});

describe('access', () => {
  const TOKENS: AccessOptions = { host: '0.0.0.0', authToken: 'a', viewerToken: 'v', metricsToken: 'm' };
  const paths = [
    '/',
    '/assets/index-0a1b2c3d.js',
    '/api/monitoring/realtime/',
    '/openapi.json',
    '/nothing',
    '/metrics',
    '/api/metrics/',
  ];

  it.each([
    [undefined, [401, 401, 401, 401, 401, 401, 401]],
    ['Bearer wrong', [401, 401, 401, 401, 401, 401, 401]],
    ['Bearer a', [200, 200, 200, 200, 404, 200, 200]],
    ['Bearer v', [200, 200, 200, 200, 404, 200, 200]],
    ['Bearer m', [403, 403, 403, 403, 403, 200, 200]],
  ])('%s', async (authorization, expected) => {
    const { app } = busy(TOKENS);
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const answers = await Promise.all(paths.map((path) => app.request(path, { headers })));
    expect(answers.map((answer) => answer.status)).toEqual(expected);
    for (const answer of answers.filter(({ status }) => status === 401)) {
      expect(answer.headers.get('www-authenticate')).toMatch(/Basic realm=.*Bearer realm=/);
      await errorOf(answer);
    }
  });

  it('a viewer may not change anything', async () => {
    const headers = { authorization: 'Bearer v' };
    const response = await busy(TOKENS).app.request('/api/monitoring/realtime/', { method: 'POST', headers });
    expect([response.status, (await errorOf(response)).code]).toEqual([403, 'role_not_allowed']);
  });

  it('is not needed for the health paths, slash or not', async () => {
    const { app } = busy(TOKENS);
    for (const path of ['/api/health', '/api/health/', '/livez', '/livez/', '/readyz', '/readyz/']) {
      const response = await app.request(path, {
        headers: { host: 'any.example', origin: 'http://other.example' },
      });
      expect([path, response.status]).toEqual([path, 200]);
    }
  });

  it('on loopback is by Host and Origin', async () => {
    const { app } = busy();
    const status = async (headers: Record<string, string>) => (await app.request('/', { headers })).status;
    expect(await status({ host: 'localhost:8080' })).toBe(200);
    expect(await status({ host: 'evil.example' })).toBe(403);
    expect(await status({ host: 'localhost', origin: 'http://evil.example' })).toBe(403);
  });
});

describe('the page', () => {
  it('is served with its policy, and only when it changed', async () => {
    const { app } = busy();
    const first = await app.request('/');
    expect(first.status).toBe(200);
    expect(first.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(first.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(first.headers.get('x-frame-options')).toBe('DENY');
    expect(await first.text()).toContain('<!doctype html>');
    const etag = first.headers.get('etag') ?? '';
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await app.request('/index.html', { headers: { 'if-none-match': tag } });
      expect([again.status, await again.text()]).toEqual([304, '']);
    }
    expect((await app.request('/', { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  it('never asks again for a file whose name changes with its content', async () => {
    const { app } = busy();
    const cached = async (path: string) => (await app.request(path)).headers.get('cache-control');
    expect(await cached('/assets/index-0a1b2c3d.js')).toBe('max-age=31536000, immutable');
    expect(await cached('/assets/index-0a1B2-_d.css')).toBe('max-age=31536000, immutable');
    expect(await cached('/')).toBe('no-cache');
  });

  it.each([
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip;q=1.0, br;q=0', 'gzip'],
    ['*', 'br'],
    ['*;q=0, gzip', 'gzip'],
    ['identity', null],
    ['', null],
  ])('goes out to "%s" as %s, and is the same', async (accepted, encoding) => {
    const { app } = busy();
    const plain = await (await app.request('/assets/index-0a1b2c3d.js')).text();
    const ask = (headers: Record<string, string>) => app.request('/assets/index-0a1b2c3d.js', { headers });
    const answer = await ask({ 'accept-encoding': accepted });
    expect([answer.headers.get('content-encoding'), answer.headers.get('vary')]).toEqual([
      encoding,
      'Accept-Encoding',
    ]);
    const body = Buffer.from(await answer.arrayBuffer());
    const decode = { br: brotliDecompressSync, gzip: gunzipSync };
    expect((encoding === null ? body : decode[encoding as keyof typeof decode](body)).toString()).toBe(plain);
    const etag = answer.headers.get('etag') ?? '';
    const again = await ask({ 'accept-encoding': accepted, 'if-none-match': etag });
    expect(again.status).toBe(304);
    const other = await ask({ 'accept-encoding': encoding === 'br' ? 'gzip' : 'br', 'if-none-match': etag });
    expect(other.status).toBe(200);
  });

  it('leads to no file outside', async () => {
    const { app } = busy();
    const tries = [
      '/../package.json',
      '/..%2f..%2fpackage.json',
      '/%2e%2e/package.json',
      '/assets/index-0a1b2c3d.js/../../../package.json',
    ];
    for (const path of [...tries, '/.git/config', '/....//package.json', '/assets/index-0a1b2c3d.js%00']) {
      expect([path, (await app.request(path)).status]).toEqual([path, 404]);
    }
  });

  it('is not found where there is none', async () => {
    const { app } = setUp({ host: '127.0.0.1' }, { page: undefined });
    expect((await app.request('/')).status).toBe(404);
  });

  it('says what is wrong with its directory', async () => {
    await expect(loadPage('sql')).rejects.toThrow(/sql has no index.html/);
    await expect(loadPage('dashboards/nowhere')).rejects.toThrow(/ENOENT/);
  });
});
