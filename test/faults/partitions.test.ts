import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { sharedVersions } from '../setup/database.js';
import { connect, type Scene, scene, until } from './scene.js';

const TABLE = 'portal_log';
const HOUR = 3_600_000;

/** The leaf of the hour that began `ago` hours before the test did. */
function leaves(now: number) {
  const at = (ago: number) => new Date(now - ago * HOUR).toISOString();
  return {
    bounds: (ago: number) => `FOR VALUES FROM ('${at(ago)}') TO ('${at(ago - 1)}')`,
    middle: (ago: number) => `'${at(ago - 0.5)}'::timestamptz`,
  };
}

describe.each(sharedVersions())('a partitioned table (PostgreSQL %i)', (version) => {
  const { bounds, middle } = leaves(Date.now());

  async function create(client: pg.Client): Promise<void> {
    await client.query(`CREATE SEQUENCE portal_log_id_seq;
      CREATE TABLE ${TABLE} (
        id bigint NOT NULL DEFAULT nextval('portal_log_id_seq'), operation_type varchar(50) NOT NULL,
        status varchar(20) NOT NULL, customer_id bigint, duration_ms integer, details jsonb,
        created_at timestamptz NOT NULL DEFAULT now()) PARTITION BY RANGE (created_at);
      ALTER SEQUENCE portal_log_id_seq OWNED BY ${TABLE}.id;
      CREATE INDEX ON ${TABLE} (id);
      CREATE INDEX ON ${TABLE} (created_at);
      CREATE TABLE log_0 PARTITION OF ${TABLE} FOR VALUES FROM (now() - interval '10 minutes') TO ('infinity');
      CREATE TABLE log_2 PARTITION OF ${TABLE} ${bounds(2)};
      SELECT setval('portal_log_id_seq', 1000)`); // the archives that come back later hold older ids
  }

  /** An archive as DETACH left it: rows with old ids, and the index. */
  const archive = (name: string, ago: number, ids: [number, number]) =>
    `CREATE TABLE ${name} (LIKE ${TABLE} INCLUDING DEFAULTS INCLUDING INDEXES);
     INSERT INTO ${name} (id, operation_type, status, created_at)
     SELECT id, 'created', 'success', ${middle(ago)} FROM generate_series(${ids[0]}, ${ids[1]}) id`;

  // With history what was folded goes on; without, the windows are rebuilt.
  test.each([
    ['auto', 0, null],
    ['off', 1, expect.stringMatching(/partition public.log_4 was attached with rows in it/)],
  ] as const)(
    'rows through the parent, straight into a leaf, and with an attached partition; history %s',
    async (history, resets, lastResetReason) => {
      const it = await scene(version, { config: { table: TABLE, history }, before: create });
      await it.armed();
      const { bells } = it.monitor.source();
      await it.counts(200, () => it.insert(200));
      expect(it.monitor.source().bells).toBeGreaterThan(bells);

      await it.armed();
      const ms = await it.counts(30, () =>
        it.sql(
          `INSERT INTO log_2 (operation_type, status, created_at) SELECT 'updated', 'error', ${middle(2)} FROM generate_series(1, 30)`,
        ),
      );
      console.log(`PostgreSQL ${version}: rows put straight into a leaf were counted after ${ms} ms`);
      expect(ms).toBeLessThan(4_000);
      await until(() => it.monitor.source().bell.mode === 'dead', 'the bell is said to be dead');
      expect(it.monitor.source().bell.reason).toMatch(/straight into a partition/);
      expect(it.monitor.getSystemHealth()).toMatchObject({
        status: 'degraded',
        components: {
          listener: { available: false, message: expect.stringMatching(/the bell is dead: rows/) },
        },
      });

      // Somebody writes all the while.
      const portal = await connect(it.url);
      let writing = true;
      const written = (async () => {
        while (writing)
          await portal.query(
            `INSERT INTO ${TABLE} (operation_type, status) VALUES ('sync_changes', 'success')`,
          );
      })();

      await it.sql(archive('log_4', 4, [1, 50]));
      await it.sql(`ALTER TABLE ${TABLE} ATTACH PARTITION log_4 ${bounds(4)}`);
      await until(() => created(it) === 50, 'the attached rows are counted');
      expect(it.monitor.source()).toMatchObject({ resets, lastResetReason });

      // What is made every day: an empty leaf, into which rows come through the parent.
      await it.sql(`CREATE TABLE log_3 PARTITION OF ${TABLE} ${bounds(3)}`);
      await it.sql(
        `INSERT INTO ${TABLE} (operation_type, status, created_at) SELECT 'created', 'success', ${middle(3)} FROM generate_series(1, 20)`,
      );
      await until(() => created(it) === 70, 'rows of the new leaf');
      const { polls } = it.monitor.source();
      const at = Date.parse(it.monitor.latest()?.at ?? '');
      await until(
        () => it.monitor.source().polls > polls + 2 && Date.parse(it.monitor.latest()?.at ?? '') - at > 1_500,
        'looked at the leaves again',
      );
      expect(it.monitor.source().resets).toBe(resets);

      // Several at once: one empty, one that is filled in the same transaction, two archives.
      await it.sql(`BEGIN;
      ${archive('log_5', 5, [51, 60])}; ${archive('log_6', 6, [61, 70])};
      ALTER TABLE ${TABLE} ATTACH PARTITION log_5 ${bounds(5)};
      CREATE TABLE log_7 PARTITION OF ${TABLE} ${bounds(7)};
      CREATE TABLE log_8 PARTITION OF ${TABLE} ${bounds(8)};
      INSERT INTO ${TABLE} (operation_type, status, created_at) VALUES ('created', 'success', ${middle(8)});
      ALTER TABLE ${TABLE} ATTACH PARTITION log_6 ${bounds(6)};
      COMMIT`);
      await until(() => created(it) === 91, 'the rows of all of them');
      writing = false;
      await written;
      await portal.end();
      expect(await it.differences()).toEqual([]);
      expect(it.monitor.source().resets).toBe(2 * resets);
      await it.end();
    },
  );
});

function created(it: Scene): number {
  return it.monitor.latest()?.windows['24h'].by_type.created?.total_operations ?? 0;
}
