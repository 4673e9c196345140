/** The first start on a full table: newest first, live rows meanwhile, and each row once. */
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SourceOptions } from '../../src/source/source.js';
import { freshDatabase, sharedVersions, type TestDatabase } from '../setup/database.js';
import { until } from './collector.js';
import { type Kept, keep, MemoryHistory } from './history.js';
import { randomOf, Writer } from './writers.js';

/** Printed, so that a failing run can be repeated. */
const SEED = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 1e6));
/** Pages of 300 rows. */
const SLOWLY = { backfillRowsPerSecond: 3_000 };

describe.each(sharedVersions())('on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let client: pg.Client;
  let history: MemoryHistory;
  let here: Kept | undefined;
  const clients: pg.Client[] = [];

  beforeEach(async () => {
    db = await freshDatabase(version);
    client = await connect();
    history = new MemoryHistory();
  });
  afterEach(async () => {
    await here?.stop();
    here = undefined;
    for (const one of clients.splice(0)) await one.end();
    await db.drop();
  });

  async function connect(): Promise<pg.Client> {
    const one = new pg.Client(db.url);
    await one.connect();
    clients.push(one);
    return one;
  }

  async function start(overrides: Partial<SourceOptions> = SLOWLY): Promise<Kept> {
    here = await keep(db.url, history, overrides);
    return here;
  }

  async function stop(): Promise<void> {
    await here?.stop();
    here = undefined;
  }

  /** Installs the bell: what is open at the start would hold that up. */
  async function migrated(): Promise<void> {
    await start();
    await until(() => history.begun === 1, 'begun');
    await stop();
    history = new MemoryHistory();
    history.opened = 1;
  }

  /** Rows of the last 60 hours, oldest first. */
  const fill = (rows: number, status = 'success') =>
    client.query(
      `INSERT INTO customer_sync_logs (operation_type, status, customer_id, duration_ms, created_at)
       SELECT (ARRAY['created','export_to_1c','conflict_resolution','customer_identification'])[1 + n % 4],
         CASE WHEN n % 11 = 0 THEN 'error' ELSE $2 END, n % 500, n % 3000, now() - interval '60 hours' * (1 - n / $1::float8)
       FROM generate_series(1, $1::int) n`,
      [rows, status],
    );

  const count = async () =>
    Number((await client.query('SELECT count(*) AS n FROM customer_sync_logs')).rows[0].n);

  /** The floor has come down to this part of the ids. */
  const down = (it: Kept, part: number) =>
    until(() => {
      const { backfill } = it.source.state();
      return backfill === null ? history.state?.floor === null : backfill.percent >= part;
    }, `${part} % read`);

  describe.each([
    ['with its indexes', 'SELECT 1'],
    ['without', 'DROP INDEX sync_log_created_idx; DROP INDEX sync_log_status_idx'],
  ])('a full table %s', (_, change) => {
    test('with transactions open over it, old pending rows that change, and a stop in the middle', async () => {
      await migrated();
      await client.query(change);
      const [commits, aborts, outlives] = [await connect(), await connect(), await connect()];
      for (const one of [commits, aborts, outlives]) await one.query('BEGIN');
      const low = `INSERT INTO customer_sync_logs (operation_type, status, created_at)
        SELECT 'updated', CASE WHEN n = 1 THEN 'pending' ELSE 'success' END, now() - interval '50 hours' FROM generate_series(1, 5) n`;
      await fill(1_000);
      for (const one of [commits, aborts, outlives]) await one.query(low);
      await fill(3_000);
      await client.query(`INSERT INTO customer_sync_logs (operation_type, status, created_at)
        SELECT 'export_to_1c', 'pending', now() - interval '3 days' FROM generate_series(1, 6)`);
      await client.query(`SELECT setval('customer_sync_logs_id_seq', 6000)`); // a gap that nobody fills
      await client.query(`BEGIN; ${low}; ROLLBACK`);
      for (const one of [commits, aborts, outlives]) await one.query(low);
      await fill(2_000);

      const first = await start();
      await down(first, 10);
      expect(first.source.completeness().state).toBe('catching_up');
      expect(first.source.completeness().reasons[0]).toMatch(
        /being filled from the table, of which \d+\.\d % has been read/,
      );
      // Live rows flow; old pending rows settle and vanish; ids in the gap are given explicitly.
      await client.query(
        `INSERT INTO customer_sync_logs (operation_type, status) VALUES ('created', 'success')`,
      );
      await until(() => [...first.origins.values()].includes('live'), 'a live row');
      expect(first.source.state().backfill).not.toBeNull();
      const { rows } = await client.query(
        `SELECT id FROM customer_sync_logs WHERE status = 'pending' AND created_at < now() - interval '70 hours' ORDER BY id`,
      );
      const [settled, gone, typed] = rows.map(({ id }) => Number(id));
      await client.query(`UPDATE customer_sync_logs SET status = 'success' WHERE id = $1`, [settled]);
      await client.query(`DELETE FROM customer_sync_logs WHERE id = $1`, [gone]);
      await client.query(`UPDATE customer_sync_logs SET operation_type = 'updated' WHERE id = $1`, [typed]);
      await client.query(
        `INSERT INTO customer_sync_logs (id, operation_type, status, created_at) SELECT 5000 + n, 'skipped', 'skipped', now() - interval '30 hours' FROM generate_series(1, 20) n`,
      );
      await commits.query('COMMIT');
      await down(first, 50);
      const { floor } = history.state ?? {};
      expect(floor).toBeGreaterThan(100);
      await stop();
      expect(history.state?.floor).toBeLessThanOrEqual(floor ?? 0);

      // Down: another old pending row settles, a transaction ends, rows come.
      await client.query(`UPDATE customer_sync_logs SET status = 'error' WHERE id = $1`, [
        Number(rows[3].id),
      ]);
      await aborts.query('ROLLBACK');
      await fill(50);
      const second = await start();
      await down(second, 80);
      await outlives.query(low);
      await outlives.query('COMMIT');
      await second.agrees(client);
      expect(history.begun).toBe(1);
      expect(history.state).toMatchObject({ floor: null, holes: [], ahead: [] });
      expect(second.log.join('\n')).toMatch(/the whole table is in history: \d+ rows/);
      // All is there: one more start reads nothing of it again.
      await stop();
      const third = await start();
      await third.agrees(client);
      expect(third.source.state().backfill).toBeNull();
      expect(third.source.state().rowsRead).toBeLessThan(1_000);
    });
  });

  test('the windows are complete before the whole table is read, and say so', async () => {
    await migrated();
    await fill(6_000);
    const it = await start();
    await until(() => it.source.completeness().state === 'complete', 'the windows are complete');
    const { backfill } = it.source.state();
    // 25 of 60 hours, and a page.
    expect(backfill?.percent).toBeGreaterThan(41);
    expect(backfill?.percent).toBeLessThan(70);
    expect(backfill?.total).toBeGreaterThan(5_500);
    expect(backfill?.total).toBeLessThan(6_500);
    const { differences } = await import('../monitor/oracle.js');
    await until(async () => (await differences(client, it.latest())).length === 0, 'right windows');
    expect(it.source.state().backfill).not.toBeNull();
    await it.agrees(client);
  });

  test('waits while too much is to be flushed, and keeps to its speed', async () => {
    await fill(3_000);
    history.full = true;
    const it = await start({ backfillRowsPerSecond: 1_000_000 });
    const { polls } = it.source.state();
    await until(() => it.source.state().polls > polls + 10, 'some rounds');
    expect(it.source.state()).toMatchObject({ backfill: { rows: 0 }, rowsRead: 0 });
    history.full = false;
    await it.agrees(client);
    await stop();

    history = new MemoryHistory();
    history.opened = 1;
    const before = performance.now();
    const slow = await start({ backfillRowsPerSecond: 2_000 });
    await slow.agrees(client);
    // 3,000 rows at 2,000 a second; the last page is not waited for.
    expect(performance.now() - before).toBeGreaterThan(1_200);
  });

  test('an empty table, and one whose only rows are still to be committed', async () => {
    await migrated();
    const open = await connect();
    await open.query(
      `BEGIN; INSERT INTO customer_sync_logs (operation_type, status) SELECT 'created', 'success' FROM generate_series(1, 3)`,
    );
    const it = await start();
    await until(() => it.source.completeness().state === 'complete', 'complete');
    expect(it.source.state()).toMatchObject({ backfill: null, unsealedIds: 3 });
    await open.query('COMMIT');
    await it.agrees(client);
    expect(history.rows.size).toBe(3);
  });

  test('more pending rows than can be tracked, among those of all time', async () => {
    await migrated();
    await fill(300, 'pending');
    await fill(1_000);
    const overrides = { ...SLOWLY, pendingLimit: 50 };
    const it = await start(overrides);
    await until(() => history.state?.floor === null, 'all is read');
    expect(it.source.state().pendingTracked).toBe(50);
    await until(() => history.state?.pending.length === 273, 'all their ids are flushed');
    await client.query(`UPDATE customer_sync_logs SET status = 'success' WHERE status = 'pending'`);
    // Each sweep follows fifty of them and reads all.
    it.source.reload('swept by the test');
    await it.agrees(client);
  });

  test('at full speed, where the next page is on its way while one is folded, under writers of every kind', async () => {
    console.log(`seed ${SEED}`);
    await migrated();
    await fill(60_000);
    const writers = Array.from(
      { length: 6 },
      (_, i) => new Writer({ url: db.url, seed: SEED + i, longMs: 800, weights: { long: 20, pending: 40 } }),
    );
    for (const writer of writers) await writer.start();
    await until(async () => (await count()) > 61_000, 'rows of the writers');
    const it = await start({});
    await until(() => history.begun === 1 && history.state?.floor === null, 'all is read');
    await Promise.all(writers.map((writer) => writer.stop()));
    expect(writers.map((writer) => writer.error?.message).filter(Boolean)).toEqual([]);
    await it.agrees(client);
  });

  test('under writers of every kind, stopped without a flush again and again', async () => {
    console.log(`seed ${SEED}`);
    await migrated();
    const random = randomOf(SEED);
    await fill(8_000);
    const writers = Array.from(
      { length: 6 },
      (_, i) => new Writer({ url: db.url, seed: SEED + i, longMs: 1_500, weights: { long: 6 } }),
    );
    for (const writer of writers) await writer.start();
    await until(async () => (await count()) > 8_500, 'rows of the writers');
    history.due = () => random() < 0.05;
    let stops = 0;
    for (let part = 10; part < 95; part += 17) {
      const it = await start({ backfillRowsPerSecond: 2_000 });
      await until(() => history.begun === 1 && it.source.state().polls > 10, 'some rounds');
      await down(it, part);
      if (it.source.state().backfill) stops++;
      await stop();
    }
    expect(stops).toBeGreaterThan(2);
    const it = await start();
    await Promise.all(writers.map((writer) => writer.stop()));
    expect(writers.map((writer) => writer.error?.message).filter(Boolean)).toEqual([]);
    history.due = () => true;
    await it.agrees(client);
    expect(history.begun).toBe(1);
  });
});
