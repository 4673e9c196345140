import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keysOf } from '../../src/source/keeper.js';
import {
  type BellSetting,
  migrate,
  pendingStatements,
  removalStatements,
  schemaStatements,
  triggerState,
  unmigrate,
} from '../../src/source/migrate.js';
import { discoverTable } from '../../src/source/table.js';
import { freshDatabase, sharedVersions, type TestDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { SQL_DIR, until } from './collector.js';
import { createTable, dropRoles, newRole, as as urlAs, withLink } from './tables.js';

const FILES = await schemaStatements(SQL_DIR);
const PARTED = `${createTable('parted', { id: 'bigserial' }, 'PARTITION BY RANGE (created_at)')};
  CREATE TABLE parted_old PARTITION OF parted FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
  CREATE TABLE parted_now PARTITION OF parted FOR VALUES FROM ('2020-01-01') TO (MAXVALUE)`;
const QUOTED = `CREATE SCHEMA "Portal"; ${createTable(`"Portal"."Sync 'Log"" $1"`)}`;
const TABLES = [
  ['plain', 'customer_sync_logs', ''],
  ['partitioned', 'parted', PARTED],
  ['quoted', `"Portal"."Sync 'Log"" $1"`, QUOTED],
] as const;

describe.each(sharedVersions())('the bell on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let roles: string[];
  const clients: pg.Client[] = [];
  const sql = (text: string) => ask(db.url, text);

  beforeEach(async () => {
    db = await freshDatabase(version);
    roles = [];
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.end();
    await db.drop();
    await dropRoles(db.url, roles);
  });

  async function connect(user?: string): Promise<pg.Client> {
    const client = new pg.Client(user === undefined ? db.url : urlAs(db.url, user));
    await client.connect();
    clients.push(client);
    return client;
  }

  async function role(): Promise<string> {
    const name = await newRole(db.url);
    roles.push(name);
    return name;
  }

  /** `migrate` as the command does it. */
  function install(setting: BellSetting = 'auto', table = 'customer_sync_logs', url = db.url) {
    return withLink(url, async (link) => migrate(link, await discoverTable(link, table), setting, SQL_DIR));
  }

  function uninstall(table = 'customer_sync_logs') {
    return withLink(db.url, async (link) => unmigrate(link, await discoverTable(link, table), SQL_DIR));
  }

  function state(table = 'customer_sync_logs') {
    return withLink(db.url, async (link) => {
      const found = await discoverTable(link, table);
      return triggerState(link, found, keysOf(found.qualified));
    });
  }

  /** Runs statements while the key is held and while it is not; says how often the channel was heard. */
  async function rings(
    table: string,
    writer: pg.Client,
    statement: string,
  ): Promise<[held: number, free: number]> {
    const keys = keysOf(await withLink(db.url, async (link) => (await discoverTable(link, table)).qualified));
    const listener = await connect();
    let heard = 0;
    listener.on('notification', ({ payload }) => {
      heard += payload === '' ? 1 : Number.NaN;
    });
    await listener.query(`LISTEN ${keys.channel}`);
    await listener.query(`SELECT pg_advisory_lock(${keys.bell})`);
    const count = async () => {
      const before = heard;
      await writer.query(statement);
      await listener.query('SELECT 1'); // what was sent before its answer has arrived with it
      return heard - before;
    };
    const held = await count();
    await listener.query(`SELECT pg_advisory_unlock(${keys.bell})`);
    return [held, await count()];
  }

  describe.each(TABLES)('on a %s table', (_, table, setup) => {
    beforeEach(async () => {
      if (setup !== '') await sql(setup);
    });

    test('is installed once, and rings once for a statement while the key is held', async () => {
      expect((await install('auto', table)).map(({ title }) => title)).toEqual([
        ...FILES.map(({ title }) => title),
        expect.stringContaining('the bell on '),
      ]);
      expect(await install('auto', table)).toEqual([]);
      expect(await state(table)).toBe('quiet');
      expect(await sql('SELECT id, name FROM sync_monitor.migrations ORDER BY id')).toEqual(
        FILES.map(({ id, name }) => ({ id, name })),
      );
      const writer = await connect();
      const insert = `INSERT INTO ${table} (operation_type, status) SELECT 'created', 'pending' FROM generate_series(1, 50)`;
      expect(await rings(table, writer, insert)).toEqual([1, 0]);
      expect(await rings(table, writer, `UPDATE ${table} SET status = 'success'`)).toEqual([1, 0]);
      expect(await rings(table, writer, `DELETE FROM ${table}`)).toEqual([0, 0]);
    });

    test('changes with the setting, and unmigrate leaves nothing of it', async () => {
      const catalogue = async () => ({
        depend: await sql(
          'SELECT * FROM pg_depend ORDER BY classid, objid, objsubid, refclassid, refobjid, refobjsubid',
        ),
        shared: await sql('SELECT * FROM pg_shdepend WHERE dbid <> 0 ORDER BY classid, objid, refobjid'),
        schemas: await sql('SELECT nspname FROM pg_namespace ORDER BY 1'),
        triggers: await sql('SELECT tgrelid, tgname FROM pg_trigger ORDER BY 1, 2'),
        functions: await sql('SELECT oid FROM pg_proc WHERE oid >= 16384'),
        columns: await sql(`SELECT count(*)::int FROM pg_attribute`),
      });
      const before = await catalogue();
      const writer = await connect();
      const insert = `INSERT INTO ${table} (operation_type, status) VALUES ('created', 'success')`;
      await install('auto', table);
      expect(await rings(table, writer, insert)).toEqual([1, 0]);
      expect((await install('always', table)).map(({ title }) => title.split(' ')[0])).toEqual([
        'remove',
        'the',
      ]);
      expect(await state(table)).toBe('always');
      expect(await rings(table, writer, insert)).toEqual([1, 1]);
      expect(await install('always', table)).toEqual([]);
      await install('off', table);
      expect(await state(table)).toBe('absent');
      expect(await rings(table, writer, insert)).toEqual([0, 0]);
      expect(await install('off', table)).toEqual([]);
      await install('auto', table);
      expect(await uninstall(table)).toHaveLength(2);
      expect(await uninstall(table)).toEqual([]);
      const after = await catalogue();
      for (const key of ['shared', 'schemas', 'triggers', 'functions', 'columns'] as const)
        expect(after[key]).toEqual(before[key]);
      expect(after.depend).toEqual(before.depend);
    });
  });

  test('a dry run says what would be done, and does nothing', async () => {
    await withLink(db.url, async (link) => {
      const table = await discoverTable(link, 'customer_sync_logs');
      const todo = await pendingStatements(link, table, 'auto', SQL_DIR);
      expect(await state()).toBe('absent');
      expect(await removalStatements(link, table, SQL_DIR)).toEqual([]);
      // It is the very SQL: run by hand it leaves nothing to do.
      await sql(todo.map((one) => one.sql).join('\n'));
      expect(await pendingStatements(link, table, 'auto', SQL_DIR)).toEqual([]);
      const removal = await removalStatements(link, table, SQL_DIR);
      expect(removal.map((one) => one.sql)).toEqual([
        'DROP TRIGGER IF EXISTS sync_monitor_bell ON public.customer_sync_logs;',
        'DROP SCHEMA sync_monitor CASCADE;',
      ]);
      await sql(removal.map((one) => one.sql).join('\n'));
      expect(await state()).toBe('absent');
    });
  });

  test('two that start at once end with one winner', async () => {
    for (let round = 0; round < 3; round++) {
      const done = await Promise.all([install(), install(), install()]);
      expect(done.map((todo) => todo.length).sort()).toEqual([0, 0, FILES.length + 1]);
      expect(await state()).toBe('quiet');
      await uninstall();
    }
  });

  test('a trigger that somebody disabled was a decision: it stays, until unmigrate', async () => {
    await install();
    for (const how of ['DISABLE TRIGGER', 'ENABLE REPLICA TRIGGER']) {
      await sql(`ALTER TABLE customer_sync_logs ${how} sync_monitor_bell`);
      expect(await state()).toBe('disabled');
      for (const setting of ['auto', 'always', 'off'] as const) expect(await install(setting)).toEqual([]);
    }
    await sql('ALTER TABLE customer_sync_logs ENABLE ALWAYS TRIGGER sync_monitor_bell');
    expect(await state()).toBe('quiet');
    await sql('ALTER TABLE customer_sync_logs DISABLE TRIGGER sync_monitor_bell');
    expect(await uninstall()).toHaveLength(2);
    expect(await state()).toBe('absent');
  });

  test('a trigger of our name for another key or channel is replaced', async () => {
    // A table that was renamed keeps its trigger, with the keys of its old name.
    await install();
    await sql('ALTER TABLE customer_sync_logs RENAME TO renamed');
    expect(await state('renamed')).toBe('foreign');
    expect((await install('auto', 'renamed')).map(({ title }) => title)).toEqual([
      'remove the bell from public.renamed',
      'the bell on public.renamed',
    ]);
    const keys = keysOf('public.renamed');
    await sql(`DROP TRIGGER sync_monitor_bell ON renamed;
      CREATE TRIGGER sync_monitor_bell AFTER INSERT ON renamed FOR EACH STATEMENT
      WHEN (NOT pg_try_advisory_xact_lock_shared(4711)) EXECUTE FUNCTION sync_monitor.ring('${keys.channel}')`);
    expect(await state('renamed')).toBe('foreign');
    await install('auto', 'renamed');
    expect(await state('renamed')).toBe('quiet');
  });

  test('a second table shares the schema, which stays until the last bell is gone', async () => {
    await sql(createTable('second'));
    await install();
    expect((await install('auto', 'second')).map(({ title }) => title)).toEqual([
      'the bell on public.second',
    ]);
    expect((await uninstall()).map(({ title }) => title)).toEqual([
      'remove the bell from public.customer_sync_logs',
    ]);
    const writer = await connect();
    expect(
      await rings(
        'second',
        writer,
        `INSERT INTO second (operation_type, status) VALUES ('created', 'success')`,
      ),
    ).toEqual([1, 0]);
    expect((await uninstall('second')).map(({ title }) => title)).toEqual([
      'remove the bell from public.second',
      'remove the schema',
    ]);
  });

  test('the schema stays while another table has history in it, without a bell too', async () => {
    await sql(createTable('"The \'second\'"'));
    const second = `public."The 'second'"`;
    await install();
    const keep = (name: string) =>
      sql(`INSERT INTO sync_monitor.checkpoint (table_name, identity, leader, high, minutes_from, rollups_from)
        VALUES ('${name.replaceAll("'", "''")}', 'this', gen_random_uuid(), 1, now(), now())`);
    await keep('public.customer_sync_logs');
    await keep(second);
    await keep('public.long_gone');
    expect((await uninstall()).map(({ title }) => title)).toEqual([
      'remove the bell from public.customer_sync_logs',
      'give up the history of public.customer_sync_logs',
    ]);
    expect(await uninstall()).toEqual([]);
    expect(
      await sql('SELECT table_name FROM sync_monitor.checkpoint WHERE table_name IS NOT NULL ORDER BY 1'),
    ).toEqual([{ table_name: `public."The 'second'"` }, { table_name: 'public.long_gone' }]);
    await keep('public.customer_sync_logs');
    expect((await uninstall(second)).map(({ title }) => title)).toEqual([`give up the history of ${second}`]);
    expect((await uninstall()).map(({ title }) => title)).toEqual(['remove the schema']);
  });

  test('rings for a writer that may nothing but write', async () => {
    await install();
    const name = await role();
    await sql(`GRANT INSERT, UPDATE ON customer_sync_logs TO ${name}`);
    const writer = await connect(name);
    await expect(writer.query('SELECT * FROM sync_monitor.migrations')).rejects.toThrow('permission denied');
    const insert = `INSERT INTO customer_sync_logs (operation_type, status) VALUES ('created', 'success')`;
    expect(await rings('customer_sync_logs', writer, insert)).toEqual([1, 0]);
    // Nor can it be led astray by the writer's own objects.
    await writer.query(`SET search_path = pg_temp; CREATE TEMP TABLE pg_notify (a int)`);
    expect(await rings('customer_sync_logs', writer, insert.replace('INTO ', 'INTO public.'))).toEqual([
      1, 0,
    ]);
  });

  describe('while a long transaction holds the table', () => {
    test.each(TABLES.slice(0, 2))(
      '%s: waits for it without making any writer wait',
      async (_, table, setup) => {
        if (setup !== '') await sql(setup);
        const insert = `INSERT INTO ${table} (operation_type, status) VALUES ('created', 'success')`;
        const [long, writer] = [await connect(), await connect()];
        await long.query(`BEGIN; ${insert}`);
        let installed = false;
        const installing = install('auto', table).then((todo) => {
          installed = true;
          return todo;
        });
        // A lock request in the queue would hold up every INSERT behind it until the long transaction ends, which is
        // after this loop: it could not return.
        let queued = 0;
        let written = 0;
        await until(async () => {
          const [waiting] = await sql(
            `SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'`,
          );
          queued += Number(waiting?.n);
          await writer.query(insert);
          written++;
          return queued > 0 && written > 20;
        }, 'the migration has queued for the lock once');
        expect(installed).toBe(false);
        await writer.query(insert);
        await long.query('COMMIT');
        expect(await installing).toHaveLength(FILES.length + 1);
        expect(await state(table)).toBe('quiet');
      },
    );
  });
});
