import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { breakdownOfPeriod } from '../../src/history/breakdown.js';
import { foldCoarse } from '../../src/history/coarse.js';
import { businessOfPeriod, operationsOfPeriod } from '../../src/history/period-query.js';
import { dropOld } from '../../src/history/retention.js';
import { Link } from '../../src/source/connection.js';
import { ReadPool } from '../../src/source/pool.js';
import { QUERY_SESSION } from '../../src/source/source.js';
import { Zone } from '../../streams/zone.js';
import { businessDifferences, operationDifferences } from '../monitor/oracle.js';
import { newestVersion } from '../setup/database.js';
import { discover } from '../source/tables.js';
import { breakdownDifferences } from './breakdown-oracle.js';
import { BURSTS, END, Followed, insertLate, insertRows, noting, SINCE, settle } from './followed.js';
import { IDENTITY, type Scene, scene, TABLE, upTo } from './scene.js';

/** Printed, so that a failing run can be repeated. */
const SEED = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 1e6));
const MINUTE = 60_000;
const QUARTER = 15 * MINUTE;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** History begins so much earlier, and keeps minutes for 35 days. */
const BEGUN = END - 12 * DAY;
const minutesFrom = (now: number) => Math.floor((now - 35 * DAY) / QUARTER) * QUARTER;
const MINUTES_FROM = [minutesFrom(BEGUN), minutesFrom(END)];
const SAVINGS = { manualResolutionMinutes: 10 };

const moments = fc.oneof(
  fc.integer({ min: SINCE - DAY, max: END + HOUR }),
  fc
    .tuple(
      fc.constantFrom(...BURSTS, ...MINUTES_FROM, END),
      fc.integer({ min: -4 * MINUTE, max: 4 * MINUTE }),
    )
    .map(([at, by]) => at + by),
);
const bounds = fc
  .tuple(moments, fc.constantFrom(1, 1, MINUTE, QUARTER, HOUR, DAY))
  .map(([at, unit]) => Math.floor(at / unit) * unit);
const lengths = fc.oneof(
  fc.integer({ min: 1, max: 3 * MINUTE }),
  fc.integer({ min: 1, max: 3 * HOUR }),
  fc.integer({ min: HOUR, max: 4 * DAY }),
);
const periods = fc.oneof(
  fc.tuple(bounds, bounds).map(([a, b]) => [Math.min(a, b), Math.max(a, b) + (a === b ? 1 : 0)] as const),
  fc.tuple(bounds, lengths).map(([start, length]) => [start, start + length] as const),
);
const zones = fc.constantFrom(
  'UTC',
  'Europe/Moscow',
  'Europe/Berlin',
  'America/St_Johns',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'America/New_York',
);

describe.each(newestVersion())('on PostgreSQL %i every number of any period', (version) => {
  let place: Scene;
  let client: pg.Client;
  let reads: Link;
  let pool: ReadPool;
  let followed: Followed;
  const statements: string[] = [];

  beforeAll(async () => {
    console.log(`seed ${SEED}`);
    place = await scene(version);
    client = new pg.Client(place.db.url);
    await client.connect();
    // Times of the oracle's own SQL are in the zone that it says, not in that of the session.
    await client.query(`SET timezone = 'Asia/Kathmandu'`);
    await client.query('ALTER TABLE customer_sync_logs DROP CONSTRAINT customer_sync_logs_duration_ms_check');
    await client.query(insertRows(version === 18 ? 14_000 : 6_000, (SEED % 1000) / 1000));
    reads = new Link('reader', { url: place.db.url });
    await reads.connect();
    pool = new ReadPool({ url: place.db.url, session: QUERY_SESSION });
    const { store } = place.store({ clock: () => BEGUN });
    followed = new Followed({ store, link: reads, table: await discover(place.db.url, TABLE) });
    await store.begin(IDENTITY, upTo(0));
    expect(store.minutesFrom).toBe(MINUTES_FROM[0]);
  });
  afterAll(async () => {
    pool.close();
    reads.close();
    await client.end();
    await place.close();
  });

  /** With an index by time or, as if there were none, by the ids that history knows. */
  const table = (indexed: boolean) => ({ ...followed.table, createdAtIndexed: indexed });
  const operations = (start: number, end: number, indexed = true) =>
    pool.snapshot((query) =>
      operationsOfPeriod(
        noting(query, statements),
        table(indexed),
        followed.memory,
        new Date(start),
        new Date(end),
      ),
    );
  const business = (start: number, end: number, indexed = true) =>
    pool.snapshot((query) =>
      businessOfPeriod(
        noting(query, statements),
        table(indexed),
        followed.memory,
        new Date(start),
        new Date(end),
        SAVINGS,
      ),
    );
  const breakdown = (some: readonly number[], indexed = true) =>
    pool.snapshot((query) =>
      breakdownOfPeriod(noting(query, statements), table(indexed), followed.memory, some),
    );

  const unflushed = () => followed.store.generations().reduce((sum, { changes }) => sum + changes.rows, 0);

  /** Of so many random periods; none of them may be answered by a scan. */
  async function judge(runs: number, stage: number): Promise<void> {
    await fc.assert(
      fc.asyncProperty(periods, zones, fc.boolean(), async ([start, end], name, indexed) => {
        statements.length = 0;
        const what = `${new Date(start).toISOString()} to ${new Date(end).toISOString()}`;
        const numbers = await operations(start, end, indexed);
        expect([numbers.period_start, numbers.period_end, numbers.aligned]).toEqual([
          new Date(start).toISOString(),
          new Date(end).toISOString(),
          undefined,
        ]);
        expect(await operationDifferences(client, what, numbers, TABLE)).toEqual([]);
        const numbersOfBusiness = await business(start, end, indexed);
        expect(await businessDifferences(client, what, numbersOfBusiness, TABLE)).toEqual([]);
        const zone = new Zone(name);
        const unit = end - start < 4 * DAY ? 'hour' : 'day';
        const at = unit === 'hour' ? zone.hours(start, end) : zone.days(start, end);
        const { spans } = await breakdown(at, indexed);
        expect(await breakdownDifferences(client, unit, zone, at, spans)).toEqual([]);
        expect(
          statements.filter(
            (text) => text.includes('percentile_disc') || text.includes('DISTINCT customer_id'),
          ),
        ).toEqual([]);
      }),
      { numRuns: runs, seed: SEED + stage, endOnFailure: true },
    );
  }

  const runs = version === 18 ? 40 : 12;

  test('is what SQL says: out of minutes, some of them not flushed, and quarter hours of the old time', async () => {
    while ((await followed.read(3_000)) > 0) await followed.flush();
    await settle(client, 30);
    await followed.reread();
    expect(unflushed()).toBeGreaterThan(50);
    await judge(runs, 1);
  });

  test('is what SQL says: out of quarter hours, days and months', async () => {
    await followed.flush();
    const { quarters, days, months } = await foldCoarse(followed.store, { now: () => END });
    expect([quarters > 150, days > 50, months]).toEqual([true, true, 2]);
    expect(unflushed()).toBe(0);
    await judge(runs, 2);
  });

  test.each([
    ['Europe/Berlin', '2025-10-26', 25, 25],
    ['America/St_Johns', '2025-11-02', 25, 25],
    ['America/New_York', '2025-11-02', 25, 25],
    // The clocks go half an hour ahead at two.
    ['Australia/Lord_Howe', '2025-10-05', 24, 23.5],
  ])('is what SQL says: of the hours of %s on %s, when its clocks change', async (name, day, hours, long) => {
    const zone = new Zone(name);
    const noon = Date.parse(`${day}T12:00Z`) - zone.offset(Date.parse(day));
    const [from, to] = zone.days(noon, noon + 1);
    expect(((to ?? 0) - (from ?? 0)) / HOUR).toBe(long);
    const bounds = zone.hours(from ?? 0, to ?? 0);
    expect(bounds).toHaveLength(hours + 1);
    const { spans } = await breakdown(bounds);
    expect(await breakdownDifferences(client, 'hour', zone, bounds, spans)).toEqual([]);
    expect(spans.reduce((sum, span) => sum + span.total_operations, 0)).toBeGreaterThan(0);
  });

  test('is what SQL says: once old minutes are dropped; late rows in coarse periods, in a part on its way to the database and in one that fills', async () => {
    expect(
      (await dropOld(followed.store, { now: () => END, retentionDays: 400, pauseMs: 0 })).minutes,
    ).toBeGreaterThan(100);
    await client.query(insertLate(600, 0.3));
    await followed.read(200);
    await followed.flush();
    expect(followed.store.minutesFrom).toBe(MINUTES_FROM[1]);
    await followed.read(200);
    expect(followed.capture()).toBe(true);
    await settle(client, 60);
    await followed.reread();
    await followed.read();
    const [captured, filling] = followed.store.generations();
    expect([captured?.changes.rows, filling?.changes.rows].every((rows) => (rows ?? 0) > 100)).toBe(true);
    expect(followed.pendingRows).toBeGreaterThan(100);
    await judge(version === 18 ? 80 : 12, 3);
  });

  test('is what SQL says: after all of that is flushed and folded again', async () => {
    await followed.store.flush();
    await followed.flush();
    await foldCoarse(followed.store, { now: () => END });
    await judge(runs, 4);
  });

  test('is of whole minutes or quarter hours, and says so, where the table was cut off', async () => {
    await settle(client, 99);
    await client.query(`DELETE FROM customer_sync_logs WHERE status = 'pending'`);
    await followed.reread();
    await followed.flush();
    expect(followed.pendingRows).toBe(0);
    const rawFrom = END - 20 * DAY + 7_300;
    await client.query('CREATE TABLE everything AS TABLE customer_sync_logs');
    await client.query('DELETE FROM customer_sync_logs WHERE created_at < $1', [new Date(rawFrom)]);
    await client.query('UPDATE sync_monitor.checkpoint SET raw_from = $1', [new Date(rawFrom)]);
    let moved = 0;
    await fc.assert(
      fc.asyncProperty(periods, fc.boolean(), async ([start, end], indexed) => {
        const numbers = await operations(start, end, indexed);
        const [from, to] = [Date.parse(numbers.period_start), Date.parse(numbers.period_end)];
        const unit = (at: number) => (at < (MINUTES_FROM[1] ?? 0) ? QUARTER : MINUTE);
        expect([start, Math.floor(start / unit(start)) * unit(start)]).toContain(from);
        expect([end, Math.ceil(end / unit(end)) * unit(end)]).toContain(to);
        if (from !== start) expect(start).toBeLessThan(rawFrom);
        if (to !== end) expect(Math.floor(end / unit(end)) * unit(end)).toBeLessThan(rawFrom);
        expect(numbers.aligned).toBe(from !== start || to !== end ? true : undefined);
        if (numbers.aligned) moved += 1;
        const what = `${numbers.period_start} to ${numbers.period_end}`;
        expect(await operationDifferences(client, what, numbers, 'everything')).toEqual([]);
        const ofBusiness = await business(start, end, indexed);
        expect(ofBusiness).toMatchObject({
          period_start: numbers.period_start,
          period_end: numbers.period_end,
          ...(numbers.aligned && { aligned: true }),
        });
        expect(await businessDifferences(client, what, ofBusiness, 'everything')).toEqual([]);
      }),
      { numRuns: runs, seed: SEED + 5, endOnFailure: true },
    );
    expect(moved).toBeGreaterThan(0);
    // Spans that follow each other share a moved bound: no row is in two of them.
    const odd = [BURSTS[0] ?? 0, (BURSTS[0] ?? 0) + 95_000, (BURSTS[0] ?? 0) + HOUR + 1, rawFrom + DAY];
    const { spans, aligned } = await breakdown(odd);
    expect(aligned).toBe(true);
    const all = await operations(odd[0] ?? 0, odd.at(-1) ?? 0);
    expect(spans.map((span) => span.total_operations).reduce((sum, n) => sum + n)).toBe(all.total_operations);
    expect(spans[0]?.total_operations).toBe(0);
  });
});
