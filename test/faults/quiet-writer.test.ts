import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMonitor } from '../../src/monitor.js';
import { keysOf } from '../../src/source/keeper.js';
import { adminUrl, sharedVersions } from '../setup/database.js';
import { ask, type Cluster } from '../setup/postgres.js';
import { connect, insertInto, ownCluster, type Scene, scene, until } from './scene.js';

const TABLE = 'customer_sync_logs';
const keys = keysOf('public.customer_sync_logs');

/** Counts what is notified on the bell's channel, whoever sends it. */
async function earsOf(it: Scene) {
  const ears = await it.session();
  const heard: string[] = [];
  ears.on('notification', ({ payload }) => heard.push(payload ?? ''));
  await ears.query(`LISTEN ${keys.channel}`);
  let marks = 0;
  return {
    /** Bells that `act` rang: all have arrived when a mark sent after them has. */
    async bells(act: () => Promise<unknown>): Promise<number> {
      const before = heard.length;
      await act();
      const mark = `mark ${++marks}`;
      await ears.query('SELECT pg_notify($1, $2)', [keys.channel, mark]);
      await until(() => heard.includes(mark), 'the mark is heard');
      return heard.length - before - 1;
    },
  };
}

/** Every way of writing a row that a trigger could spoil. @returns rows that were committed */
async function writeInAllWays(portal: pg.Client, stranger: pg.Client): Promise<number> {
  await insertInto(portal, TABLE);
  await portal.query('BEGIN ISOLATION LEVEL SERIALIZABLE');
  await portal.query(`SELECT count(*) FROM ${TABLE}`);
  await insertInto(portal, TABLE);
  await portal.query('COMMIT');
  await portal.query('BEGIN ISOLATION LEVEL READ COMMITTED; SAVEPOINT a');
  await insertInto(portal, TABLE);
  await portal.query('ROLLBACK TO a; SAVEPOINT b');
  await insertInto(portal, TABLE);
  await portal.query('RELEASE b; COMMIT');
  await portal.query(
    `DO $$ BEGIN BEGIN INSERT INTO ${TABLE} (operation_type, status) VALUES ('created', 'success'); EXCEPTION WHEN OTHERS THEN NULL; END; END $$`,
  );
  await portal.query(`COPY ${TABLE} (operation_type, status) FROM PROGRAM 'echo "created\tsuccess"'`);
  await portal.query(`INSERT INTO ${TABLE} (operation_type, status) SELECT 'created', 'success' WHERE false`);
  await portal.query(`UPDATE ${TABLE} SET status = 'success' WHERE id = (SELECT min(id) FROM ${TABLE})`);
  await stranger.query(`INSERT INTO ${TABLE} (operation_type, status) VALUES ('created', 'success')`);
  return 6;
}

/** A role that may write the table and nothing else: it lacks USAGE on the schema of the bell's function. */
async function strangerTo(it: Scene): Promise<{ client: pg.Client; role: string }> {
  const role = `portal_${Math.random().toString(36).slice(2)}`;
  await it.sql(`CREATE ROLE ${role} LOGIN; GRANT INSERT ON ${TABLE} TO ${role};
    REVOKE ALL ON SCHEMA sync_monitor FROM PUBLIC; REVOKE ALL ON FUNCTION sync_monitor.ring() FROM PUBLIC`);
  const url = new URL(it.url);
  url.username = role;
  const client = await it.session(url.href);
  const { rows } = await client.query(`SELECT has_schema_privilege('sync_monitor', 'USAGE') AS may`);
  expect(rows[0].may).toBe(false);
  return { client, role };
}

describe.each(sharedVersions())('what the trigger means for a writer (PostgreSQL %i)', (version) => {
  test('armed it rings, in every kind of transaction; with a standby only or no monitor it is silent', async () => {
    const it = await scene(version);
    const portal = await it.session();
    const { client: stranger, role } = await strangerTo(it);
    const ears = await earsOf(it);
    let rows = 0;
    const write = async () => {
      rows += await writeInAllWays(portal, stranger);
    };

    await it.armed();
    expect(await ears.bells(write)).toBeGreaterThanOrEqual(6);
    await until(() => it.counted() === rows, 'counted');
    expect(await it.differences()).toEqual([]);
    await it.armed();
    const [trigger] = await it.sql(
      `SELECT tgenabled FROM pg_trigger WHERE tgname = 'sync_monitor_bell' AND tgrelid = '${TABLE}'::regclass`,
    );
    expect(trigger?.tgenabled).toBe('O');

    // Another one leads, as far as this one can see; it holds nothing but its place in the queue.
    await it.monitor.stop();
    const leader = await connect(it.url);
    await leader.query('SELECT pg_advisory_lock($1)', [keys.leader]);
    const standby = await startMonitor({ databaseUrl: it.url });
    try {
      await until(() => standby.source().role === 'standby', 'standing by');
      expect(await ears.bells(write)).toBe(0);
      expect(standby.source().role).toBe('standby');
    } finally {
      await standby.stop();
      await leader.end();
    }

    expect(await ears.bells(write)).toBe(0);
    const [table] = await it.sql(`SELECT count(*)::int AS n FROM ${TABLE}`);
    expect(table?.n).toBe(rows);
    await it.end();
    // A role belongs to the cluster; it can go when the database that it may write to is gone.
    await ask(adminUrl(version), `DROP ROLE ${role}`);
  });

  describe('when the notification queue fills', () => {
    let cluster: Cluster;
    beforeAll(async () => {
      // 15 has 8 GB and no setting; 18 is made to have 8 MB, so that it can be filled to the brim.
      cluster = await ownCluster(version, version === 18 ? { max_notify_queue_pages: '1024' } : {});
    });
    afterAll(() => cluster.destroy());

    test('disarmed as soon as somebody else lets it fill; full or not, the INSERT succeeds', async () => {
      const it = await scene(version, { cluster });
      const [stuck, sender, portal] = (await Promise.all([it.session(), it.session(), it.session()])) as [
        pg.Client,
        pg.Client,
        pg.Client,
      ];
      const usage = async () =>
        Number((await it.sql('SELECT pg_notification_queue_usage() AS usage'))[0]?.usage);
      const send = (count: number) =>
        sender.query(
          `SELECT pg_notify('portal_cache', rpad(i::text, 7000, 'x')) FROM generate_series(1, $1::int) i`,
          [count],
        );
      await it.counts(10, () => it.insert(10));
      await it.armed();
      // A listener whose transaction never ends keeps all that is sent from being forgotten.
      await stuck.query('LISTEN portal_cache');
      await stuck.query('BEGIN');
      await stuck.query('SELECT 1');
      await send(version === 18 ? 30 : 14_000);
      const filled = await usage();
      expect(filled).toBeGreaterThan(0.01);
      await until(() => it.monitor.source().bell.mode === 'disarmed', 'disarmed');
      expect(it.monitor.source().bell.reason).toMatch(/notification queue is filling/);
      expect(it.monitor.source().notificationQueueUsage).toBeGreaterThan(0.01);
      await it.counts(5, () => insertInto(portal, TABLE, 5));

      if (version === 18) {
        // To the last page: now every NOTIFY fails, and with it the transaction that sends it.
        await send(850);
        await expect(send(500)).rejects.toThrow(/too many notifications in the NOTIFY queue/);
      }
      await it.counts(5, () => insertInto(portal, TABLE, 5));
      expect(it.monitor.source().bell.mode).not.toBe('armed');
      console.log(
        `PostgreSQL ${version}: disarmed at ${(filled * 100).toFixed(1)} % of the notification queue, rows written at ${((await usage()) * 100).toFixed(1)} %`,
      );

      await stuck.query('COMMIT');
      await until(async () => (await usage()) < 0.01, 'the queue is empty again');
      await it.armed();
      expect(await it.differences()).toEqual([]);
      expect(it.counted()).toBe(20);
      await it.end();
    });
  });
});
