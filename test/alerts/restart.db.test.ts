/** Notices outlive the process and the database's absence: at least once, under the same id. */
import { describe, expect, test } from 'vitest';
import { newestVersion } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { until } from '../source/collector.js';
import { STARTED } from './notices.js';
import { say } from './receiver.js';
import { deliveryScene, firingState, HOUR, MINUTE, outboxOf } from './scene.js';

describe.each(newestVersion())('what was decided, kept in PostgreSQL %i', (version) => {
  const it = deliveryScene(version);
  const { open, unloaded, kinds } = it;

  describe('a restart', () => {
    test('between decision and delivery sends it, under the id it had', async () => {
      const first = await open();
      await first.decide({ kind: 'firing' });
      // Killed: no round, no stop. Its connection is ended as the system would.
      first.link.close();
      expect(it.receiver.received).toEqual([]);
      const second = await open();
      await second.alerts.round();
      expect(kinds()).toEqual(['firing']);
      const [row] = await ask(it.db.url, 'SELECT id FROM sync_monitor.outbox');
      expect(it.receiver.ids()).toEqual([row?.id]);
      // Deciding again is the same notice.
      await second.decide({ kind: 'firing' });
      expect((await outboxOf(it.db.url)).length).toBe(1);
    });

    test('between delivery and its being written down sends it again, under the same id', async () => {
      const first = await open();
      await first.decide({ kind: 'firing' });
      it.receiver.answer = (response, request) => {
        // The backend dies while the receiver has the notice in its hands, and the process with it.
        first.link.close();
        first.link.connect = () => Promise.reject(new Error('the process is dead'));
        say(200)(response, request);
      };
      await first.alerts.round();
      it.receiver.answer = say(200);
      expect(await outboxOf(it.db.url)).toMatchObject([{ outcome: 'pending', attempts: 0 }]);
      const second = await open();
      await second.alerts.round();
      expect(kinds()).toEqual(['firing', 'firing']);
      expect(new Set(it.receiver.ids()).size).toBe(1);
      expect(await outboxOf(it.db.url)).toMatchObject([{ outcome: 'delivered' }]);
    });

    test('goes on from the states of the rules, and of the alerts that fire', async () => {
      const first = await open();
      await first.decide({ kind: 'firing' });
      await first.close();
      const second = await unloaded([{ name: 'ops', url: it.receiver.url }]);
      expect(await second.alerts.load()).toEqual({ high_error_rate: firingState() });
      expect(second.alerts.firing).toMatchObject([{ id: `high_error_rate-${STARTED}`, endsAt: null }]);
    });

    test('closes an alert whose rule state is gone, so that it does not fire for ever', async () => {
      const first = await open();
      await first.decide({ kind: 'firing' });
      await first.close();
      await ask(it.db.url, 'DELETE FROM sync_monitor.alert_state');
      const second = await open();
      expect(second.alerts.firing).toEqual([]);
      expect(second.log).toEqual([expect.stringContaining('it is closed')]);
      expect(await second.alerts.list({ state: 'active', limit: 10 })).toEqual([]);
    });

    test('without a receiver that was there before says what is not sent', async () => {
      const first = await open();
      await first.decide({ kind: 'firing' });
      await first.close();
      const second = await unloaded([{ name: 'other', url: it.receiver.url }]);
      await second.alerts.load();
      await second.alerts.round();
      expect(second.log).toEqual([
        expect.stringContaining('no receiver of that name is configured any more'),
      ]);
      expect(await outboxOf(it.db.url)).toMatchObject([{ receiver: 'ops', outcome: 'no_receiver' }]);
    });

    test('two monitors that both believe to lead send the same id', async () => {
      const first = await open();
      const second = await open();
      await Promise.all([first.decide({ kind: 'firing' }), second.decide({ kind: 'firing' })]);
      await Promise.all([first.alerts.round(), second.alerts.round()]);
      expect(new Set(it.receiver.ids()).size).toBe(1);
      expect(await outboxOf(it.db.url)).toHaveLength(1);
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
      expect(await outboxOf(it.db.url)).toEqual([]);
      scene.link.connect = connect;
      await scene.pass(MINUTE);
      await until(async () => (await outboxOf(it.db.url)).length === 1, 'written down');
      expect(await outboxOf(it.db.url)).toMatchObject([
        { kind: 'firing', attempts: 1, outcome: 'delivered' },
      ]);
      expect(it.receiver.received).toHaveLength(1);
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
            it.db.url,
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
        return (await outboxOf(it.db.url)).filter(({ outcome }) => outcome === 'delivered').length === 30;
      }, 'all are written down as delivered');
      expect(it.receiver.received).toHaveLength(30);
      expect(new Set(it.receiver.ids()).size).toBe(30);
    });

    test('a database without our tables is said once, and alerts go out', async () => {
      const scene = await open();
      await ask(it.db.url, 'DROP TABLE sync_monitor.outbox');
      await scene.decide({ kind: 'firing' });
      await scene.pass(MINUTE);
      expect(kinds()).toEqual(['firing']);
      const said = scene.log.filter((line) => line.includes('alerts_not_kept'));
      expect(said.length).toBeGreaterThan(0);
      expect(said[0]).toContain('cannot be written down');
    });
  });
});
