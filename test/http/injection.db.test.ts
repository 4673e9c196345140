/** Names and values made to hurt: a table, types, statuses and filters full of quotes, `%`, backslashes and HTML. */
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UnmaskedAccess } from '../../src/http/api.js';
import { createAccess } from '../../src/http/auth.js';
import { createApp } from '../../src/http/routes.js';
import { eventPage } from '../../src/http/schemas.js';
import { type CustomerSyncMonitor, startMonitor } from '../../src/monitor.js';
import { freshDatabase, type TestDatabase } from '../setup/database.js';
import { until } from '../source/collector.js';
import { createTable } from '../source/tables.js';
import { errorOf, page } from './app.js';
import { NO_CLIENTS } from './view.js';

const TABLE = `"Por'tal"."x'; DROP TABLE victim; -- ""%\\ <b>"`;
const NASTY = [
  `'; DROP TABLE victim; --`,
  `" OR "1"="1`,
  `'' OR 1=1 --`,
  `%`,
  `_`,
  `\\`,
  `\\'`,
  `a"} 1\nsync_faked{x="`,
  `</script><script>alert(1)</script>`,
  `<img src=x onerror=alert(1)>`,
  `$1`,
  `{"a":1}`,
  `*bold* <!channel> [a](b)`,
  `\u202e\u0007`,
];
const EMAIL = 'ivan.petrov@example.com';

let db: TestDatabase;
let client: pg.Client;
let monitor: CustomerSyncMonitor;
const failures: unknown[] = [];
const shown: UnmaskedAccess[] = [];
const tokens = { host: '0.0.0.0', authToken: 'a', viewerToken: 'v' } as const;

function appOf(unmask: boolean, access = createAccess(tokens)) {
  return createApp(monitor, {
    ...{ access, page, unmask, liveStats: () => NO_CLIENTS, version: '0' },
    onUnmasked: (one) => shown.push(one),
    onError: (error) => failures.push(error),
  });
}
let app: ReturnType<typeof appOf>;
const get = (url: string, token = 'v', of = app) =>
  of.request(url, { headers: { authorization: `Bearer ${token}` } });

beforeAll(async () => {
  db = await freshDatabase();
  client = new pg.Client(db.url);
  await client.connect();
  await client.query(`CREATE TABLE victim (); CREATE SCHEMA "Por'tal"`);
  await client.query(createTable(TABLE, { correlation_id: 'text' }));
  for (const text of NASTY)
    await client.query(
      `INSERT INTO ${TABLE} (operation_type, status, correlation_id, onec_id, customer_email, error_message)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [
        text,
        text.slice(0, 20),
        text,
        text,
        EMAIL,
        `${text} of ${EMAIL}, name: "Ivan Petrov", +7 912 345-67-89`,
      ],
    );
  monitor = await startMonitor({ databaseUrl: db.url, table: TABLE });
  await until(
    () => monitor.latest()?.windows['1h'].total_operations === NASTY.length,
    'the rows are counted',
  );
  app = appOf(false);
});

afterAll(async () => {
  await monitor?.stop();
  await client?.query('SELECT FROM victim');
  await client?.end();
  await db?.drop();
  expect(failures).toEqual([]);
});

describe('filters', () => {
  // Commas part names, so a name with one cannot be asked for.
  it.each(NASTY.filter((text) => !text.includes(',')))('by type find %j and nothing else', async (text) => {
    const response = await get(`/api/events/?${new URLSearchParams({ type: text })}`);
    // Control characters are refused with a sentence, whatever the table holds.
    if (response.status === 400) expect((await errorOf(response)).message).toContain('type');
    else {
      expect(response.status).toBe(200);
      const { events } = eventPage.parse(await response.json());
      expect(events).toHaveLength(1);
    }
  });

  it.each(['correlation_id', 'onec_id'])('by %s find a row by its very text', async (name) => {
    for (const text of NASTY) {
      const response = await get(`/api/events/?${new URLSearchParams({ [name]: text })}`);
      if (response.status === 400) continue;
      expect([text, response.status, eventPage.parse(await response.json()).events.length]).toEqual([
        text,
        200,
        1,
      ]);
    }
  });

  it('of any text are answered with a page or a sentence', async () => {
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...NASTY), fc.string());
    const name = fc.constantFrom(
      ...[
        'type',
        'status',
        'correlation_id',
        'customer_id',
        'onec_id',
        'since',
        'until',
        'before_id',
        'limit',
      ],
    );
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, value, { maxKeys: 4 }), async (query) => {
        const response = await get(`/api/events/?${new URLSearchParams(query)}`);
        expect([200, 400]).toContain(response.status);
        await response.text();
      }),
      { numRuns: 200, verbose: true },
    );
  });
});

describe('what is shown', () => {
  it('of the metrics has a label in each label, and no line of others', async () => {
    const text = await (await get('/metrics')).text();
    const label = String.raw`[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"`;
    const sample = new RegExp(
      String.raw`^[a-z_:][a-z0-9_:]*(?:\{(?:${label}(?:,${label})*)?\})? \S+( # .*)?$`,
      'i',
    );
    for (const line of text.split('\n'))
      if (line !== '' && !line.startsWith('#')) expect(line).toMatch(sample);
    expect(text).not.toMatch(/^sync_faked/m);
    expect(text).toContain(String.raw`a\"} 1\nsync_faked{x=\"`);
    expect(text).not.toContain(EMAIL);
  });

  it('of the API is JSON, never a page', async () => {
    for (const path of ['operations/', 'business/', 'hourly/', 'realtime/', 'health/']) {
      const response = await get(`/api/monitoring/${path}`);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      await response.json();
    }
  });

  it('is masked for everybody, unless it is to be unmasked for whoever has AUTH_TOKEN', async () => {
    const emails = async (token: string, of: typeof app) => {
      const text = await (await get('/api/events/', token, of)).text();
      return [text.includes(EMAIL), text.includes('Ivan Petrov'), text.includes('345-67-89')];
    };
    const unmasking = appOf(true);
    const masked = [false, false, false];
    expect(await emails('v', app)).toEqual(masked);
    expect(await emails('a', app)).toEqual(masked);
    expect(await emails('v', unmasking)).toEqual(masked);
    const open = appOf(true, createAccess({ host: '127.0.0.1' }));
    expect(await emails('a', open)).toEqual(masked);
    expect(shown).toEqual([]);
    expect(await emails('a', unmasking)).toEqual([true, true, true]);
    // What a client of it is told, and what is written down of it.
    const who = await (await get('/api/session/', 'a', unmasking)).json();
    expect(who).toMatchObject({ role: 'admin', unmasked: true });
    const viewer = await (await get('/api/session/', 'v', unmasking)).json();
    expect(viewer).toMatchObject({ role: 'viewer', unmasked: false });
    await get('/api/events/?limit=2&type=%25', 'a', unmasking);
    expect(shown).toEqual([
      { address: '', by: 'token', request: '/api/events/', rows: NASTY.length },
      { address: '', by: 'token', request: '/api/events/?limit=2&type=%25', rows: 1 },
    ]);
    // Nowhere else, whoever asks.
    for (const path of [
      '/metrics',
      '/api/monitoring/operations/',
      '/api/monitoring/realtime/',
      '/api/alerts/',
    ])
      expect(await (await get(path, 'a', unmasking)).text()).not.toContain(EMAIL);
  });
});
