/** The routes about alerts, silences and the service level objective. Writing ones are for the admin role (auth.ts). */
import type { AlertQuery, AlertsView } from '../../streams/alerts-view.js';
import {
  ackBody,
  alertIdOf,
  alertParams,
  alertQuery,
  parseAlertQuery,
  parsePast,
  readAck,
  readSilence,
  silenceBody,
  silenceIdOf,
  silenceParams,
  silenceQuery,
} from './alert-request.js';
import { alert, alertsAnswer, silence, silencesAnswer, sloAnswer, sloAnswerOf } from './alert-schemas.js';
import { type Answer, json, type RouteDescription, UNAVAILABLE } from './describe.js';
import { ApiError } from './errors.js';
import { notReady } from './readiness.js';
import { errorAnswer } from './schemas.js';
import type { MonitorView } from './view.js';

const BAD_PARAMETER: Answer = {
  description: 'A parameter is not valid; `message` says how.',
  schema: errorAnswer,
};
const NO_ALERTS: Answer = {
  description: 'This monitor has no alerts; `message` says why.',
  schema: errorAnswer,
};
const NOT_THERE: Answer = {
  description: 'There is no such one, or this monitor has no alerts; `message` says which.',
  schema: errorAnswer,
};
/** What AlertsView gives at most. */
const ALL_AT_ONCE = 500;

/** @throws ApiError that says why there are none: 503 for now, 404 for good */
function alertsOf(view: MonitorView): AlertsView {
  const alerts = view.alerts?.();
  if (alerts !== undefined) return alerts;
  const forNow = notReady(view);
  if (forNow !== undefined) throw forNow;
  const history = view.history?.();
  const because =
    history?.state === 'off'
      ? `it keeps nothing in the database. ${history.reason}`
      : 'it was started without them, or its role may not write to their tables (migrate makes them).';
  throw new ApiError(404, 'alerts_off', `This monitor has no alerts, because ${because}`);
}

/** A page that ends between two times: `before` could not tell apart alerts that began at the same one. */
async function pageOf(alerts: AlertsView, query: AlertQuery) {
  const found = await alerts.list({ ...query, limit: query.limit + 1 });
  const beyond = found[query.limit];
  if (beyond === undefined) return { alerts: found, next_before: null };
  const page = found.slice(0, query.limit).filter(({ starts_at }) => starts_at !== beyond.starts_at);
  const last = page.at(-1);
  if (last !== undefined) return { alerts: page, next_before: last.starts_at };
  const all = await alerts.list({ ...query, limit: ALL_AT_ONCE });
  return {
    alerts: all.filter(({ starts_at }) => starts_at === beyond.starts_at),
    next_before: beyond.starts_at,
  };
}

export function alertRoutes(view: MonitorView): readonly RouteDescription[] {
  return [
    {
      path: '/api/alerts/',
      summary: 'Active and past alerts, newest first, and how each rule is doing',
      tag: 'alerts',
      query: alertQuery,
      answers: {
        200: { description: 'A page of alerts', schema: alertsAnswer },
        ...{ 400: BAD_PARAMETER, 404: NO_ALERTS, 503: UNAVAILABLE },
      },
      handle: async (c) => {
        const alerts = alertsOf(view);
        const page = await pageOf(alerts, parseAlertQuery(new URL(c.req.url).searchParams));
        return json(c, { ...page, rules: alerts.rules(), deliveries: alerts.deliveries() });
      },
    },
    {
      method: 'post',
      path: '/api/alerts/:id/ack',
      summary: 'Somebody has this alert in hand: no reminders of it from now on',
      description: 'The first acknowledgement stays. Not for the roles viewer and metrics.',
      tag: 'alerts',
      params: alertParams,
      body: { schema: ackBody, required: false },
      answers: { 200: { description: 'The alert', schema: alert }, 404: NOT_THERE, 503: UNAVAILABLE },
      handle: async (c) => {
        const alerts = alertsOf(view);
        const ack = await readAck(c);
        const id = alertIdOf(c);
        const acked = id === undefined ? null : await alerts.acknowledge(id, ack);
        if (acked === null)
          throw new ApiError(
            404,
            'alert_unknown',
            'There is no alert of this id; /api/alerts/ has their ids.',
          );
        return json(c, acked);
      },
    },
    {
      path: '/api/silences/',
      summary: 'Silences that have not ended',
      tag: 'alerts',
      query: silenceQuery,
      answers: {
        200: { description: 'The one that ends first first', schema: silencesAnswer },
        ...{ 400: BAD_PARAMETER, 404: NO_ALERTS, 503: UNAVAILABLE },
      },
      handle: async (c) => {
        const alerts = alertsOf(view);
        const past = parsePast(new URL(c.req.url).searchParams);
        return json(c, { silences: await alerts.silences(past) });
      },
    },
    {
      method: 'post',
      path: '/api/silences/',
      summary: 'Nobody is told of a rule until a time, for a reason',
      description: 'Not for the roles viewer and metrics.',
      tag: 'alerts',
      body: { schema: silenceBody, required: true },
      answers: {
        201: { description: 'The silence', schema: silence },
        ...{ 404: NO_ALERTS, 503: UNAVAILABLE },
      },
      handle: async (c) => {
        const alerts = alertsOf(view);
        return json(c, await alerts.silence(await readSilence(c)), 201);
      },
    },
    {
      method: 'delete',
      path: '/api/silences/:id',
      summary: 'Ends a silence now',
      description: 'Not for the roles viewer and metrics.',
      tag: 'alerts',
      params: silenceParams,
      answers: {
        200: { description: 'The silence, ended', schema: silence },
        ...{ 400: BAD_PARAMETER, 404: NOT_THERE, 503: UNAVAILABLE },
      },
      handle: async (c) => {
        const alerts = alertsOf(view);
        const ended = await alerts.endSilence(silenceIdOf(c));
        if (ended === null)
          throw new ApiError(
            404,
            'silence_unknown',
            'There is no silence of this id that has not ended; /api/silences/ has their ids.',
          );
        return json(c, ended);
      },
    },
    {
      path: '/api/monitoring/slo/',
      summary: 'The service level objective: error budget left, and how fast it goes',
      tag: 'monitoring',
      answers: {
        200: { description: 'How it is doing', schema: sloAnswer },
        ...{ 404: NO_ALERTS, 503: UNAVAILABLE },
      },
      handle: (c) => {
        const reading = alertsOf(view).slo();
        if (reading !== null) return json(c, sloAnswerOf(reading));
        throw (
          notReady(view) ??
          new ApiError(
            503,
            'slo_unknown',
            'The operations of the SLO window are not counted yet; ask again in some seconds.',
          )
        );
      },
    },
  ];
}
