import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { type CustomerSyncMonitor, startMonitor } from '../../src/monitor.js';
import { agree } from '../monitor/agree.js';
import { freshDatabase, newestVersion, type TestDatabase } from '../setup/database.js';
import { until } from '../source/collector.js';

const TABLE = 'customer_sync_logs';
/** As often as it can, but never so that rows wait for it. */
const OFTEN = { every: { newest: 20, hour: 50, day: 100, old: 1_000 }, rest: 1, confirm: 200 };

const ROWS = `INSERT INTO ${TABLE} (operation_type, status, created_at, customer_id, duration_ms, details)
  SELECT (ARRAY['import_from_1c', 'export_to_1c', 'conflict_resolution', 'customer_identification'])[1 + n % 4],
    (ARRAY['success', 'success', 'error', 'pending', 'warning'])[1 + n % 5], now() - n * interval '1 minute 30 seconds', n % 37, n,
    '{"conflict_source": "data_import", "method": "email", "email_sent": true}' FROM generate_series(900, 1, -1) n`;

/** What is done, and to which settled rows; each is in a minute of its own. */
const CHANGES: readonly (readonly [what: string, sql: string, where: string])[] = [
  [
    'errors turned into successes',
    `UPDATE ${TABLE} SET status = 'success'`,
    `status = 'error' AND id % 4 = 0`,
  ],
  ['corrected durations', `UPDATE ${TABLE} SET duration_ms = 100000`, `id % 50 = 7`],
  [
    'other customers',
    `UPDATE ${TABLE} SET customer_id = 5000 + id`,
    `customer_id = 7 AND status = 'success'`,
  ],
  [
    'customers that are gone',
    `UPDATE ${TABLE} SET customer_id = NULL`,
    `customer_id IN (8, 9) AND status = 'success'`,
  ],
  ['deleted rows', `DELETE FROM ${TABLE}`, `id % 100 IN (2, 3, 4)`],
  [
    'successes that are pending again',
    `UPDATE ${TABLE} SET status = 'pending'`,
    `status = 'success' AND id % 30 = 1`,
  ],
  [
    'pending rows that are settled',
    `UPDATE ${TABLE} SET status = 'failed'`,
    `status = 'pending' AND id % 30 = 1`,
  ],
  ['no row left', `DELETE FROM ${TABLE}`, 'true'],
];

/** Pending rows that the checkpoint does not know yet. Settled right now they would be found, and added twice for a moment. */
async function unwritten(client: pg.Client): Promise<number> {
  const { rows } = await client.query(`SELECT count(*)::int AS n FROM ${TABLE} t, sync_monitor.checkpoint c
    WHERE t.status = 'pending' AND c.table_name IS NOT NULL AND NOT t.id <@ c.pending`);
  return rows[0].n;
}

describe.each(newestVersion())('the windows and the audit on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let client: pg.Client;
  let monitor: CustomerSyncMonitor;
  afterEach(async () => {
    await monitor.stop();
    await client.end();
    await db.drop();
  });

  test.each([
    ['an index by time', ''],
    ['no index by time', 'DROP INDEX sync_log_created_idx'],
  ])('say what the table says, whatever is changed in it, with %s', async (_, before) => {
    db = await freshDatabase(version);
    client = new pg.Client(db.url);
    await client.connect();
    await client.query(`${before}; ${ROWS}`);
    monitor = await startMonitor({ databaseUrl: db.url, auditPace: OFTEN, flushSeconds: 0.2 });
    await agree(monitor, client);
    await until(() => (monitor.audit()?.rounds.day.finished ?? 0) >= 2, 'two rounds of a day');
    expect(monitor.audit()).toMatchObject({ finds: 0, failures: 0 });
    let finds = 0;
    for (const [what, sql, where] of CHANGES) {
      const { rows } = await client.query(
        `SELECT count(*)::int AS n FROM ${TABLE} WHERE (${where}) AND status <> 'pending'`,
      );
      finds += rows[0].n;
      await client.query(`${sql} WHERE ${where}`);
      await until(() => (monitor.audit()?.finds ?? 0) >= finds, `all finds of ${what}`);
      await agree(monitor, client);
      expect([what, monitor.audit()?.finds]).toEqual([what, finds]);
      await until(
        async () => (await unwritten(client)) === 0,
        `all pending rows being written down after ${what}`,
      );
    }
    await client.query(ROWS);
    await agree(monitor, client);
    expect(monitor.audit()).toMatchObject({ not_compared: 0, retention_moves: 0, last_failure: null });
  });
});
