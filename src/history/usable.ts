/** Whether there is a place to write history in. */
import type { Db } from './db.js';

const PRIVILEGES = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const;

/** By table of the schema sync_monitor what is done there; sql/role.sql grants this and no more. */
export type Needs = Readonly<Record<string, readonly (typeof PRIVILEGES)[number][]>>;

export const HISTORY_NEEDS: Needs = {
  checkpoint: PRIVILEGES,
  rollup: PRIVILEGES,
  rollup_todo: ['SELECT', 'INSERT', 'DELETE'],
};

/**
 * Why this role cannot do what is needed (for history), in one sentence; undefined where it can.
 * @throws what the connection throws
 */
export async function historyUsable(db: Db, needs: Needs = HISTORY_NEEDS): Promise<string | undefined> {
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
    [Object.keys(needs)],
  );
  for (const [table, needed] of Object.entries(needs)) {
    const granted = found.find(([name]) => name === table)?.slice(1);
    if (!granted)
      return `The schema sync_monitor has no table ${table}; the owner has to run "sync-monitor migrate".`;
    const missing = PRIVILEGES.filter((privilege, i) => needed.includes(privilege) && granted[i] !== 't');
    if (missing.length > 0)
      return `Role ${role} may not ${missing.join(', ')} in sync_monitor.${table}; the owner has to run sql/role.sql, or GRANT ${missing.join(', ')} ON sync_monitor.${table}.`;
  }
  return undefined;
}
