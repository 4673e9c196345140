/** Anything at all, to every route, with any headers: no 500, no failure inside, an answer always. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig, type Sources } from '../../src/config.js';
import { SETTINGS } from '../../src/config-table.js';
import { createAccess } from '../../src/http/auth.js';
import { busyApp } from './app.js';

const RUNS = { numRuns: 600, verbose: true } as const;

/** What is no character of a header value is refused by the client's own library already. */
const headerText = (text: string): string => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '').trim();

const text = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    ...[
      '',
      '0',
      '-1',
      '1e309',
      'NaN',
      'null',
      'true',
      '[]',
      '{}',
      '__proto__',
      'constructor',
      '%00',
      '../..',
    ],
    ...[
      '2026-01-01',
      '2026-02-30',
      '0000-00-00',
      '275760-09-13',
      '2026-01-01T00:00:00+99:99',
      'day,week',
      'UTC',
    ],
    ...['9'.repeat(400), 'a'.repeat(4_000), ','.repeat(200), '(('.repeat(100), '\ud800', '🦆'],
  ),
);
const parameter = fc.constantFrom(
  ...['start_date', 'end_date', 'tz', 'compare', 'points', 'type', 'status', 'customer_id', 'since', 'until'],
  ...['before_id', 'limit', 'state', 'rule', 'before', 'past', 'lang', 'correlation_id', 'onec_id', 'token'],
);
const header = fc.constantFrom(
  ...['authorization', 'cookie', 'origin', 'host', 'accept', 'accept-language', 'accept-encoding'],
  ...[
    'if-none-match',
    'content-type',
    'content-encoding',
    'x-forwarded-for',
    'x-forwarded-proto',
    'forwarded',
  ],
);
const value = fc.oneof(
  text,
  fc.constantFrom(
    'Bearer a',
    'Bearer v',
    'Basic OmE=',
    'Basic',
    'sync_monitor=admin.1.x.y',
    'http://localhost',
    'gzip',
  ),
);
const body = fc.oneof(
  text,
  fc.json(),
  fc.record({ rule: text, ends_at: text, reason: text }).map((one) => JSON.stringify(one)),
  fc.record({ token: text, query: text }).map((one) => new URLSearchParams(one).toString()),
);

describe('any request', () => {
  it.each([
    [
      'behind tokens',
      { host: '0.0.0.0', authToken: 'a', viewerToken: 'v', trustProxy: true, attempts: { burst: 1e9 } },
    ],
    ['of this machine', { host: '127.0.0.1' }],
  ])('%s is answered', async (_name, access) => {
    const { app, failures } = busyApp(access);
    const routes = app.routes.filter(({ method, path }) => method !== 'ALL' && !path.includes('*'));
    const asked = fc.record({
      route: fc.constantFrom(...routes),
      id: text,
      query: fc.array(fc.tuple(fc.oneof(parameter, text), text), { maxLength: 4 }),
      headers: fc.dictionary(header, value.map(headerText), { maxKeys: 4 }),
      allowed: fc.boolean(),
      body,
    });
    const statuses = new Set<number>();
    await fc.assert(
      fc.asyncProperty(asked, async ({ route: { method, path }, id, query, headers, allowed, body }) => {
        const url = new URL(
          path.replace(/:\w+/, () => encodeURIComponent(Buffer.from(id).toString())),
          'http://localhost',
        );
        url.search = new URLSearchParams(query).toString();
        const response = await app.request(url.href, {
          method,
          headers: { ...headers, ...(allowed && { authorization: 'Bearer a', host: 'localhost' }) },
          ...(method === 'GET' ? {} : { body }),
        });
        statuses.add(response.status);
        // 503: nothing can be measured, as behind this hand-driven monitor without alerts.
        if (response.status >= 500) expect([501, 503]).toContain(response.status);
        await response.text();
        expect(failures).toEqual([]);
      }),
      RUNS,
    );
    // Else it would have tried the door only.
    expect([...statuses]).toEqual(expect.arrayContaining([200, 400]));
  });

  it('of any form is decided upon', () => {
    const access = createAccess({ host: '0.0.0.0', authToken: 'a', attempts: { burst: 1e9, addresses: 50 } });
    const part = fc.option(value, { nil: undefined });
    const request = fc.record({
      need: fc.constantFrom('read' as const, 'live' as const, 'write' as const, 'metrics' as const),
      ...{ host: part, origin: part, authorization: part, cookie: part, address: part },
      secure: fc.boolean(),
    });
    fc.assert(
      fc.property(request, (request) => {
        const decision = access.decide(request);
        const right =
          /^bearer +a *$/i.test(request.authorization ?? '') ||
          /^basic +OmE=? *$/i.test(request.authorization ?? '');
        if (decision.allowed) expect(right).toBe(true);
      }),
      { ...RUNS, numRuns: 2_000 },
    );
  });
});

describe('any configuration', () => {
  it('is accepted or refused with sentences that hold no secret', () => {
    const keys = Object.entries<{ readonly secret: boolean }>(SETTINGS);
    const names = keys.flatMap(([key, { secret }]) => (secret ? [key, `${key}_FILE`] : [key]));
    const secret = 'hunter2-is-the-secret';
    const given = fc.dictionary(
      fc.oneof(
        fc.constantFrom(...names),
        fc.constantFrom('ALERT_X', 'SYNC_', 'HEALTH_CHECK', '__proto__'),
        fc.string(),
      ),
      fc.oneof(
        text,
        fc.constantFrom('http://x', 'postgres://u:p@h/d', 'redis://h', '0.0.0.0', 'true', 'off', '1'),
      ),
      { maxKeys: 12 },
    );
    fc.assert(
      fc.property(given, given, given, (env, dotenv, flags) => {
        const sources: Sources = {
          ...{ env: { ...env, AUTH_TOKEN: `${secret}\u0000` }, dotenv, flags },
          readSecret: (file) => {
            if (file.length % 2 === 0) throw new Error('ENOENT');
            return file;
          },
        };
        const result = parseConfig(sources);
        if ('config' in result)
          expect(Object.keys(result.config).toSorted()).toEqual(Object.keys(SETTINGS).toSorted());
        else for (const problem of result.problems) expect(problem).not.toContain(secret);
      }),
      { ...RUNS, numRuns: 1_000 },
    );
  });
});
