/**
 * Each privilege of sql/role.sql, one by one: without it something that `serve` does is refused, or said to be missing.
 * The list is what the role holds, read from the catalogue: a privilege that is added and not needed fails here.
 */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ALERT_NEEDS } from '../../src/alert-place.js';
import { ackedIds, acknowledge, listAlerts, listAttempts } from '../../src/alerts/alert-store.js';
import { postgresCooldown } from '../../src/alerts/cooldown-postgres.js';
import { Journal } from '../../src/alerts/journal.js';
import { deliveredBodies, loadKept, prune } from '../../src/alerts/journal-load.js';
import { createSilence, endSilence, listSilences } from '../../src/alerts/silences.js';
import { shipped } from '../../src/files.js';
import { foldCoarse } from '../../src/history/coarse.js';
import { dropOld } from '../../src/history/retention.js';
import { HISTORY_NEEDS } from '../../src/history/usable.js';
import { startMonitor } from '../../src/monitor.js';
import { migrate } from '../../src/source/migrate.js';
import { discoverTable } from '../../src/source/table.js';
import { noticeOf } from '../alerts/notices.js';
import { IDENTITY, live, NOW, type Scene, scene, TABLE, upTo } from '../history/scene.js';
import { sharedVersions } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { row } from '../streams/rows.js';
import { SQL_DIR } from './collector.js';
import { dropRoles, as as urlAs, withLink } from './tables.js';

const psql = spawnSync('psql', ['--version']).status === 0;
if (!psql)
  console.log('psql is not installed (apt-get install postgresql-client): sql/role.sql is not tested');

const MIGRATIONS = 'TABLE sync_monitor.migrations';

interface Grant {
  readonly on: string;
  readonly privilege: string;
}

/** All that a role was given, as GRANT and REVOKE write it. */
const GRANTS = (role: string) => `
  WITH me AS (SELECT oid FROM pg_roles WHERE rolname = '${role}')
  SELECT format('SCHEMA %I', nspname) AS on, privilege_type AS privilege
    FROM pg_namespace, aclexplode(nspacl) a, me WHERE a.grantee = me.oid
  UNION ALL SELECT format('%s %s', CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass), privilege_type
    FROM pg_class c, aclexplode(relacl) a, me WHERE a.grantee = me.oid
  UNION ALL SELECT format('TABLE %s', attrelid::regclass), format('%s (%I)', privilege_type, attname)
    FROM pg_attribute, aclexplode(attacl) a, me WHERE a.grantee = me.oid
  ORDER BY 1, 2`;

describe.skipIf(!psql).each(sharedVersions().slice(-1))('sql/role.sql on PostgreSQL %i', (version) => {
  let place: Scene;
  let role: string;
  let url: string;
  let grants: readonly Grant[];

  beforeAll(async () => {
    place = await scene(version);
    // Else everybody has what the script grants.
    await place.sql('REVOKE USAGE ON SCHEMA public FROM PUBLIC');
    await withLink(place.db.url, async (link) =>
      migrate(link, await discoverTable(link, TABLE), 'auto', SQL_DIR),
    );
    role = `least_${place.db.name}`;
    url = urlAs(place.db.url, role);
    const args = [
      '-X',
      '-q',
      '-v',
      `table=${TABLE}`,
      '-v',
      `role=${role}`,
      '-f',
      `${shipped('sql')}/role.sql`,
    ];
    const run = spawnSync('psql', [...args, place.db.url], { encoding: 'utf8' });
    expect([run.status, run.stderr]).toEqual([0, '']);
    grants = (await ask(place.db.url, GRANTS(role))) as unknown as Grant[];
  });
  afterAll(async () => {
    await place.close();
    await dropRoles(place.db.url, [role]);
  });

  /** History from its begin to its end, and an alert from its firing to the broom. @throws what the server refuses */
  async function write(): Promise<void> {
    const { store, link } = place.store({ url });
    await link.connect();
    try {
      await store.begin('before', upTo(0));
      await store.begin(IDENTITY, upTo(0));
      store.apply(live(row(1, { createdAt: NOW - 40 * 86_400_000 }), row(2, { createdAt: NOW })));
      store.capture(upTo(2));
      await store.flush();
      await foldCoarse(store, { now: () => NOW });
      await dropOld(store, { now: () => NOW, retentionDays: 400, pauseMs: 0 });
      await store.open(IDENTITY);
    } finally {
      link.close();
    }
    await withLink(url, async (db) => {
      const journal = new Journal(db, TABLE);
      journal.states({});
      journal.notice(noticeOf('one', 'firing', { outcome: 'delivered' }));
      await journal.flush();
      await loadKept(db, TABLE);
      await deliveredBodies(db, TABLE, ['ops']);
      await listAlerts(db, TABLE, { state: 'all', limit: 1 }, NOW);
      await acknowledge(db, TABLE, 'one', { by: null, note: null }, NOW);
      await ackedIds(db, TABLE);
      await listAttempts(db, TABLE, { limit: 1 });
      const asked = {
        rule: '*',
        startsAt: undefined,
        endsAt: Date.now() + 60_000,
        reason: 'test',
        createdBy: null,
      };
      const silence = await createSilence(db, TABLE, asked, [], Date.now());
      await endSilence(db, TABLE, silence.id, Date.now());
      await listSilences(db, TABLE, Date.now());
      const cooldown = postgresCooldown(db, TABLE);
      await cooldown.claim('rule', 'one', Date.now(), Date.now());
      await cooldown.take('rule', 'one', Date.now(), Date.now());
      await prune(db, TABLE, NOW);
    });
  }

  /** What a start complains of. */
  async function complaints(): Promise<readonly string[]> {
    const said: string[] = [];
    const say = (_: object, message: string) => void said.push(message);
    const monitor = await startMonitor({
      ...{ databaseUrl: url, table: TABLE },
      log: { info: () => undefined, warn: say, error: say },
    }).catch((error: Error) => void said.push(error.message));
    await monitor?.stop();
    return said;
  }

  test('is what the code says that it needs', () => {
    const needs = Object.entries({ ...HISTORY_NEEDS, ...ALERT_NEEDS, migrations: ['SELECT'] }).flatMap(
      ([table, privileges]) => privileges.map((privilege) => `TABLE sync_monitor.${table} ${privilege}`),
    );
    const ours = grants
      .map(({ on, privilege }) => `${on} ${privilege}`)
      .filter((one) => one.includes('sync_monitor.'));
    expect(ours.toSorted()).toEqual(needs.toSorted());
    const rest = grants.filter(({ on }) => !on.includes('sync_monitor.'));
    expect(new Set(rest.map(({ privilege }) => privilege.split(' ')[0]))).toEqual(
      new Set(['SELECT', 'USAGE']),
    );
    expect(rest.length).toBeGreaterThan(10);
  });

  test('is enough', async () => {
    await write();
    expect(await complaints()).toEqual([]);
  });

  test('holds nothing that is not missed', async () => {
    const idle: string[] = [];
    for (const { on, privilege } of grants.filter(({ on }) => on !== MIGRATIONS)) {
      await place.sql(`REVOKE ${privilege} ON ${on} FROM ${role}`);
      const refused = await write().then(
        () => false,
        (error: Error) => {
          expect(error.message).toMatch(/permission denied/);
          return true;
        },
      );
      // What is written is missed by a statement that fails: that a start looks for it says nothing of its need.
      const missed = refused || (!on.includes('sync_monitor.') && (await complaints()).length > 0);
      if (!missed) idle.push(`${privilege} ON ${on}`);
      await place.sql(`GRANT ${privilege} ON ${on} TO ${role}`);
    }
    expect(idle).toEqual([]);
    expect(await complaints()).toEqual([]);
  });

  test('may see which migrations there are, without which none would be called for', async () => {
    await place.sql('DELETE FROM sync_monitor.migrations WHERE id = 4');
    expect((await complaints()).join()).toContain('the owner of public.customer_sync_logs has to run, once');
    await place.sql(`REVOKE SELECT ON ${MIGRATIONS} FROM ${role}`);
    expect(await complaints()).toEqual([]);
  });
});
