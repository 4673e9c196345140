import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { schemaStatements } from '../../src/source/migrate.js';
import { prepare } from '../../src/source/prepare.js';
import { TableError } from '../../src/source/table.js';
import { freshDatabase, sharedVersions } from '../setup/database.js';
import { ask, type Cluster, startCluster } from '../setup/postgres.js';
import { follow, SQL_DIR, until } from './collector.js';
import { createTable, dropRoles, newRole, as as urlAs } from './tables.js';

const FILES = await schemaStatements(SQL_DIR);
const SAMPLE = createTable('customer_sync_logs');

function prepared(
  url: string,
  options: { table?: string; bell?: 'auto' | 'always' | 'off'; install?: boolean } = {},
) {
  const log: string[] = [];
  const say = (level: string) => (_: object, message: string) => void log.push(`${level}: ${message}`);
  const done = prepare({
    url,
    table: 'customer_sync_logs',
    bell: 'auto',
    install: true,
    sqlDir: SQL_DIR,
    log: { info: say('info'), warn: say('warn'), error: say('error') },
    ...options,
  });
  return { done, log };
}

/** A cluster of its own with an empty sample table; gone afterwards, however the work ends. */
async function withCluster(
  options: Parameters<typeof startCluster>[0],
  work: (cluster: Cluster, url: string) => Promise<void>,
): Promise<void> {
  const cluster = await startCluster({ fsync: false, ...options });
  try {
    const url = cluster.url(await cluster.createDatabase());
    await ask(url, SAMPLE);
    await work(cluster, url);
  } finally {
    await cluster.destroy();
  }
}

describe.each(sharedVersions())('before following, on PostgreSQL %i', (version) => {
  test('installs and says so once; then everything stands', async () => {
    const db = await freshDatabase(version);
    try {
      const first = prepared(db.url);
      expect((await first.done).bell).toEqual({ configured: 'auto', effective: 'auto' });
      expect(first.log).toEqual([
        ...FILES.map(({ title }) => `info: migrated: ${title}`),
        'info: migrated: the bell on public.customer_sync_logs',
      ]);
      const second = prepared(db.url);
      await second.done;
      expect(second.log).toEqual([]);
      const off = prepared(db.url, { bell: 'off' });
      expect((await off.done).bell).toEqual({ configured: 'off', effective: 'off', reason: 'BELL=off' });
      expect(off.log).toEqual(['info: migrated: remove the bell from public.customer_sync_logs']);
      const not = prepared(db.url, { install: false });
      expect((await not.done).bell).toEqual({ configured: 'auto', effective: 'auto' });
      expect(not.log).toEqual([]);
    } finally {
      await db.drop();
    }
  });

  test('what is wrong fails now: the table, the database, the port', async () => {
    const db = await freshDatabase(version);
    await expect(prepared(db.url, { table: 'nowhere' }).done).rejects.toThrow(TableError);
    await db.drop();
    await expect(prepared(db.url).done).rejects.toThrow(`database "${db.name}" does not exist`);
    const closed = new URL(db.url);
    closed.port = '1';
    await expect(prepared(closed.href).done).rejects.toThrow('ECONNREFUSED');
  });

  test('a role that may not install goes on without the bell, and names what the owner has to run', async () => {
    const db = await freshDatabase(version);
    const role = await newRole(db.url);
    try {
      await ask(db.url, `GRANT SELECT ON customer_sync_logs, customer_sync_logs_id_seq TO ${role}`);
      const { done, log } = prepared(urlAs(db.url, role));
      const { bell } = await done;
      expect(bell).toMatchObject({ configured: 'auto', effective: 'off' });
      expect(bell.reason).toContain('this role may not install it');
      expect(log).toEqual([
        expect.stringContaining(
          'warn: the bell is off, rows are found by polling: this role may not install it',
        ),
        expect.stringContaining('warn: the owner of public.customer_sync_logs has to run, once'),
      ]);
      // The message itself carries the SQL.
      await ask(db.url, `${log[1]?.slice(log[1].indexOf('\n'))}`);
      const after = prepared(urlAs(db.url, role));
      expect((await after.done).bell).toEqual({ configured: 'auto', effective: 'auto' });
      expect(after.log).toEqual([]);
    } finally {
      await db.drop();
      await dropRoles(db.url, [role]);
    }
  });

  test('where transactions can be prepared the bell is off by itself, and PREPARE TRANSACTION works', async () => {
    await withCluster({ version, settings: { max_prepared_transactions: '5' } }, async (_, url) => {
      // Left by a run before the setting was changed.
      const { done, log } = prepared(url, { bell: 'always' });
      expect((await done).bell.effective).toBe('always');
      const auto = prepared(url);
      expect((await auto.done).bell).toEqual({
        configured: 'auto',
        effective: 'off',
        reason: 'max_prepared_transactions is 5: a transaction that has rung the bell could not be PREPAREd',
      });
      expect(auto.log.at(-1)).toBe('info: migrated: remove the bell from public.customer_sync_logs');
      expect(log).toHaveLength(FILES.length + 1);

      const followed = await follow(url, { bell: 'off' });
      const client = new pg.Client(url);
      try {
        await client.connect();
        await until(() => followed.source.state().polls > 0, 'the first poll');
        const insert = `INSERT INTO customer_sync_logs (operation_type, status) VALUES ('created', 'success')`;
        for (const name of ['kept', 'dropped']) {
          await client.query(`BEGIN; ${insert}`);
          await client.query(`PREPARE TRANSACTION '${name}'`);
        }
        await client.query(insert);
        // A prepared transaction has no backend, and yet its ids are not given up.
        await until(() => followed.collector.rows.size === 1, 'the row behind the prepared ones');
        await until(() => followed.source.state().unsealedIds === 2, 'both holes seen');
        const polls = followed.source.state().polls;
        await until(() => followed.source.state().polls > polls + 20, 'twenty more polls');
        expect(followed.source.state()).toMatchObject({ unsealedIds: 2, sealedId: 0, highId: 3 });
        await client.query(`ROLLBACK PREPARED 'dropped'`);
        await client.query(`COMMIT PREPARED 'kept'`);
        await until(() => followed.source.state().sealedId === 3, 'all sealed');
        expect([...followed.collector.rows.keys()].sort()).toEqual([1, 3]);
        expect(followed.collector.faults).toEqual([]);
      } finally {
        await client.end();
        await followed.stop();
      }
    });
  });

  test('a hot standby is refused: locks and the bell are where the rows are written', async () => {
    await withCluster({ version }, async (cluster, url) => {
      await cluster.stop('fast');
      await writeFile(join(cluster.dataDir, 'standby.signal'), '');
      // Resolves when the server accepts writes, which it does when promoted below.
      const primary = cluster.start();
      const answers = () =>
        ask(url, 'SELECT pg_is_in_recovery() AS standby').then(
          ([row]) => row?.standby === true,
          () => false,
        );
      await until(answers, 'the standby answers');
      try {
        await expect(prepared(url).done).rejects.toThrow('The server is a hot standby');
      } finally {
        await ask(url, 'SELECT pg_promote()');
        await primary;
      }
      expect((await prepared(url).done).bell.effective).toBe('auto');
    });
  });
});
