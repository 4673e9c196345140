/**
 * The calendar of a time zone: where its days and hours begin. What the tz database says comes out of the JavaScript
 * engine; nothing here asks what time it is.
 */
import { nearest } from './nearest.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

const positive = (value: number, modulus: number): number => ((value % modulus) + modulus) % modulus;

export class Zone {
  /** The name that the engine uses for it: `UTC`, `Europe/Berlin`. One zone has one, however it was asked for. */
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;

  /** @throws RangeError when there is no such zone; names are those of the tz database, in any case */
  constructor(name: string) {
    // Later engines also take '+03:00', which has no calendar of its own and is no name.
    if (/^[+-]/.test(name)) throw new RangeError(`${name} is an offset, not the name of a time zone`);
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
    this.name = this.#format.resolvedOptions().timeZone;
  }

  /** Local time ahead of UTC at that moment, ms. Before there was standard time: to the full minute. */
  offset(at: number): number {
    const [, sign, hours, minutes] = /GMT([+-])(\d\d):(\d\d)/.exec(this.#format.format(at)) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * HOUR_MS + Number(minutes ?? 0) * MINUTE_MS);
  }

  /**
   * The moment at which the clocks of the zone show `local`, ms as if it were UTC. What they show twice is the first
   * time; what they skip is as far behind the jump as it would have been without it.
   */
  instant(local: number): number {
    const before = this.offset(local - DAY_MS);
    const shown = [local - before, local - this.offset(local + DAY_MS)].filter(
      (at) => at + this.offset(at) === local,
    );
    return shown.length === 0 ? local - before : Math.min(...shown);
  }

  startOfDay(at: number): number {
    const local = at + this.offset(at);
    return this.instant(local - positive(local, DAY_MS));
  }

  /** The same time of day so many calendar days later, or earlier where `days` is below 0. */
  addDays(at: number, days: number): number {
    return this.instant(at + this.offset(at) + days * DAY_MS);
  }

  /** Starts of the calendar days that the half-open period touches, and the end of the last one. */
  days(start: number, end: number): number[] {
    const bounds = [this.startOfDay(start)];
    for (let day = bounds[0] as number; day < end; bounds.push(day)) {
      // From where it is skipped, one at 01:00: the next may begin at midnight again.
      day = this.startOfDay(this.addDays(day, 1));
    }
    return bounds;
  }

  /**
   * Starts of the clock hours that the half-open period touches, and the end of the last one. Where the clocks move by
   * half an hour, one of them has 30 minutes.
   */
  hours(start: number, end: number): number[] {
    const next = (at: number): number => at + HOUR_MS - positive(at + this.offset(at), HOUR_MS);
    let hour = this.startOfDay(start);
    while (next(hour) <= start) hour = next(hour);
    const bounds = [hour];
    for (; hour < end; bounds.push(hour)) hour = next(hour);
    return bounds;
  }

  /** ISO 8601 with the offset, in whole seconds: `2026-10-25T02:00:00+01:00`. */
  iso(at: number): string {
    const offset = this.offset(at);
    const [size, sign] = [Math.abs(offset), offset < 0 ? '-' : '+'];
    const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
    const local = new Date(at + offset).toISOString().slice(0, 19);
    return `${local}${sign}${two(size / HOUR_MS)}:${two((size % HOUR_MS) / MINUTE_MS)}`;
  }
}

/** By the whole name, or by the city alone where no more is said: `Berlin` is nearer to `UTC` than `Europe/Berlin` is. */
export function nearestZone(name: string): string {
  const asked = name.slice(0, 60).toLowerCase();
  const names = ['UTC', ...Intl.supportedValuesOf('timeZone')];
  const key = (known: string) => (asked.includes('/') ? known : known.replace(/^.*\//, '')).toLowerCase();
  const byKey = new Map(names.map((known) => [key(known), known]));
  return byKey.get(nearest(asked, [...byKey.keys()])) ?? 'UTC';
}
