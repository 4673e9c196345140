import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { businessDifferences, operationDifferences } from '../monitor/oracle.js';
import { sharedVersions } from '../setup/database.js';
import type { Cluster } from '../setup/postgres.js';
import { connect, ownCluster, type Scene, scene, until } from './scene.js';

/** With owners and modes: the server insists on them. */
const copy = (from: string, to: string) => promisify(execFile)('cp', ['-a', from, to]);

const TABLE = 'customer_sync_logs';
const QUICK = { flushSeconds: 0.3 } as const;
/** As often as can be: what differs has to be found within the patience of a test. */
const AUDIT = { every: { newest: 500, hour: 500, day: 1_000, old: 2_000 }, rest: 1, confirm: 1_000 } as const;

/** What differs between the table and the windows, an answer about all of it, and what is kept. */
async function untrue(it: Scene): Promise<string[]> {
  const client = await connect(it.url);
  try {
    const [start, end] = [new Date(Date.now() - 50 * 86_400_000 - 4_321), new Date()];
    const found = await operationDifferences(
      client,
      'period',
      await it.monitor.getOperationMetrics(start, end),
      TABLE,
    );
    const business = await it.monitor.getBusinessMetrics(start, end);
    found.push(...(await businessDifferences(client, 'period', business, TABLE)));
    const [kept] = await it.sql(
      `SELECT coalesce(sum(success + error + failed + warning + skipped), 0)::int AS rows,
         (SELECT count(*)::int FROM ${TABLE} WHERE status <> 'pending') AS settled
       FROM sync_monitor.rollup JOIN sync_monitor.checkpoint c ON c.id = checkpoint_id
       WHERE c.table_name IS NOT NULL AND (level = 0 OR level = 1 AND start < c.minutes_from)`,
    );
    if (kept?.rows !== kept?.settled)
      found.push(`${String(kept?.rows)} rows are kept, the table has ${String(kept?.settled)}`);
    return found;
  } finally {
    await client.end();
  }
}

/** In the end: what is kept follows with the next flush, what was changed behind the bell with a round of the audit. */
async function expectTrue(it: Scene): Promise<void> {
  let found: string[] = ['not asked'];
  const agrees = async () => {
    if (it.monitor.history().state !== 'ready') return false;
    found = [...(await it.differences()), ...(await untrue(it))];
    return found.length === 0;
  };
  await until(agrees, 'agreement', 30_000).catch(() => expect(found).toEqual([]));
}

const OLD_ROWS = `INSERT INTO ${TABLE} (operation_type, status, customer_id, duration_ms, created_at)
  SELECT 'export_to_1c', (ARRAY['success', 'error', 'warning'])[1 + i % 3], i % 700, i % 5000, now() - i * interval '3 minutes'
  FROM generate_series(1, 20000) i`;

// Each waits for most of its time: both versions at once.
describe.concurrent.each(sharedVersions())('history through faults (PostgreSQL %i)', (version) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await ownCluster(version);
  });
  afterAll(() => cluster.destroy());

  test.sequential('Postgres killed again and again under load: what is kept and what is shown equal the table', async () => {
    const it = await scene(version, { cluster, config: QUICK, before: (c) => c.query(OLD_ROWS).then() });
    for (let i = 0; i < 6; i++) {
      const writers = await it.writers(4);
      await sleep(300 + Math.random() * 1_200); // where it is hit is left to chance
      await cluster.kill9();
      await cluster.start();
      await Promise.all(writers.map((writer) => writer.stop().catch(() => undefined)));
    }
    await it.reconnect();
    await until(() => it.monitor.source().connected, 'connected again');
    await it.insert(30);
    await expectTrue(it);
    await it.end();
  }, 120_000);

  test.sequential('a flush that fails, as on a full disk: live numbers go on, it is said, and nothing is missing after', async () => {
    const admin = await connect(cluster.url('csm'));
    await admin.query(`TRUNCATE ${TABLE} RESTART IDENTITY`);
    await admin.end();
    const it = await scene(version, { cluster, config: QUICK });
    await it.insert(10);
    await it.sql(`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
      CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON sync_monitor.rollup EXECUTE FUNCTION full_disk()`);
    const writers = await it.writers(4);
    await until(() => it.monitor.history().flush_failures >= 3, 'failed');
    const { failing_since, unflushed_rows, last_flush_at } = it.monitor.history();
    expect([failing_since, unflushed_rows > 0]).toEqual([expect.any(String), true]);
    expect(it.monitor.getSystemHealth().components.history).toMatchObject({ status: 'degraded' });
    const counted = it.counted();
    await until(() => it.counted() > counted + 100, 'live numbers go on');
    expect(it.monitor.history().last_flush_at).toBe(last_flush_at);
    await it.sql('DROP FUNCTION full_disk CASCADE');
    await until(() => it.monitor.history().failing_since === null, 'written again', 60_000);
    await Promise.all(writers.map((writer) => writer.stop()));
    await expectTrue(it);
    expect(it.log.filter((line) => line.startsWith('history cannot be written'))).toHaveLength(1);
    await it.end();
  }, 120_000);

  test.sequential('a backup put back, and a promotion: history of that database goes on, what came later is read', async () => {
    const it = await scene(version, { cluster, config: QUICK });
    const writers = await it.writers(4);
    await until(() => it.counted() > 500, 'some load');
    await Promise.all(writers.map((writer) => writer.stop()));
    await cluster.stop('fast');
    await copy(cluster.dataDir, `${cluster.dataDir}.backup`);
    await cluster.start();
    await it.reconnect();
    await until(() => it.monitor.source().connected, 'connected again');
    await it.insert(2_000);
    await expectTrue(it);
    await cluster.stop('fast');
    await rm(cluster.dataDir, { recursive: true });
    await copy(`${cluster.dataDir}.backup`, cluster.dataDir);
    await rm(`${cluster.dataDir}.backup`, { recursive: true });
    // Recovers to the end of what is there, and goes on in a timeline of its own, as a promoted standby does.
    await writeFile(join(cluster.dataDir, 'recovery.signal'), '');
    await writeFile(join(cluster.dataDir, 'postgresql.auto.conf'), "restore_command = 'false'\n");
    await cluster.start();
    await it.reconnect();
    await until(() => it.monitor.source().connected, 'connected again');
    const [{ timeline }] = (await it.sql('SELECT timeline_id AS timeline FROM pg_control_checkpoint()')) as [
      { timeline: number },
    ];
    expect(timeline).toBeGreaterThan(0);
    await it.insert(40);
    await expectTrue(it);
    await it.end();
  }, 120_000);

  test.sequential('rows changed behind the bell: the audit finds them, and windows and history follow', async () => {
    const it = await scene(version, { cluster, config: { ...QUICK, auditPace: AUDIT } });
    await it.sql(`INSERT INTO ${TABLE} (operation_type, status, customer_id, duration_ms, created_at)
      SELECT 'sync_changes', (ARRAY['success', 'error'])[1 + i % 2], i, i, now() - i * interval '40 seconds' FROM generate_series(1, 2000) i`);
    await expectTrue(it);
    const finds = () => it.monitor.audit()?.finds ?? 0;
    const changes = [
      `UPDATE ${TABLE} SET status = 'success' WHERE status = 'error' AND id % 7 = 0`,
      `UPDATE ${TABLE} SET duration_ms = duration_ms / 2 WHERE id % 50 = 0`,
      `UPDATE ${TABLE} SET status = 'pending' WHERE id IN (SELECT id FROM ${TABLE} WHERE status = 'success' ORDER BY id DESC LIMIT 5)`,
      // Not the oldest minute: where only that goes, it went by the owner's retention, and history keeps it.
      `DELETE FROM ${TABLE} WHERE id % 11 = 0 AND created_at > (SELECT min(created_at) + interval '1 minute' FROM ${TABLE})`,
      `DELETE FROM ${TABLE} WHERE created_at > now() - interval '10 minutes'`,
      `TRUNCATE ${TABLE}`,
    ];
    for (const change of changes) {
      const before = finds();
      await it.sql(change);
      await it.insert(3);
      await until(() => finds() > before, `found: ${change}`);
      await expectTrue(it);
    }
    await it.end();
  }, 180_000);

  test.sequential('the table made anew: said, and history begins anew', async () => {
    const it = await scene(version, { cluster, config: QUICK });
    await it.insert(100);
    await expectTrue(it);
    await it.sql(`CREATE TABLE new_log (LIKE ${TABLE} INCLUDING ALL);
      BEGIN; DROP TABLE ${TABLE}; ALTER TABLE new_log RENAME TO ${TABLE}; COMMIT`);
    await it.sql(OLD_ROWS);
    await until(() => it.log.some((line) => /"history_begun"/.test(line)), 'said');
    await expectTrue(it);
    await it.end();
  }, 120_000);
});
