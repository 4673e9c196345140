import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freshDatabase, sharedVersions, type TestDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { until } from '../source/collector.js';
import { STARTED } from './notices.js';
import { hang, type Receiver, reset, say, startReceiver, verify } from './receiver.js';
import { firingState, HOUR, installSchema, MINUTE, openScene, outboxOf, type Scene } from './scene.js';

describe.each(sharedVersions())('delivery, kept in PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let receiver: Receiver;
  const scenes: Scene[] = [];

  beforeEach(async () => {
    db = await freshDatabase(version);
    await installSchema(db.url);
    receiver = await startReceiver();
  });
  afterEach(async () => {
    for (const scene of scenes.splice(0)) await scene.close();
    await receiver.close();
    await db.drop();
  });

  async function open(options: Parameters<typeof openScene>[2] = {}, url = receiver.url): Promise<Scene> {
    const scene = await openScene(db.url, [{ name: 'ops', url }], options);
    scenes.push(scene);
    await scene.alerts.load();
    return scene;
  }

  const kinds = () =>
    receiver.received.map(({ body }) => {
      const { state, details } = JSON.parse(body);
      return details.kind === 'reminder' ? 'reminder' : state;
    });

  test('fires once, resolves once, signed, and everything is written down', async () => {
    const scene = await open();
    await scene.decide({ kind: 'firing' });
    await scene.alerts.round();
    await scene.pass(10 * MINUTE);
    await scene.decide({ kind: 'resolved' });
    await scene.pass(10 * MINUTE);
    expect(kinds()).toEqual(['firing', 'resolved']);
    for (const one of receiver.received) expect(verify(one)).toMatchObject({ rule: 'high_error_rate' });
    expect(new Set(receiver.ids()).size).toBe(2);
    expect(await outboxOf(db.url)).toMatchObject([
      { kind: 'firing', attempts: 1, outcome: 'delivered', reason: null },
      { kind: 'resolved', attempts: 1, outcome: 'delivered' },
    ]);
    expect(await scene.alerts.list({ state: 'all', limit: 10 })).toMatchObject([
      { id: `high_error_rate-${STARTED}`, state: 'resolved', duration_seconds: 600, peak: 43.2 },
    ]);
    expect(await scene.alerts.attempts({ limit: 10 })).toMatchObject([
      { kind: 'resolved', attempt: 1, outcome: 'delivered', status: 200 },
      { kind: 'firing', attempt: 1, outcome: 'delivered', status: 200 },
    ]);
    expect(scene.alerts.counts.delivered).toBe(2);
    expect(scene.log).toEqual([]);
  });

  test.each([
    ['answers 500', say(500)],
    ['hangs', hang],
    ['resets', reset],
    ['answers 429', say(429, '', { 'retry-after': '1' })],
  ])('a receiver that %s for an hour gets everything, in order, under the same ids', async (_, answer) => {
    receiver.answer = answer;
    const scene = await open({ limits: { timeoutMs: 30 } });
    await scene.decide({ kind: 'firing' });
    await scene.alerts.round();
    await scene.pass(20 * MINUTE, MINUTE);
    await scene.decide({ kind: 'resolved' });
    await scene.pass(40 * MINUTE, MINUTE);
    const tries = receiver.received.length;
    expect(tries).toBeGreaterThan(10);
    expect(new Set(kinds())).toEqual(new Set(['firing']));
    expect(scene.alerts.receivers()).toMatchObject([{ name: 'ops', status: 'failing', pending: 2 }]);
    receiver.answer = say(200);
    await scene.pass(6 * MINUTE, MINUTE);
    expect(kinds().slice(tries)).toEqual(['firing', 'resolved']);
    const ids = receiver.ids();
    expect(new Set(ids.slice(0, tries + 1)).size).toBe(1);
    expect(ids.at(-1)).not.toBe(ids[0]);
    expect(scene.alerts.receivers()).toMatchObject([{ status: 'ok', reason: null, pending: 0 }]);
    // An outage is told once, and its end once.
    expect(scene.log.filter((line) => line.includes('receiver_'))).toEqual([
      expect.stringMatching(/^warn: ops does not take notices: .*; trying again/),
      expect.stringMatching(/^info: ops takes notices again/),
    ]);
    expect(scene.alerts.counts).toMatchObject({ delivered: 2, retry: tries });
  });

  test('Retry-After is kept', async () => {
    receiver.answer = say(503, '', { 'retry-after': '600' });
    const scene = await open();
    await scene.decide({ kind: 'firing' });
    await scene.alerts.round();
    await scene.pass(599_000);
    expect(receiver.received).toHaveLength(1);
    await scene.pass(1_000);
    expect(receiver.received).toHaveLength(2);
  });

  test('a refusal is told at once and delays no other notice', async () => {
    receiver.answer = (response, { body }) =>
      response.writeHead(body.includes('slow_response') ? 200 : 400).end('cannot parse');
    const scene = await open();
    await scene.decide({ kind: 'firing' }, { kind: 'firing', rule: 'slow_response' });
    await scene.alerts.round();
    expect(await outboxOf(db.url)).toMatchObject([
      { rule: 'high_error_rate', outcome: 'pending', attempts: 1 },
      { rule: 'slow_response', outcome: 'delivered' },
    ]);
    await scene.pass(HOUR, MINUTE);
    expect(scene.log.filter((line) => line.startsWith('error'))).toEqual([
      expect.stringContaining('ops does not accept a notice'),
    ]);
    expect(scene.alerts.receivers()[0]?.status).toBe('ok');
    receiver.answer = say(200);
    await scene.pass(6 * MINUTE, MINUTE);
    expect(await outboxOf(db.url)).toMatchObject([{ outcome: 'delivered' }, { outcome: 'delivered' }]);
  });

  test('a redirect is not followed', async () => {
    const other = await startReceiver();
    receiver.answer = say(307, '', { location: other.url });
    const scene = await open();
    await scene.decide({ kind: 'firing' });
    await scene.alerts.round();
    expect(other.received).toEqual([]);
    expect(scene.log).toEqual([expect.stringContaining('answered 307, and redirects are not followed')]);
    await other.close();
  });

  test('after 410 nothing is sent there any more, over restarts, until the address changes', async () => {
    receiver.answer = say(410);
    const first = await open();
    await first.decide({ kind: 'firing' }, { kind: 'firing', rule: 'slow_response' });
    await first.alerts.round();
    await first.decide({ kind: 'resolved' });
    await first.pass(HOUR, MINUTE);
    expect(receiver.received).toHaveLength(1);
    expect(first.alerts.receivers()).toMatchObject([{ status: 'gone', pending: 0 }]);
    expect(first.alerts.counts).toMatchObject({ gone: 3, delivered: 0 });
    expect(first.log.filter((line) => line.startsWith('error'))).toHaveLength(1);
    await first.close();

    const second = await open();
    await second.decide({ kind: 'resolved', rule: 'slow_response' });
    await second.pass(MINUTE);
    expect(receiver.received).toHaveLength(1);
    await second.close();

    const third = await open({}, `${receiver.url}/new`);
    receiver.answer = say(200);
    await third.decide({ kind: 'firing', startsAt: STARTED + 1 });
    await third.pass(6 * MINUTE);
    expect(receiver.received).toHaveLength(2);
    expect(third.alerts.receivers()).toMatchObject([{ status: 'ok' }]);
  });

  test('what could not be delivered for a day is given up, loudly, and counted', async () => {
    receiver.answer = say(500);
    const scene = await open();
    await scene.decide({ kind: 'firing' });
    await scene.alerts.round();
    await scene.pass(24 * HOUR - MINUTE, 30 * MINUTE);
    expect(scene.log.some((line) => line.includes('given up'))).toBe(false);
    await scene.pass(10 * MINUTE, MINUTE);
    expect(scene.log.filter((line) => line.includes('notice_given_up'))).toEqual([
      expect.stringMatching(
        /^error: the firing notice of high_error_rate for ops is given up after 24 h and \d+ attempts/,
      ),
    ]);
    expect(scene.alerts.counts.given_up).toBe(1);
    expect(await outboxOf(db.url)).toMatchObject([{ outcome: 'given_up' }]);
    const tries = receiver.received.length;
    await scene.pass(HOUR, MINUTE);
    expect(receiver.received).toHaveLength(tries);
  });

  test('notices of a day that nobody was there for are given up and not sent', async () => {
    receiver.answer = say(500);
    const first = await open();
    await first.decide({ kind: 'firing' });
    await first.alerts.round();
    await first.close();
    receiver.answer = say(200);
    const second = await open();
    second.now = STARTED + 25 * HOUR;
    await second.pass(MINUTE);
    expect(receiver.received).toHaveLength(1);
    expect(second.alerts.counts.given_up).toBe(1);
  });

  test('the outbox is bounded: the oldest is dropped, reminders first, and it is said', async () => {
    receiver.answer = say(500);
    const scene = await open({ outboxLimit: 3 });
    await scene.decide({ kind: 'firing' });
    await scene.decide({ kind: 'firing', rule: 'slow_response' });
    await scene.decide({ kind: 'reminder', id: 'r1', rule: 'slow_response' });
    await scene.decide({ kind: 'resolved', id: 'x', startsAt: STARTED - 5 });
    expect(scene.alerts.pending).toBe(3);
    await scene.decide({ kind: 'resolved', id: 'y', startsAt: STARTED - 6 });
    expect(scene.alerts.pending).toBe(3);
    expect(scene.alerts.counts.dropped).toBe(2);
    expect((await outboxOf(db.url)).filter(({ outcome }) => outcome === 'dropped')).toMatchObject([
      { rule: 'high_error_rate', kind: 'firing' },
      { rule: 'slow_response', kind: 'reminder' },
    ]);
    expect(scene.log.filter((line) => line.includes('too many notices wait'))).toHaveLength(2);
  });

  test('reminders do not pile up behind a receiver that is down', async () => {
    receiver.answer = say(500);
    const scene = await open();
    await scene.decide({ kind: 'firing' });
    await scene.alerts.round();
    for (let n = 1; n <= 5; n++) {
      await scene.pass(MINUTE);
      await scene.decide({ kind: 'reminder', id: `reminder:${n}` });
    }
    expect(scene.alerts.pending).toBe(2);
    receiver.answer = say(200);
    await scene.pass(6 * MINUTE);
    expect(kinds().slice(-2)).toEqual(['firing', 'reminder']);
    expect(scene.alerts.counts.superseded).toBe(4);
  });

  describe('a restart', () => {
    test('between decision and delivery sends it, under the id it had', async () => {
      const first = await open();
      await first.decide({ kind: 'firing' });
      // Killed: no round, no stop. Its connection is ended as the system would.
      first.link.close();
      expect(receiver.received).toEqual([]);
      const second = await open();
      await second.alerts.round();
      expect(kinds()).toEqual(['firing']);
      const [row] = await ask(db.url, 'SELECT id FROM sync_monitor.outbox');
      expect(receiver.ids()).toEqual([row?.id]);
      // Deciding again is the same notice.
      await second.decide({ kind: 'firing' });
      expect((await outboxOf(db.url)).length).toBe(1);
    });

    test('between delivery and its being written down sends it again, under the same id', async () => {
      const first = await open();
      await first.decide({ kind: 'firing' });
      receiver.answer = (response, request) => {
        // The backend dies while the receiver has the notice in its hands, and the process with it.
        first.link.close();
        first.link.connect = () => Promise.reject(new Error('the process is dead'));
        say(200)(response, request);
      };
      await first.alerts.round();
      receiver.answer = say(200);
      expect(await outboxOf(db.url)).toMatchObject([{ outcome: 'pending', attempts: 0 }]);
      const second = await open();
      await second.alerts.round();
      expect(kinds()).toEqual(['firing', 'firing']);
      expect(new Set(receiver.ids()).size).toBe(1);
      expect(await outboxOf(db.url)).toMatchObject([{ outcome: 'delivered' }]);
    });

    test('goes on from the states of the rules, and of the alerts that fire', async () => {
      const first = await open();
      await first.decide({ kind: 'firing' });
      await first.close();
      const second = await openScene(db.url, [{ name: 'ops', url: receiver.url }]);
      scenes.push(second);
      expect(await second.alerts.load()).toEqual({ high_error_rate: firingState() });
      expect(second.alerts.firing).toMatchObject([{ id: `high_error_rate-${STARTED}`, endsAt: null }]);
    });

    test('closes an alert whose rule state is gone, so that it does not fire for ever', async () => {
      const first = await open();
      await first.decide({ kind: 'firing' });
      await first.close();
      await ask(db.url, 'DELETE FROM sync_monitor.alert_state');
      const second = await open();
      expect(second.alerts.firing).toEqual([]);
      expect(second.log).toEqual([expect.stringContaining('it is closed')]);
      expect(await second.alerts.list({ state: 'active', limit: 10 })).toEqual([]);
    });

    test('without a receiver that was there before says what is not sent', async () => {
      const first = await open();
      await first.decide({ kind: 'firing' });
      await first.close();
      const second = await openScene(db.url, [{ name: 'other', url: receiver.url }]);
      scenes.push(second);
      await second.alerts.load();
      await second.alerts.round();
      expect(second.log).toEqual([
        expect.stringContaining('no receiver of that name is configured any more'),
      ]);
      expect(await outboxOf(db.url)).toMatchObject([{ receiver: 'ops', outcome: 'no_receiver' }]);
    });

    test('two monitors that both believe to lead send the same id', async () => {
      const first = await open();
      const second = await open();
      await Promise.all([first.decide({ kind: 'firing' }), second.decide({ kind: 'firing' })]);
      await Promise.all([first.alerts.round(), second.alerts.round()]);
      expect(new Set(receiver.ids()).size).toBe(1);
      expect(await outboxOf(db.url)).toHaveLength(1);
    });
  });

  describe('while the database does not answer', () => {
    test('notices go out all the same, and are written down when it does', async () => {
      const scene = await open({ patienceMs: 50 });
      const connect = scene.link.connect.bind(scene.link);
      scene.link.close();
      scene.link.connect = () => Promise.reject(new Error('connect ECONNREFUSED'));
      await scene.decide({ kind: 'firing' });
      await scene.pass(MINUTE);
      expect(kinds()).toEqual(['firing']);
      expect(await outboxOf(db.url)).toEqual([]);
      scene.link.connect = connect;
      await scene.pass(MINUTE);
      await until(async () => (await outboxOf(db.url)).length === 1, 'written down');
      expect(await outboxOf(db.url)).toMatchObject([{ kind: 'firing', attempts: 1, outcome: 'delivered' }]);
      expect(receiver.received).toHaveLength(1);
      const said = scene.log.filter((line) => /alerts_(not_)?kept/.test(line));
      expect(said[0]).toMatch(/^error: alerts cannot be written down now; they go out all the same/);
      expect(said.at(-1)).toMatch(/^info: alerts are written down again/);
      // The shared rate limit could not be asked either, which is said once.
      expect(scene.log.filter((line) => line.includes('cooldown_store_down'))).toHaveLength(1);
    });

    test('backends that are ended all the time lose nothing and send nothing twice', async () => {
      const scene = await open();
      let stop = false;
      const killer = (async () => {
        while (!stop)
          await ask(
            db.url,
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'customer-sync-monitor'`,
          );
      })();
      for (let n = 0; n < 30; n++) {
        await scene.decide({
          kind: n % 2 === 0 ? 'firing' : 'resolved',
          startsAt: STARTED + Math.floor(n / 2) * HOUR,
        });
        await scene.pass(6 * MINUTE, 6 * MINUTE);
        scene.now += 24 * MINUTE;
      }
      stop = true;
      await killer;
      await scene.pass(6 * MINUTE, MINUTE);
      await until(async () => {
        await scene.alerts.round();
        return (await outboxOf(db.url)).filter(({ outcome }) => outcome === 'delivered').length === 30;
      }, 'all are written down as delivered');
      expect(receiver.received).toHaveLength(30);
      expect(new Set(receiver.ids()).size).toBe(30);
    });

    test('a database without our tables is said once, and alerts go out', async () => {
      const scene = await open();
      await ask(db.url, 'DROP TABLE sync_monitor.outbox');
      await scene.decide({ kind: 'firing' });
      await scene.pass(MINUTE);
      expect(kinds()).toEqual(['firing']);
      const said = scene.log.filter((line) => line.includes('alerts_not_kept'));
      expect(said.length).toBeGreaterThan(0);
      expect(said[0]).toContain('cannot be written down');
    });
  });

  test('start() sends without being asked, within moments, and stop() ends what hangs', async () => {
    const slow = await startReceiver();
    slow.answer = hang;
    const scene = await openScene(
      db.url,
      [
        { name: 'hanging', url: slow.url },
        { name: 'ops', url: receiver.url },
      ],
      { clock: () => Date.now(), limits: { timeoutMs: 60_000 } },
    );
    scenes.push(scene);
    await scene.alerts.load();
    scene.alerts.start();
    scene.now = Date.now();
    await scene.decide({ kind: 'firing', startsAt: scene.now });
    await until(() => receiver.received.length === 1 && slow.received.length === 1, 'both are told');
    await scene.decide({ kind: 'resolved', startsAt: scene.now });
    await until(() => scene.alerts.counts.delivered === 2, 'one that hangs delays no other');
    expect(receiver.received).toHaveLength(2);
    await scene.alerts.stop();
    expect(await outboxOf(db.url)).toMatchObject([
      { receiver: 'hanging', outcome: 'pending', attempts: 0 },
      { receiver: 'ops', outcome: 'delivered' },
      { receiver: 'hanging', outcome: 'pending', attempts: 0 },
      { receiver: 'ops', outcome: 'delivered' },
    ]);
    await slow.close();
  });
});
