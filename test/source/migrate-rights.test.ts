import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keysOf } from '../../src/source/keeper.js';
import {
  type BellSetting,
  MigrationRefusedError,
  migrate,
  schemaStatements,
  triggerState,
} from '../../src/source/migrate.js';
import { discoverTable } from '../../src/source/table.js';
import { freshDatabase, sharedVersions, type TestDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { SQL_DIR } from './collector.js';
import { dropRoles, newRole, as as urlAs, withLink } from './tables.js';

const FILES = (await schemaStatements(SQL_DIR)).map(({ title }) => title);

describe.each(sharedVersions())('who may install the bell on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let roles: string[];
  const sql = (text: string) => ask(db.url, text);

  beforeEach(async () => {
    db = await freshDatabase(version);
    roles = [];
  });
  afterEach(async () => {
    await db.drop();
    await dropRoles(db.url, roles);
  });

  async function role(): Promise<string> {
    const name = await newRole(db.url);
    roles.push(name);
    return name;
  }

  function install(setting: BellSetting = 'auto', table = 'customer_sync_logs', url = db.url) {
    return withLink(url, async (link) => migrate(link, await discoverTable(link, table), setting, SQL_DIR));
  }

  function state() {
    return withLink(db.url, async (link) => {
      const found = await discoverTable(link, 'customer_sync_logs');
      return triggerState(link, found, keysOf(found.qualified));
    });
  }

  describe('for a role without the rights', () => {
    async function refused(url: string, setting: BellSetting = 'auto'): Promise<MigrationRefusedError> {
      const error = await install(setting, 'customer_sync_logs', url).then(
        () => new Error('it was installed'),
        (error: unknown) => error,
      );
      expect(error).toBeInstanceOf(MigrationRefusedError);
      return error as MigrationRefusedError;
    }

    async function reader(): Promise<string> {
      const name = await role();
      await sql(`GRANT SELECT ON customer_sync_logs, customer_sync_logs_id_seq TO ${name}`);
      return name;
    }

    test('names the very statements for the owner; once they have run there is nothing to do', async () => {
      const name = await reader();
      const { message, statements } = await refused(urlAs(db.url, name));
      expect(message).toContain('this role may not install it (permission denied');
      expect(statements.map(({ title }) => title)).toEqual([
        ...FILES,
        'the bell on public.customer_sync_logs',
      ]);
      expect(await state()).toBe('absent');
      await sql(statements.map((one) => one.sql).join('\n'));
      expect(await state()).toBe('quiet');
      // Also before the owner grants it a look into the schema.
      expect(await install('auto', 'customer_sync_logs', urlAs(db.url, name))).toEqual([]);
      await sql(`GRANT USAGE ON SCHEMA sync_monitor TO ${name}`);
      expect(await install('auto', 'customer_sync_logs', urlAs(db.url, name))).toEqual([]);
      await sql(`GRANT SELECT ON sync_monitor.migrations TO ${name}`);
      expect(await install('auto', 'customer_sync_logs', urlAs(db.url, name))).toEqual([]);
      const other = await refused(urlAs(db.url, name), 'always');
      expect(other.statements.map(({ title }) => title.split(' ')[0])).toEqual(['remove', 'the']);
    });

    test('an owner without CREATE on the database is told so', async () => {
      const name = await role();
      await sql(`ALTER TABLE customer_sync_logs OWNER TO ${name}`);
      const { message, statements } = await refused(urlAs(db.url, name));
      expect(message).toBe(`this role may not install it (permission denied for database ${db.name})`);
      const schema = statements.slice(0, -1).map((one) => one.sql);
      await sql(
        `${schema.join('\n')}; GRANT USAGE ON SCHEMA sync_monitor, public TO ${name}; GRANT CREATE ON SCHEMA public TO ${name}`,
      );
      // Its own part, the trigger, it can do itself.
      expect(await install('auto', 'customer_sync_logs', urlAs(db.url, name))).toHaveLength(1);
      expect(await state()).toBe('quiet');
    });

    test('where PUBLIC may not try the lock or notify, the bell would fail the writers: it is not installed', async () => {
      for (const what of ['pg_try_advisory_xact_lock_shared(bigint)', 'pg_notify(text, text)']) {
        await sql(`REVOKE EXECUTE ON FUNCTION ${what} FROM PUBLIC`);
        const { message, statements } = await refused(db.url);
        expect(message).toContain(
          'PUBLIC may not execute pg_try_advisory_xact_lock_shared or pg_notify here',
        );
        expect(statements).toEqual([]);
        expect((await install('off')).map(({ title }) => title)).toEqual(
          what.startsWith('pg_try') ? FILES : [],
        );
        await sql(`GRANT EXECUTE ON FUNCTION ${what} TO PUBLIC`);
      }
      expect(await install()).toHaveLength(1);
    });
  });

  test('what fails half way leaves nothing behind', async () => {
    // An index where the bell's function would be: the schema's file gets that far and no further.
    await sql(`CREATE SCHEMA sync_monitor; CREATE TYPE sync_monitor.migrations AS (a int)`);
    await expect(install()).rejects.toThrow('migrations');
    expect(
      await sql(`SELECT count(*)::int AS n FROM pg_proc WHERE pronamespace = 'sync_monitor'::regnamespace`),
    ).toEqual([{ n: 0 }]);
    await sql('DROP SCHEMA sync_monitor CASCADE');
    expect(await install()).toHaveLength(FILES.length + 1);
  });
});
