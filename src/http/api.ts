/** The routes that read: numbers, health, metrics. Each handler is a call of the view and nothing else. */
import type { Context } from 'hono';
import type { Access } from './auth.js';
import { callerOf, requestOf } from './caller.js';
import { json, type RouteDescription, TEXT, UNAVAILABLE } from './describe.js';
import { ApiError, errorBody, errorResponse } from './errors.js';
import { eventQuery, parseEventRequest } from './event-request.js';
import {
  realTimeAnswer,
  resourcesAnswer,
  schedulesAnswer,
  summaryOf,
  systemHealth,
} from './health-schemas.js';
import type { Metrics } from './metrics.js';
import { notHealthy, notReady } from './readiness.js';
import { aliveAnswer, errorAnswer, eventPage, healthAnswer, notReadyAnswer, readyAnswer } from './schemas.js';
import { maySeeUnmasked } from './session-routes.js';
import type { MonitorView } from './view.js';

function unavailable(c: Context, status: 'unhealthy' | 'not_ready', reason: ApiError): Response {
  return json(c, { status, ...errorBody(reason) }, 503);
}

/** Somebody was shown personal data. */
export interface UnmaskedAccess {
  readonly address: string;
  readonly by: 'token' | 'session';
  /** Path and query of the request. */
  readonly request: string;
  readonly rows: number;
}

export interface UnmaskOptions {
  readonly access: Access;
  readonly unmask: boolean;
  readonly onUnmasked: (access: UnmaskedAccess) => void;
}

async function eventsAnswer(c: Context, view: MonitorView, options: UnmaskOptions): Promise<Response> {
  const url = new URL(c.req.url);
  const request = parseEventRequest(url.searchParams);
  const by = callerOf(c)?.by;
  if (!maySeeUnmasked(c, options.unmask) || by === undefined || by === 'open')
    return json(c, await view.getEvents(request));
  const page = await view.getEvents({ ...request, unmasked: true });
  const { address = '' } = requestOf(c, 'read', options.access);
  options.onUnmasked({ address, by, request: url.pathname + url.search, rows: page.events.length });
  return json(c, page);
}

export function monitoringRoutes(view: MonitorView, unmask: UnmaskOptions): readonly RouteDescription[] {
  return [
    {
      path: '/api/monitoring/realtime/',
      summary: 'The last five minutes',
      tag: 'monitoring',
      answers: { 200: { description: 'The numbers now', schema: realTimeAnswer }, 503: UNAVAILABLE },
      handle: (c) => {
        const [history, audit] = [view.history?.(), view.audit?.()];
        return json(c, {
          ...view.getRealTimeMetrics(),
          ...(history && { history }),
          ...(audit && { audit: summaryOf(audit) }),
        });
      },
    },
    {
      path: '/api/monitoring/health/',
      summary: 'The components of the monitor, and how each is doing',
      tag: 'monitoring',
      answers: {
        200: { description: 'Healthy, or degraded: `components` tells which and why', schema: systemHealth },
        503: { description: 'Unhealthy', schema: systemHealth },
      },
      handle: (c) => {
        const health = view.getSystemHealth();
        return json(c, health, health.status === 'unhealthy' ? 503 : 200);
      },
    },
    {
      path: '/api/monitoring/schedules/',
      summary: 'What runs by itself: checks, flush, audit, retention',
      tag: 'monitoring',
      answers: { 200: { description: 'Each with its last run and its next', schema: schedulesAnswer } },
      handle: (c) => json(c, { schedules: view.schedules?.() ?? [] }),
    },
    {
      path: '/api/monitoring/resources/',
      summary: 'What is used of host, database and disk, and what imports used at most',
      description: 'An import is a run of `import_from_1c` rows with one correlation id.',
      tag: 'monitoring',
      answers: {
        200: { description: 'Null is not known, or not configured', schema: resourcesAnswer },
        404: { description: 'Nothing is checked here', schema: errorAnswer },
      },
      handle: (c) => {
        const resources = view.resources?.();
        if (resources !== undefined) return json(c, resources);
        return errorResponse(c, new ApiError(404, 'not_checked', 'This process checks nothing around it.'));
      },
    },
    {
      path: '/api/events/',
      summary: 'Past events, newest first',
      description:
        'Out of the table by id. All filters must hold. Personal data is masked, but for AUTH_TOKEN with UNMASK=true.',
      tag: 'events',
      query: eventQuery,
      answers: {
        200: { description: 'A page of events', schema: eventPage },
        400: { description: 'A parameter is not valid; `message` says how.', schema: errorAnswer },
        503: UNAVAILABLE,
      },
      handle: (c) => eventsAnswer(c, view, unmask),
    },
  ];
}

export function healthRoutes(view: MonitorView): readonly RouteDescription[] {
  return [
    {
      path: '/api/health/',
      summary: 'Whether the monitor works',
      tag: 'health',
      open: true,
      answers: {
        200: { description: 'It does', schema: healthAnswer },
        503: { description: 'It does not; `error` says why', schema: notReadyAnswer },
      },
      handle: (c) => {
        const reason = notHealthy(view);
        return reason === undefined ? json(c, { status: 'healthy' }) : unavailable(c, 'unhealthy', reason);
      },
    },
    {
      path: '/livez',
      summary: 'Whether the process answers',
      tag: 'health',
      open: true,
      answers: { 200: { description: 'It does', schema: aliveAnswer } },
      handle: (c) => json(c, { status: 'alive' }),
    },
    {
      path: '/readyz',
      summary: 'Whether this process has numbers to serve',
      description: 'A standby, a starting monitor and one without its database are not ready.',
      tag: 'health',
      open: true,
      answers: {
        200: { description: 'It has', schema: readyAnswer },
        503: { description: 'It has not; `error` says why', schema: notReadyAnswer },
      },
      handle: (c) => {
        const reason = notReady(view);
        return reason === undefined ? json(c, { status: 'ready' }) : unavailable(c, 'not_ready', reason);
      },
    },
  ];
}

/** `metrics` null: turned off by PROMETHEUS_METRICS_ENABLED=false. */
export function metricsRoutes(metrics: Metrics | null): readonly RouteDescription[] {
  const answering =
    (scrape: keyof Metrics) =>
    async (c: Context): Promise<Response> => {
      if (metrics === null) {
        return errorResponse(
          c,
          new ApiError(
            404,
            'metrics_disabled',
            'Metrics are turned off by PROMETHEUS_METRICS_ENABLED=false.',
          ),
        );
      }
      const { contentType, body } = await metrics[scrape](c.req.header('accept'));
      return c.body(body, 200, { 'Content-Type': contentType, 'Cache-Control': 'no-store', Vary: 'Accept' });
    };
  const answers = {
    200: {
      description: 'Prometheus text format, or OpenMetrics where the Accept header asks for it',
      schema: TEXT,
      type: 'text/plain',
    },
    404: { description: 'Turned off', schema: errorAnswer },
  };
  const ofMonitor = ['/metrics', '/api/metrics/'].map((path) => ({ path, handle: answering('scrape') }));
  const ofCelery = { path: '/metrics/celery', handle: answering('scrapeCelery') };
  return [
    ...ofMonitor.map((route) => ({ ...route, summary: 'Metrics for Prometheus', tag: 'metrics', answers })),
    { ...ofCelery, summary: 'Metrics of Celery for Prometheus', tag: 'metrics', answers },
  ];
}
