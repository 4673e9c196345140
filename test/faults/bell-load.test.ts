/** The bell among many who ring it, and who wait for each other to do so. */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keysOf } from '../../src/source/keeper.js';
import { sharedVersions } from '../setup/database.js';
import type { Cluster } from '../setup/postgres.js';
import { insertInto, ownCluster, type Scene, scene, until } from './scene.js';

const { channel } = keysOf('public.customer_sync_logs');
const NO_OTHER_KIND = {
  transaction: 0,
  long: 0,
  aborted: 0,
  conflict: 0,
  savepoint: 0,
  copy: 0,
  pending: 0,
  merge: 0,
  ahead: 0,
};

const bell = (it: Scene) => it.monitor.source().bell;

/** Runs the statement again and again until `stop`. @returns how often it ran, and ends the loop. */
function repeat(client: pg.Client, text: string, values: unknown[] = []) {
  let running = true;
  let times = 0;
  const done = (async () => {
    for (; running; times++) await client.query(text, values);
  })();
  // A failure is told where the loop is ended.
  done.catch(() => undefined);
  return async () => {
    running = false;
    await done;
    return times;
  };
}

describe.each(sharedVersions())('a busy bell (PostgreSQL %i)', (version) => {
  test('a flood of forged notifications changes no number and stops no counting', async () => {
    const it = await scene(version);
    const role = `forger_${Math.random().toString(36).slice(2)}`;
    await it.sql(`CREATE ROLE ${role} LOGIN`);
    await it.insert(100);
    await until(() => it.counted() === 100, 'counted');
    await it.armed();
    const forged = new URL(it.url);
    forged.username = role;
    const forgers = await Promise.all([it.session(forged.href), it.session(forged.href)]);
    const text = `SELECT pg_notify($1, rpad('{"id": 1, "operation_type": "created", "status": "error"}', $2, 'x'))`;
    const slow = forgers[0] as pg.Client;

    // At a pace that the bell itself could have: each one wakes the reader, which finds nothing.
    const before = it.monitor.source();
    for (let i = 0; i < 50; i++) {
      await slow.query(text, [channel, 7_999 - i]);
      await sleep(10); // the pace of the forger, not a wait
    }
    await until(() => it.monitor.source().bells >= before.bells + 50, 'heard');
    expect(it.monitor.source().polls - before.polls).toBeLessThanOrEqual(60);

    // As fast as the server lets them.
    const from = { at: performance.now(), polls: it.monitor.source().polls };
    const floods = forgers.map((forger) => repeat(forger, text, [channel, 7_999]));
    await until(() => bell(it).mode === 'disarmed', 'disarmed');
    const ms = await it.counts(20, () => it.insert(20));
    const used = performance.eventLoopUtilization();
    const until2 = performance.now() + 1_500;
    await until(() => performance.now() > until2, 'the flood has lasted a while');
    const { utilization } = performance.eventLoopUtilization(used);
    const polls = it.monitor.source().polls - from.polls;
    const seconds = (performance.now() - from.at) / 1000;
    const sent = (await Promise.all(floods.map((stop) => stop()))).reduce((sum, n) => sum + n, 0);
    console.log(
      `PostgreSQL ${version}: ${Math.round(sent / seconds)} forged notifications/s, ${Math.round(polls / seconds)} polls/s, rows counted after ${ms} ms, event loop (forgers included) busy ${Math.round(utilization * 100)} %`,
    );
    expect(ms).toBeLessThan(4_000);
    // One each 15 ms is what a busy table gets; woken by each bell it would be thousands.
    expect(polls / seconds).toBeLessThan(150);
    expect(await it.differences()).toEqual([]);
    expect(it.counted()).toBe(120);
    expect(it.monitor.source()).toMatchObject({ resets: 0, connected: true });
    await it.sql(`DROP ROLE ${role}`);
    await it.end();
  });

  test('8 writers as fast as they can: disarmed, nobody notifies; armed again when it is quiet', async () => {
    const it = await scene(version);
    const heard = await it.session();
    let notified = 0;
    heard.on('notification', () => {
      notified++;
    });
    await heard.query(`LISTEN ${channel}`);
    await it.armed();
    const writers = await it.writers(8, { weights: NO_OTHER_KIND });
    await until(() => bell(it).mode === 'disarmed', 'disarmed');
    const { reason } = bell(it);
    // What was on its way when the key was let go has arrived.
    const disarmedAt = it.monitor.source().rowsRead;
    await until(() => it.monitor.source().rowsRead > disarmedAt + 500, 'rows go on');
    const from = { ...it.monitor.source(), notified };
    await until(() => it.monitor.source().rowsRead > from.rowsRead + 5_000, 'many more rows');
    expect(it.monitor.source().bells).toBe(from.bells);
    expect(notified).toBe(from.notified);
    expect(bell(it).mode).toBe('disarmed');
    console.log(`PostgreSQL ${version}: disarmed after ${from.bells} bells: ${reason}`);
    await Promise.all(writers.map((writer) => writer.stop()));
    expect(writers.map((writer) => writer.error?.message).filter(Boolean)).toEqual([]);
    await it.armed();
    await it.counts(1, () => it.insert());
    expect(it.monitor.source().bells).toBeGreaterThan(from.bells);
    expect(await it.differences()).toEqual([]);
    await it.end();
  });

  describe('where a flush takes 20 ms', () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await ownCluster(version, { commit_delay: '20000', commit_siblings: '0' });
    });
    afterAll(() => cluster.destroy());

    test('writers that wait for the commit lock get the bell disarmed, few as they are', async () => {
      const it = await scene(version, { cluster });
      await it.armed();
      const clients = await Promise.all([0, 1, 2, 3].map(() => it.session()));
      const [a, b, c, d] = clients as [pg.Client, pg.Client, pg.Client, pg.Client];
      const reasons = new Set<string>();
      const modes: string[] = [];
      const watch = setInterval(() => {
        reasons.add(bell(it).reason);
        if (modes.at(-1) !== bell(it).mode) modes.push(bell(it).mode);
      }, 1);
      let rows = 0;
      const write = (client: pg.Client) => {
        let running = true;
        const done = (async () => {
          for (; running; rows++) await insertInto(client, 'customer_sync_logs');
        })();
        return async () => {
          running = false;
          await done;
        };
      };
      const others = [c, d].map((client) => repeat(client, 'NOTIFY portal_cache'));
      const writers = [a, b].map(write);
      await until(() => bell(it).mode === 'disarmed', 'disarmed');
      const first = it.monitor.source();
      await until(() => it.monitor.source().rowsRead > first.rowsRead + 50, 'rows go on');
      const { bells, rowsRead } = it.monitor.source();
      for (const stop of [...writers, ...others]) await stop();
      clearInterval(watch);
      console.log(
        `PostgreSQL ${version}: contended, ${bells} bells for ${rowsRead} rows; ${modes.join(', ')}; ${[...reasons].join('; ')}`,
      );
      // Their rate alone would not tell: four sessions of 50 commits a second each at the very most.
      expect([...reasons].some((reason) => /commit lock|contention/.test(reason))).toBe(true);
      expect([...reasons].some((reason) => /each 5 ms|somebody else/.test(reason))).toBe(false);
      await it.armed();
      expect(await it.differences()).toEqual([]);
      expect(it.counted()).toBe(rows);
      await it.end();
    });
  });
});
