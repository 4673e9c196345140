import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Link } from './connection.js';
import { type Keys, keysOf } from './keeper.js';
import type { TableInfo } from './table.js';

export type BellSetting = 'auto' | 'always' | 'off';

/** What stands on the table now. `foreign` is a trigger of our name with another key or channel. */
export type TriggerState = 'absent' | 'quiet' | 'always' | 'foreign' | 'disabled';

export interface Statement {
  /** What it does, for logs and --dry-run. */
  readonly title: string;
  readonly sql: string;
}

/** Serialises migrators of one database; 'csm' and a version of this protocol. */
const MIGRATION_LOCK = '7163763701';
/** How long installing may queue the portal's writes behind it, per try. */
const LOCK_TIMEOUT_MS = 50;
/** With growing pauses about 16 s in all. */
const TRIES = 40;

/** The numbered files of sql/, in order. */
export async function schemaStatements(
  sqlDir: string,
): Promise<(Statement & { id: number; name: string })[]> {
  const files = (await readdir(sqlDir)).filter((name) => /^\d{3}_.*\.sql$/.test(name)).sort();
  return Promise.all(
    files.map(async (name) => ({
      id: Number(name.slice(0, 3)),
      name,
      title: `sql/${name}`,
      sql: await readFile(`${sqlDir}/${name}`, 'utf8'),
    })),
  );
}

/** The statement that puts the bell on this table, as the owner would run it. */
export async function installBell(
  sqlDir: string,
  table: TableInfo,
  setting: 'auto' | 'always',
): Promise<Statement> {
  const keys = keysOf(table.qualified);
  const sql = await readFile(`${sqlDir}/bell/install.sql`, 'utf8');
  const filled = sql
    .split('\n')
    .filter((line) => !line.startsWith('--'))
    .join('\n')
    .replace(':table', () => table.qualified)
    .replace(':when', () =>
      setting === 'auto' ? `WHEN (NOT pg_catalog.pg_try_advisory_xact_lock_shared(${keys.bell}))` : '',
    )
    .replace(':channel', () => `'${keys.channel}'`);
  return { title: `the bell on ${table.qualified}`, sql: filled.trim() };
}

export async function removeBell(sqlDir: string, table: TableInfo): Promise<Statement> {
  const sql = await readFile(`${sqlDir}/bell/remove.sql`, 'utf8');
  return {
    title: `remove the bell from ${table.qualified}`,
    sql: sql.replace(':table', () => table.qualified).trim(),
  };
}

/** Reads the trigger's state from the catalogue. */
export async function triggerState(link: Link, table: TableInfo, keys: Keys): Promise<TriggerState> {
  const [row] = await link.query(
    `SELECT pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE tgrelid = $1 AND tgname = 'sync_monitor_bell'`,
    [table.oid],
  );
  if (!row) return 'absent';
  const [definition, enabled] = row as [string, string];
  if (enabled === 'D' || enabled === 'R') return 'disabled';
  if (!definition.includes(`'${keys.channel}'`)) return 'foreign';
  if (!definition.includes('pg_try_advisory_xact_lock_shared')) return 'always';
  return definition.includes(keys.bell) ? 'quiet' : 'foreign';
}

/** The monitor's part of the database cannot be installed by this role; `statements` is what the owner has to run. */
export class MigrationRefusedError extends Error {
  readonly statements: readonly Statement[];
  /** Long transactions held the table all the while: the same may succeed later. */
  readonly busy: boolean;
  constructor(message: string, statements: readonly Statement[], busy = false) {
    super(message);
    this.name = 'MigrationRefusedError';
    this.statements = statements;
    this.busy = busy;
  }
}

/** What is still to be done so that schema and bell are as `setting` wants them. */
export async function pendingStatements(
  link: Link,
  table: TableInfo,
  setting: BellSetting,
  sqlDir: string,
): Promise<Statement[]> {
  // The catalogue and not to_regclass: that fails where the schema is closed to this role, and for a while does not see
  // what another migrator has committed (it alone does not read the invalidations).
  const [installed] = await link.query(
    `SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'sync_monitor' AND c.relname = 'migrations'`,
  );
  const known = new Set<number>();
  if (installed) {
    // Not readable: the owner installed it; which version is then the owner's word.
    const all = installed[0] === 't' ? await link.query('SELECT id FROM sync_monitor.migrations') : undefined;
    for (const { id } of await schemaStatements(sqlDir))
      if (!all || all.some((row) => Number(row[0]) === id)) known.add(id);
  }
  const todo: Statement[] = (await schemaStatements(sqlDir))
    .filter(({ id }) => !known.has(id))
    .map(({ id, name, title, sql }) => ({
      title,
      sql: `${sql.trim()}\nINSERT INTO sync_monitor.migrations (id, name) VALUES (${id}, '${name}') ON CONFLICT DO NOTHING;`,
    }));
  const state = await triggerState(link, table, keysOf(table.qualified));
  const wanted = setting === 'off' ? 'absent' : setting === 'auto' ? 'quiet' : 'always';
  // A trigger that somebody disabled stays so: that was a decision.
  if (state !== wanted && state !== 'disabled') {
    if (state !== 'absent') todo.push(await removeBell(sqlDir, table));
    if (setting !== 'off') todo.push(await installBell(sqlDir, table, setting));
  }
  return todo;
}

/**
 * Installs what is missing, in one transaction, without ever queueing up the portal's writes for more than 50 ms: the
 * table's lock is asked for with a short lock_timeout, and between the tries everybody else goes first.
 * Two starters at once end with one winner; the other finds nothing left to do.
 * @param tries with growing pauses, 16 s in all by default
 * @throws MigrationRefusedError where the role may not, or the table's lock was never free.
 */
export async function migrate(
  link: Link,
  table: TableInfo,
  setting: BellSetting,
  sqlDir: string,
  tries = TRIES,
): Promise<readonly Statement[]> {
  if (setting !== 'off') await requirePublicTry(link);
  return underLock(link, table, tries, () => pendingStatements(link, table, setting, sqlDir));
}

/** Removes everything that `migrate` added. */
export async function unmigrate(link: Link, table: TableInfo, sqlDir: string): Promise<readonly Statement[]> {
  return underLock(link, table, TRIES, () => removalStatements(link, table, sqlDir));
}

/**
 * What `unmigrate` would run. The schema goes only when nothing of another table depends on it: its bell, or its
 * history. Where it stays, this table's history is given up for the other monitor's retention to drop: deleting its
 * many rows here would hold the table's lock meanwhile.
 */
export async function removalStatements(link: Link, table: TableInfo, sqlDir: string): Promise<Statement[]> {
  const todo: Statement[] = [];
  if ((await triggerState(link, table, keysOf(table.qualified))) !== 'absent')
    todo.push(await removeBell(sqlDir, table));
  const [row] = await link.query(
    `SELECT to_regnamespace('sync_monitor') IS NOT NULL, (SELECT count(*) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
       WHERE p.pronamespace = to_regnamespace('sync_monitor') AND t.tgrelid <> $1)`,
    [table.oid],
  );
  if (row?.[0] !== 't') return todo;
  const history = await historiesIn(link, table);
  if (row[1] === '0' && !history.others)
    todo.push({ title: 'remove the schema', sql: 'DROP SCHEMA sync_monitor CASCADE;' });
  else if (history.own)
    todo.push({
      title: `give up the history of ${table.qualified}`,
      sql: `UPDATE sync_monitor.checkpoint SET table_name = NULL, leader = gen_random_uuid() WHERE table_name = '${table.qualified.replaceAll("'", "''")}';`,
    });
  return todo;
}

/** Whether history is kept of this table, and of others that still exist. */
async function historiesIn(link: Link, table: TableInfo): Promise<{ own: boolean; others: boolean }> {
  const [readable] = await link.query(
    `SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'sync_monitor' AND c.relname = 'checkpoint'`,
  );
  if (readable?.[0] !== 't') return { own: false, others: false };
  const [row] = await link.query(
    `SELECT bool_or(h.table_name = $1), bool_or(h.table_name <> $1 AND EXISTS (SELECT FROM pg_class c
       JOIN pg_namespace n ON n.oid = c.relnamespace WHERE format('%I.%I', n.nspname, c.relname) = h.table_name))
     FROM sync_monitor.checkpoint h`,
    [table.qualified],
  );
  return { own: row?.[0] === 't', others: row?.[1] === 't' };
}

/** A hardened database may have taken the try away from PUBLIC: then the trigger would fail the writers' INSERT. */
export async function writersMayRing(link: Link): Promise<boolean> {
  const [row] = await link.query(
    `SELECT has_function_privilege('public', 'pg_catalog.pg_try_advisory_xact_lock_shared(bigint)', 'EXECUTE')
        AND has_function_privilege('public', 'pg_catalog.pg_notify(text, text)', 'EXECUTE')`,
  );
  return row?.[0] === 't';
}

async function requirePublicTry(link: Link): Promise<void> {
  if (!(await writersMayRing(link)))
    throw new MigrationRefusedError(
      'PUBLIC may not execute pg_try_advisory_xact_lock_shared or pg_notify here; the bell would fail the writers, so it is not installed.',
      [],
    );
}

async function underLock(
  link: Link,
  table: TableInfo,
  tries: number,
  plan: () => Promise<Statement[]>,
): Promise<readonly Statement[]> {
  for (let attempt = 1; ; attempt++) {
    let todo: Statement[] = [];
    try {
      todo = await plan();
      if (todo.length === 0) return [];
      await link.query('BEGIN');
      await link.query(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`); // waits for the other migrator, for nobody else
      todo = await plan(); // the winner may have done it while we waited
      if (todo.some(({ sql }) => sql.includes('TRIGGER'))) {
        // NOWAIT never queues anybody; under a steady load it may never succeed, so some tries wait for a moment.
        await link.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
        await link.query(
          `LOCK TABLE ${table.qualified} IN ACCESS EXCLUSIVE MODE${attempt % 4 === 0 ? '' : ' NOWAIT'}`,
        );
      }
      for (const { sql } of todo) await link.query(sql);
      await link.query('COMMIT');
      return todo;
    } catch (error) {
      await rollback(link);
      const code = error instanceof pg.DatabaseError ? error.code : undefined;
      if (code === '55P03' && attempt < tries) {
        await sleep(20 * attempt * (0.5 + Math.random()));
        continue;
      }
      if (code === '42501' || code === '55P03')
        throw new MigrationRefusedError(
          code === '42501'
            ? `this role may not install it (${(error as Error).message})`
            : `${table.qualified} was never free of long transactions; try again in a quieter moment`,
          todo,
          code === '55P03',
        );
      throw error;
    }
  }
}

async function rollback(link: Link): Promise<void> {
  try {
    await link.query('ROLLBACK');
  } catch {
    // The connection is gone, and with it the transaction; the first error is the one to tell.
  }
}
