import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Zone } from '../../streams/zone.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NAMES = Intl.supportedValuesOf('timeZone');

describe('a zone', () => {
  it.each([
    ['UTC', 'UTC'],
    ['europe/BERLIN', 'Europe/Berlin'],
    ['US/Eastern', 'America/New_York'],
    ['Etc/GMT-3', 'Etc/GMT-3'],
  ])('%s is %s', (asked, name) => {
    expect(new Zone(asked).name).toBe(name);
  });

  it.each(['', 'Berlin', 'Europe/Berlin ', '+03:00', '-03', 'GMT+3', '../etc', '__proto__'])(
    '"%s" is none',
    (name) => {
      expect(() => new Zone(name)).toThrow(RangeError);
    },
  );

  it.each([
    ['Europe/Berlin', '2026-10-25T00:59:59Z', '2026-10-25T02:59:59+02:00'],
    ['Europe/Berlin', '2026-10-25T01:00:00Z', '2026-10-25T02:00:00+01:00'],
    ['America/St_Johns', '2026-01-01T00:00:00Z', '2025-12-31T20:30:00-03:30'],
    ['Asia/Kathmandu', '2026-01-01T00:00:00Z', '2026-01-01T05:45:00+05:45'],
    ['UTC', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00+00:00'],
  ])('%s shows %s as %s', (name, at, shown) => {
    expect(new Zone(name).iso(Date.parse(at))).toBe(shown);
  });

  it.each([
    // Skipped and shown twice, at night and at midnight.
    ['Europe/Berlin', '2026-03-29T02:30', '2026-03-29T03:30:00+02:00'],
    ['Europe/Berlin', '2026-10-25T02:30', '2026-10-25T02:30:00+02:00'],
    ['Africa/Cairo', '2026-04-24T00:00', '2026-04-24T01:00:00+03:00'],
    ['America/Havana', '2026-11-01T00:30', '2026-11-01T00:30:00-04:00'],
    ['Australia/Lord_Howe', '2026-04-05T01:45', '2026-04-05T01:45:00+11:00'],
  ])('%s: the clocks show %s at %s', (name, local, shown) => {
    const zone = new Zone(name);
    expect(zone.iso(zone.instant(Date.parse(`${local}Z`)))).toBe(shown);
  });
});

describe('the days of a period', () => {
  const days = (name: string, start: string, end: string) => {
    const zone = new Zone(name);
    return zone.days(Date.parse(start), Date.parse(end)).map((day) => zone.iso(day));
  };

  it.each([
    ['Europe/Berlin', '2026-03-28T23:00Z', '2026-03-29T22:00Z', ['29T00:00:00+01:00', '30T00:00:00+02:00']],
    ['Europe/Berlin', '2026-10-24T22:00Z', '2026-10-25T23:00Z', ['25T00:00:00+02:00', '26T00:00:00+01:00']],
    ['Africa/Cairo', '2026-04-24T12:00Z', '2026-04-24T12:01Z', ['24T01:00:00+03:00', '25T00:00:00+03:00']],
    ['America/Havana', '2026-11-01T12:00Z', '2026-11-01T12:01Z', ['01T00:00:00-04:00', '02T00:00:00-05:00']],
  ])('%s, %s to %s', (name, start, end, expected) => {
    expect(days(name, start, end).map((day) => day.slice(8))).toEqual(expected);
  });

  it('of no length are one, of a bound none', () => {
    expect(days('UTC', '2026-01-01T12:00Z', '2026-01-01T12:00Z')).toHaveLength(2);
    expect(days('UTC', '2026-01-01T00:00Z', '2026-01-01T00:00Z')).toHaveLength(1);
  });
});

const times = fc.integer({ min: Date.UTC(1995, 0, 1), max: Date.UTC(2040, 0, 1) });

describe('in any zone', () => {
  it('days and hours follow each other without a gap, and each begins where it says', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...NAMES),
        times,
        fc.integer({ min: 1, max: 9 * DAY }),
        (name, at, length) => {
          const zone = new Zone(name);
          for (const [bounds, least, most] of [
            [zone.days(at, at + length), 22 * HOUR, 48 * HOUR],
            [zone.hours(at, at + length), 1, HOUR],
          ] as const) {
            expect(bounds[0]).toBeLessThanOrEqual(at);
            expect(bounds[1]).toBeGreaterThan(at);
            expect(bounds.at(-2)).toBeLessThan(at + length);
            expect(bounds.at(-1)).toBeGreaterThanOrEqual(at + length);
            bounds.slice(1).forEach((bound, i) => {
              const long = bound - (bounds[i] as number);
              expect(long).toBeGreaterThanOrEqual(least);
              expect(long).toBeLessThanOrEqual(most);
            });
          }
          for (const day of zone.days(at, at + length)) {
            expect(zone.startOfDay(day)).toBe(day);
            expect(zone.iso(day).slice(0, 10)).not.toBe(zone.iso(day - 1).slice(0, 10));
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it('a moment is found again by what the clocks show, or its twin is', () => {
    fc.assert(
      fc.property(fc.constantFrom(...NAMES), times, (name, time) => {
        const zone = new Zone(name);
        const at = Math.floor(time / 1000) * 1000;
        const found = zone.instant(at + zone.offset(at));
        expect(found).toBeLessThanOrEqual(at);
        expect(zone.iso(found).slice(0, 19)).toBe(zone.iso(at).slice(0, 19));
        expect(Date.parse(zone.iso(at))).toBe(at);
      }),
      { numRuns: 1_000 },
    );
  });
});
