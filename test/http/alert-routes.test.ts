import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alertsAnswer, sloAnswer } from '../../src/http/alert-schemas.js';
import { historyOff } from '../../streams/history-state.js';
import { alertAt, HandDrivenAlerts, RULES, slo } from './alerts-view.js';
import { errorOf, setUpApp } from './app.js';
import { HISTORY, START } from './view.js';

function setUp(access?: Parameters<typeof setUpApp>[0]) {
  const made = setUpApp(access);
  const alerts = new HandDrivenAlerts();
  made.view.alertsView = alerts;
  made.view.tick();
  const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    made.app.request(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  return { ...made, alerts, send };
}

const SILENCE = { rule: '*', ends_at: '2026-03-10T13:00:00Z', reason: 'Deployment of 1C' };
const ACK = '/api/alerts/high_error_rate-1/ack';

describe('alerts', () => {
  it('are asked for with all that the query says', async () => {
    const { alerts, app } = setUp();
    alerts.alerts = [alertAt(START)];
    const path = '/api/alerts/?state=past&rule=slow_response&before=2026-03-10T15:00:01%2B03:00&limit=7';
    const answer = alertsAnswer.parse(await (await app.request(path)).json());
    expect(answer).toEqual({
      ...{ alerts: alerts.alerts, next_before: null, rules: RULES },
      deliveries: { delivered: 3, retry: 1, gone: 0 },
    });
    await app.request('/api/alerts');
    expect(alerts.asked).toEqual([
      { state: 'past', rule: 'slow_response', before: START + 1_000, limit: 8 },
      { state: 'all', rule: undefined, before: undefined, limit: 101 },
    ]);
  });

  // Rules that look at the same snapshot begin to fire at the same time.
  it.each([
    ['each at its time', [5, 4, 3, 2, 1], 2],
    ['two at the end of a page', [5, 4, 4, 3, 3], 2],
    ['more at once than fit on a page', [5, 5, 5, 5, 2], 3],
    ['all at once', [5, 5, 5], 1],
    ['none', [], 1],
  ])('are told page by page, none twice and none left out: %s', async (_, times, limit) => {
    const { alerts, app } = setUp();
    alerts.alerts = times.map((at, i) => alertAt(START + at, `rule_${i}`));
    const seen: string[] = [];
    for (let before: string | null = '9999-01-01'; before !== null; ) {
      const response = await app.request(`/api/alerts/?limit=${limit}&before=${before}`);
      const answer = alertsAnswer.parse(await response.json());
      seen.push(...answer.alerts.map(({ id }) => id));
      before = answer.next_before;
    }
    expect(seen).toEqual(alerts.alerts.map(({ id }) => id));
  });

  it('are acknowledged, with or without a name and a note', async () => {
    const { alerts, send } = setUp();
    alerts.alerts = [alertAt(1)];
    const ackOf = async (body?: unknown) =>
      ((await (await send('POST', ACK, body)).json()) as { ack: unknown }).ack;
    const at = '1970-01-01T00:00:00.001Z';
    expect(await ackOf({ by: ' Anna ', note: 'On it' })).toEqual({ at, by: 'Anna', note: 'On it' });
    expect(await ackOf({ by: null, note: '' })).toEqual({ at, by: null, note: null });
    expect(await ackOf()).toEqual({ at, by: null, note: null });
  });

  it('that are not there cannot be acknowledged', async () => {
    const { send } = setUp();
    for (const id of ['high_error_rate-2', 'UPPER', '%00', 'a'.repeat(200), '%27%3B--']) {
      const response = await send('POST', `/api/alerts/${id}/ack`, {});
      expect([id, response.status, (await errorOf(response)).code]).toEqual([id, 404, 'alert_unknown']);
    }
  });
});

describe('silences', () => {
  it('are made as asked', async () => {
    const { alerts, send } = setUp();
    const response = await send('POST', '/api/silences', SILENCE);
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({ id: 1, rule: '*', reason: 'Deployment of 1C' });
    await send('POST', '/api/silences/', {
      ...{ ...SILENCE, rule: 'slow_response', starts_at: '2026-03-10 15:30:00+03:00', created_by: 'Anna' },
    });
    const endsAt = START + 3_600_000;
    expect(alerts.made).toEqual([
      { rule: '*', startsAt: undefined, endsAt, reason: 'Deployment of 1C', createdBy: null },
      ...[
        {
          ...{ rule: 'slow_response', startsAt: START + 1_800_000, endsAt, reason: 'Deployment of 1C' },
          createdBy: 'Anna',
        },
      ],
    ]);
  });

  it('that alerts refuse are refused in their words', async () => {
    const { alerts, send, failures } = setUp();
    alerts.failure = Object.assign(new Error('the silence is too long; allowed: up to a year from now'), {
      code: 'invalid_silence',
    });
    const response = await send('POST', '/api/silences/', SILENCE);
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatchObject({
      code: 'invalid_silence',
      message: 'the silence is too long; allowed: up to a year from now.',
    });
    expect(failures).toEqual([]);
  });

  it('that are not there cannot be ended', async () => {
    const response = await setUp().send('DELETE', '/api/silences/7');
    expect([response.status, (await errorOf(response)).code]).toEqual([404, 'silence_unknown']);
  });
});

describe('bad input', () => {
  it.each([
    ['GET', '/api/alerts/?state=open', undefined, 'state is "open"; allowed: active, past, all.'],
    ['GET', '/api/alerts/?rule=No%20rule', undefined, 'rule is "No rule"; allowed: the name of a rule.'],
    ['GET', '/api/alerts/?limit=0', undefined, 'limit is "0"; allowed: a whole number from 1 to 200.'],
    ['GET', '/api/alerts/?limit=1&limit=2', undefined, /limit/],
    ['GET', '/api/alerts/?before=noon', undefined, /before is "noon"/],
    [
      'GET',
      '/api/alerts/?status=firing',
      undefined,
      /"status" is no parameter .* state, rule, before, limit/,
    ],
    ['GET', '/api/silences/?past=1', undefined, 'past is "1"; allowed: true, false.'],
    ['POST', ACK, '{"by": ', 'The body is no JSON: "{\\"by\\": ".'],
    ['POST', ACK, '[1]', 'The body is "[1]"; it must be a JSON object with by, note.'],
    ['POST', ACK, 'null', 'The body is "null"; it must be a JSON object with by, note.'],
    ['POST', ACK, { who: 'Anna' }, '"who" is no key of this body; those are by, note.'],
    ['POST', ACK, { by: 7 }, 'by is 7; allowed: text of 1 to 100 characters.'],
    ['POST', ACK, { by: '  ' }, 'by is "  "; allowed: text of 1 to 100 characters.'],
    [
      'POST',
      ACK,
      { note: 'x'.repeat(501) },
      /^note is "x{60}\.\.\."; allowed: text of at most 500 characters/,
    ],
    ['POST', '/api/silences/', undefined, 'rule is missing; allowed: the name of a rule, or *.'],
    [
      'POST',
      '/api/silences/',
      { ...SILENCE, rule: 'No rule' },
      'rule is "No rule"; allowed: the name of a rule, or *.',
    ],
    [
      'POST',
      '/api/silences/',
      { ...SILENCE, reason: ' ' },
      'reason is " "; allowed: text of 1 to 500 characters.',
    ],
    [
      'POST',
      '/api/silences/',
      { ...SILENCE, ends_at: undefined },
      /^ends_at is missing; allowed: an ISO 8601 time/,
    ],
    [
      'POST',
      '/api/silences/',
      { ...SILENCE, ends_at: 'tomorrow' },
      /^ends_at is "tomorrow"; allowed: an ISO/,
    ],
    ['POST', '/api/silences/', { ...SILENCE, ends_at: 1e300 }, /^ends_at is 1e\+300; allowed: an ISO/],
    ['POST', '/api/silences/', { ...SILENCE, starts_at: 'now' }, /^starts_at is "now"; allowed: an ISO/],
    ['POST', '/api/silences/', '{"__proto__": {"rule": "*"}}', /__proto__|rule is missing/],
    ['DELETE', '/api/silences/seven', undefined, /^id is "seven"; allowed: the number of a silence/],
    ['DELETE', '/api/silences/9999999999', undefined, /^id is "9999999999"/],
  ])('%s %s %j is refused with a sentence', async (method, path, body, message) => {
    const { send, alerts } = setUp();
    const response = await send(method, path, body);
    expect(response.status).toBe(400);
    const error = await errorOf(response);
    if (typeof message === 'string') expect(error.message).toBe(message);
    else expect(error.message).toMatch(message);
    expect([alerts.asked, alerts.made]).toEqual([[], []]);
  });

  it('of more than 16 KiB is not read', async () => {
    const { send } = setUp();
    const response = await send('POST', ACK, { note: 'x'.repeat(16 * 1024) });
    expect([response.status, (await errorOf(response)).code]).toEqual([413, 'body_too_long']);
  });

  it('is never a 500', async () => {
    const { send, failures } = setUp();
    const values = fc.oneof(
      fc.jsonValue(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('*', '2026-03-10'),
    );
    const keys = fc.constantFrom('by', 'note', 'rule', 'ends_at', 'starts_at', 'reason', 'created_by', 'x');
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(ACK, '/api/silences/'),
        fc.oneof(fc.dictionary(keys, values), fc.jsonValue()),
        async (path, body) => {
          const response = await send('POST', path, JSON.stringify(body));
          expect([201, 400, 404]).toContain(response.status);
          if (response.status >= 400) await errorOf(response);
        },
      ),
      { numRuns: 300 },
    );
    expect(failures).toEqual([]);
  });

  it('of a method tells which would do', async () => {
    const { send } = setUp();
    for (const [method, path, allowed, use] of [
      ['PUT', '/api/silences/', 'GET, HEAD, POST', 'GET or POST'],
      ['GET', ACK, 'POST', 'POST'],
      ['GET', '/api/silences/7', 'DELETE', 'DELETE'],
      ['POST', '/api/alerts/', 'GET, HEAD', 'GET'],
    ] as const) {
      const response = await send(method, path);
      expect([path, response.status, response.headers.get('allow')]).toEqual([path, 405, allowed]);
      expect((await errorOf(response)).message).toBe(`${method} is not possible here; use ${use}.`);
    }
  });
});

const WRITES = [
  ['POST', ACK, {}],
  ['POST', '/api/silences/', SILENCE],
  ['DELETE', '/api/silences/7', undefined],
] as const;

describe('access', () => {
  const tokens = { host: '0.0.0.0', authToken: 'boss', viewerToken: 'eyes', metricsToken: 'prom' };

  it.each(WRITES)('%s %s is for the admin alone', async (method, path, body) => {
    const { send, alerts } = setUp(tokens);
    alerts.alerts = [alertAt(1)];
    const ask = async (token?: string) => {
      const response = await send(method, path, body, token ? { authorization: `Bearer ${token}` } : {});
      return [response.status, response.ok ? null : (await errorOf(response)).code];
    };
    expect(await ask()).toEqual([401, 'token_missing']);
    expect(await ask('eyes')).toEqual([403, 'role_not_allowed']);
    expect(await ask('prom')).toEqual([403, 'role_not_allowed']);
    expect(alerts.made).toEqual([]);
    const [status] = await ask('boss');
    expect(status).toBe(method === 'DELETE' ? 404 : path === ACK ? 200 : 201);
  });

  it('to what there is, is for the viewer too', async () => {
    const { send } = setUp(tokens);
    for (const path of ['/api/alerts/', '/api/silences/', '/api/monitoring/slo/']) {
      const status = async (token: string) =>
        (await send('GET', path, undefined, { authorization: `Bearer ${token}` })).status;
      expect([path, await status('eyes'), await status('prom')]).toEqual([path, 200, 403]);
    }
  });

  it.each(WRITES)('%s %s from a page of another origin is refused', async (method, path, body) => {
    for (const access of [undefined, { host: '0.0.0.0', auth: 'off' as const }, tokens]) {
      const { send, alerts } = setUp(access);
      alerts.alerts = [alertAt(1)];
      for (const origin of ['https://evil.example', 'null', 'http://localhost:81']) {
        // What a form of another page can send without asking first.
        const response = await send(method, `http://localhost:8080${path}`, body, {
          ...{ origin, 'content-type': 'text/plain', authorization: 'Bearer boss' },
        });
        expect([origin, response.status]).toEqual([origin, 403]);
        expect((await errorOf(response)).code).toBe('origin_not_allowed');
      }
      expect(alerts.made).toEqual([]);
      const own = { origin: 'http://localhost:8080', authorization: 'Bearer boss' };
      const response = await send(method, `http://localhost:8080${path}`, body, own);
      expect([200, 201, 404]).toContain(response.status);
    }
  });
});

describe('without alerts', () => {
  const PATHS = ['/api/alerts/', '/api/silences/', '/api/monitoring/slo/'];

  it.each([...PATHS.map((path) => ['GET', path, undefined] as const), ...WRITES])(
    '%s %s says why there are none',
    async (method, path, body) => {
      const { view, send, failures } = setUp();
      view.alertsView = undefined;
      view.historyState = historyOff('HISTORY is off.');
      const gone = await send(method, path, body);
      expect(gone.status).toBe(404);
      expect(await errorOf(gone)).toMatchObject({
        code: 'alerts_off',
        message: 'This monitor has no alerts, because it keeps nothing in the database. HISTORY is off.',
      });
      view.historyState = HISTORY;
      expect((await errorOf(await send(method, path, body))).message).toMatch(/it was started without them/);
      view.setSource({ role: 'standby' });
      const standby = await send(method, path, body);
      expect([standby.status, (await errorOf(standby)).code]).toEqual([503, 'standby']);
      expect(failures).toEqual([]);
    },
  );
});

describe('an outage of the database', () => {
  it('is named', async () => {
    const { app, alerts, failures } = setUp();
    alerts.failure = Object.assign(new Error('connect ECONNREFUSED'), { code: 'database_unavailable' });
    const response = await app.request('/api/alerts/');
    expect([response.status, (await errorOf(response)).code]).toEqual([503, 'database_unavailable']);
    expect(failures).toEqual([]);
  });
});

describe('the service level objective', () => {
  it('is told in numbers and words', async () => {
    const { app } = setUp();
    const answer = sloAnswer.parse(await (await app.request('/api/monitoring/slo/')).json());
    expect(answer).toMatchObject({
      ...{ target_percent: 99, window_days: 30, total_operations: 1_000, error_count: 20 },
      ...{ error_budget_remaining_ratio: -1, budget_gone_in_seconds: 0 },
      burn_rates: { '5m': 2, '30m': 2, '1h': 2, '6h': 2, '3d': 2 },
      conditions: {
        fast: { long_window: '1h', short_window: '5m', threshold: 14.4, burn_rate: 2, burning: false },
        slow: { long_window: '6h', short_window: '30m', threshold: 6, burn_rate: 2, burning: false },
        steady: { long_window: '3d', short_window: '6h', threshold: 1, burn_rate: 2, burning: true },
      },
    });
    expect(answer.summary.en).not.toBe(answer.summary.ru);
  });

  it('has null for what is not known', async () => {
    const { app, alerts } = setUp();
    alerts.reading = slo(['5m', '1h']);
    const answer = sloAnswer.parse(await (await app.request('/api/monitoring/slo/')).json());
    expect(answer).toMatchObject({
      ...{ total_operations: null, error_count: null, error_budget_remaining_ratio: null },
      burn_rates: { '5m': 2, '30m': null, '1h': 2, '6h': null, '3d': null },
      budget_gone_in_seconds: null,
    });
    expect(answer.conditions.slow).toMatchObject({ burn_rate: null, burning: false });
  });

  it('that nothing is known of is a 503 that says so', async () => {
    const { app, alerts } = setUp();
    alerts.reading = null;
    const response = await app.request('/api/monitoring/slo/');
    expect([response.status, (await errorOf(response)).code]).toEqual([503, 'slo_unknown']);
  });
});
