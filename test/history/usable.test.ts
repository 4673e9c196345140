import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { shipped } from '../../src/files.js';
import { foldCoarse } from '../../src/history/coarse.js';
import { dropOld } from '../../src/history/retention.js';
import { historyUsable } from '../../src/history/usable.js';
import { freshDatabase, newestVersion } from '../setup/database.js';
import { dropRoles, newRole, as as urlAs, withLink } from '../source/tables.js';
import { row } from '../streams/rows.js';
import {
  DAY,
  floorTo,
  IDENTITY,
  kept,
  live,
  MINUTE,
  NOW,
  rolled,
  type Scene,
  scene,
  TABLE,
  upTo,
} from './scene.js';

const psql = spawnSync('psql', ['--version']).status === 0;
if (!psql)
  console.log('psql is not installed (apt-get install postgresql-client): sql/role.sql is not tested');

describe.each(newestVersion())('a place for history on PostgreSQL %i', (version) => {
  let place: Scene;
  let role: string;
  beforeEach(async () => {
    place = await scene(version);
    role = await newRole(place.db.url);
  });
  afterEach(async () => {
    await place.close();
    await dropRoles(place.db.url, [role]);
  });

  const reason = (url: string) => withLink(url, (link) => historyUsable(link));

  test('the owner can, once it is migrated', async () => {
    expect(await reason(place.db.url)).toBeUndefined();
    await place.sql('DROP TABLE sync_monitor.rollup_todo');
    expect(await reason(place.db.url)).toBe(
      'The schema sync_monitor has no table rollup_todo; the owner has to run "sync-monitor migrate".',
    );
    const empty = await freshDatabase(version);
    try {
      expect(await reason(empty.url)).toBe(
        'There is no schema sync_monitor to write in; the owner has to run "sync-monitor migrate".',
      );
    } finally {
      await empty.drop();
    }
  });

  test('another role is told which right it lacks, one after the other, until it can', async () => {
    const url = urlAs(place.db.url, role);
    expect(await reason(url)).toBe(
      `Role ${role} may not use the schema sync_monitor; the owner has to run sql/role.sql, or GRANT USAGE ON SCHEMA sync_monitor.`,
    );
    await place.sql(`GRANT USAGE ON SCHEMA sync_monitor TO ${role}`);
    for (const table of ['checkpoint', 'rollup', 'rollup_todo']) {
      await place.sql(`GRANT SELECT, DELETE ON sync_monitor.${table} TO ${role}`);
      const lacks = table === 'rollup_todo' ? 'INSERT' : 'INSERT, UPDATE';
      expect(await reason(url)).toBe(
        `Role ${role} may not ${lacks} in sync_monitor.${table}; the owner has to run sql/role.sql, or GRANT ${lacks} ON sync_monitor.${table}.`,
      );
      await place.sql(`GRANT ${lacks} ON sync_monitor.${table} TO ${role}`);
    }
    expect(await reason(url)).toBeUndefined();
  });

  test.skipIf(!psql)(
    'the role of sql/role.sql can do all that is done, and may not change what migrate keeps',
    async () => {
      const variables = ['-v', `table=${TABLE}`, '-v', `role=${role}`];
      const run = spawnSync(
        'psql',
        ['-X', '-q', ...variables, '-f', `${shipped('sql')}/role.sql`, place.db.url],
        { encoding: 'utf8' },
      );
      expect([run.status, run.stderr]).toEqual([0, '']);
      const url = urlAs(place.db.url, role);
      expect(await reason(url)).toBeUndefined();
      const { store, link } = place.store({ url });
      await store.begin('before', upTo(0));
      await store.begin(IDENTITY, upTo(0));
      const rows = [
        row(1, { createdAt: NOW - DAY, customerId: 5, durationMs: 3 }),
        row(2, { createdAt: NOW - 40 * DAY }),
      ];
      store.apply(live(...rows));
      store.capture(upTo(2));
      await store.flush();
      await foldCoarse(store, { now: () => NOW });
      expect(await dropOld(store, { now: () => NOW, retentionDays: 400 })).toMatchObject({ minutes: 0 });
      await store.open(IDENTITY);
      expect(await kept(link, store.checkpointId, 2)).toEqual(rolled(rows, floorTo(DAY)));
      expect(await kept(link, store.checkpointId, 0)).toEqual(rolled(rows.slice(0, 1), floorTo(MINUTE)));
      await expect(link.query(`INSERT INTO sync_monitor.migrations VALUES (99, 'x')`)).rejects.toThrow(
        'permission denied',
      );
      await expect(link.query('DROP TABLE sync_monitor.rollup')).rejects.toThrow('must be owner');
      expect(await link.query('SELECT id FROM sync_monitor.migrations WHERE id = 2')).toEqual([['2']]);
    },
  );
});
