/** `compare` and `tz` of the routes about a period. */
import { describe, expect, it } from 'vitest';
import {
  businessAnswer,
  dailyAnswer,
  hourlyAnswer,
  operationAnswer,
  seriesAnswer,
} from '../../src/http/period-schemas.js';
import { Zone } from '../../streams/zone.js';
import { busyApp, errorOf, setUpApp } from './app.js';

const PATH = '/api/monitoring';

async function ask(query: string, app = busyApp().app) {
  const response = await app.request(`${PATH}/${query}`);
  const body = (await response.json()) as { tz?: string; compare_reasons?: { week?: string } };
  return { status: response.status, body };
}

async function refusal(query: string) {
  const response = await busyApp().app.request(`${PATH}/${query}`);
  return { status: response.status, ...(await errorOf(response)) };
}

/** The bounds that were asked for after the answer's own. */
function boundsOf(view: ReturnType<typeof busyApp>['view']) {
  return view.breakdowns.map(([, start, end, tz]) => [start.toISOString(), end.toISOString(), tz]);
}

describe('compare', () => {
  it.each([
    ['operations', operationAnswer],
    ['business', businessAnswer],
  ])('%s has the same of the day and the week before, by the clock', async (name, schema) => {
    const { app, view } = busyApp();
    const query = 'start_date=2026-03-29T00:00:00.001Z&end_date=2026-03-30&compare=week,day';
    const { body } = await ask(`${name}/?${query}`, app);
    const { compare, compare_reasons, ...own } = schema.parse(body);
    expect(compare_reasons).toBeUndefined();
    expect(compare?.day).toEqual({
      ...own,
      period_start: '2026-03-28T00:00:00.001Z',
      period_end: '2026-03-29T00:00:00.000Z',
    });
    expect(compare?.week?.period_start).toBe('2026-03-22T00:00:00.001Z');
    expect(view.periods).toHaveLength(3);
  });

  it('without dates goes back from the window that was answered', async () => {
    const { body } = await ask('operations/?compare=day');
    const { compare, period_start, period_end } = operationAnswer.parse(body);
    expect(Object.keys(compare ?? {})).toEqual(['day']);
    const earlier = [compare?.day?.period_start, compare?.day?.period_end];
    const own = [period_start, period_end];
    expect(earlier.map((at) => Date.parse(at ?? '') + 86_400_000)).toEqual(own.map((at) => Date.parse(at)));
  });

  it('goes back from the bounds that were used where they were widened', async () => {
    const { app, view } = busyApp();
    const { getOperationMetrics } = view;
    view.getOperationMetrics = async (start?: Date, end?: Date) => {
      const answer = await getOperationMetrics.call(view, start, end);
      if (view.periods.length > 1) return answer;
      return { ...answer, period_start: '2026-03-01T10:15:00.000Z', aligned: true };
    };
    const query = 'operations/?start_date=2026-03-01T10:20:00Z&end_date=2026-03-01T12:00:00Z&compare=day';
    const { aligned, compare } = operationAnswer.parse((await ask(query, app)).body);
    expect(aligned).toBe(true);
    expect(compare?.day?.period_start).toBe('2026-02-28T10:15:00.000Z');
    expect(compare?.day?.aligned).toBeUndefined();
  });

  it.each(['operations', 'business', 'hourly', 'daily'])(
    '%s has null and a reason where the retention ends',
    async (name) => {
      // Now is 2026-03-10T12:00Z and 400 days are kept: from 2025-02-03T12:00Z on.
      const { status, body } = await ask(
        `${name}/?start_date=2025-02-10&end_date=2025-02-11&compare=day,week`,
      );
      expect(status).toBe(200);
      expect(body).toMatchObject({ compare: { day: {}, week: null } });
      expect(Object.keys(body.compare_reasons ?? {})).toEqual(['week']);
      expect(body.compare_reasons?.week).toMatch(/2025-02-03T00:00:00.000Z.*400 days/);
    },
  );

  it.each(['', 'month', 'day,month', 'day;week', 'Day'])('refuses "%s"', async (value) => {
    const { status, code, message } = await refusal(`operations/?compare=${value}`);
    expect([status, code]).toEqual([400, 'invalid_parameter']);
    expect(message).toContain(`compare is "${value}"; allowed: day, week`);
  });

  it('is given once, and counts a word once', async () => {
    expect(await refusal('daily/?compare=day&compare=week')).toMatchObject({ code: 'duplicate_parameter' });
    const { app, view } = busyApp();
    await ask('daily/?compare=day,%20day', app);
    expect(view.breakdowns).toHaveLength(2);
  });
});

describe('hours and days', () => {
  it('are in UTC without a zone, and say so', async () => {
    const { app, view } = busyApp();
    const query = '?start_date=2026-03-01T10:20:00Z&end_date=2026-03-02T10:00:00Z';
    const hours = hourlyAnswer.parse((await ask(`hourly/${query}`, app)).body);
    expect(hours).toMatchObject({
      tz: 'UTC',
      period_start: '2026-03-01T10:00:00.000Z',
      period_end: '2026-03-02T10:00:00.000Z',
    });
    const days = dailyAnswer.parse((await ask(`daily/${query}`, app)).body);
    expect(days).toMatchObject({
      tz: 'UTC',
      period_start: '2026-03-01T00:00:00.000Z',
      period_end: '2026-03-03T00:00:00.000Z',
    });
    expect(view.breakdowns.map(([unit, , , tz]) => [unit, tz])).toEqual([
      ['hour', undefined],
      ['day', undefined],
    ]);
  });

  it('are of the named zone, as are dates without an offset', async () => {
    const { app, view } = busyApp();
    const days = await ask('daily/?start_date=2026-10-25&end_date=2026-10-26&tz=europe/berlin', app);
    expect(dailyAnswer.parse(days.body)).toMatchObject({
      tz: 'Europe/Berlin',
      period_start: '2026-10-24T22:00:00.000Z',
      period_end: '2026-10-25T23:00:00.000Z',
    });
    const hours = await ask(
      'hourly/?start_date=2026-10-25T00:00:00Z&end_date=2026-10-25T12:30&tz=Asia/Kathmandu',
      app,
    );
    expect(hours.body.tz).toBe('Asia/Kathmandu');
    expect(boundsOf(view)).toEqual([
      ['2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z', 'Europe/Berlin'],
      ['2026-10-25T00:00:00.000Z', '2026-10-25T06:45:00.000Z', new Zone('Asia/Kathmandu').name],
    ]);
  });

  it('are compared by the calendar of the zone', async () => {
    const { app, view } = busyApp();
    // The night in which Berlin puts its clocks forward.
    await ask('hourly/?start_date=2026-03-29&end_date=2026-03-30&tz=Europe/Berlin&compare=day,week', app);
    expect(boundsOf(view).map((bounds) => bounds.slice(0, 2))).toEqual([
      ['2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'],
      ['2026-03-27T23:00:00.000Z', '2026-03-28T23:00:00.000Z'],
      ['2026-03-21T23:00:00.000Z', '2026-03-22T23:00:00.000Z'],
    ]);
  });

  it('are the last 24 hours and the last seven days by themselves', async () => {
    const { app, view } = busyApp();
    for (const query of ['hourly/', 'daily/', 'daily/?end_date=2026-03-01', 'daily/?tz=Pacific/Auckland'])
      expect((await ask(query, app)).status).toBe(200);
    expect(boundsOf(view).map((bounds) => bounds.slice(0, 2))).toEqual([
      ['2026-03-09T12:00:00.000Z', '2026-03-10T12:00:00.000Z'],
      ['2026-03-04T00:00:00.000Z', '2026-03-10T12:00:00.000Z'],
      ['2026-02-22T00:00:00.000Z', '2026-03-01T00:00:00.000Z'],
      // It is the 11th there.
      ['2026-03-04T11:00:00.000Z', '2026-03-10T12:00:00.000Z'],
    ]);
  });

  it.each([
    ['Berlin', 'Europe/Berlin'],
    ['Europe/Moskow', 'Europe/Moscow'],
    ['new_yrok', 'America/New_York'],
    ['UTC+3', 'UTC'],
    ['%2B03:00', null],
    ['', 'UTC'],
    ['a'.repeat(5_000), null],
  ])('refuse the zone "%s"', async (tz, known) => {
    for (const path of ['hourly', 'daily']) {
      const { status, code, message } = await refusal(`${path}/?tz=${tz}`);
      expect([status, code]).toEqual([400, 'invalid_time_zone']);
      expect(message.length).toBeLessThan(300);
      if (known !== null) expect(message).toContain(`The nearest is ${known}.`);
    }
  });

  it('are not told one by one for more hours than an answer can hold', async () => {
    const { view, app } = setUpApp();
    Object.defineProperty(view, 'retentionDays', { value: 3_650 });
    view.tick();
    const response = await app.request(`${PATH}/hourly/?start_date=2024-01-01&end_date=2026-01-01`);
    expect([response.status, (await errorOf(response)).message]).toEqual([
      400,
      expect.stringMatching(/17544 hours; at most 10000.*daily/),
    ]);
    expect((await app.request(`${PATH}/daily/?start_date=2024-01-01&end_date=2026-01-01`)).status).toBe(200);
  });
});

describe('series', () => {
  it('has the shortest steps with as many points as are asked for', async () => {
    const { app, view } = busyApp();
    const { body } = await ask(
      'series/?start_date=2026-03-01T00:00:30Z&end_date=2026-03-01T02:00Z&points=100',
      app,
    );
    const { step_seconds, period_start, points } = seriesAnswer.parse(body);
    expect([step_seconds, period_start, points.length]).toEqual([300, '2026-03-01T00:00:00.000Z', 24]);
    await ask('series', app);
    await ask('series/?end_date=2026-03-01&points=400', app);
    expect(view.series).toEqual([
      ['2026-03-01T00:00:30.000Z', '2026-03-01T02:00:00.000Z', 300],
      ['2026-03-09T12:00:00.000Z', '2026-03-10T12:00:00.000Z', 300],
      ['2026-02-28T00:00:00.000Z', '2026-03-01T00:00:00.000Z', 300],
    ]);
  });

  it.each(['0', '401', '-1', '1.5', '', 'ten', '1e2', '0x10'])('refuses "%s" points', async (points) => {
    const { status, code, message } = await refusal(`series/?points=${points}`);
    expect([status, code]).toEqual([400, 'invalid_parameter']);
    expect(message).toBe(`points is "${points}"; allowed: a whole number from 1 to 400.`);
  });

  it('refuses more days than points', async () => {
    const refused = await refusal('series/?start_date=2026-01-01&end_date=2026-02-01&points=30');
    expect(refused).toMatchObject({ status: 400, code: 'period_too_long', max_points: 30 });
    expect(refused.message).toMatch(/31 days.*at most 30 points.*or for more points/);
    expect((await refusal('series/?points=2&points=2')).code).toBe('duplicate_parameter');
  });
});
