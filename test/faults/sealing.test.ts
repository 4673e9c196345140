import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Link } from '../../src/source/connection.js';
import { migrate } from '../../src/source/migrate.js';
import { discoverTable } from '../../src/source/table.js';
import { sharedVersions } from '../setup/database.js';
import type { Cluster } from '../setup/postgres.js';
import { SQL_DIR } from '../source/collector.js';
import { connect, insertInto, ownCluster, type Scene, scene, until } from './scene.js';

const TABLE = 'customer_sync_logs';

const source = (it: Scene) => it.monitor.source();

/** Every id up to the newest is settled. */
const sealed = (it: Scene) =>
  until(() => source(it).unsealedIds === 0 && source(it).sealedId === source(it).highId, 'sealed');

/** Begins a transaction that has written rows. */
async function holding(client: pg.Client, rows: number): Promise<void> {
  await client.query('BEGIN');
  await insertInto(client, TABLE, rows);
}

/** An earlier start has put the bell on the table: it is not installed beside open transactions. */
async function installed(url: string): Promise<void> {
  const link = new Link('setup', { url });
  await link.connect();
  await migrate(link, await discoverTable(link, TABLE), 'auto', SQL_DIR);
  link.close();
}

/** The monitor has looked at the locks a few times more. */
async function looks(it: Scene): Promise<void> {
  const { polls } = source(it);
  const at = Date.parse(it.monitor.latest()?.at ?? '');
  await until(
    () => source(it).polls > polls + 3 && Date.parse(it.monitor.latest()?.at ?? '') - at > 1_200,
    'looked again',
  );
}

describe.each(sharedVersions())('what may hold back the seal (PostgreSQL %i)', (version) => {
  test('a transaction elsewhere and a VACUUM of the table do not', async () => {
    const it = await scene(version, {
      before: async (client) => {
        await client.query('CREATE TABLE elsewhere (id int)');
        await insertInto(client, TABLE, 30_000);
        await client.query(`DELETE FROM ${TABLE} WHERE id % 2 = 0 AND id < 20000`);
      },
    });
    const [elsewhere, vacuum] = (await Promise.all([it.session(), it.session()])) as [pg.Client, pg.Client];
    await elsewhere.query('BEGIN');
    await elsewhere.query('LOCK TABLE elsewhere IN ACCESS EXCLUSIVE MODE');
    await elsewhere.query('INSERT INTO elsewhere VALUES (1)');
    await elsewhere.query(`SELECT count(*) FROM ${TABLE}`);
    await vacuum.query(
      'SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1; SET vacuum_cost_page_dirty = 10000',
    );
    const vacuuming = vacuum.query(`VACUUM ${TABLE}`).then(
      () => 'done',
      (error: Error) => error.message,
    );
    const running = async () =>
      (await it.sql(`SELECT pid FROM pg_stat_progress_vacuum WHERE relid = '${TABLE}'::regclass`))[0]?.pid;
    await until(async () => (await running()) !== undefined, 'the VACUUM runs');

    const before = source(it).sealedId;
    const ms = await it.counts(20, () => it.insert(20));
    // Holes too: taken and rolled back.
    await it.sql('BEGIN');
    await it.insert(500);
    await it.sql('ROLLBACK');
    await it.insert();
    await until(() => source(it).highId >= before + 521, 'seen');
    await sealed(it);
    const pid = await running();
    expect(pid, 'the VACUUM still runs').toBeDefined();
    console.log(
      `PostgreSQL ${version}: beside an open transaction and a VACUUM rows were counted after ${ms} ms`,
    );
    await it.sql('SELECT pg_cancel_backend($1)', [pid]);
    expect(await vacuuming).toMatch(/canceling/);
    await elsewhere.query('COMMIT');
    expect(await it.differences()).toEqual([]);
    await it.end();
  });

  test('one that wrote and idles stalls the seal and nothing else; an import held open likewise', async () => {
    const it = await scene(version);
    const [idler, importer] = (await Promise.all([it.session(), it.session()])) as [pg.Client, pg.Client];
    await holding(idler, 10);
    let slowest = 0;
    const singles = async (n: number) => {
      for (let i = 0; i < n; i++) slowest = Math.max(slowest, await it.counts(1, () => it.insert()));
    };
    await singles(5);
    expect(it.counted()).toBe(5);
    expect(source(it)).toMatchObject({ unsealedIds: 10, sealedId: 0, highId: 15 });
    const lag = source(it).sealLagMs;
    expect(lag).toBeGreaterThan(0);
    await until(() => source(it).sealLagMs > lag + 500, 'its lag grows');
    expect(it.monitor.latest()?.completeness.state).toBe('complete');
    await it.counts(10, () => idler.query('COMMIT'));
    await sealed(it);
    expect(source(it).sealLagMs).toBe(0);

    await holding(idler, 10);
    await singles(1);
    await until(() => source(it).unsealedIds === 10, 'open');
    await idler.query('ROLLBACK');
    await sealed(it);
    expect(it.counted()).toBe(16);

    await holding(idler, 3);
    await holding(importer, 100_000);
    await singles(10);
    expect(source(it).unsealedIds).toBe(100_003);
    const ms = await it.counts(100_000, () => importer.query('COMMIT'));
    // The other one holds on to its own holes only.
    await until(() => source(it).unsealedIds === 3, 'the holes of the import are closed');
    await it.counts(3, () => idler.query('COMMIT'));
    await sealed(it);
    console.log(
      `PostgreSQL ${version}: a single row beside open transactions was counted after ${slowest} ms at the most, the import of 100,000 ${ms} ms after its COMMIT`,
    );
    expect(slowest).toBeLessThan(4_000);
    expect(await it.differences()).toEqual([]);
    expect(source(it)).toMatchObject({ resets: 0, givenUp: 0 });
    await it.end();
  });

  test('one that is older than the monitor, and one that outlives a reset: both are counted at last', async () => {
    let older: pg.Client | undefined;
    const it = await scene(version, {
      before: async (client, url) => {
        await installed(url);
        await insertInto(client, TABLE, 20);
        older = await connect(url);
        await holding(older, 10);
        await insertInto(client, TABLE, 5);
      },
    });
    expect(it.counted()).toBe(25);
    expect(source(it).bell.mode).not.toBe('off');
    await it.counts(5, () => it.insert(5));
    expect(source(it).sealLagMs).toBeGreaterThan(0);
    await it.counts(10, async () => older?.query('COMMIT'));
    await until(() => source(it).sealLagMs === 0, 'settled');

    await older?.query('BEGIN');
    if (older) await insertInto(older, TABLE, 7);
    await it.counts(1, () => it.insert());
    // All at once, so that none outlives the others; again where one was made in between.
    let killed = Number.NEGATIVE_INFINITY;
    await until(async () => {
      if (performance.now() - killed > 4_000) {
        killed = performance.now();
        await it.sql(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE application_name = 'customer-sync-monitor' AND datname = current_database()`,
        );
      }
      return source(it).resets > 0;
    }, 'a reset');
    await until(
      () => it.monitor.latest()?.completeness.state === 'complete' && it.counted() === 41,
      'rebuilt',
    );
    await it.insert(4);
    await until(() => it.counted() === 45, 'counted');
    await it.counts(7, async () => older?.query('COMMIT'));
    expect(await it.differences()).toEqual([]);
    expect(it.counted()).toBe(52);
    await older?.end();
    await it.end();
  });

  describe('where transactions can be prepared', () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await ownCluster(version, { max_prepared_transactions: '4' });
    });
    afterAll(() => cluster.destroy());

    test('a prepared transaction holds back its ids; the bell is off by itself', async () => {
      const it = await scene(version, { cluster });
      expect(source(it).bell).toMatchObject({
        configured: 'auto',
        mode: 'off',
        reason: expect.stringContaining('max_prepared_transactions is 4'),
      });
      const portal = await it.session();
      await holding(portal, 10);
      await it.counts(5, () => it.insert(5));
      await until(() => source(it).unsealedIds === 10, 'open');
      // Seen open first, prepared then: it must still be known as the same holder.
      await portal.query(`PREPARE TRANSACTION 'csm 1'`);
      await holding(portal, 20);
      await portal.query(`PREPARE TRANSACTION 'csm 2'`); // prepared before it is ever seen open
      await it.counts(5, () => it.insert(5));
      await looks(it);
      expect(source(it).unsealedIds).toBe(30);
      await it.counts(10, () => portal.query(`COMMIT PREPARED 'csm 1'`));
      await until(() => source(it).unsealedIds === 20, 'the other one holds on');
      await portal.query(`ROLLBACK PREPARED 'csm 2'`);
      await sealed(it);
      expect(await it.differences()).toEqual([]);
      expect(it.counted()).toBe(20);
      expect(source(it).resets).toBe(0);
      await it.end();
    });
  });
});
