import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ReportKind, reportPeriod } from '../../src/cli/report-period.js';
import { Zone } from '../../streams/zone.js';

/** A Wednesday. */
const NOW = '2026-03-11T09:30:00Z';

function period(kind: ReportKind, date?: string, name = 'UTC', now = NOW) {
  const zone = new Zone(name);
  const found = reportPeriod(kind, date, zone, Date.parse(now));
  const short = (at: number) => zone.iso(at).replace(/:00$|:00[+-].*/, '');
  const { start, end, before, complete } = found;
  return {
    of: `${short(start)} - ${short(end)}`,
    before: `${short(before.start)} - ${short(before.end)}`,
    complete,
    date: found.date,
  };
}

describe('a report is about', () => {
  it.each([
    // The last one that is over.
    ['day', undefined, '2026-03-10T00:00 - 2026-03-11T00:00', '2026-03-09T00:00 - 2026-03-10T00:00'],
    ['week', undefined, '2026-03-02T00:00 - 2026-03-09T00:00', '2026-02-23T00:00 - 2026-03-02T00:00'],
    ['day', 'yesterday', '2026-03-10T00:00 - 2026-03-11T00:00', '2026-03-09T00:00 - 2026-03-10T00:00'],
    ['day', '2024-02-29', '2024-02-29T00:00 - 2024-03-01T00:00', '2024-02-28T00:00 - 2024-02-29T00:00'],
    // Whatever day of the week it is.
    ['week', '2026-03-02', '2026-03-02T00:00 - 2026-03-09T00:00', '2026-02-23T00:00 - 2026-03-02T00:00'],
    ['week', '2026-03-08', '2026-03-02T00:00 - 2026-03-09T00:00', '2026-02-23T00:00 - 2026-03-02T00:00'],
  ] as const)('the %s of %s', (kind, date, of, before) => {
    expect(period(kind, date)).toMatchObject({ of, before, complete: true, date: of.slice(0, 10) });
  });

  it.each([
    ['day', 'today', '2026-03-11T00:00 - 2026-03-11T09:30', '2026-03-10T00:00 - 2026-03-10T09:30'],
    ['week', 'today', '2026-03-09T00:00 - 2026-03-11T09:30', '2026-03-02T00:00 - 2026-03-04T09:30'],
    ['week', '2026-03-10', '2026-03-09T00:00 - 2026-03-11T09:30', '2026-03-02T00:00 - 2026-03-04T09:30'],
  ] as const)(
    'as much of the %s of %s as there is, against as much of the one before',
    (kind, date, of, before) => {
      expect(period(kind, date)).toMatchObject({ of, before, complete: false });
    },
  );

  it('the day of the zone, with 23 to 25 hours', () => {
    expect(period('day', '2026-03-29', 'Europe/Berlin', '2026-04-01T00:00:00Z')).toMatchObject({
      of: '2026-03-29T00:00 - 2026-03-30T00:00',
      before: '2026-03-28T00:00 - 2026-03-29T00:00',
    });
    // There it begins at 01:00, and the next one does not.
    expect(period('day', '2026-04-24', 'Africa/Cairo', '2026-05-01T00:00:00Z')).toMatchObject({
      of: '2026-04-24T01:00 - 2026-04-25T00:00',
      before: '2026-04-23T00:00 - 2026-04-24T01:00',
    });
    // It is the 12th there.
    expect(period('day', undefined, 'Pacific/Auckland', '2026-03-11T11:30:00Z').date).toBe('2026-03-11');
  });

  it('days and weeks that follow each other, in any zone', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Intl.supportedValuesOf('timeZone')),
        fc.constantFrom('day' as const, 'week' as const),
        fc.date({ min: new Date('1996-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
        (name, kind, date) => {
          const zone = new Zone(name);
          const now = Date.parse('2041-01-01');
          const one = reportPeriod(kind, date.toISOString().slice(0, 10), zone, now);
          expect(one.start).toBeLessThan(one.end);
          expect(one.before.end).toBe(one.start);
          expect(reportPeriod(kind, zone.iso(one.end).slice(0, 10), zone, now).before).toEqual({
            start: one.start,
            end: one.end,
          });
          if (kind === 'week') expect(new Date(one.date).getUTCDay()).toBe(1);
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    '2026-02-30',
    '2026-3-1',
    'noon',
    '',
    '1969-12-31',
    '2026-03-01T00:00',
    '2026-13-01',
    'x'.repeat(500),
  ])('nothing for --date %s', (date) => {
    expect(() => period('day', date)).toThrow(/^--date is ".{0,60}"; allowed: a date such as/);
  });

  it('nothing for what has not begun', () => {
    expect(() => period('day', '2026-03-12')).toThrow(/2026-03-12, which has not begun in UTC/);
    expect(period('day', '2026-03-12', 'Pacific/Auckland', '2026-03-11T11:30:00Z').complete).toBe(false);
  });
});
