import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { realTimeAnswer, systemHealth } from '../../src/http/health-schemas.js';
import {
  businessAnswer,
  dailyAnswer,
  hourlyAnswer,
  operationAnswer,
  seriesAnswer,
} from '../../src/http/period-schemas.js';
import {
  aliveAnswer,
  eventPage,
  healthAnswer,
  operationMetrics,
  readyAnswer,
} from '../../src/http/schemas.js';
import { busyApp as busy, errorOf, setUpApp as setUp } from './app.js';

const READS: readonly [string, z.ZodType][] = [
  ['/api/monitoring/operations/', operationAnswer],
  ['/api/monitoring/business/', businessAnswer],
  ['/api/monitoring/hourly/', hourlyAnswer],
  ['/api/monitoring/daily/', dailyAnswer],
  ['/api/monitoring/series/', seriesAnswer],
  ['/api/monitoring/realtime/', realTimeAnswer],
  ['/api/monitoring/health/', systemHealth],
  ['/api/events/', eventPage],
  ['/api/health/', healthAnswer],
  ['/livez', aliveAnswer],
  ['/readyz', readyAnswer],
];

describe('answers', () => {
  it.each(READS)('%s is what its schema says, with and without the last slash', async (path, schema) => {
    const { app } = busy();
    const bare = path.replace(/\/$/, '');
    for (const url of [bare, `${bare}/`]) {
      const response = await app.request(url);
      expect(response.status).toBe(200);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('content-type')).toContain('application/json');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      schema.parse(await response.json());
    }
  });

  it('have null, not 0, for rates and durations of nothing', async () => {
    const { app, view } = setUp();
    view.tick();
    const metrics = operationMetrics.parse(await (await app.request('/api/monitoring/operations/')).json());
    expect(metrics).toMatchObject({ total_operations: 0, success_rate: null, duration_p95_ms: null });
  });

  it('carry the numbers of the view', async () => {
    const { app } = busy();
    const realtime = await (await app.request('/api/monitoring/realtime/')).json();
    expect(realtime).toMatchObject({ operations_last_5min: 6, errors_last_5min: 1, pending_operations: 1 });
    const business = await (await app.request('/api/monitoring/business/')).json();
    expect(business).toMatchObject({ conflicts_resolved: { data_import: 1 }, admin_notifications_sent: 1 });
  });

  it('hand the period on', async () => {
    const { app, view } = busy();
    await app.request(
      '/api/monitoring/operations/?start_date=2026-03-01&end_date=2026-03-02T03:00:00%2B03:00',
    );
    await app.request('/api/monitoring/business');
    expect(view.periods).toEqual([
      [new Date('2026-03-01T00:00:00Z'), new Date('2026-03-02T00:00:00Z')],
      [undefined, undefined],
    ]);
  });

  it('have no body for HEAD', async () => {
    const { app } = busy();
    const response = await app.request('/api/monitoring/realtime/', { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });
});

const wellFormed = (text: string): string => Buffer.from(text).toString();

describe('refusals', () => {
  it.each(['operations/', 'business', 'hourly/', 'daily', 'series'].map((name) => `/api/monitoring/${name}`))(
    '%s refuses a bad period',
    async (path) => {
      const { app } = busy();
      const response = await app.request(`${path}?start_date=2026-02-30`);
      expect(response.status).toBe(400);
      expect(await errorOf(response)).toMatchObject({ code: 'invalid_date', parameter: 'start_date' });
    },
  );

  it('the start is compared with the clock of the database', async () => {
    const { app, view } = setUp();
    view.tick(3_600_000);
    const response = await app.request('/api/monitoring/operations/?start_date=2026-03-10T12:30:00Z');
    expect(response.status).toBe(200);
  });

  it('of unknown paths', async () => {
    const { app } = busy();
    for (const path of [
      '/nothing',
      '/api',
      '/api/monitoring/',
      '/api/monitoring/operations/x',
      '//livez',
      '/%00',
    ]) {
      const response = await app.request(path);
      expect([path, response.status, (await errorOf(response)).code]).toEqual([path, 404, 'not_found']);
    }
  });

  it('of wrong methods', async () => {
    const { app } = busy();
    const paths = [
      '/',
      '/api/monitoring/realtime/',
      '/api/health',
      '/metrics',
      '/openapi.json',
      '/ws',
      '/assets/index-0a1b2c3d.js',
    ];
    for (const path of paths) {
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
        const response = await app.request(path, { method });
        expect([path, method, response.status]).toEqual([path, method, 405]);
        expect(response.headers.get('allow')).toBe('GET, HEAD');
        expect((await errorOf(response)).code).toBe('method_not_allowed');
      }
    }
  });

  it('of a WebSocket path without an upgrade', async () => {
    const response = await busy().app.request('/ws/');
    expect([response.status, (await errorOf(response)).code]).toEqual([426, 'upgrade_required']);
  });

  it('name an outage of the database, and nothing of its inside', async () => {
    const { app, view, failures } = busy();
    view.failure = Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:5432 user=secret'), {
      code: 'database_unavailable',
    });
    for (const name of ['operations', 'business', 'hourly', 'daily', 'series', 'realtime']) {
      const response = await app.request(`/api/monitoring/${name}/`);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('5');
      const error = await errorOf(response);
      expect(error.code).toBe('database_unavailable');
      expect(JSON.stringify(error)).not.toMatch(/ECONNREFUSED|secret/);
    }
    expect(failures).toEqual([]);
  });

  it.each(['57014', '55P03'])('say that the database was too slow (%s)', async (code) => {
    const { app, view, failures } = busy();
    view.failure = Object.assign(new Error('canceling statement due to statement timeout'), { code });
    const response = await app.request('/api/events/?status=error');
    expect([response.status, (await errorOf(response)).code, failures]).toEqual([503, 'database_busy', []]);
  });

  it('name a column that this table does not have', async () => {
    const { app, view } = busy();
    view.failure = Object.assign(new Error('absent'), { code: 'column_absent', column: 'onec_id' });
    const response = await app.request('/api/events/?onec_id=1');
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatchObject({ code: 'column_absent', column: 'onec_id' });
  });

  it('say that the monitor is still starting', async () => {
    const response = await setUp().app.request('/api/monitoring/realtime/');
    expect([response.status, (await errorOf(response)).code]).toEqual([503, 'starting']);
  });

  it('keep an unforeseen failure for the log', async () => {
    const { app, view, failures } = busy();
    view.failure = new TypeError('cannot read secret of undefined');
    const response = await app.request('/api/monitoring/operations/');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
    expect(failures).toEqual([view.failure]);
  });

  it('are never a 500, whatever is asked', async () => {
    const { app, failures } = busy();
    const dates = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '2026-01-01',
        '2026-03-01T00:00:00+03:00',
        '9999-12-31',
        '1000-01-01',
        '%',
        '%ff',
        'Asia/Kathmandu',
        'day,week',
        '',
        '0',
        '-1',
      ),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    );
    const names = fc.constantFrom(
      'start_date',
      'end_date',
      'start_date[]',
      'tz',
      'compare',
      'points',
      '__proto__',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('operations', 'business', 'hourly', 'daily', 'series', 'realtime'),
        fc.array(fc.tuple(names, dates, fc.boolean()), { maxLength: 4 }),
        async (route, pairs) => {
          const query = pairs
            .map(
              ([name, value, raw]) =>
                `${name}=${raw ? value.replace(/[#\s]/g, '') : encodeURIComponent(wellFormed(value))}`,
            )
            .join('&');
          const response = await app.request(`/api/monitoring/${route}/?${query}`);
          expect([200, 400]).toContain(response.status);
          if (response.status === 400) await errorOf(response);
        },
      ),
      { numRuns: 300 },
    );
    expect(failures).toEqual([]);
  });
});

describe('/openapi.json', () => {
  it('describes every path, its answers and who may ask', async () => {
    const { app } = busy();
    const document = JSON.parse(await (await app.request('/openapi.json')).text());
    expect(document).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } });
    const paths = [
      ...[
        '/',
        '/metrics',
        '/metrics/celery',
        '/api/metrics/',
        '/openapi.json',
        '/ws',
        ...READS.map(([path]) => path),
      ],
      ...['/api/alerts/', '/api/alerts/{id}/ack', '/api/silences/', '/api/silences/{id}'],
      '/api/session/',
      '/api/monitoring/slo/',
      '/api/monitoring/schedules/',
      '/api/monitoring/resources/',
    ];
    expect(Object.keys(document.paths).sort()).toEqual(paths.sort());
    expect(document.paths['/livez'].get.security).toEqual([]);
    const operations = document.paths['/api/monitoring/operations/'].get;
    expect(Object.keys(operations.responses)).toEqual(['200', '400', '401', '403', '429', '500', '503']);
    expect(operations.parameters.map((parameter: { name: string }) => parameter.name)).toEqual([
      'start_date',
      'end_date',
      'compare',
    ]);
    const { OperationAnswer, BusinessAnswer } = document.components.schemas;
    expect(OperationAnswer.required).toContain('success_rate');
    for (const optional of ['compare', 'compare_reasons', 'aligned'])
      expect(OperationAnswer.required).not.toContain(optional);
    expect(BusinessAnswer.required).not.toContain('automation_money_saved');
  });
});
