/** The steps of a period against SQL: out of history, out of the table alone, and where only quarter hours are kept. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { foldCoarse } from '../../src/history/coarse.js';
import { stepsOfPeriod } from '../../src/history/series.js';
import { Link } from '../../src/source/connection.js';
import { ReadPool } from '../../src/source/pool.js';
import { QUERY_SESSION } from '../../src/source/source.js';
import { type SeriesNumbers, type SeriesStep, seriesBounds } from '../../streams/period-series.js';
import { newestVersion } from '../setup/database.js';
import { discover } from '../source/tables.js';
import { BURSTS, END, Followed, insertRows, settle } from './followed.js';
import { IDENTITY, type Scene, scene, TABLE, upTo } from './scene.js';

/** Printed, so that a failing run can be repeated. */
const SEED = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 1e6));
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const BURST = BURSTS[2] ?? 0;

const CASES: readonly (readonly [SeriesStep, number, number])[] = [
  [10, BURST - 95_000, BURST + 4 * MINUTE + 1],
  [60, END - HOUR - 1, END],
  [300, END - 1.5 * DAY, END - DAY + 12_345],
  [900, END - 40 * DAY, END - 37 * DAY],
  [3_600, END - 7 * DAY, END],
  [21_600, END - 50 * DAY, END + DAY],
  [86_400, END - 70 * DAY, END],
];

describe.each(newestVersion())('on PostgreSQL %i', (version) => {
  let place: Scene;
  let client: pg.Client;
  let reads: Link;
  let pool: ReadPool;
  let followed: Followed;

  beforeAll(async () => {
    console.log(`seed ${SEED}`);
    place = await scene(version);
    client = new pg.Client(place.db.url);
    await client.connect();
    await client.query('ALTER TABLE customer_sync_logs DROP CONSTRAINT customer_sync_logs_duration_ms_check');
    await client.query(insertRows(5_000, (SEED % 1000) / 1000));
    reads = new Link('reader', { url: place.db.url });
    await reads.connect();
    pool = new ReadPool({ url: place.db.url, session: QUERY_SESSION });
    const { store } = place.store({ clock: () => END });
    followed = new Followed({ store, link: reads, table: await discover(place.db.url, TABLE) });
    await store.begin(IDENTITY, upTo(0));
    while ((await followed.read(3_000)) > 0) await followed.flush();
    await foldCoarse(store, { now: () => END });
    // Some that wait, some that no flush has brought there.
    await settle(client, 40);
    await followed.reread();
  });
  afterAll(async () => {
    pool?.close();
    reads?.close();
    await client?.end();
    await place?.close();
  });

  const ask = (bounds: readonly number[], from: 'history' | 'table') =>
    pool.snapshot((query) =>
      stepsOfPeriod(query, followed.table, from === 'history' ? followed.memory : undefined, bounds),
    );

  async function differences(
    bounds: readonly number[],
    steps: readonly SeriesNumbers[],
    table = TABLE,
  ): Promise<string[]> {
    const { rows } = await client.query(
      `SELECT i::int, count(created_at)::int AS total, count(*) FILTER (WHERE status IN ('error', 'failed'))::int AS errors,
         round(100.0 * count(*) FILTER (WHERE status IN ('error', 'failed')) / nullif(count(created_at), 0), 2)::float8 AS rate,
         percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY duration_ms) FILTER (WHERE duration_ms >= 0) AS p,
         (SELECT json_object_agg(status, n) FROM (SELECT status, count(*)::int AS n FROM ${table} s
           WHERE s.created_at >= since AND s.created_at < before GROUP BY 1) c) AS statuses
       FROM unnest($1::timestamptz[], $2::timestamptz[]) WITH ORDINALITY b (since, before, i)
       LEFT JOIN ${table} ON created_at >= since AND created_at < before GROUP BY i, since, before ORDER BY i`,
      [bounds.slice(0, -1).map((at) => new Date(at)), bounds.slice(1).map((at) => new Date(at))],
    );
    expect(steps).toHaveLength(rows.length);
    const found: string[] = [];
    const near = (one: number | null, other: number | null) =>
      one === other || (one !== null && other !== null && Math.abs(one - other) <= other * 1e-3);
    steps.forEach((step, i) => {
      const { total, errors, rate, p, statuses } = rows[i];
      const sorted = (of: object) => JSON.stringify(Object.entries(of).sort());
      const [p50, p95, p99] = p ?? [null, null, null];
      const ok =
        [step.total_operations, step.error_count, step.error_rate].join() === [total, errors, rate].join() &&
        (step.error_rate === null) === (total === 0) &&
        sorted(step.by_status) === sorted(statuses ?? {}) &&
        near(step.duration_p50_ms, p50) &&
        near(step.duration_p95_ms, p95) &&
        near(step.duration_p99_ms, p99);
      if (!ok)
        found.push(
          `${new Date(bounds[i] ?? 0).toISOString()}: ${JSON.stringify(step)}, the table says ${JSON.stringify(rows[i])}`,
        );
    });
    return found;
  }

  test.each(CASES)(
    'steps of %i s are what SQL says, out of history and of the table',
    async (step, from, to) => {
      const bounds = seriesBounds(from, to, step);
      for (const source of ['history', 'table'] as const) {
        const { steps, aligned } = await ask(bounds, source);
        expect(aligned).toBe(false);
        expect(await differences(bounds, steps)).toEqual([]);
        // Empty steps are among them, and full ones.
        expect(new Set(steps.map(({ total_operations: n }) => n === 0)).size).toBe(2);
      }
    },
  );

  test('steps within a minute are not those that were asked for where the rows are gone; whole minutes are', async () => {
    await client.query('CREATE TABLE everything AS TABLE customer_sync_logs');
    await client.query(`DELETE FROM customer_sync_logs WHERE created_at < $1 AND status <> 'pending'`, [
      new Date(END - MINUTE),
    ]);
    await client.query('UPDATE sync_monitor.checkpoint SET raw_from = $1', [new Date(END - MINUTE)]);
    expect((await ask(seriesBounds(BURST, BURST + 4 * MINUTE, 10), 'history')).aligned).toBe(true);
    const bounds = seriesBounds(BURST - HOUR, BURST + 4 * MINUTE, 60);
    const { steps, aligned } = await ask(bounds, 'history');
    expect(aligned).toBe(false);
    expect(steps.some((step) => step.total_operations > 20)).toBe(true);
    expect(await differences(bounds, steps, 'everything')).toEqual([]);
  });

  test('no step is no question', async () => {
    expect(await ask([END], 'history')).toEqual({ steps: [], aligned: false });
  });
});
