/** What people do about alerts: silence, acknowledge, look back. */
import { beforeEach, describe, expect, test } from 'vitest';
import { reconnecting } from '../../src/alerts/db.js';
import { prune } from '../../src/alerts/journal-load.js';
import { SilenceError } from '../../src/alerts/silences.js';
import { newestVersion } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { ANY_PERSONAL, PERSONAL, STARTED } from './notices.js';
import { say } from './receiver.js';
import { deliveryScene, HOUR, MINUTE, outboxOf, type Scene, TABLE } from './scene.js';

describe.each(newestVersion())('on PostgreSQL %i', (version) => {
  const it = deliveryScene(version);
  let scene: Scene;
  beforeEach(async () => {
    scene = await it.open();
  });

  const silence = (changes: object = {}) =>
    scene.alerts.silence({
      ...{ rule: 'high_error_rate', startsAt: scene.now, endsAt: scene.now + HOUR },
      ...{ reason: 'import of the new catalogue', createdBy: 'ops' },
      ...changes,
    });
  const told = () => it.receiver.received.map(({ body }) => JSON.parse(body).state);

  describe('a silence', () => {
    test('keeps a whole alert back, firing and resolved, and nobody else', async () => {
      await silence();
      await scene.decide({ kind: 'firing' }, { kind: 'firing', rule: 'slow_response' });
      await scene.pass(10 * MINUTE);
      await scene.decide({ kind: 'resolved' });
      await scene.pass(2 * HOUR, MINUTE);
      expect(it.receiver.received.map(({ body }) => JSON.parse(body).rule)).toEqual(['slow_response']);
      expect(await outboxOf(it.db.url)).toMatchObject([
        { rule: 'high_error_rate', kind: 'firing', outcome: 'silenced' },
        { rule: 'slow_response', outcome: 'delivered' },
        { rule: 'high_error_rate', kind: 'resolved', outcome: 'silenced' },
      ]);
      expect(scene.alerts.counts).toMatchObject({ silenced: 2, given_up: 0 });
      // The alert itself is on record.
      expect(await scene.alerts.list({ state: 'past', limit: 9 })).toMatchObject([
        { rule: 'high_error_rate' },
      ]);
    });

    test.each([
      ['ends', async () => scene.pass(HOUR, MINUTE)],
      [
        'is ended early',
        async () => {
          const [one] = await scene.alerts.silences();
          expect(await scene.alerts.endSilence(one?.id ?? 0)).toMatchObject({ active: false });
          expect(await scene.alerts.endSilence(one?.id ?? 0)).toBeNull();
          await scene.pass(10_000);
        },
      ],
      [
        'is ended by another process',
        async () => {
          await ask(it.db.url, `UPDATE sync_monitor.silence SET ends_at = starts_at`);
          await scene.pass(10_000);
        },
      ],
    ])('that %s while it fires: then it is told, and its end too', async (_, end) => {
      await silence();
      await scene.decide({ kind: 'firing' });
      await scene.pass(MINUTE);
      expect(told()).toEqual([]);
      await end();
      expect(told()).toEqual(['firing']);
      await scene.decide({ kind: 'resolved' });
      await scene.pass(MINUTE);
      expect(told()).toEqual(['firing', 'resolved']);
    });

    test('of more than a day does not count as a day of failures', async () => {
      await silence({ endsAt: scene.now + 48 * HOUR });
      await scene.decide({ kind: 'firing' });
      await scene.pass(49 * HOUR, 10 * MINUTE);
      expect(told()).toEqual(['firing']);
      expect(scene.alerts.counts.given_up).toBe(0);
    });

    test('lets the end of what was told before through, and drops reminders', async () => {
      await scene.decide({ kind: 'firing' });
      await scene.alerts.round();
      await silence({ rule: '*' });
      await scene.decide({ kind: 'reminder' });
      await scene.pass(MINUTE);
      expect(told()).toEqual(['firing']);
      await scene.decide({ kind: 'resolved' });
      await scene.pass(MINUTE);
      expect(told()).toEqual(['firing', 'resolved']);
      expect(scene.alerts.counts.silenced).toBe(1);
    });

    test('is remembered over a restart, and what it holds too', async () => {
      await silence();
      await scene.decide({ kind: 'firing' });
      await scene.alerts.round();
      const before = scene.now;
      await scene.close();
      scene = await it.unloaded([{ name: 'ops', url: it.receiver.url }]);
      await scene.alerts.load();
      scene.now = before;
      await scene.pass(MINUTE);
      expect(told()).toEqual([]);
      await scene.pass(HOUR, MINUTE);
      expect(told()).toEqual(['firing']);
    });

    test('holds back an alert that is over before a receiver that was down is asked', async () => {
      it.receiver.answer = say(500);
      await scene.decide({ kind: 'firing', rule: 'slow_response' });
      await scene.alerts.round();
      await silence();
      await scene.decide({ kind: 'firing' });
      await scene.decide({ kind: 'resolved' });
      it.receiver.answer = say(200);
      await scene.pass(10 * MINUTE);
      expect(it.receiver.received.slice(1).map(({ body }) => JSON.parse(body).rule)).toEqual([
        'slow_response',
      ]);
    });

    test('that begins later holds nothing back before', async () => {
      await silence({ startsAt: scene.now + HOUR, endsAt: scene.now + 2 * HOUR });
      await scene.decide({ kind: 'firing' });
      await scene.alerts.round();
      expect(told()).toEqual(['firing']);
      expect(await scene.alerts.silences()).toMatchObject([{ active: false, rule: 'high_error_rate' }]);
    });

    test('can be listed, the past ones too', async () => {
      const first = await silence();
      await silence({ rule: '*', endsAt: scene.now + MINUTE });
      expect(first).toMatchObject({ active: true, created_by: 'ops', reason: 'import of the new catalogue' });
      expect((await scene.alerts.silences()).map(({ rule }) => rule)).toEqual(['*', 'high_error_rate']);
      scene.now += 2 * MINUTE;
      expect((await scene.alerts.silences()).map(({ rule }) => rule)).toEqual(['high_error_rate']);
      expect((await scene.alerts.silences(true)).map(({ rule }) => rule)).toEqual(['high_error_rate', '*']);
    });

    test.each([
      [{ rule: 'hihg' }, 'rule is "hihg"; allowed: * or one of high_error_rate, slow_response'],
      [{ endsAt: STARTED }, 'the silence ends before it begins, or has ended'],
      [{ endsAt: Number.NaN }, 'the silence ends before it begins, or has ended'],
      [{ startsAt: Number.NaN }, 'the silence ends before it begins, or has ended'],
      [{ endsAt: STARTED + 400 * 24 * HOUR }, 'the silence is too long; allowed: up to a year from now'],
      [{ reason: ' \u0000 ' }, 'reason is empty; allowed: why nobody shall be told'],
    ])('%j is refused', async (changes, message) => {
      const error = await silence(changes).catch((one: unknown) => one);
      expect(error).toBeInstanceOf(SilenceError);
      expect((error as Error).message).toContain(message);
      expect(await scene.alerts.silences()).toEqual([]);
    });

    test('hides personal data in its reason, and they are bounded', async () => {
      const one = await silence({ reason: PERSONAL.join(', '), createdBy: PERSONAL[0] });
      expect(JSON.stringify(one)).not.toMatch(ANY_PERSONAL);
      await ask(
        it.db.url,
        `INSERT INTO sync_monitor.silence (table_name, rule, starts_at, ends_at, reason)
         SELECT '${TABLE}', '*', now(), 'infinity', 'x' FROM generate_series(1, 499)`,
      );
      await expect(silence()).rejects.toThrow('there are 500 silences already');
    });
  });

  describe('an acknowledgement', () => {
    test('ends reminders, keeps who and why, and the end is still told', async () => {
      await scene.decide({ kind: 'firing' });
      await scene.alerts.round();
      const id = `high_error_rate-${STARTED}`;
      const alert = await scene.alerts.acknowledge(id, {
        by: 'ops',
        note: 'known, ivan@example.com is on it',
      });
      expect(alert).toMatchObject({
        id,
        state: 'firing',
        ack: { at: new Date(STARTED).toISOString(), by: 'ops', note: 'known, i***@e***.com is on it' },
      });
      await scene.decide({ kind: 'reminder' });
      await scene.pass(MINUTE);
      expect(told()).toEqual(['firing']);
      // The first one stays.
      scene.now += MINUTE;
      const again = await scene.alerts.acknowledge(id, { by: 'somebody else', note: null });
      expect(again?.ack).toEqual(alert?.ack);
      await scene.decide({ kind: 'resolved' });
      await scene.pass(MINUTE);
      expect(told()).toEqual(['firing', 'resolved']);
      expect(await scene.alerts.list({ state: 'past', limit: 1 })).toMatchObject([{ ack: { by: 'ops' } }]);
    });

    test('made by another process, or before a restart, counts too', async () => {
      await scene.decide({ kind: 'firing' });
      await scene.alerts.round();
      await ask(it.db.url, 'UPDATE sync_monitor.alert SET acked_at = now()');
      await scene.pass(10_000);
      await scene.decide({ kind: 'reminder' });
      await scene.close();
      scene = await it.unloaded([{ name: 'ops', url: it.receiver.url }]);
      await scene.alerts.load();
      await scene.decide({ kind: 'reminder', id: 'second' });
      await scene.pass(MINUTE);
      expect(told()).toEqual(['firing']);
    });

    test('of an alert that never was is null', async () => {
      expect(await scene.alerts.acknowledge("x'; --", { by: null, note: null })).toBeNull();
    });
  });

  test('alerts are listed in pages, by rule and by state', async () => {
    for (let n = 0; n < 5; n++) {
      const startsAt = STARTED + n * HOUR;
      scene.now = startsAt;
      await scene.decide(
        { kind: 'firing', startsAt },
        { kind: 'firing', rule: 'slow_response', startsAt: startsAt + 1 },
      );
      if (n < 4) await scene.decide({ kind: 'resolved', startsAt });
    }
    const { alerts } = scene;
    expect(await alerts.list({ state: 'all', limit: 100 })).toHaveLength(10);
    expect(await alerts.list({ state: 'active', limit: 100 })).toHaveLength(6);
    expect(await alerts.list({ state: 'past', limit: 100 })).toHaveLength(4);
    const first = await alerts.list({ state: 'all', rule: 'high_error_rate', limit: 2 });
    const before = Date.parse(first.at(-1)?.starts_at ?? '');
    const second = await alerts.list({ state: 'all', rule: 'high_error_rate', before, limit: 2 });
    expect([...first, ...second].map(({ starts_at }) => (Date.parse(starts_at) - STARTED) / HOUR)).toEqual([
      4, 3, 2, 1,
    ]);
    expect(first[0]).toMatchObject({
      state: 'firing',
      ends_at: null,
      evidence: { errors: 1_234 },
      ack: null,
    });
  });

  test('what is over is thrown away in time and by number, and nothing that is needed', async () => {
    for (let n = 0; n < 10; n++) {
      const startsAt = STARTED + n * HOUR;
      scene.now = startsAt;
      await scene.decide({ kind: 'firing', startsAt });
      await scene.pass(MINUTE);
      if (n > 0) await scene.decide({ kind: 'resolved', startsAt });
      await scene.pass(MINUTE);
    }
    const pruned = (now: number, retention: object) =>
      prune(reconnecting(scene.link), TABLE, now, {
        ...{ alertDays: 400, deliveryDays: 30, rows: 20_000 },
        ...retention,
      });
    const count = async (table: string) =>
      Number((await ask(it.db.url, `SELECT count(*) FROM sync_monitor.${table}`))[0]?.count);
    expect(await pruned(scene.now, {})).toBe(0);
    await pruned(scene.now, { rows: 5 });
    expect([await count('delivery'), await count('alert')]).toEqual([5, 6]);
    // The notice of the alert that still fires is the oldest, and stays.
    expect(await count('outbox')).toBe(6);
    await pruned(scene.now + 500 * 24 * HOUR, {});
    expect([await count('delivery'), await count('alert'), await count('outbox')]).toEqual([0, 1, 1]);
  });
});
