import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { QUERY_SESSION } from '../../src/source/source.js';
import { newestVersion } from '../setup/database.js';
import { until } from '../source/collector.js';
import { discover } from '../source/tables.js';
import { batch, row } from '../streams/rows.js';
import { AuditScene, type AuditSceneOptions, HOUR } from './audit-scene.js';
import { IDENTITY } from './scene.js';

const TABLE = 'customer_sync_logs';
const SPARSE = `INSERT INTO ${TABLE} (operation_type, status, created_at, customer_id, duration_ms)
  SELECT 'sync_changes', 'success', now() - n * interval '1 minute', n % 9, n FROM generate_series(3000, 1, -1) n`;
const WITHOUT_INDEX = `DROP INDEX sync_log_created_idx; ${SPARSE}`;
const SPOILT = (where: string) => `UPDATE ${TABLE} SET status = 'error' WHERE ${where}`;

describe.each(newestVersion())('the bounds of the audit on PostgreSQL %i', (version) => {
  let place: AuditScene;
  afterEach(() => place.close());

  async function make(options: Partial<AuditSceneOptions> = {}): Promise<void> {
    place = await AuditScene.make({ version, before: SPARSE, ...options });
  }

  test('a step compares a bounded number of rows, whatever history knows of them', async () => {
    await make({ pace: { rows: 100 } });
    await place.round();
    expect(place.audit.state).toMatchObject({ finds: 0, completeness_ratio: 1 });
    // Now history has nothing at all, and each step finds out how much it can take.
    await place.sql(`DELETE FROM sync_monitor.rollup`);
    place.clock += 100 * 24 * HOUR;
    let [most, steps] = [0, 0];
    for (let before = place.audit.state.rows_compared; ; steps++) {
      if ((await place.audit.step()) > 0) break;
      const now = place.audit.state.rows_compared;
      most = Math.max(most, now - before);
      before = now;
    }
    expect(most).toBeGreaterThan(50);
    expect(most).toBeLessThanOrEqual(400);
    expect(steps).toBeGreaterThan(8);
    expect(place.audit.state).toMatchObject({ finds: 3000, failures: 0, not_compared: 0 });
    expect(place.audit.state.finds_by_kind.late).toBe(3000);
    expect(await place.kept()).toEqual(await place.told());
  });

  test('without an index by time it goes by the ids that history knows', async () => {
    await make({ before: WITHOUT_INDEX });
    await place.sql(SPOILT('id IN (7, 1500)'));
    await place.round();
    expect(place.audit.state).toMatchObject({ finds: 2, refolded: 2, failures: 0 });
    expect(await place.kept()).toEqual(await place.told());
    // Its id is among those of the step.
    await place.sql(`DELETE FROM ${TABLE} WHERE id = 1600`);
    await place.follower.follow();
    await place.round();
    await place.round();
    await place.sql(
      `INSERT INTO ${TABLE} (id, operation_type, status, created_at) VALUES (1600, 'created', 'success', now() - interval '20 hours')`,
    );
    await place.round();
    expect(place.audit.state.finds_by_kind).toMatchObject({ deleted: 1, late: 1 });
    expect(await place.kept()).toEqual(await place.told());
    const { spans } = place;
    expect(spans.length).toBeGreaterThan(0);
    for (const { idMin, idMax } of spans)
      expect(idMin ?? Number.NaN).toBeLessThanOrEqual(idMax ?? Number.NaN);
  });

  test('without an index by time, a minute whose ids are those of half the table is left out, and counted', async () => {
    await make({ before: WITHOUT_INDEX, pace: { rows: 50 } });
    await place.sql(
      `INSERT INTO ${TABLE} (operation_type, status, created_at) VALUES ('created', 'success', now() - interval '40 hours')`,
    );
    await place.follower.follow();
    await place.sql(SPOILT('id IN (3, 2900)'));
    await place.round();
    expect(place.audit.state).toMatchObject({ finds: 2, failures: 0, not_compared: 1 });
  });

  test('names beyond the first 32 are compared as other', async () => {
    await make({
      before: `INSERT INTO ${TABLE} (operation_type, status, created_at)
        SELECT 'type ' || n, 'status ' || n, now() - n * interval '30 minutes' FROM generate_series(1, 90) n`,
    });
    await place.round();
    expect(place.audit.state).toMatchObject({ finds: 0, failures: 0 });
    await place.sql(`UPDATE ${TABLE} SET status = 'success' WHERE operation_type = 'type 80'`);
    await place.round();
    expect(place.audit.state.last_finds).toMatchObject([
      { operation_type: 'other', kind: 'status', what: 'other 1 -> 0, success 0 -> 1' },
    ]);
    expect(place.audit.state.finds).toBe(1);
  });

  test('while the backfill has not come down to them, rows are not missed', async () => {
    await make();
    const ids = [...Array(3000)].map((_, i) => i + 1);
    const early = [4, 900];
    const state = { high: 3000, floor: 1000, holes: [], pending: [2000], ahead: early };
    await place.store.begin(IDENTITY, state);
    const [{ at } = {}] = await place.sql(
      `SELECT extract(epoch FROM created_at) * 1000 AS at FROM ${TABLE} WHERE id = 3000`,
    );
    const folded = [...early, ...ids.filter((id) => id > 1000 && id !== 2000)];
    await place.sql(`UPDATE ${TABLE} SET customer_id = NULL, duration_ms = NULL`);
    place.store.apply(
      batch(Date.now(), {
        rows: folded.map((id) => row(id, { createdAt: Number(at) - (3000 - id) * 60_000 })),
      }),
    );
    place.store.capture(state);
    await place.store.flush();
    await place.round();
    expect(place.audit.state).toMatchObject({ finds: 0, failures: 0, completeness_ratio: 1 });
    expect(place.audit.state.rows_compared).toBeGreaterThanOrEqual(folded.length);
    await place.sql(SPOILT('id IN (900, 1001, 999, 2000)'));
    await place.round();
    expect(place.audit.state.finds).toBe(2);
  });

  test('history keeps what a column told that is there no more', async () => {
    await make();
    const history = await place.kept();
    await place.sql(`ALTER TABLE ${TABLE} DROP COLUMN duration_ms, DROP COLUMN customer_id`);
    place.table = await discover(place.db.url, `public.${TABLE}`);
    await place.round();
    expect(place.audit.state).toMatchObject({ finds: 0, failures: 0 });
    expect(await place.kept()).toEqual(history);
  });

  test('another table of that name is not compared with what is kept of the old one', async () => {
    await make();
    const history = await place.kept();
    await place.sql(`ALTER TABLE ${TABLE} RENAME TO away; CREATE TABLE ${TABLE} (LIKE away INCLUDING ALL)`);
    await place.round();
    expect(place.audit.state).toMatchObject({
      finds: 0,
      failures: 1,
      last_failure: expect.stringContaining('not the table'),
    });
    await place.sql(`DROP TABLE ${TABLE}; ALTER TABLE away RENAME TO ${TABLE}`);
    await place.round();
    expect(place.audit.state).toMatchObject({ finds: 0, failures: 1, last_failure: null });
    expect(place.log.map((line) => line.split(' ')[0])).toEqual(['warn', 'info']);
    expect(await place.kept()).toEqual(history);
  });

  test('who does not hold the pen any more writes nothing', async () => {
    await make();
    const history = await place.kept();
    await place.sql(`UPDATE sync_monitor.checkpoint SET leader = gen_random_uuid(); ${SPOILT('id = 2900')}`);
    await place.round();
    expect(place.audit.state).toMatchObject({ finds: 0, failures: 1, refolded: 0 });
    expect(place.audit.state.completeness_ratio).toBeLessThan(1);
    expect(await place.kept()).toEqual(history);
    // The store has lost it, too: there is nothing to do until it is loaded again.
    expect(place.store.fault).toContain('another process');
    await place.round();
    expect(place.audit.state.failures).toBe(1);
    await place.store.open(IDENTITY);
    await place.round();
    expect(place.audit.state).toMatchObject({
      finds: 1,
      refolded: 1,
      last_failure: null,
      completeness_ratio: 1,
    });
  });

  test('windows that could not be read again are asked for once more', async () => {
    await make();
    await place.sql(SPOILT('id = 2900'));
    place.refoldFault = new Error('no connection');
    await place.round();
    expect(place.audit.state).toMatchObject({ refolded: 1, last_failure: 'no connection' });
    expect(place.spans).toEqual([]);
    await place.round();
    expect(place.audit.state).toMatchObject({ refolded: 1, last_failure: null, finds: 1 });
    expect(place.spans).toMatchObject([{ lostCustomers: [2] }]);
  });

  test('less at a time where it takes too long, and what takes too long even so is left out', async () => {
    await make({ session: `${QUERY_SESSION}; SET statement_timeout = 200; SET lock_timeout = 0` });
    await place.round();
    const holder = new pg.Client(place.db.url);
    await holder.connect();
    await holder.query(`BEGIN; LOCK TABLE ${TABLE} IN ACCESS EXCLUSIVE MODE`);
    for (let i = 1; place.audit.state.not_compared === 0; i++) {
      await place.round();
      expect(place.audit.state.failures).toBe(i);
      expect(i).toBeLessThan(10);
    }
    expect(place.audit.state.last_failure).toContain('statement timeout');
    await holder.end();
    await place.sql(SPOILT('id = 2900'));
    await place.round();
    await place.round();
    expect(place.audit.state).toMatchObject({ finds: 1, last_failure: null });
  });

  test('runs by itself once it is started, and ends when it is told to', async () => {
    const every = { newest: 5, hour: 20, day: 50, old: 100 };
    await make({ now: () => performance.now(), pace: { every, rest: 0.1 } });
    place.audit.start();
    place.audit.start();
    await until(() => place.audit.state.rounds.newest.finished >= 3, 'three rounds of the newest minutes');
    await place.sql(SPOILT('id = 2900'));
    await until(() => place.audit.state.finds === 1, 'the find');
    await until(() => place.audit.state.rounds.old.finished >= 2, 'two rounds of the old minutes');
    await place.audit.stop();
    const { rows_compared } = place.audit.state;
    await place.follower.follow();
    expect(place.audit.state).toMatchObject({ rows_compared, finds: 1, failures: 0 });
  });
});
