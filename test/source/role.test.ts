import { spawnSync } from 'node:child_process';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { shipped } from '../../src/files.js';
import { type CustomerSyncMonitor, startMonitor } from '../../src/monitor.js';
import { migrate } from '../../src/source/migrate.js';
import { discoverTable } from '../../src/source/table.js';
import { freshDatabase, sharedVersions, type TestDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { SQL_DIR, until } from './collector.js';
import { createTable, dropRoles, as as urlAs, withLink } from './tables.js';

const psql = spawnSync('psql', ['--version']).status === 0;
if (!psql)
  console.log('psql is not installed (apt-get install postgresql-client): sql/role.sql is not tested');

const QUOTED = '"Portal"."Sync Log"';
const PARTED = `${createTable('parted', { id: 'bigserial' }, 'PARTITION BY LIST (operation_type)')};
  CREATE INDEX ON parted (id);
  CREATE TABLE parted_export PARTITION OF parted FOR VALUES IN ('export_to_1c')`;

describe.skipIf(!psql).each(sharedVersions())('the role of sql/role.sql on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let role: string;
  let monitor: CustomerSyncMonitor | undefined;
  const log: string[] = [];
  const sql = (text: string) => ask(db.url, text);

  beforeEach(async () => {
    db = await freshDatabase(version);
    role = `watcher_${db.name}`;
    log.length = 0;
  });
  afterEach(async () => {
    await monitor?.stop();
    monitor = undefined;
    await db.drop();
    await dropRoles(db.url, [role]);
  });

  /** The script as its head says. */
  function runScript(table: string, password = "'it''s \"secret\"'"): string {
    const variables = { table, role, password };
    const args = Object.entries(variables).flatMap(([name, value]) => ['-v', `${name}=${value}`]);
    const run = spawnSync('psql', ['-X', '-q', ...args, '-f', `${shipped('sql')}/role.sql`, db.url], {
      encoding: 'utf8',
    });
    expect([run.status, run.stderr]).toEqual([0, '']);
    return run.stdout;
  }

  function ownerMigrates(table: string) {
    return withLink(db.url, async (link) => migrate(link, await discoverTable(link, table), 'auto', SQL_DIR));
  }

  async function start(table: string): Promise<CustomerSyncMonitor> {
    const say = (level: string) => (_: object, message: string) => void log.push(`${level}: ${message}`);
    monitor = await startMonitor({
      databaseUrl: urlAs(db.url, role),
      table,
      log: { info: say('info'), warn: say('warn'), error: say('error') },
    });
    return monitor;
  }

  const counts = (n: number) => () => monitor?.latest()?.windows['1h'].total_operations === n;

  test.each([
    ['customer_sync_logs', 'ALTER TABLE customer_sync_logs ADD secret text'],
    [QUOTED, `CREATE SCHEMA "Portal"; ${createTable(QUOTED, { secret: 'text', details: undefined })}`],
    ['parted', `${PARTED}; ALTER TABLE parted ADD secret text`],
    [
      'apart',
      `CREATE SCHEMA "ids of"; CREATE SEQUENCE "ids of"."all";
       ${createTable('apart', { id: `int PRIMARY KEY DEFAULT nextval('"ids of"."all"')`, secret: 'text' })}`,
    ],
  ])('is enough to watch %s, and may read nothing else', async (table, setup) => {
    await sql(setup);
    runScript(table);
    await ownerMigrates(table);
    runScript(table);
    const monitor = await start(table);
    expect(log.filter((line) => !line.startsWith('info') && !line.includes('Column details'))).toEqual([]);
    await until(() => monitor.source().bell.mode === 'armed', 'the bell is armed');
    const insert = `INSERT INTO ${table} (operation_type, status) VALUES ('export_to_1c', 'pending')`;
    await sql(insert);
    await until(counts(1), 'the row is counted');
    await sql(`UPDATE ${table} SET status = 'success'`);
    await until(() => monitor.latest()?.windows['1h'].success_count === 1, 'the change is counted');
    expect(monitor.source().bells).toBeGreaterThan(0);
    expect(monitor.source().bell.mode).not.toBe('dead');
    const hour = 3_600_000;
    const period = [new Date(Date.now() - hour), new Date(Date.now() + hour)] as const;
    expect((await monitor.getOperationMetrics(...period)).success_count).toBe(1);
    expect((await monitor.getBusinessMetrics(...period)).new_registrations).toBe(1);

    const client = new pg.Client(urlAs(db.url, role));
    await client.connect();
    try {
      await expect(client.query(`SELECT secret FROM ${table}`)).rejects.toThrow('permission denied');
      await expect(client.query(insert)).rejects.toThrow('permission denied');
      await expect(client.query(`DELETE FROM ${table}`)).rejects.toThrow('permission denied');
      await expect(client.query(`DROP TRIGGER sync_monitor_bell ON ${table}`)).rejects.toThrow(
        'must be owner',
      );
    } finally {
      await client.end();
    }
  });

  test('goes on without the bell until the owner has migrated, and says what the owner has to run', async () => {
    runScript('customer_sync_logs');
    const monitor = await start('customer_sync_logs');
    expect(log).toContainEqual(expect.stringContaining('warn: the bell is off, rows are found by polling'));
    const [told] = log.filter((line) => line.includes('has to run, once'));
    expect(told).toContain(
      'CREATE TRIGGER sync_monitor_bell AFTER INSERT OR UPDATE ON public.customer_sync_logs',
    );
    expect(monitor.source().bell).toMatchObject({ configured: 'auto', mode: 'off' });
    await sql(`INSERT INTO customer_sync_logs (operation_type, status) VALUES ('created', 'success')`);
    await until(counts(1), 'the row is counted');
    expect(monitor.getSystemHealth().components.listener?.status).toBe('not_configured');
  });

  test('follows a table to which partitions are added that it was granted nothing on', async () => {
    await sql(PARTED);
    runScript('parted');
    await ownerMigrates('parted');
    runScript('parted');
    const monitor = await start('parted');
    const insert = (type: string) =>
      sql(`INSERT INTO parted (operation_type, status) VALUES ('${type}', 'success')`);
    await insert('export_to_1c');
    await until(counts(1), 'the row is counted');
    await sql(`CREATE TABLE parted_import PARTITION OF parted FOR VALUES IN ('import_from_1c')`);
    const polls = monitor.source().polls;
    await until(() => monitor.source().polls > polls + 2, 'polls go on');
    await insert('import_from_1c');
    await until(counts(2), 'the row of the new partition is counted');
    expect([monitor.source().resets, log.filter((line) => line.startsWith('warn'))]).toEqual([0, []]);
    // One that comes with rows, whose ids were never looked for.
    await sql(`${createTable('brought', { id: 'bigint NOT NULL' })}; INSERT INTO brought (id, operation_type, status)
      SELECT -n, 'created', 'error' FROM generate_series(1, 40) n;
      ALTER TABLE parted ATTACH PARTITION brought FOR VALUES IN ('created')`);
    await until(counts(42), 'its rows are counted');
    // History takes them in; nothing is read anew.
    expect(monitor.source().resets).toBe(0);
  });
});
