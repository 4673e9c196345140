import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { type AccessOptions, createAccess } from '../../src/http/auth.js';
import { loadPage } from '../../src/http/page.js';
import { type AppOptions, createApp } from '../../src/http/routes.js';
import {
  aliveAnswer,
  businessMetrics,
  errorAnswer,
  healthAnswer,
  notReadyAnswer,
  operationMetrics,
  readyAnswer,
  realTimeMetrics,
} from '../../src/http/schemas.js';
import { HandDrivenView, NO_CLIENTS, row, START } from './view.js';

const page = await loadPage('dashboards/live');

function setUp(access: AccessOptions = { host: '127.0.0.1' }, options: Partial<AppOptions> = {}) {
  const view = new HandDrivenView();
  const failures: unknown[] = [];
  const app = createApp(view, {
    access: createAccess(access),
    page,
    liveStats: () => NO_CLIENTS,
    version: '1.2.3',
    onError: (error) => failures.push(error),
    now: () => START,
    ...options,
  });
  return { view, app, failures };
}

/** A monitor that has seen one row of every kind. */
function busy(access?: AccessOptions) {
  const made = setUp(access);
  made.view.fold([
    row(),
    row({ status: 'failed', errorMessage: 'no answer' }),
    row({ operationType: 'export_to_1c', status: 'pending', durationMs: null }),
    row({ operationType: 'conflict_resolution', conflictSource: 'data_import', emailSent: true }),
    row({ operationType: 'customer_identification', identificationMethod: 'email' }),
    row({ operationType: 'of_a_new_kind', status: 'odd' }),
  ]);
  made.view.tick();
  return made;
}

async function errorOf(response: Response): Promise<{ code: string; message: string }> {
  return errorAnswer.parse(await response.json()).error;
}

const READS: readonly [string, z.ZodType][] = [
  ['/api/monitoring/operations/', operationMetrics],
  ['/api/monitoring/business/', businessMetrics],
  ['/api/monitoring/realtime/', realTimeMetrics],
  ['/api/health/', healthAnswer],
  ['/livez', aliveAnswer],
  ['/readyz', readyAnswer],
];

describe('answers', () => {
  it.each(READS)('%s is what its schema says, with and without the last slash', async (path, schema) => {
    const { app } = busy();
    const bare = path.replace(/\/$/, '');
    for (const url of [bare, `${bare}/`]) {
      const response = await app.request(url);
      expect(response.status).toBe(200);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('content-type')).toContain('application/json');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      schema.parse(await response.json());
    }
  });

  it('have null, not 0, for rates and durations of nothing', async () => {
    const { app, view } = setUp();
    view.tick();
    const metrics = operationMetrics.parse(await (await app.request('/api/monitoring/operations/')).json());
    expect(metrics).toMatchObject({ total_operations: 0, success_rate: null, duration_p95_ms: null });
  });

  it('carry the numbers of the view', async () => {
    const { app } = busy();
    const realtime = await (await app.request('/api/monitoring/realtime/')).json();
    expect(realtime).toMatchObject({ operations_last_5min: 6, errors_last_5min: 1, pending_operations: 1 });
    const business = await (await app.request('/api/monitoring/business/')).json();
    expect(business).toMatchObject({ conflicts_resolved: { data_import: 1 }, admin_notifications_sent: 1 });
  });

  it('hand the period on', async () => {
    const { app, view } = busy();
    await app.request(
      '/api/monitoring/operations/?start_date=2026-03-01&end_date=2026-03-02T03:00:00%2B03:00',
    );
    await app.request('/api/monitoring/business');
    expect(view.periods).toEqual([
      [new Date('2026-03-01T00:00:00Z'), new Date('2026-03-02T00:00:00Z')],
      [undefined, undefined],
    ]);
  });

  it('have no body for HEAD', async () => {
    const { app } = busy();
    const response = await app.request('/api/monitoring/realtime/', { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });
});

describe('refusals', () => {
  it.each(['/api/monitoring/operations/', '/api/monitoring/business'])(
    '%s refuses a bad period',
    async (path) => {
      const { app } = busy();
      const response = await app.request(`${path}?start_date=2026-02-30`);
      expect(response.status).toBe(400);
      expect(await errorOf(response)).toMatchObject({ code: 'invalid_date', parameter: 'start_date' });
    },
  );

  it('the start is compared with the clock of the database', async () => {
    const { app, view } = setUp();
    view.tick(3_600_000);
    const response = await app.request('/api/monitoring/operations/?start_date=2026-03-10T12:30:00Z');
    expect(response.status).toBe(200);
  });

  it('of unknown paths', async () => {
    const { app } = busy();
    for (const path of [
      '/nothing',
      '/api',
      '/api/monitoring/',
      '/api/monitoring/operations/x',
      '//livez',
      '/%00',
    ]) {
      const response = await app.request(path);
      expect([path, response.status, (await errorOf(response)).code]).toEqual([path, 404, 'not_found']);
    }
  });

  it('of wrong methods', async () => {
    const { app } = busy();
    const paths = [
      '/',
      '/api/monitoring/realtime/',
      '/api/health',
      '/metrics',
      '/openapi.json',
      '/ws',
      '/page.js',
    ];
    for (const path of paths) {
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
        const response = await app.request(path, { method });
        expect([path, method, response.status]).toEqual([path, method, 405]);
        expect(response.headers.get('allow')).toBe('GET, HEAD');
        expect((await errorOf(response)).code).toBe('method_not_allowed');
      }
    }
  });

  it('of a WebSocket path without an upgrade', async () => {
    const response = await busy().app.request('/ws/');
    expect([response.status, (await errorOf(response)).code]).toEqual([426, 'upgrade_required']);
  });

  it('name an outage of the database, and nothing of its inside', async () => {
    const { app, view, failures } = busy();
    view.failure = Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:5432 user=secret'), {
      code: 'database_unavailable',
    });
    for (const name of ['operations', 'business', 'realtime']) {
      const response = await app.request(`/api/monitoring/${name}/`);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('5');
      const error = await errorOf(response);
      expect(error.code).toBe('database_unavailable');
      expect(JSON.stringify(error)).not.toMatch(/ECONNREFUSED|secret/);
    }
    expect(failures).toEqual([]);
  });

  it('say that the monitor is still starting', async () => {
    const response = await setUp().app.request('/api/monitoring/realtime/');
    expect([response.status, (await errorOf(response)).code]).toEqual([503, 'starting']);
  });

  it('keep an unforeseen failure for the log', async () => {
    const { app, view, failures } = busy();
    view.failure = new TypeError('cannot read secret of undefined');
    const response = await app.request('/api/monitoring/operations/');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
    expect(failures).toEqual([view.failure]);
  });

  it('are never a 500, whatever is asked', async () => {
    const { app, failures } = busy();
    const dates = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '2026-01-01',
        '2026-03-01T00:00:00+03:00',
        '9999-12-31',
        '1000-01-01',
        '%',
        '%ff',
        '',
        '0',
        '-1',
      ),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    );
    const names = fc.constantFrom('start_date', 'end_date', 'start_date[]', 'tz', '__proto__');
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('operations', 'business', 'realtime'),
        fc.array(fc.tuple(names, dates, fc.boolean()), { maxLength: 4 }),
        async (route, pairs) => {
          const query = pairs
            .map(
              ([name, value, raw]) =>
                `${name}=${raw ? value.replace(/[#\s]/g, '') : encodeURIComponent(wellFormed(value))}`,
            )
            .join('&');
          const response = await app.request(`/api/monitoring/${route}/?${query}`);
          expect([200, 400]).toContain(response.status);
          if (response.status === 400) await errorOf(response);
        },
      ),
      { numRuns: 300 },
    );
    expect(failures).toEqual([]);
  });
});

const wellFormed = (text: string): string => Buffer.from(text).toString();

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
    '/page.js',
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

  it('names only files that exist, and no other host', async () => {
    const { app } = busy();
    const html = await (await app.request('/')).text();
    const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]);
    expect(links.length).toBeGreaterThan(2);
    for (const link of links) expect((await app.request(`/${link}`)).status).toBe(200);
    for (const [, file] of page) {
      const text = Buffer.from(file.body).toString().replaceAll('http://www.w3.org/2000/svg', '');
      expect(text).not.toMatch(/https?:\/\/|@import|innerHTML|outerHTML|insertAdjacentHTML/);
    }
    for (const [, file] of page) {
      const imports = [
        ...Buffer.from(file.body)
          .toString()
          .matchAll(/from '\.\/([^']+)'/g),
      ];
      for (const match of imports) expect(page.has(`/${match[1]}`)).toBe(true);
    }
  });

  it('leads to no file outside', async () => {
    const { app } = busy();
    const tries = [
      '/../package.json',
      '/..%2f..%2fpackage.json',
      '/%2e%2e/package.json',
      '/page.js/../../package.json',
    ];
    for (const path of [...tries, '/.git/config', '/....//package.json', '/page.js%00']) {
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

describe('/openapi.json', () => {
  it('describes every path, its answers and who may ask', async () => {
    const { app } = busy();
    const document = JSON.parse(await (await app.request('/openapi.json')).text());
    expect(document).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } });
    const paths = ['/metrics', '/api/metrics/', ...READS.map(([path]) => path)];
    expect(Object.keys(document.paths).sort()).toEqual(paths.sort());
    expect(document.paths['/livez'].get.security).toEqual([]);
    const operations = document.paths['/api/monitoring/operations/'].get;
    expect(Object.keys(operations.responses)).toEqual(['200', '400', '401', '403', '500', '503']);
    expect(operations.parameters.map((parameter: { name: string }) => parameter.name)).toEqual([
      'start_date',
      'end_date',
    ]);
    const metrics = document.components.schemas.OperationMetrics;
    expect(metrics.required).toContain('success_rate');
    expect(document.components.schemas.BusinessMetrics.required).not.toContain('automation_money_saved');
  });
});
