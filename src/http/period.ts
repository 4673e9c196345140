/**
 * `start_date`, `end_date` and `tz` of a query, read strictly: a date that is misread silently gives wrong numbers.
 * Pure; the clock comes in as an argument.
 */
import { nearestZone, Zone } from '../../streams/zone.js';
import { ApiError } from './errors.js';

export interface Period {
  /** Undefined: the monitor's own default (24 hours before the end). */
  readonly start: Date | undefined;
  /** Undefined: now, by the database's clock, which only the monitor knows. */
  readonly end: Date | undefined;
}

const DAY_MS = 86_400_000;
const FORM =
  'an ISO 8601 date of the years 1000 to 9999, such as 2026-01-31, 2026-01-31T12:00:00Z or 2026-01-31T15:00:00+03:00';
const FIRST_MS = Date.UTC(1000, 0, 1);
const END_MS = Date.UTC(10_000, 0, 1);

// A blank before the offset is what an unescaped '+' of a query string becomes.
const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:([Zz])|([+\- ])(\d{2}):?(\d{2})?)?)?$/;

/** Cuts and strips what a caller sent, so that an error message cannot carry a page of it, or control characters. */
export function quoted(value: string): string {
  const cut = value.length > 60 ? `${value.slice(0, 60)}...` : value;
  return JSON.stringify(cut);
}

/**
 * One ISO 8601 date, with or without a time and an offset; midnight where no time is given, the zone's own time, or
 * UTC without one, where no offset is.
 * @returns milliseconds of the Unix epoch, or undefined when it is no such date.
 */
export function parseIsoDate(text: string, zone?: Zone): number | undefined {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const part = (index: number): number => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  const milli = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  const [offsetHour, offsetMinute] = [part(10), part(11)];
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return undefined;
  if (offsetHour > 14 || offsetMinute > 59) return undefined;
  const local = Date.UTC(year, month - 1, day, hour, minute, second, milli);
  // The 30th of February becomes the 1st or 2nd of March there.
  if (new Date(local).getUTCDate() !== day) return undefined;
  const sign = match[9] === '-' ? -1 : 1;
  const hasOffset = match[8] !== undefined || match[9] !== undefined;
  const time =
    zone && !hasOffset ? zone.instant(local) : local - sign * (offsetHour * 60 + offsetMinute) * 60_000;
  return time >= FIRST_MS && time < END_MS ? time : undefined;
}

/**
 * A parameter that may be given once.
 * @throws ApiError 400 when it is given more often.
 */
export function single(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length > 1) {
    throw new ApiError(400, 'duplicate_parameter', `${name} is given ${values.length} times; give it once.`, {
      parameter: name,
    });
  }
  return values[0];
}

/**
 * A date that may be given once, ms of the Unix epoch.
 * @throws ApiError 400: unparsable, or given twice.
 */
export function dateParameter(query: URLSearchParams, name: string, zone?: Zone): number | undefined {
  const value = single(query, name);
  if (value === undefined) return undefined;
  const time = parseIsoDate(value.trim(), zone);
  if (time === undefined) {
    throw new ApiError(400, 'invalid_date', `${name} is ${quoted(value)}; it must be ${FORM}.`, {
      parameter: name,
    });
  }
  return time;
}

/**
 * The time zone that a query names, once.
 * @throws ApiError 400: no such zone, or given twice.
 */
export function zoneParameter(query: URLSearchParams): Zone | undefined {
  const value = single(query, 'tz');
  if (value === undefined) return undefined;
  try {
    return new Zone(value);
  } catch {
    const message =
      `tz is ${quoted(value)}, which is no time zone; it must be a name of the tz database such as ` +
      `Europe/Moscow or UTC. The nearest is ${nearestZone(value)}.`;
    throw new ApiError(400, 'invalid_time_zone', message, { parameter: 'tz' });
  }
}

export interface PeriodRules {
  /** What an absent end means, for the checks only; ms. */
  readonly now: number;
  readonly retentionDays: number;
  /** Whose time the dates without an offset are in; default UTC. */
  readonly zone?: Zone | undefined;
  /** Where a period begins of which only the end is given; default a day earlier. */
  readonly before?: (end: number) => number;
}

/**
 * Reads the period of a query.
 * @throws ApiError 400: unparsable date, parameter given twice, end not after start, longer than the retention.
 */
export function parsePeriod(query: URLSearchParams, rules: PeriodRules): Period {
  const given = dateParameter(query, 'start_date', rules.zone);
  const end = dateParameter(query, 'end_date', rules.zone);
  const before = rules.before ?? ((time: number) => time - DAY_MS);
  // An end alone asks for the time before it; the monitor's own default would be the day before now.
  const start = given ?? (end === undefined ? undefined : before(end));
  if (start !== undefined) checkPeriod(start, end, rules);
  return {
    start: start === undefined ? undefined : new Date(start),
    end: end === undefined ? undefined : new Date(end),
  };
}

function checkPeriod(
  start: number,
  end: number | undefined,
  { now, retentionDays, zone }: PeriodRules,
): void {
  const until = end ?? now;
  const iso = (time: number): string => new Date(time).toISOString();
  if (until <= start) {
    const what = end === undefined ? `now (${iso(until)})` : `end_date (${iso(until)})`;
    throw new ApiError(
      400,
      'invalid_period',
      `${what} is not after start_date (${iso(start)}); a period runs from start_date up to, and without, end_date, ` +
        `and a date without a time means its midnight ${zone ? `in ${zone.name}` : 'UTC'}.`,
    );
  }
  if (until - start > retentionDays * DAY_MS) {
    const days = Math.ceil(((until - start) / DAY_MS) * 10) / 10;
    throw new ApiError(
      400,
      'period_too_long',
      `The period is ${days} days long; at most ${retentionDays} days are kept (ROLLUP_RETENTION_DAYS).`,
      { max_days: retentionDays },
    );
  }
}
