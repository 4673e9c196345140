/**
 * Every endpoint, asked by everybody. The list is the app's own: a route that is added is asked too, and one that says
 * nothing of who may ask fails here until it is entered in the table below.
 */
import { describe, expect, it } from 'vitest';
import { type AccessOptions, createAccess } from '../../src/http/auth.js';
import { busyApp, setUpApp } from './app.js';

const TOKENS: AccessOptions = { host: '0.0.0.0', authToken: 'a', viewerToken: 'v', metricsToken: 'm' };

type Right = 'open' | 'read' | 'write' | 'metrics';

/** What each route needs, written by hand, by method and path as the app has them. */
const RIGHTS: Readonly<Record<string, Right>> = {
  'GET /': 'read',
  'GET /openapi.json': 'read',
  'GET /ws': 'read',
  'GET /sign-in': 'open',
  'POST /sign-in': 'open',
  'GET /sign-out': 'open',
  'POST /sign-out': 'open',
  'GET /api/session': 'read',
  'GET /api/health': 'open',
  'GET /livez': 'open',
  'GET /readyz': 'open',
  'GET /metrics': 'metrics',
  'GET /api/metrics': 'metrics',
  'GET /metrics/celery': 'metrics',
  'GET /api/monitoring/operations': 'read',
  'GET /api/monitoring/business': 'read',
  'GET /api/monitoring/hourly': 'read',
  'GET /api/monitoring/daily': 'read',
  'GET /api/monitoring/series': 'read',
  'GET /api/monitoring/realtime': 'read',
  'GET /api/monitoring/health': 'read',
  'GET /api/monitoring/schedules': 'read',
  'GET /api/monitoring/resources': 'read',
  'GET /api/monitoring/slo': 'read',
  'GET /api/events': 'read',
  'GET /api/alerts': 'read',
  'POST /api/alerts/:id/ack': 'write',
  'GET /api/silences': 'read',
  'POST /api/silences': 'write',
  'DELETE /api/silences/:id': 'write',
};

/** The routes that the app has, and no middleware: `ALL` and `*` are those. */
function routesOf(app: ReturnType<typeof busyApp>['app']): readonly string[] {
  const routes = app.routes.filter(({ method, path }) => method !== 'ALL' && !path.includes('*'));
  return [...new Set(routes.map(({ method, path }) => `${method} ${path}`))];
}

const ALLOWED: Readonly<Record<Right, readonly string[]>> = {
  open: ['nobody', 'wrong', 'admin', 'viewer', 'metrics'],
  read: ['admin', 'viewer'],
  write: ['admin'],
  metrics: ['admin', 'viewer', 'metrics'],
};

const CALLERS: Readonly<Record<string, string | undefined>> = {
  nobody: undefined,
  wrong: 'Bearer x',
  admin: 'Bearer a',
  viewer: 'Bearer v',
  metrics: 'Bearer m',
};

describe('every route', () => {
  it('is in the table, and nothing else is', () => {
    expect(routesOf(busyApp(TOKENS).app).toSorted()).toEqual(Object.keys(RIGHTS).toSorted());
  });

  const rows = Object.entries(RIGHTS).flatMap(([route, right]) =>
    Object.keys(CALLERS).map((caller) => ({ route, right, caller })),
  );
  const { app, failures } = busyApp({ ...TOKENS, attempts: { burst: 1e6 } });
  it.each(rows)('$route for $caller', async ({ route, right, caller }) => {
    const [method = '', path = ''] = route.split(' ');
    const authorization = CALLERS[caller];
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    for (const url of new Set([path, path.replace(/\/?$/, '/')].map((one) => one.replace(':id', '7')))) {
      const response = await app.request(url, { method, headers });
      const refused = ALLOWED[right].includes(caller)
        ? undefined
        : caller in { nobody: 0, wrong: 0 }
          ? 401
          : 403;
      // An open form that was not sent by its page is refused for that, and for nothing about tokens.
      const form = route.startsWith('POST /sign-');
      if (form) expect([url, response.status]).toEqual([url, 403]);
      else if (refused === undefined) expect([401, 403, 429, 500]).not.toContain(response.status);
      else expect([url, response.status]).toEqual([url, refused]);
      expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      await response.text();
    }
    expect(failures).toEqual([]);
  });

  it('takes no token from an address', async () => {
    const { app } = busyApp(TOKENS);
    for (const name of ['token', 'access_token', 'auth', 'authorization', 'api_key', 'key'])
      expect((await app.request(`/api/monitoring/realtime/?${name}=a`)).status).toBe(401);
  });

  it.each(['PUT', 'PATCH', 'DELETE', 'POST', 'OPTIONS', 'TRACE2', 'PROPFIND'])(
    'answers %s to a viewer as something that only an admin may do',
    async (method) => {
      const { app } = busyApp(TOKENS);
      const headers = { authorization: 'Bearer v' };
      for (const path of ['/', '/api/silences/', '/api/nothing', '/assets/index-0a1b2c3d.js'])
        expect([path, (await app.request(path, { method, headers })).status]).toEqual([path, 403]);
    },
  );
});

describe('what was not let in', () => {
  it('reaches no handler', async () => {
    const { app, view } = setUpApp(TOKENS);
    let asked = 0;
    const ask = () => {
      asked += 1;
      throw new Error('asked');
    };
    Object.assign(view, {
      ...{ getOperationMetrics: ask, getBusinessMetrics: ask, getEvents: ask, getSystemHealth: ask },
      ...{ getHourlyBreakdown: ask, getDailyBreakdown: ask, getSeries: ask, alerts: ask },
    });
    for (const route of routesOf(app)) {
      const [method = '', path = ''] = route.split(' ');
      if (RIGHTS[route] === 'open') continue;
      await app.request(path.replace(':id', '7'), { method, headers: { authorization: 'Bearer x' } });
    }
    expect(asked).toBe(0);
  });

  it('is refused where a session acts without its page', () => {
    const access = createAccess(TOKENS);
    const own = { host: 'h', origin: 'http://h', authorization: undefined } as const;
    const signedIn = access.signIn('a', { ...own, need: 'read' });
    if (!signedIn.allowed) throw new Error(signedIn.code);
    const cookie = signedIn.cookie.split(';', 1)[0];
    for (const [origin, need, status] of [
      ['http://h', 'write', undefined],
      [undefined, 'write', 403],
      ['http://evil', 'write', 403],
      [undefined, 'live', 403],
    ] as const) {
      const decision = access.decide({ ...own, origin, need, cookie });
      expect(decision.allowed ? undefined : decision.status).toBe(status);
    }
  });
});
