/** The HTTP side as one Hono app, made of the view: tests ask it with `app.request()`, no socket needed. */
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { alertRoutes } from './alert-routes.js';
import { healthRoutes, metricsRoutes, monitoringRoutes, type UnmaskedAccess } from './api.js';
import { type Access, challengesFor, type Need, refusalError } from './auth.js';
import { requestOf, setCaller } from './caller.js';
import { addRoute, bare, methodsOf, type RouteDescription } from './describe.js';
import { describeApp, ownRoutes } from './document.js';
import { ApiError, errorResponse, toApiError } from './errors.js';
import type { LiveStats } from './live.js';
import { createMetrics } from './metrics.js';
import { periodRoutes } from './period-routes.js';
import { sessionRoutes, signInResponse, wantsPage } from './session-routes.js';
import { type Page, pageResponse } from './static.js';
import type { MonitorView } from './view.js';

export interface AppOptions {
  readonly access: Access;
  /** The dashboard's files (static.ts); without them `/` is not found. */
  readonly page?: Page | undefined;
  /** PROMETHEUS_METRICS_ENABLED; default true. */
  readonly metricsEnabled?: boolean;
  /** METRICS_CACHE_TTL, seconds; default 1, 0 renders each scrape anew. */
  readonly metricsCacheTtl?: number;
  /** UNMASK: who holds AUTH_TOKEN sees personal data in past events. */
  readonly unmask?: boolean;
  /** Told each time that it happened. */
  readonly onUnmasked?: (access: UnmaskedAccess) => void;
  /** Told whose session was ended by hand. */
  readonly onSignOut?: (sessionId: string) => void;
  readonly liveStats: () => LiveStats;
  /** The package's version, shown in /openapi.json and `sync_monitor_info`. */
  readonly version: string;
  /** Told of every failure that was not foreseen; the caller learns nothing of it but that it happened. */
  readonly onError: (error: unknown, where: string) => void;
  /** This host's clock, ms; default Date.now. */
  readonly now?: () => number;
}

function needOf(c: Context, metricsPaths: ReadonlySet<string>): Need {
  if (metricsPaths.has(c.req.path)) return 'metrics';
  return c.req.method === 'GET' || c.req.method === 'HEAD' ? 'read' : 'write';
}

/** The access rule over all paths but the open ones; it comes before "not found", so that nothing is told away. */
function guard(access: Access, open: ReadonlySet<string>, metrics: ReadonlySet<string>): MiddlewareHandler {
  return async (c, next) => {
    if (open.has(c.req.path)) return next();
    const decision = access.decide(requestOf(c, needOf(c, metrics), access));
    if (decision.allowed) {
      setCaller(c, decision);
      return next();
    }
    if (decision.status === 401) {
      const challenges = challengesFor((name) => c.req.header(name));
      for (const challenge of challenges) c.header('WWW-Authenticate', challenge, { append: true });
      if (wantsPage(c)) return signInResponse(c, 401);
    }
    return errorResponse(c, refusalError(decision));
  };
}

/** Of what is no page: nothing of it is to be run or shown inside something else. */
const API_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const securityHeaders =
  (access: Access): MiddlewareHandler =>
  async (c, next) => {
    await next();
    c.header('X-Content-Type-Options', 'nosniff');
    c.header('X-Frame-Options', 'DENY');
    // Not no-referrer: with that a browser sends `Origin: null` with our own forms.
    c.header('Referrer-Policy', 'same-origin');
    c.header('Cross-Origin-Resource-Policy', 'same-origin');
    c.header('Cross-Origin-Opener-Policy', 'same-origin');
    c.header('Permissions-Policy', 'camera=(), geolocation=(), microphone=()');
    if (!c.res.headers.has('Content-Security-Policy')) c.header('Content-Security-Policy', API_POLICY);
    if (requestOf(c, 'read', access).secure) c.header('Strict-Transport-Security', 'max-age=31536000');
  };

const paths = (routes: readonly RouteDescription[]): ReadonlySet<string> =>
  new Set(routes.map((route) => bare(route.path)));

/**
 * Builds the app.
 * The WebSocket upgrade is not part of it: startServer hands it to the hub under the same access rule.
 */
export function createApp(view: MonitorView, options: AppOptions): OpenAPIHono {
  const { access, page, unmask = false, onError, onUnmasked = () => undefined } = options;
  const clock = options.now ?? Date.now;
  const app = new OpenAPIHono({ strict: false });
  const metrics =
    options.metricsEnabled === false
      ? null
      : createMetrics(view, {
          liveStats: options.liveStats,
          attemptStats: () => access.stats(),
          cacheTtlMs: (options.metricsCacheTtl ?? 1) * 1_000,
          version: options.version,
          now: clock,
        });
  const health = healthRoutes(view);
  const exposition = metricsRoutes(metrics);
  const own = ownRoutes(() => document, page);
  const session = sessionRoutes({
    ...{ access, unmask, onSignOut: options.onSignOut ?? (() => undefined) },
  });
  const routes = [
    ...[
      ...periodRoutes(view, clock),
      ...monitoringRoutes(view, { access, unmask, onUnmasked }),
      ...alertRoutes(view),
    ],
    ...[...health, ...exposition, ...own, ...session],
  ];

  app.use(securityHeaders(access));
  app.use(guard(access, paths(routes.filter(({ open }) => open)), paths(exposition)));
  for (const route of routes) addRoute(app, route);

  const document = describeApp(app, options.version);
  app.get('*', (c, next) => {
    const file = page?.get(c.req.path);
    return file === undefined ? next() : Promise.resolve(pageResponse(c, file));
  });

  const methods = methodsOf(routes, page?.keys() ?? []);
  app.notFound((c) => {
    const allowed = methods(c.req.path);
    if (allowed.length > 0 && !allowed.includes(c.req.method)) {
      c.header('Allow', allowed.join(', '));
      const use = allowed.filter((method) => method !== 'HEAD').join(' or ');
      const message = `${c.req.method} is not possible here; use ${use}.`;
      return errorResponse(c, new ApiError(405, 'method_not_allowed', message));
    }
    return errorResponse(
      c,
      new ApiError(404, 'not_found', 'There is nothing here; /openapi.json lists what there is.'),
    );
  });
  app.onError((error, c) => {
    const { answer, foreseen } = toApiError(error);
    if (!foreseen) onError(error, `http: ${c.req.method} ${c.req.path}`);
    return errorResponse(c, answer);
  });
  return app;
}
