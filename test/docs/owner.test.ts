/** The way into a database where nobody may be a superuser, as dashboards/README.md tells it. */
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { shipped } from '../../src/files.js';
import { databaseCheck } from '../../src/health/database.js';
import { type CustomerSyncMonitor, startMonitor } from '../../src/monitor.js';
import { migrate } from '../../src/source/migrate.js';
import { discoverTable } from '../../src/source/table.js';
import { freshDatabase, newestVersion, type TestDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { SQL_DIR, until } from '../source/collector.js';
import { dropRoles, as as urlAs, withLink } from '../source/tables.js';

const psql = spawnSync('psql', ['--version']).status === 0;
if (!psql)
  console.log(
    'psql is not installed (apt-get install postgresql-client): the way of the owner is not tested',
  );

describe.skipIf(!psql).each(newestVersion())('without a superuser on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let owner: string;
  let watcher: string;
  let monitor: CustomerSyncMonitor | undefined;

  beforeEach(async () => {
    db = await freshDatabase(version);
    [owner, watcher] = [`portal_${db.name}`, `watcher_${db.name}`];
    // What the provider's console or its administrator does.
    await ask(
      db.url,
      `CREATE ROLE ${owner} LOGIN; CREATE ROLE ${watcher} LOGIN; GRANT CREATE ON DATABASE ${db.name} TO ${owner};
       ALTER TABLE customer_sync_logs OWNER TO ${owner}`,
    );
  });
  afterEach(async () => {
    await monitor?.stop();
    monitor = undefined;
    await db.drop();
    await dropRoles(db.url, [owner, watcher]);
  });

  /** sql/role.sql as the owner, without a password. */
  function runScript(): void {
    const variables = ['table=public.customer_sync_logs', `role=${watcher}`].flatMap((one) => ['-v', one]);
    const file = `${shipped('sql')}/role.sql`;
    const run = spawnSync('psql', ['-X', '-q', ...variables, '-f', file, urlAs(db.url, owner)], {
      encoding: 'utf8',
    });
    // Whoever does not own the schema cannot grant USAGE on it, which PUBLIC has there.
    const said = run.stderr.replace(/^.*WARNING: +no privileges were granted for "public"\n/gm, '');
    expect([run.status, said]).toEqual([0, '']);
  }

  /** Connections by state as the monitor's role sees them. */
  function connections(): Promise<object> {
    return withLink(urlAs(db.url, watcher), async (link) => {
      const check = databaseCheck({ ask: (sql) => link.query(sql), close: () => undefined });
      const { details } = await check.ask(new AbortController().signal);
      return details?.connections as object;
    });
  }

  test('the owner installs, and a role of its own watches with bell and history', async () => {
    runScript();
    await withLink(urlAs(db.url, owner), async (link) =>
      migrate(link, await discoverTable(link, 'customer_sync_logs'), 'auto', SQL_DIR),
    );
    runScript();
    const warnings: string[] = [];
    const warn = (_: object, message: string) => void warnings.push(message);
    monitor = await startMonitor({
      databaseUrl: urlAs(db.url, watcher),
      table: 'customer_sync_logs',
      log: { info: () => undefined, warn, error: warn },
    });
    const started = monitor;
    await until(() => started.source().bell.mode === 'armed', 'the bell is armed');
    await ask(
      db.url,
      `INSERT INTO customer_sync_logs (operation_type, status) VALUES ('created', 'success')`,
    );
    await until(() => started.latest()?.windows['1h'].total_operations === 1, 'the row is counted');
    await until(() => started.history()?.state === 'ready', 'history is kept');
    expect(warnings).toEqual([]);
  });

  test('pg_monitor is what tells the states of connections of other roles, and nothing else', async () => {
    const idle = await withLink(urlAs(db.url, owner), async (link) => {
      await link.query('SELECT 1');
      const hidden = await connections();
      await ask(db.url, `GRANT pg_monitor TO ${watcher}`);
      return [hidden, await connections()];
    });
    expect(idle[0]).toHaveProperty('hidden');
    expect(idle[1]).not.toHaveProperty('hidden');
  });
});
