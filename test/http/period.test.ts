import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../../src/http/errors.js';
import { parseIsoDate, parsePeriod } from '../../src/http/period.js';

const NOW = Date.parse('2026-03-10T12:00:00Z');
const DAYS = 400;

const period = (query: string) => parsePeriod(new URLSearchParams(query), { now: NOW, retentionDays: DAYS });

function refusal(query: string): ApiError {
  try {
    period(query);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error(`"${query}" was accepted`);
}

describe('a date', () => {
  it.each([
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2026-01-31T12:30', '2026-01-31T12:30:00.000Z'],
    ['2026-01-31 12:30:15', '2026-01-31T12:30:15.000Z'],
    ['2026-01-31T12:30:15Z', '2026-01-31T12:30:15.000Z'],
    ['2026-01-31t12:30:15z', '2026-01-31T12:30:15.000Z'],
    ['2026-01-31T12:30:15.5Z', '2026-01-31T12:30:15.500Z'],
    ['2026-01-31T12:30:15.123456789Z', '2026-01-31T12:30:15.123Z'],
    ['2026-01-31T12:30:15+03:00', '2026-01-31T09:30:15.000Z'],
    ['2026-01-31T12:30:15+0300', '2026-01-31T09:30:15.000Z'],
    ['2026-01-31T12:30:15-03', '2026-01-31T15:30:15.000Z'],
    ['2026-01-31T12:30:15+05:30', '2026-01-31T07:00:15.000Z'],
    // What an unescaped '+' of a query string arrives as.
    ['2026-01-31T12:30:15 03:00', '2026-01-31T09:30:15.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['1000-01-01', '1000-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000Z'],
  ])('%s is %s', (text, iso) => {
    const time = parseIsoDate(text);
    expect(time === undefined ? undefined : new Date(time).toISOString()).toBe(iso);
  });

  it.each([
    '',
    'yesterday',
    '2026',
    '2026-1-1',
    '2026-13-01',
    '2026-00-01',
    '2026-02-29',
    '2026-04-31',
    '2026-01-00',
    '2026-01-31T24:00:00Z',
    '2026-01-31T12:60',
    '2026-01-31T12:00:60',
    '2026-01-31T12:00:00+15:00',
    '2026-01-31T12:00:00+03:60',
    '0999-12-31',
    '10000-01-01',
    '9999-12-31T23:59:59-14:00',
    '2026-01-31Z',
    '1769860800',
    '2026-01-31T12:00:00Z; DROP TABLE x',
    '2026-01-31\u0000',
    'Infinity',
    '２０２６-01-31',
  ])('%j is none', (text) => {
    expect(parseIsoDate(text)).toBeUndefined();
  });

  it('is read back as it was written, for every instant and offset', () => {
    const instants = fc.integer({ min: Date.UTC(1001, 0, 1), max: Date.UTC(9998, 0, 1) });
    const offsets = fc.integer({ min: -14 * 60, max: 14 * 60 });
    fc.assert(
      fc.property(instants, offsets, (instant, offset) => {
        const local = new Date(instant + offset * 60_000).toISOString().slice(0, -1);
        const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
        const pad = (value: number): string => String(value).padStart(2, '0');
        expect(parseIsoDate(`${local}${offset < 0 ? '-' : '+'}${pad(hours)}:${pad(minutes)}`)).toBe(instant);
      }),
    );
  });
});

describe('a period', () => {
  it('is left to the monitor where nothing is given', () => {
    expect(period('')).toEqual({ start: undefined, end: undefined });
    expect(period('unknown=1')).toEqual({ start: undefined, end: undefined });
  });

  it('runs until now from a start alone', () => {
    expect(period('start_date=2026-03-09')).toEqual({
      start: new Date('2026-03-09T00:00:00Z'),
      end: undefined,
    });
  });

  it('is the day before an end alone', () => {
    expect(period('end_date=2026-03-09')).toEqual({
      start: new Date('2026-03-08T00:00:00Z'),
      end: new Date('2026-03-09T00:00:00Z'),
    });
  });

  it('may be as long as the retention', () => {
    const end = new Date(Date.parse('2025-01-01T00:00:00Z') + DAYS * 86_400_000);
    expect(period(`start_date=2025-01-01&end_date=${end.toISOString()}`).end).toEqual(end);
    const longer = new Date(end.getTime() + 1);
    const error = refusal(`start_date=2025-01-01&end_date=${longer.toISOString()}`);
    expect([error.status, error.code, error.details]).toEqual([400, 'period_too_long', { max_days: 400 }]);
    expect(error.message).toContain('at most 400 days');
  });

  it.each([
    ['start_date=nonsense', 'invalid_date', 'start_date is "nonsense"'],
    ['end_date=', 'invalid_date', 'end_date is ""'],
    ['start_date=2026-01-01&start_date=2026-01-02', 'duplicate_parameter', 'given 2 times'],
    ['start_date=2026-03-02&end_date=2026-03-01', 'invalid_period', 'is not after start_date'],
    ['start_date=2026-03-01&end_date=2026-03-01', 'invalid_period', 'is not after start_date'],
    ['start_date=2026-03-11', 'invalid_period', 'now (2026-03-10T12:00:00.000Z) is not after'],
    ['start_date=1999-01-01', 'period_too_long', 'at most 400 days'],
  ])('is refused: %s', (query, code, message) => {
    const error = refusal(query);
    expect(error.status).toBe(400);
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  it('quotes a short piece of what was sent', () => {
    expect(refusal(`start_date=${'x'.repeat(100_000)}`).message.length).toBeLessThan(300);
    expect(refusal('start_date=%1b[31m').message).not.toContain('\u001b');
  });

  it('is a period or a refusal, whatever the query', () => {
    const pieces = fc.oneof(
      fc.string(),
      fc.constantFrom('2026-01-01', '2026-03-01T10:00:00+03:00', '%', '%zz', '&='),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('start_date', 'end_date', 'x'), pieces)), (pairs) => {
        try {
          period(pairs.map(([name, value]) => `${name}=${value}`).join('&'));
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
        }
      }),
    );
  });
});
