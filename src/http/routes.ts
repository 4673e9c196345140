/** The HTTP side as one Hono app, made of the view: tests ask it with `app.request()`, no socket needed. */
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { alertRoutes } from './alert-routes.js';
import { healthRoutes, metricsRoutes, monitoringRoutes } from './api.js';
import { type Access, CHALLENGES, type Need } from './auth.js';
import { addRoute, bare, methodsOf, type RouteDescription } from './describe.js';
import { describeApp, ownRoutes } from './document.js';
import { ApiError, errorResponse, toApiError } from './errors.js';
import type { LiveStats } from './live.js';
import { createMetrics } from './metrics.js';
import { periodRoutes } from './period-routes.js';
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
    const decision = access.decide({
      need: needOf(c, metrics),
      // A request made without a socket (app.request) has no Host header, only its URL.
      host: c.req.header('host') ?? new URL(c.req.url).host,
      origin: c.req.header('origin'),
      authorization: c.req.header('authorization'),
    });
    if (decision.allowed) return next();
    if (decision.status === 401) {
      for (const challenge of CHALLENGES) c.header('WWW-Authenticate', challenge, { append: true });
    }
    return errorResponse(c, new ApiError(decision.status, decision.code, decision.message));
  };
}

const securityHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  c.header('X-Content-Type-Options', 'nosniff');
  c.header('X-Frame-Options', 'DENY');
  c.header('Referrer-Policy', 'no-referrer');
  c.header('Cross-Origin-Resource-Policy', 'same-origin');
};

const paths = (routes: readonly RouteDescription[]): ReadonlySet<string> =>
  new Set(routes.map((route) => bare(route.path)));

/**
 * Builds the app.
 * The WebSocket upgrade is not part of it: startServer hands it to the hub under the same access rule.
 */
export function createApp(view: MonitorView, options: AppOptions): OpenAPIHono {
  const { access, page, onError } = options;
  const clock = options.now ?? Date.now;
  const app = new OpenAPIHono({ strict: false });
  const metrics =
    options.metricsEnabled === false
      ? null
      : createMetrics(view, {
          liveStats: options.liveStats,
          cacheTtlMs: (options.metricsCacheTtl ?? 1) * 1_000,
          version: options.version,
          now: clock,
        });
  const health = healthRoutes(view);
  const exposition = metricsRoutes(metrics);
  const own = ownRoutes(() => document, page);
  const routes = [
    ...[...periodRoutes(view, clock), ...monitoringRoutes(view), ...alertRoutes(view)],
    ...[...health, ...exposition, ...own],
  ];

  app.use(securityHeaders);
  app.use(guard(access, paths(health), paths(exposition)));
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
