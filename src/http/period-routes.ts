/** The routes that answer for a period: its numbers, and the same hour by hour and day by day. */
import type { Context } from 'hono';
import { SERIES_POINTS_AT_MOST, stepFor, stepsIn } from '../../streams/period-series.js';
import { Zone } from '../../streams/zone.js';
import { byTheClock, type Compared, compareWith, parseCompare, type Span } from './compare.js';
import { BAD_PERIOD, json, type RouteDescription, UNAVAILABLE } from './describe.js';
import { ApiError } from './errors.js';
import { type Period, parsePeriod, quoted, single, zoneParameter } from './period.js';
import {
  breakdownQuery,
  businessAnswer,
  dailyAnswer,
  hourlyAnswer,
  operationAnswer,
  periodQuery,
  seriesAnswer,
  seriesQuery,
} from './period-schemas.js';
import type { MonitorView } from './view.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Rows of an hourly answer: more would be tens of megabytes. */
const HOURS_AT_MOST = 10_000;
const DAYS_OF_DAILY = 7;

interface Asked {
  readonly query: URLSearchParams;
  /** The database's clock, as far as it is known, ms. */
  readonly now: number;
  readonly spans: readonly Span[];
}

export function periodRoutes(view: MonitorView, clock: () => number): readonly RouteDescription[] {
  const asked = (c: Context): Asked => {
    const query = new URL(c.req.url).searchParams;
    const at = view.latest()?.at;
    return { query, now: at === undefined ? clock() : Date.parse(at), spans: parseCompare(query) };
  };
  const kept = ({ now }: Asked) => ({
    keptFrom: now - view.retentionDays * DAY_MS,
    retentionDays: view.retentionDays,
  });

  /** Numbers of the very period, compared with as long a one before. */
  const numbers = async <T extends { readonly period_start: string; readonly period_end: string }>(
    c: Context,
    ask: (period: Period) => Promise<T>,
  ): Promise<Response> => {
    const request = asked(c);
    const { query, now, spans } = request;
    const answer = await ask(parsePeriod(query, { now, retentionDays: view.retentionDays }));
    const comparison = await compareWith(spans, {
      // What the numbers are of: the asked period, widened where it had to be.
      period: { start: Date.parse(answer.period_start), end: Date.parse(answer.period_end) },
      earlier: byTheClock,
      ...kept(request),
      ask: (start, end) => ask({ start, end }),
    });
    return json(c, { ...answer, ...comparison });
  };

  const breakdown = async (c: Context, unit: 'hours' | 'days', of: Breakdown): Promise<Response> => {
    const request = asked(c);
    const { query, now, spans } = request;
    const named = zoneParameter(query);
    const zone = named ?? new Zone('UTC');
    const before = (end: number): number =>
      unit === 'hours' ? end - DAY_MS : zone.addDays(zone.startOfDay(end - 1), 1 - DAYS_OF_DAILY);
    const asIs = parsePeriod(query, { now, retentionDays: view.retentionDays, zone: named, before });
    const end = asIs.end ?? new Date(now);
    const start = asIs.start ?? new Date(before(end.getTime()));
    if (unit === 'hours') checkHours(start, end);
    const ask: Compared<object>['ask'] = async (from, to) => ({
      rows: await of(from, to, named?.name),
      tz: shownName(query, zone),
      period_start: new Date(zone[unit](from.getTime(), from.getTime() + 1)[0] as number).toISOString(),
      period_end: new Date(zone[unit](to.getTime() - 1, to.getTime()).at(-1) as number).toISOString(),
    });
    const answer = await ask(start, end);
    const comparison = await compareWith(spans, {
      period: { start: start.getTime(), end: end.getTime() },
      earlier: (time, days) => zone.addDays(time, -days),
      ...kept(request),
      ask,
    });
    return json(c, { ...answer, ...comparison });
  };

  const series = async (c: Context): Promise<Response> => {
    const { query, now } = asked(c);
    const points = pointsParameter(query);
    const period = parsePeriod(query, { now, retentionDays: view.retentionDays });
    const end = period.end ?? new Date(now);
    const start = period.start ?? new Date(end.getTime() - DAY_MS);
    const step = stepFor(start.getTime(), end.getTime(), points);
    if (step === undefined) throw tooFew(points, stepsIn(start.getTime(), end.getTime(), LONGEST_STEP));
    return json(c, await view.getSeries(start, end, step));
  };

  const route = (
    part: Pick<RouteDescription, 'path' | 'summary' | 'description' | 'query' | 'handle'>,
    schema: RouteDescription['answers'][number]['schema'],
  ): RouteDescription => ({
    ...part,
    tag: 'monitoring',
    answers: {
      200: { description: 'The numbers of the period', schema },
      400: BAD_PERIOD,
      503: UNAVAILABLE,
    },
  });

  return [
    route(
      {
        path: '/api/monitoring/operations/',
        summary: 'Counts, rates and durations of a period',
        description: 'start_date <= created_at < end_date; without both, the last 24 hours.',
        query: periodQuery,
        handle: (c) => numbers(c, ({ start, end }) => view.getOperationMetrics(start, end)),
      },
      operationAnswer,
    ),
    route(
      {
        path: '/api/monitoring/business/',
        summary: 'Business numbers of a period',
        description: 'start_date <= created_at < end_date; without both, the last 24 hours.',
        query: periodQuery,
        handle: (c) => numbers(c, ({ start, end }) => view.getBusinessMetrics(start, end)),
      },
      businessAnswer,
    ),
    route(
      {
        path: '/api/monitoring/hourly/',
        summary: 'Each hour that a period touches',
        description: `Whole hours, those without operations too; at most ${HOURS_AT_MOST} of them. Without dates, of the last 24 hours.`,
        query: breakdownQuery('24 hours before the end'),
        handle: (c) => breakdown(c, 'hours', (...of) => view.getHourlyBreakdown(...of)),
      },
      hourlyAnswer,
    ),
    route(
      {
        path: '/api/monitoring/daily/',
        summary: 'Each calendar day that a period touches',
        description: 'Whole days, those without operations too. Without dates, the last seven with today.',
        query: breakdownQuery(`the first of the ${DAYS_OF_DAILY} days of which the end is the last`),
        handle: (c) => breakdown(c, 'days', (...of) => view.getDailyBreakdown(...of)),
      },
      dailyAnswer,
    ),
    route(
      {
        path: '/api/monitoring/series/',
        summary: 'A period in steps of one length, for a chart',
        description:
          'Whole steps of 10 seconds to a day, the shortest with at most `points` of them: those that the period touches ' +
          'up to now. Steps of 10 seconds only for periods of ten minutes at most. Without dates, the last 24 hours.',
        query: seriesQuery,
        handle: series,
      },
      seriesAnswer,
    ),
  ];
}

const LONGEST_STEP = 86_400;

/** @throws ApiError 400: no such number, or given twice. */
function pointsParameter(query: URLSearchParams): number {
  const value = single(query, 'points');
  if (value === undefined) return SERIES_POINTS_AT_MOST;
  const points = /^\d{1,3}$/.test(value) ? Number(value) : 0;
  if (points >= 1 && points <= SERIES_POINTS_AT_MOST) return points;
  const message = `points is ${quoted(value)}; allowed: a whole number from 1 to ${SERIES_POINTS_AT_MOST}.`;
  throw new ApiError(400, 'invalid_parameter', message, { parameter: 'points' });
}

function tooFew(points: number, days: number): ApiError {
  const message = `The period has ${days} days, the longest steps there are, and at most ${points} points are asked for. Ask for a shorter period${days <= SERIES_POINTS_AT_MOST ? ', or for more points' : ''}.`;
  return new ApiError(400, 'period_too_long', message, { max_points: points });
}

/** As it was asked for where the engine has another name for it (`Europe/Kyiv` is its `Europe/Kiev`). */
function shownName(query: URLSearchParams, { name }: Zone): string {
  const asked = query.get('tz');
  return asked === null || asked.toLowerCase() === name.toLowerCase() ? name : asked;
}

type Breakdown = (start: Date, end: Date, tz?: string) => Promise<readonly object[]>;

function checkHours(start: Date, end: Date): void {
  const hours = Math.ceil((end.getTime() - start.getTime()) / HOUR_MS);
  if (hours <= HOURS_AT_MOST) return;
  const message = `The period has ${hours} hours; at most ${HOURS_AT_MOST} are told one by one. Ask /api/monitoring/daily/, or for a shorter period.`;
  throw new ApiError(400, 'period_too_long', message, { max_hours: HOURS_AT_MOST });
}
