/** A source that goes on from history: each row counted once, whatever was in flight when it stopped. */
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { identityOf } from '../../src/source/history-port.js';
import type { SourceOptions } from '../../src/source/source.js';
import { freshDatabase, sharedVersions, type TestDatabase } from '../setup/database.js';
import { until } from './collector.js';
import { type Kept, keep, MemoryHistory } from './history.js';
import { randomOf, Writer } from './writers.js';

/** Printed, so that a failing run can be repeated. */
const SEED = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 1e6));
const ROW = `(operation_type, status, customer_id, duration_ms)`;
const NO_TIME_INDEX = 'DROP INDEX sync_log_created_idx';

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

  async function start(overrides: Partial<SourceOptions> = {}): Promise<Kept> {
    here = await keep(db.url, history, overrides);
    return here;
  }

  async function stop(): Promise<void> {
    await here?.stop();
    here = undefined;
  }

  const insert = (on: pg.Client, rows: number, type = 'sync_changes', status = 'success') =>
    on.query(
      `INSERT INTO customer_sync_logs ${ROW} SELECT $2, $3, n % 7, n FROM generate_series(1, $1::int) n RETURNING id`,
      [rows, type, status],
    );

  const ids = (result: pg.QueryResult) => result.rows.map(({ id }) => Number(id));

  describe.each([
    ['indexed by created_at', 'SELECT 1'],
    ['not indexed by created_at', NO_TIME_INDEX],
  ])('a table %s', (_, change) => {
    test('goes on where it stopped: rows, holes, pending rows and ids ahead of the sequence', async () => {
      await client.query(change);
      await client.query(`INSERT INTO customer_sync_logs (operation_type, status, customer_id, created_at)
        SELECT 'created', 'success', n, now() - n * interval '9 minutes' FROM generate_series(1, 200) n`);
      const first = await start();
      await first.agrees(client);
      // In flight when it stops: three transactions, four pending rows, ids ahead of the sequence.
      const [later, meanwhile, aborted] = [await connect(), await connect(), await connect()];
      for (const open of [later, meanwhile, aborted]) {
        await open.query('BEGIN');
        await insert(open, 3);
        await insert(open, 1, 'export_to_1c', 'pending');
      }
      const [settles, vanishes, stays, changes] = ids(await insert(client, 4, 'export_to_1c', 'pending'));
      await client.query(`INSERT INTO customer_sync_logs (id, operation_type, status) VALUES
        (1000000, 'created', 'success'), (1000001, 'created', 'pending'), (9007199254740993, 'created', 'failed')`);
      const known = ids(await insert(client, 5));
      await until(() => first.source.state().aheadRows === 3, 'ids ahead of the sequence');
      await until(() => first.source.state().pendingTracked === 5, 'pending rows');
      await until(() => first.origins.has(known[4] ?? 0), 'the last row');
      const { flushes } = history;
      await until(() => history.flushes > flushes + 1, 'a flush of it');
      await stop();
      expect(history.state).toMatchObject({ floor: null, ahead: [1_000_000, '9007199254740993'] });
      expect(history.state?.holes.length).toBeGreaterThan(0);

      await client.query(`UPDATE customer_sync_logs SET status = 'success' WHERE id IN ($1, 1000001)`, [
        settles,
      ]);
      await client.query(`DELETE FROM customer_sync_logs WHERE id = $1`, [vanishes]);
      await client.query(`UPDATE customer_sync_logs SET operation_type = 'updated' WHERE id = $1`, [changes]);
      await meanwhile.query('COMMIT');
      const away = ids(await insert(client, 20));
      await client.query(`INSERT INTO customer_sync_logs (id, operation_type, status) VALUES (2000000, 'created', 'success'),
        (9007199254740995, 'created', 'success')`);

      const second = await start();
      await until(() => second.source.completeness().state === 'complete', 'complete');
      expect(second.source.state().unsealedIds).toBeGreaterThan(0);
      const live = ids(await insert(client, 2));
      await insert(later, 1);
      await later.query('COMMIT');
      await aborted.query('ROLLBACK');
      await second.agrees(client);
      expect(history.begun).toBe(1);
      const origins = (of: readonly (number | undefined)[]) =>
        new Set(of.map((id) => second.origins.get(id ?? 0)));
      // What was written meanwhile makes no event; what is written now does.
      expect(origins(away)).toEqual(new Set(['start']));
      expect(origins(live)).toEqual(new Set(['live']));
      expect(origins([settles, 1_000_001, 2_000_000])).toEqual(new Set(['start']));
      expect(origins(known)).toEqual(new Set(['window']));
      expect(origins([stays, changes])).toEqual(new Set(['window']));
      expect(second.log.join('\n')).toMatch(/windows filled from history/);

      // The sequence passes what was ahead of it: nothing is counted again, now and after one more start.
      await client.query(`SELECT setval('customer_sync_logs_id_seq', 3000000)`);
      await insert(client, 1);
      await second.agrees(client);
      await stop();
      await (await start()).agrees(client);
    });

    test('stopped without a flush at any moment, under writers of every kind', async () => {
      console.log(`seed ${SEED}`);
      await client.query(change);
      const random = randomOf(SEED);
      await start();
      await until(() => history.begun === 1, 'begun');
      await stop();
      const writers = Array.from(
        { length: 6 },
        (_, i) => new Writer({ url: db.url, seed: SEED + i, longMs: 600, weights: { long: 6 } }),
      );
      for (const writer of writers) await writer.start();
      // Rarely, so that much is in memory alone when it stops.
      history.due = () => random() < 0.05;
      for (let round = 0; round < 8; round++) {
        const it = await start();
        const { flushes } = history;
        const wanted = Math.floor(random() * 4);
        await until(() => it.source.state().polls > 10 && history.flushes >= flushes + wanted, 'some rounds');
        await stop();
      }
      const it = await start();
      await Promise.all(writers.map((writer) => writer.stop()));
      expect(writers.map((writer) => writer.error?.message).filter(Boolean)).toEqual([]);
      history.due = () => true;
      await it.agrees(client);
      expect([history.begun, it.source.state().resets]).toEqual([1, 0]);
      expect(history.rows.size).toBeGreaterThan(1_000);
    });
  });

  test('settled rows that are pending again are followed, and counted once when they settle', async () => {
    const first = await start();
    const [id] = ids(await insert(client, 1));
    await first.agrees(client);
    await stop();
    await client.query(`UPDATE customer_sync_logs SET status = 'pending' WHERE id = $1`, [id]);
    history.due = () => false;
    const second = await start();
    await until(() => second.source.state().pendingTracked === 1, 'it is followed');
    // What history has of it the audit takes out; here we do.
    history.rows.delete(id ?? 0);
    history.due = () => true;
    await until(() => second.latest().queue.pending_operations === 1, 'it is in the queue');
    await client.query(`UPDATE customer_sync_logs SET status = 'error' WHERE id = $1`, [id]);
    await second.agrees(client);
  });

  test('pending rows beyond the bound: their ids are in the checkpoint, and a start reads them again', async () => {
    const overrides = { pendingLimit: 3 };
    const first = await start(overrides);
    await insert(client, 10, 'export_to_1c', 'pending');
    await until(() => first.source.state().pendingUntracked === 7, 'seven beyond the bound');
    await until(() => history.state?.pending.length === 10, 'all ten ids are flushed');
    await client.query(`UPDATE customer_sync_logs SET status = 'success' WHERE id > 2`);
    await until(() => first.source.state().pendingTracked === 2, 'the tracked one is seen to settle');
    // As the sweep does once a minute.
    first.source.reload('swept by the test');
    await until(() => history.opened === 2, 'loaded again');
    await first.agrees(client);
    expect(first.source.state()).toMatchObject({
      pendingUntracked: 0,
      pendingTracked: 2,
      lastResetReason: 'swept by the test',
    });
  });

  test('history that cannot be opened is tried again, and nothing is counted meanwhile', async () => {
    await insert(client, 10);
    let failures = 0;
    history.onOpen = () => {
      if (failures++ < 3) throw new Error('no connection');
    };
    const it = await start();
    await it.agrees(client);
    expect([history.opened, history.begun]).toEqual([4, 1]);
  });

  test('a sequence that stands behind the checkpoint: history begins anew, and says why', async () => {
    await insert(client, 50);
    await (await start()).agrees(client);
    await stop();
    await client.query(
      `DELETE FROM customer_sync_logs WHERE id > 20; SELECT setval('customer_sync_logs_id_seq', 20)`,
    );
    await insert(client, 5);
    const second = await start();
    await second.agrees(client);
    expect(history.begun).toBe(2);
    expect(second.log.join('\n')).toMatch(
      /history begins anew: the sequence stands at 25, and rows up to 50/,
    );
  });

  test('another table of the same name while it runs: history begins anew', async () => {
    await insert(client, 50);
    const it = await start();
    await it.agrees(client);
    await client.query('TRUNCATE customer_sync_logs RESTART IDENTITY');
    await insert(client, 60);
    await until(() => history.begun === 2, 'begun anew');
    await it.agrees(client);
    expect(it.source.state().lastResetReason).toMatch(/epoch changed|sequence went back/);
    expect(it.log.join('\n')).toMatch(/history begins anew: nothing is kept of this table/);
  });

  test('one that takes over goes on from what the first has flushed', async () => {
    const first = await start();
    await insert(client, 30);
    await first.agrees(client);
    history.due = () => false;
    const second = await keep(db.url, history);
    await until(() => second.source.state().role === 'standby', 'stands by');
    // Never flushed by the first: they are read again.
    const lost = ids(await insert(client, 20));
    await until(() => first.origins.has(lost[19] ?? 0), 'the first has counted them');
    expect(history.opened).toBe(1);
    await stop();
    history.due = () => true;
    here = second;
    await second.agrees(client);
    expect([history.begun, history.opened]).toEqual([1, 2]);
    expect(second.origins.get(lost[0] ?? 0)).toBe('start');
  });

  test('no connection outlived the gap: goes on from the checkpoint, and keeps nothing of what was in memory', async () => {
    const it = await start();
    await insert(client, 30);
    await it.agrees(client);
    history.due = () => false;
    await insert(client, 30);
    await until(() => it.latest().windows['1h'].total_operations === 60, 'counted');
    await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'customer-sync-monitor' AND datname = current_database()`);
    await until(() => history.opened === 2, 'opened again');
    history.due = () => true;
    await it.agrees(client);
    expect([history.begun, it.source.state().resets]).toEqual([1, 1]);
  });
});

test('history belongs to a table and sequence of a cluster, whatever its timeline', () => {
  expect(identityOf('7012/00000001/16384/16400/16400')).toBe('7012/16384/16400/16400');
  expect(identityOf('7012/0000000A/16384/16400/16400')).toBe('7012/16384/16400/16400');
});
