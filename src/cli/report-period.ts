/** Which day or week a report is about. Pure: the clock and the zone come in as arguments. */
import type { Zone } from '../../streams/zone.js';

export type ReportKind = 'day' | 'week';

/** Half-open, ms. */
export interface ReportPeriod {
  readonly start: number;
  readonly end: number;
  /** As much of the day or week before, by the calendar. */
  readonly before: { readonly start: number; readonly end: number };
  /** False: the day or week is not over, and `end` is now. */
  readonly complete: boolean;
  /** The first day, in the zone. */
  readonly date: string;
}

const DAYS = { day: 1, week: 7 } as const;
const FORMS = 'allowed: a date such as 2026-01-31, today or yesterday';

/**
 * The day `date`, or the week from Monday to Sunday that it is in; without one the last day or week that is over.
 * @throws with the allowed forms; and for a day that has not begun
 */
export function reportPeriod(
  kind: ReportKind,
  date: string | undefined,
  zone: Zone,
  now: number,
): ReportPeriod {
  const today = zone.startOfDay(now);
  const day = date === undefined ? daysFrom(today, -DAYS[kind], zone) : dayOf(date, zone, today);
  if (day > now)
    throw new Error(`--date is ${date}, which has not begun in ${zone.name}: it is ${zone.iso(now)} there`);
  const start = kind === 'day' ? day : mondayOf(day, zone);
  const full = daysFrom(start, DAYS[kind], zone);
  const end = Math.min(full, now);
  return {
    start,
    end,
    before: {
      start: daysFrom(start, -DAYS[kind], zone),
      end: end === full ? start : zone.addDays(end, -DAYS[kind]),
    },
    complete: end === full,
    date: zone.iso(start).slice(0, 10),
  };
}

function dayOf(text: string, zone: Zone, today: number): number {
  if (text === 'today') return today;
  if (text === 'yesterday') return daysFrom(today, -1, zone);
  const local = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  // The 30th of February is read as the 2nd of March.
  if (Number.isNaN(local) || new Date(local).toISOString().slice(0, 10) !== text || local < 0)
    throw new Error(`--date is ${JSON.stringify(text.slice(0, 60))}; ${FORMS}, from 1970 on`);
  return zone.instant(local);
}

function mondayOf(day: number, zone: Zone): number {
  const weekday = new Date(day + zone.offset(day)).getUTCDay();
  return daysFrom(day, -((weekday + 6) % 7), zone);
}

/** The start of another day; not its 01:00, where the first one begins so late. */
function daysFrom(day: number, days: number, zone: Zone): number {
  return zone.startOfDay(zone.addDays(day, days));
}
