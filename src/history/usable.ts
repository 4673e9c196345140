/** Whether there is a place to write history in. */
import type { Db } from './db.js';

const TABLES = ['checkpoint', 'rollup', 'rollup_todo'];
const PRIVILEGES = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];

/**
 * Why this role cannot write these tables of the schema sync_monitor (those of history), in one sentence; undefined where
 * it can.
 * @throws what the connection throws
 */
export async function historyUsable(db: Db, tables: readonly string[] = TABLES): Promise<string | undefined> {
  const [schema] = await db.query(
    `SELECT current_user, has_schema_privilege(oid, 'USAGE') FROM pg_catalog.pg_namespace WHERE nspname = 'sync_monitor'`,
  );
  if (!schema)
    return 'There is no schema sync_monitor to write in; the owner has to run "sync-monitor migrate".';
  const [role, usable] = schema;
  if (usable !== 't')
    return `Role ${role} may not use the schema sync_monitor; the owner has to run sql/role.sql, or GRANT USAGE ON SCHEMA sync_monitor.`;
  const found = await db.query(
    `SELECT c.relname, ${PRIVILEGES.map((privilege) => `has_table_privilege(c.oid, '${privilege}')`).join(', ')}
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'sync_monitor' AND c.relkind = 'r' AND c.relname = ANY ($1)`,
    [tables],
  );
  for (const table of tables) {
    const granted = found.find(([name]) => name === table)?.slice(1);
    if (!granted)
      return `The schema sync_monitor has no table ${table}; the owner has to run "sync-monitor migrate".`;
    const missing = PRIVILEGES.filter((_, i) => granted[i] !== 't');
    if (missing.length > 0)
      return `Role ${role} may not ${missing.join(', ')} in sync_monitor.${table}; the owner has to run sql/role.sql, or GRANT ${missing.join(', ')} ON sync_monitor.${table}.`;
  }
  return undefined;
}
