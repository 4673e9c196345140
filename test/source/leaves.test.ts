/** Partitions that come with rows in them, where there is history: each row once, and nothing is rebuilt. */
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freshDatabase, sharedVersions, type TestDatabase } from '../setup/database.js';
import { until } from './collector.js';
import { type Kept, keep, MemoryHistory } from './history.js';
import { as, createTable, dropRoles, newRole } from './tables.js';

const HOUR = 3_600_000;
const ROW = '(operation_type, status, created_at)';

describe.each(sharedVersions())('on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let client: pg.Client;
  let history: MemoryHistory;
  let here: Kept | undefined;
  const now = Date.now();
  const at = (ago: number) => `'${new Date(now - ago * HOUR).toISOString()}'::timestamptz`;
  const bounds = (ago: number) => `FOR VALUES FROM (${at(ago)}) TO (${at(ago - 1)})`;

  beforeEach(async () => {
    db = await freshDatabase(version);
    client = new pg.Client(db.url);
    await client.connect();
    history = new MemoryHistory();
    await client.query(`DROP TABLE customer_sync_logs;
      ${createTable('customer_sync_logs', { id: 'bigserial' }, 'PARTITION BY RANGE (created_at)')};
      CREATE INDEX ON customer_sync_logs (id); CREATE INDEX ON customer_sync_logs (created_at);
      CREATE INDEX ON customer_sync_logs (status);
      CREATE TABLE log_now PARTITION OF customer_sync_logs FOR VALUES FROM (${at(2)}) TO ('infinity');
      SELECT setval('customer_sync_logs_id_seq', 50000)`);
  });
  afterEach(async () => {
    await here?.stop();
    here = undefined;
    await client.end();
    await db.drop();
  });

  /** An archive as DETACH left it: rows with old ids, some of them pending. */
  const archive = (name: string, ago: number, from: number, to: number) =>
    client.query(`CREATE TABLE ${name} (LIKE customer_sync_logs INCLUDING DEFAULTS INCLUDING INDEXES);
      INSERT INTO ${name} (id, operation_type, status, created_at)
      SELECT id, 'created', CASE WHEN id % 1000 = 7 THEN 'pending' ELSE 'success' END, ${at(ago - 0.5)} FROM generate_series(${from}, ${to}) id`);

  const insert = (on: pg.Client, rows: number) =>
    on.query(
      `INSERT INTO customer_sync_logs (operation_type, status) SELECT 'updated', 'success' FROM generate_series(1, $1::int)`,
      [rows],
    );

  test('their rows are read page by page while others write; what comes back is not counted again', async () => {
    await insert(client, 10);
    const it = await keep(db.url, history);
    here = it;
    await it.agrees(client);
    await archive('log_5', 5, 1, 25_000);
    await archive('log_6', 6, 25_001, 25_100);
    await client.query(`ALTER TABLE customer_sync_logs ATTACH PARTITION log_5 ${bounds(5)}`);
    await client.query(`ALTER TABLE customer_sync_logs ATTACH PARTITION log_6 ${bounds(6)}`);
    await until(
      () => it.source.completeness().reasons.includes('Parts of the windows are being read again.'),
      'it says so',
    );
    await insert(client, 10);
    await it.agrees(client);
    expect(history.rows.size).toBe(25_120 - 26);
    expect(it.source.state()).toMatchObject({ pendingTracked: 26, resets: 0 });

    await client.query('ALTER TABLE customer_sync_logs DETACH PARTITION log_6');
    const { polls } = it.source.state();
    await until(() => it.source.state().polls > polls + 3, 'it is seen to be gone');
    await client.query(`ALTER TABLE customer_sync_logs ATTACH PARTITION log_6 ${bounds(6)}`);
    await insert(client, 1);
    await it.agrees(client);
    await client.query(`UPDATE customer_sync_logs SET status = 'error' WHERE status = 'pending'`);
    await it.agrees(client);
  });

  test('a row that fills a hole in a partition that came after the hole is found there, once', async () => {
    const it = await keep(db.url, history);
    here = it;
    await it.agrees(client);
    for (const [name, ago, look] of [
      ['log_5', 5, true],
      ['log_6', 6, false],
    ] as const) {
      const open = new pg.Client(db.url);
      await open.connect();
      await open.query(`BEGIN; INSERT INTO customer_sync_logs ${ROW} VALUES ('created', 'success', now())`);
      const taken = await open.query(`SELECT nextval('customer_sync_logs_id_seq') AS id`);
      await insert(client, 2);
      await until(() => it.source.state().unsealedIds === 2, 'two holes');
      await archive(name, ago, ago * 100, ago * 100 + 50);
      await client.query(`ALTER TABLE customer_sync_logs ATTACH PARTITION ${name} ${bounds(ago)}`);
      const seen = () => it.origins.get(ago * 100) === 'start';
      if (look) await until(seen, 'what it brought is counted');
      await open.query(
        `INSERT INTO customer_sync_logs (id, operation_type, status, created_at) VALUES ($1, 'created', 'success', ${at(ago - 0.2)})`,
        [taken.rows[0].id],
      );
      await open.query('COMMIT');
      await open.end();
      await until(seen, 'what it brought is counted');
      await it.agrees(client);
    }
    expect(it.source.state().resets).toBe(0);
  });

  test('one that comes during the backfill: its rows are read with those of the others, or by themselves', async () => {
    await insert(client, 2_000);
    await client.query(`SELECT setval('customer_sync_logs_id_seq', 53000)`);
    await insert(client, 1_000);
    const it = await keep(db.url, history, { backfillRowsPerSecond: 2_000 });
    here = it;
    // Ids below the floor at any time, and such as the backfill has passed when they come.
    for (const [n, percent] of [20, 25, 30, 35].entries()) {
      await until(() => (it.source.state().backfill?.percent ?? 0) > percent, `${percent} % read`);
      await archive(`log_${n}`, 5 + n, 100 * n, 100 * n + 99);
      await client.query(`INSERT INTO log_${n} (id, operation_type, status, created_at)
        SELECT ${52_010 + 10 * n} + 50 * i, 'created', 'success', ${at(4.5 + n)} FROM generate_series(0, 17) i`);
      await client.query(`ALTER TABLE customer_sync_logs ATTACH PARTITION log_${n} ${bounds(5 + n)}`);
    }
    await it.agrees(client);
    expect(it.source.state().resets).toBe(0);
  });

  test('a role that may read the rows only through the table reads them there', async () => {
    const role = await newRole(db.url);
    try {
      await client.query(`GRANT SELECT ON customer_sync_logs, customer_sync_logs_id_seq TO ${role};
        GRANT pg_read_all_stats TO ${role}`);
      await insert(client, 10);
      // The bell is the owner's affair.
      history.opened = 1;
      const it = await keep(as(db.url, role), history);
      here = it;
      await it.agrees(client);
      await archive('log_5', 5, 1, 300);
      await client.query(`ALTER TABLE customer_sync_logs ATTACH PARTITION log_5 ${bounds(5)}`);
      await insert(client, 1);
      await until(() => it.origins.get(1) === 'start', 'what it brought is counted');
      await it.agrees(client);
      await here.stop();
      here = undefined;
    } finally {
      await client.query(`DROP OWNED BY ${role}`);
      await dropRoles(db.url, [role]);
    }
  });
});
