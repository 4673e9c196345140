/** What was open while the windows were filled, and what does not fit: counted once, or said. */
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freshDatabase, sharedVersions, type TestDatabase } from '../setup/database.js';
import { type Followed, follow, until } from './collector.js';
import { createTable } from './tables.js';

const ROW = `(operation_type, status) VALUES ('sync_changes', 'success')`;

describe.each(sharedVersions())('on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let client: pg.Client;
  let followed: Followed | undefined;
  const clients: pg.Client[] = [];

  beforeEach(async () => {
    db = await freshDatabase(version);
    client = await connect();
  });
  afterEach(async () => {
    await followed?.stop();
    followed = undefined;
    for (const one of clients.splice(0)) await one.end();
    await db.drop();
  });

  async function connect(): Promise<pg.Client> {
    const one = new pg.Client(db.url);
    await one.connect();
    clients.push(one);
    return one;
  }

  /** The folded rows are those of the table, each once, in their present state. */
  async function same(here: Followed, table = 'customer_sync_logs'): Promise<void> {
    const theirs = async () => {
      const { rows } = await client.query(`SELECT id::text, status FROM ${table} ORDER BY ${table}.id`);
      return rows.map(({ id, status }) => `${id} ${status}`);
    };
    const ours = () =>
      [...here.collector.rows.values()]
        .sort((a, b) => Number(a.id) - Number(b.id))
        .map(({ id, status }) => `${id} ${status}`);
    await until(async () => ours().join() === (await theirs()).join(), 'the same rows').catch(
      () => undefined,
    );
    expect(ours()).toEqual(await theirs());
    expect(here.collector.faults).toEqual([]);
  }

  async function polled(here: Followed, n: number): Promise<void> {
    const { polls } = here.source.state();
    await until(() => here.source.state().polls > polls + n, `${n} more polls`);
  }

  describe.each([
    ['read by time', 'SELECT 1'],
    ['read by id', 'DROP INDEX sync_log_status_idx'],
  ])('transactions that were open at the start, the history %s', (_, change) => {
    test('bring their rows when they commit, once, and hold back nothing but the seal', async () => {
      await client.query(change);
      await client.query(
        `INSERT INTO customer_sync_logs (operation_type, status) SELECT 'created', 'success' FROM generate_series(1, 700)`,
      );
      await (await follow(db.url)).stop(); // the bell is there: nobody waits for the table's lock
      const [one, two, aborted] = [await connect(), await connect(), await connect()];
      for (const open of [one, two, aborted])
        await open.query(`BEGIN; INSERT INTO customer_sync_logs ${ROW}, ('created', 'pending')`);
      await client.query(`INSERT INTO customer_sync_logs ${ROW}`);
      const here = await follow(db.url);
      followed = here;
      await until(() => here.collector.rows.size === 701, 'the history');
      await until(() => here.source.completeness().state === 'complete', 'complete');
      expect(here.source.state().sealLagMs).toBeGreaterThan(0);
      // The live rows flow meanwhile; those of a transaction come when it ends, old ids and new ones.
      await client.query(`INSERT INTO customer_sync_logs ${ROW}`);
      await until(() => here.collector.rows.size === 702, 'the live row');
      await one.query(`INSERT INTO customer_sync_logs ${ROW}; COMMIT`);
      await same(here);
      expect(here.collector.rows.size).toBe(705);
      expect(here.source.state().sealLagMs).toBeGreaterThan(0);
      await aborted.query('ROLLBACK');
      await client.query(`UPDATE customer_sync_logs SET status = 'error' WHERE status = 'pending'`);
      await same(here);
      await two.query('COMMIT');
      await same(here);
      await until(() => here.source.state().sealLagMs === 0, 'all is sealed');
      await polled(here, 3);
      await same(here);
      expect(here.collector.resets).toBe(1); // the one of the start
    });
  });

  test('pages of history, of pending rows and of one moment are read through', async () => {
    // More than a page of 10,000 each; and more than a page with one and the same created_at.
    await client.query(`INSERT INTO customer_sync_logs (operation_type, status, created_at)
      SELECT 'created', CASE WHEN n % 2 = 0 THEN 'pending' ELSE 'success' END, now() - interval '1 hour' FROM generate_series(1, 24000) n`);
    await client.query(`INSERT INTO customer_sync_logs (operation_type, status, created_at)
      SELECT 'created', CASE WHEN n % 2 = 0 THEN 'pending' ELSE 'success' END, now() - interval '3 days' FROM generate_series(1, 10) n`);
    const here = await follow(db.url);
    followed = here;
    await until(() => here.collector.rows.size === 24_005, 'the recent rows and the pending ones of any age');
    await client.query(`UPDATE customer_sync_logs SET status = 'failed' WHERE status = 'pending'`);
    await until(() => here.source.state().pendingTracked === 0, 'every pending row is followed');
    expect([...here.collector.rows.values()].filter(({ status }) => status === 'failed')).toHaveLength(
      12_005,
    );
    expect(here.collector.faults).toEqual([]);
  });

  describe('what does not fit is counted and said', () => {
    test('pending rows beyond the bound', async () => {
      await client.query(
        `INSERT INTO customer_sync_logs (operation_type, status) SELECT 'created', 'pending' FROM generate_series(1, 10)`,
      );
      const here = await follow(db.url, { overrides: { pendingLimit: 3 } });
      followed = here;
      await until(() => here.collector.rows.size === 10, 'all rows');
      expect(here.source.state()).toMatchObject({ pendingTracked: 3, pendingUntracked: 7 });
      await until(() => here.source.completeness().state === 'incomplete', 'it says so');
      expect(here.source.completeness()).toEqual({
        state: 'incomplete',
        ratio: 10 / 17,
        reasons: ['7 pending rows beyond the bound are followed slowly.'],
      });
    });

    test('ids beyond the sequence: followed in pages, and said when the gaps between them are too many', async () => {
      const here = await follow(db.url);
      followed = here;
      await client.query(`INSERT INTO customer_sync_logs (id, operation_type, status)
        SELECT 1000000 + n, 'created', 'success' FROM generate_series(1, 12000) n`);
      await same(here);
      expect(here.source.state().aheadRows).toBe(12_000);
      await until(() => here.source.completeness().state === 'complete', 'complete');
      await client.query(`INSERT INTO customer_sync_logs (id, operation_type, status)
        SELECT 2000000 + 2 * n, 'created', 'success' FROM generate_series(1, 2100) n`);
      await same(here);
      await until(() => here.source.completeness().state === 'incomplete', 'it says so');
      expect(here.source.completeness()).toEqual({
        state: 'incomplete',
        ratio: null,
        reasons: ['There are more ids beyond the sequence than can be followed.'],
      });
      // The sequence catches up: they are the cursor's, and nothing is counted again.
      await client.query(`SELECT setval('customer_sync_logs_id_seq', 3000000)`);
      await client.query(`INSERT INTO customer_sync_logs ${ROW}`);
      await same(here);
      await until(() => here.source.completeness().state === 'complete', 'all is followed again');
      expect(here.source.state()).toMatchObject({ aheadRows: 0, resets: 0 });
    });

    test('ids beyond what a number holds: a thousand of them are remembered', async () => {
      const here = await follow(db.url);
      followed = here;
      await client.query(`INSERT INTO customer_sync_logs (id, operation_type, status)
        SELECT 9007199254740992 + n, 'created', 'success' FROM generate_series(1, 1200) n`);
      await same(here);
      await until(() => here.source.completeness().state === 'incomplete', 'it says so');
      await polled(here, 2);
      await same(here);
    });
  });

  test('tables that inherit in the old way count, and their writers hold back the seal', async () => {
    await client.query(`${createTable('parent', { id: 'bigserial PRIMARY KEY', created_at: 'timestamptz DEFAULT clock_timestamp()' })};
      CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent); INSERT INTO child ${ROW}`);
    const here = await follow(db.url, { table: 'parent' });
    followed = here;
    await same(here, 'parent');
    const open = await connect();
    // Locks the child alone: whoever looks at the parent's locks only would give this id up.
    await open.query(`BEGIN; INSERT INTO child ${ROW}`);
    await client.query(`INSERT INTO parent ${ROW}`);
    await until(() => here.collector.rows.size === 2, 'the row behind it');
    await polled(here, 3);
    expect(here.source.state().unsealedIds).toBe(1);
    await open.query('COMMIT');
    await same(here, 'parent');
    expect(here.collector.rows.size).toBe(3);
  });
});
