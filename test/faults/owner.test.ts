import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { adminUrl, sharedVersions } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { type Scene, scene, until } from './scene.js';

const TABLE = 'customer_sync_logs';
const LOCK_NOT_AVAILABLE = '55P03';

/** The owner's migrations, in an order that a schema may go through; each a statement of its own. */
const MIGRATIONS: readonly string[] = [
  `ALTER TABLE ${TABLE} ALTER COLUMN duration_ms TYPE bigint`,
  `ALTER TABLE ${TABLE} ALTER COLUMN operation_type TYPE varchar(80)`,
  `ALTER TABLE ${TABLE} ALTER COLUMN correlation_id TYPE text`,
  `ALTER TABLE ${TABLE} ADD COLUMN session_key varchar(40) DEFAULT 'none'`,
  `ALTER TABLE ${TABLE} DROP COLUMN session_key`,
  `ALTER TABLE ${TABLE} DROP COLUMN onec_id`,
  `ALTER TABLE ${TABLE} RENAME COLUMN customer_email TO email`,
  'CREATE INDEX CONCURRENTLY IF NOT EXISTS by_duration ON customer_sync_logs (duration_ms)',
  'DROP INDEX CONCURRENTLY by_duration',
  `VACUUM FULL ${TABLE}`,
  `CLUSTER ${TABLE} USING customer_sync_logs_pkey`,
  `ALTER TABLE ${TABLE} SET UNLOGGED`,
  `ALTER TABLE ${TABLE} SET LOGGED`,
];

/** Runs the statement under the owner's lock_timeout of 2 s. @returns how often it had to be tried again */
async function migrate(owner: pg.Client, statement: string, retries: number): Promise<number> {
  for (let tries = 0; ; tries++) {
    try {
      await owner.query(statement);
      return tries;
    } catch (error) {
      const refused = error instanceof pg.DatabaseError && error.code === LOCK_NOT_AVAILABLE;
      if (!refused || tries === retries)
        throw new Error(`${statement}: ${(error as Error).message}`, { cause: error });
      // What an interrupted one leaves behind is invalid.
      if (statement.startsWith('CREATE INDEX')) await owner.query('DROP INDEX IF EXISTS by_duration');
    }
  }
}

/** Locks on the table or its indexes that one transaction of the monitor holds at two moments 100 ms apart. */
async function heldLocks(it: Scene): Promise<Record<string, unknown>[]> {
  const look = () =>
    it.sql(
      `SELECT l.virtualtransaction, l.relation::regclass::text, l.mode, a.state FROM pg_locks l JOIN pg_stat_activity a USING (pid)
       WHERE a.application_name = 'customer-sync-monitor' AND a.datname = current_database() AND l.locktype = 'relation'
         AND (l.relation = '${TABLE}'::regclass OR l.relation IN (SELECT indexrelid FROM pg_index WHERE indrelid = '${TABLE}'::regclass))`,
    );
  const first = await look();
  await it.sql('SELECT pg_sleep(0.1)'); // the distance of the two looks
  const second = await look();
  return first.filter((one) => second.some((other) => other.virtualtransaction === one.virtualtransaction));
}

describe.each(sharedVersions())("the owner's migrations (PostgreSQL %i)", (version) => {
  test('beside an armed and idle monitor none waits, and the monitor holds no lock between statements', async () => {
    const it = await scene(version);
    const owner = await it.session();
    await owner.query(`SET lock_timeout = '2s'`);
    await it.insert(200);
    await it.armed();
    for (let i = 0; i < 10; i++) expect(await heldLocks(it)).toEqual([]);
    let slowest = 0;
    for (const statement of MIGRATIONS) {
      const before = performance.now();
      expect(await migrate(owner, statement, 0)).toBe(0);
      slowest = Math.max(slowest, performance.now() - before);
    }
    console.log(
      `PostgreSQL ${version}: the slowest of the owner's statements took ${Math.round(slowest)} ms`,
    );
    await it.counts(3, () => it.insert(3));
    await it.armed();
    expect(await heldLocks(it)).toEqual([]);
    expect(await it.differences()).toEqual([]);
    expect(it.monitor.source().warnings).toEqual([
      expect.stringMatching(/^Column customer_email is missing/),
      expect.stringMatching(/^Column onec_id is missing/),
    ]);
    await it.end();
  });

  test('waiting for the owner it holds nothing that he may want next', async () => {
    const it = await scene(version);
    const owner = await it.session();
    await it.insert(10);
    await it.armed();
    // The first statement makes every plan of the monitor void, so that its next one is parsed behind the lock.
    await owner.query(
      `SET lock_timeout = '500ms'; ALTER TABLE ${TABLE} ADD COLUMN session_key text; COMMIT; BEGIN; LOCK TABLE ${TABLE} IN ACCESS EXCLUSIVE MODE`,
    );
    let holding: unknown[] = [];
    await until(async () => {
      const [waiting] = await it.sql(
        `SELECT pid FROM pg_locks WHERE relation = '${TABLE}'::regclass AND NOT granted`,
      );
      if (waiting)
        holding = await it.sql(
          `SELECT relation::regclass::text, mode FROM pg_locks JOIN pg_class c ON c.oid = relation
           WHERE pid = $1 AND locktype = 'relation' AND granted AND relnamespace <> 'sync_monitor'::regnamespace`,
          [waiting.pid],
        );
      return waiting !== undefined;
    }, 'the monitor waits for the table');
    // Takes the sequence after the table, as TRUNCATE RESTART IDENTITY and DROP TABLE do: no deadlock may come of it.
    await owner.query(`ALTER TABLE ${TABLE} SET UNLOGGED`);
    await owner.query('COMMIT');
    expect(holding).toEqual([]);
    await it.counts(5, () => it.insert(5));
    expect(await it.differences()).toEqual([]);
    await it.end();
  });

  test('a right taken away: said once, with the reason, and mended when it is given back', async () => {
    const role = `monitor_${Math.random().toString(36).slice(2)}`;
    const it = await scene(version, {
      config: { bell: 'off' },
      before: async (client) => {
        await client.query(
          `CREATE ROLE ${role} LOGIN; GRANT SELECT ON ${TABLE}, customer_sync_logs_id_seq TO ${role}`,
        );
      },
      through: (url) => Object.assign(new URL(url), { username: role }).href,
    });
    await it.counts(5, () => it.insert(5));
    await it.sql('REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC');
    const refused = /permission denied for function pg_control_system/;
    await until(() => {
      const completeness = it.monitor.latest()?.completeness;
      return completeness?.state === 'unknown' && refused.test(completeness.reasons.join());
    }, 'said to be unknown, and why');
    expect(it.monitor.getSystemHealth().status).toBe('unhealthy');
    await it.insert(5);
    await it.sql('SELECT pg_sleep(2)'); // a few more attempts: they are not to be told each
    await it.sql('GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC');
    await until(() => it.counted() === 10, 'counted');
    expect(await it.differences()).toEqual([]);
    expect(it.log.filter((line) => line.startsWith('nothing can be read'))).toHaveLength(1);
    expect(it.log.filter((line) => line.startsWith('reading again'))).toHaveLength(1);
    expect(it.log.filter((line) => line.startsWith('the table was changed')).length).toBeLessThan(10);
    expect(it.monitor.source().resets).toBe(0);
    await it.end();
    await ask(adminUrl(version), `DROP ROLE ${role}`);
  });

  test('under the load of 4 writers: nobody fails, the rows are counted all the while', async () => {
    const it = await scene(version);
    const owner = await it.session();
    await owner.query(`SET lock_timeout = '2s'`);
    const writers = await it.writers(4, { weights: { long: 0, ahead: 0 } });
    const progress = async (what: string) => {
      const { rowsRead } = it.monitor.source();
      await until(() => it.monitor.source().rowsRead > rowsRead + 20, `rows are read after ${what}`);
    };
    await progress('the start');
    const retried: string[] = [];
    for (const statement of MIGRATIONS) {
      const tries = await migrate(owner, statement, 3);
      if (tries > 0) retried.push(`${statement}: ${tries}`);
      await progress(statement);
    }
    await Promise.all(writers.map((writer) => writer.stop()));
    const statements = writers.reduce((sum, writer) => sum + writer.statements, 0);
    const slowest = Math.max(...writers.map((writer) => writer.slowestMs));
    console.log(
      `PostgreSQL ${version}: ${statements} statements of the writers, the slowest ${Math.round(slowest)} ms; resets ${it.monitor.source().resets} (${it.monitor.source().lastResetReason}); retried ${retried.join(', ') || 'none'}`,
    );
    expect(writers.map((writer) => writer.error?.message).filter(Boolean)).toEqual([]);
    expect(await it.differences()).toEqual([]);
    expect(
      it.log.some(
        (line) => line.startsWith('the table was changed') && /customer_email is missing/.test(line),
      ),
    ).toBe(true);
    // Two columns that are read went away; that alone makes nobody believe in an outage.
    expect(it.log.filter((line) => line.startsWith('nothing can be read'))).toEqual([]);
    expect(it.monitor.source().connected).toBe(true);
    await it.end();
  });
});
