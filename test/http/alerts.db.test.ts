/** Alerts over a real socket and a real database, each answer held against the document. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createAccess } from '../../src/http/auth.js';
import { LiveHub } from '../../src/http/live.js';
import { createApp } from '../../src/http/routes.js';
import { type RunningServer, startServer } from '../../src/http/server.js';
import type { AlertMessage, AlertWire, SilenceWire } from '../../streams/alerts-view.js';
import { PERSONAL, STARTED } from '../alerts/notices.js';
import { installSchema, MINUTE } from '../alerts/scene.js';
import { freshDatabase, type TestDatabase } from '../setup/database.js';
import { until } from '../source/collector.js';
import { type Document, Judge } from './document.js';
import { openRealAlerts, type RealAlerts } from './real-alerts.js';
import { HandDrivenView } from './view.js';

const failures: unknown[] = [];
let db: TestDatabase;
let real: RealAlerts;
let server: RunningServer;
let judge: Judge;
let monitor: HandDrivenView;

beforeAll(async () => {
  db = await freshDatabase();
  await installSchema(db.url);
  real = await openRealAlerts(db.url);
  monitor = new HandDrivenView();
  monitor.alertsView = real.view;
  monitor.tick();
  const access = createAccess({ host: '127.0.0.1' });
  const onError = (error: unknown) => failures.push(error);
  const hub = new LiveHub(monitor, { onError });
  const app = createApp(monitor, { access, liveStats: () => hub.stats(), version: '0', onError });
  server = await startServer({ host: '127.0.0.1', port: 0, app, hub, access, onError });
  judge = new Judge((await (await fetch(new URL('/openapi.json', server.url))).json()) as Document);
});

afterAll(async () => {
  await server?.close();
  await real?.scene.close();
  await db?.drop();
  expect(failures).toEqual([]);
});

/** Asks, and holds the answer against the document. */
async function ask<T>(method: string, path: string, body?: unknown, described = path): Promise<[number, T]> {
  const response = await fetch(new URL(path, server.url), {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  await judge.judge(described.split('?')[0] ?? '', method.toLowerCase(), response.clone());
  return [response.status, (await response.json()) as T];
}

const listed = async (query = '') =>
  (
    await ask<{ alerts: AlertWire[]; rules: { name: string; state: string }[] }>(
      'GET',
      `/api/alerts/${query}`,
    )
  )[1];
const ack = (id: string, body?: unknown) =>
  ask<AlertWire>('POST', `/api/alerts/${id}/ack`, body, '/api/alerts/{id}/ack');
const inMinutes = (minutes: number) => new Date(real.scene.now + minutes * MINUTE).toISOString();

describe('alerts', () => {
  it('are told as they fire, are acknowledged and end, and as messages of the WebSocket', async () => {
    const messages: AlertMessage[] = [];
    const socket = new WebSocket(new URL('/ws', server.url.replace('http', 'ws')));
    let subscribed = false;
    socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      judge.component('ServerMessage', message);
      if (message.type === 'alert') messages.push(message);
      subscribed ||= message.type === 'health';
    });
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'subscribe', topics: ['alerts', 'health'] }));
    await until(() => subscribed, 'the subscription is in force');

    await real.decide({ kind: 'firing' });
    const id = `high_error_rate-${STARTED}`;
    const { alerts, rules } = await listed('?state=active');
    expect(alerts).toMatchObject([{ id, state: 'firing', ends_at: null, value: 25.13, ack: null }]);
    expect(alerts[0]?.evidence?.top_errors).toHaveLength(2);
    expect(rules.map(({ state }) => state)).toEqual(['firing', 'inactive']);

    const [, acked] = await ack(id, { by: PERSONAL[0], note: `called ${PERSONAL[1]}` });
    expect(acked.ack).toMatchObject({ at: new Date(STARTED).toISOString() });
    for (const text of PERSONAL) expect(JSON.stringify(acked)).not.toContain(text);
    // Whoever is second is told who was first.
    expect((await ack(id, { by: 'Boris' }))[1].ack).toEqual(acked.ack);
    expect((await ack('high_error_rate-1', {}))[0]).toBe(404);

    real.scene.now += MINUTE;
    await real.decide({ kind: 'resolved' });
    expect((await listed('?state=active')).alerts).toEqual([]);
    expect((await listed('?state=past&rule=high_error_rate')).alerts).toMatchObject([
      { id, state: 'resolved', ends_at: new Date(STARTED + MINUTE).toISOString(), duration_seconds: 60 },
    ]);
    expect((await listed('?rule=slow_response')).alerts).toEqual([]);
    await until(() => messages.length === 2, 'a message for each transition');
    socket.terminate();
    expect(messages).toMatchObject([
      { id, kind: 'firing', state: 'firing', ends_at: null },
      { id, kind: 'resolved', state: 'resolved', ends_at: new Date(STARTED + MINUTE).toISOString() },
    ]);
    expect(messages.map(({ title }) => title)).toEqual([alerts[0]?.title, alerts[0]?.title]);
  });

  it('are told page by page', async () => {
    for (const n of [1, 2, 3]) {
      const startsAt = STARTED + n * 10 * MINUTE;
      real.scene.now = startsAt;
      await real.decide({ rule: 'slow_response', startsAt });
      await real.decide({ rule: 'slow_response', startsAt, kind: 'resolved' });
    }
    const seen: string[] = [];
    let next = '';
    for (;;) {
      const [, page] = await ask<{ alerts: AlertWire[]; next_before: string | null }>(
        'GET',
        `/api/alerts/?limit=2${next}`,
      );
      seen.push(...page.alerts.map(({ starts_at }) => starts_at));
      if (page.next_before === null) break;
      next = `&before=${page.next_before}`;
    }
    expect(seen).toEqual([30, 20, 10, 0].map((n) => new Date(STARTED + n * MINUTE).toISOString()));
  });
});

describe('silences', () => {
  it('are made, listed and ended', async () => {
    const body = { rule: 'slow_response', ends_at: inMinutes(60), reason: `asked by ${PERSONAL[0]}` };
    const [status, made] = await ask<SilenceWire>('POST', '/api/silences/', { ...body, created_by: 'Anna' });
    expect(status).toBe(201);
    expect(made).toMatchObject({
      rule: 'slow_response',
      active: true,
      created_by: 'Anna',
      ends_at: body.ends_at,
    });
    expect(made.reason).not.toContain(PERSONAL[0]);
    const all = async (query = '') =>
      (await ask<{ silences: SilenceWire[] }>('GET', `/api/silences/${query}`))[1].silences;
    expect(await all()).toEqual([made]);
    real.scene.now += MINUTE;
    const end = () => ask<SilenceWire>('DELETE', `/api/silences/${made.id}`, undefined, '/api/silences/{id}');
    const [, ended] = await end();
    expect(ended).toMatchObject({ id: made.id, active: false, ends_at: inMinutes(0) });
    expect(await all()).toEqual([]);
    expect(await all('?past=true')).toEqual([ended]);
    expect((await end())[0]).toBe(404);
  });

  it.each([
    [
      'of a rule that there is not',
      () => ({ rule: 'hihg_error_rate', ends_at: inMinutes(5) }),
      /hihg_error_rate.*slow_response/,
    ],
    ['that have ended', () => ({ rule: '*', ends_at: inMinutes(-5) }), /future/],
    [
      'that end before they begin',
      () => ({ rule: '*', starts_at: inMinutes(9), ends_at: inMinutes(5) }),
      /before/,
    ],
    ['for years', () => ({ rule: '*', ends_at: '9999-01-01' }), /up to a year/],
  ])('%s are refused', async (_, body, message) => {
    const [status, answer] = await ask<{ error: { message: string } }>('POST', '/api/silences/', {
      ...{ reason: 'Deployment', ...body() },
    });
    expect(status).toBe(400);
    expect(answer.error.message).toMatch(message);
  });

  it('keep what PostgreSQL cannot hold out of it', async () => {
    const reason = 'a\u0000b \ud800 Ошибка 💥';
    const [status, made] = await ask<SilenceWire>('POST', '/api/silences/', {
      ...{ rule: '*', ends_at: inMinutes(5), reason, created_by: 'x\u0000' },
    });
    expect([status, made.reason]).toEqual([201, 'a b \ufffd Ошибка 💥']);
    await ask('DELETE', `/api/silences/${made.id}`, undefined, '/api/silences/{id}');
    expect((await ask('DELETE', '/api/silences/999999999', undefined, '/api/silences/{id}'))[0]).toBe(404);
  });
});

describe('a database that does not answer', () => {
  it('is named, and nothing of where it is', async () => {
    const away = await openRealAlerts('postgres://nobody:secret@127.0.0.1:1/none');
    const { alertsView } = monitor;
    monitor.alertsView = away.view;
    for (const path of ['/api/alerts/', '/api/silences/']) {
      const [status, answer] = await ask<{ error: { code: string } }>('GET', path);
      expect([path, status, answer.error.code]).toEqual([path, 503, 'database_unavailable']);
      expect(JSON.stringify(answer)).not.toMatch(/secret|127\.0\.0\.1/);
    }
    monitor.alertsView = alertsView;
    await away.scene.close();
  });
});

describe('what changes something', () => {
  it('is refused from a page of another origin, and nothing is changed', async () => {
    const response = await fetch(new URL('/api/silences/', server.url), {
      ...{ method: 'POST', headers: { origin: 'https://evil.example', 'content-type': 'text/plain' } },
      body: JSON.stringify({ rule: '*', ends_at: inMinutes(5), reason: 'quiet' }),
    });
    expect(response.status).toBe(403);
    await judge.judge('/api/silences/', 'post', response);
    expect((await ask<{ silences: unknown[] }>('GET', '/api/silences/'))[1].silences).toEqual([]);
  });

  it('is refused with a body that is too long, and the connection serves on', async () => {
    const [status] = await ask('POST', '/api/silences/', { reason: 'x'.repeat(1_000_000) });
    expect(status).toBe(413);
    expect((await ask('GET', '/api/silences/'))[0]).toBe(200);
  });
});

describe('the service level objective', () => {
  it('is told', async () => {
    const [status, answer] = await ask('GET', '/api/monitoring/slo/');
    expect(status).toBe(200);
    expect(answer).toMatchObject({ error_budget_remaining_ratio: -2, burn_rates: { '1h': 3, '3d': null } });
  });
});
