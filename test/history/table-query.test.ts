import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  businessOfTable,
  operationsOfTable,
  type Query,
  type TableShape,
} from '../../src/history/table-query.js';
import { ReadPool } from '../../src/source/pool.js';
import { READER_SESSION } from '../../src/source/source.js';
import type { Savings } from '../../streams/business.js';
import { businessDifferences, operationDifferences } from '../monitor/oracle.js';
import { freshDatabase, newestVersion, type TestDatabase } from '../setup/database.js';
import { createTable, discover } from '../source/tables.js';
import { randomOf } from '../source/writers.js';

/** Printed, so that a failing run can be repeated. */
const SEED = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 1e6));
const FROM = Date.UTC(2024, 1, 28, 22);
const HOUR = 3_600_000;
const HOURS = 6;

/** Six hours over the end of a month: every type, status and duration there is, and rows on the very bounds. */
const ROWS = `INSERT INTO history (operation_type, status, created_at, customer_id, duration_ms, details)
  SELECT (ARRAY['import_from_1c', 'export_to_1c', 'sync_changes', 'customer_identification', 'conflict_resolution',
                'batch_operation', 'created', 'custom one', '__proto__', ''])[1 + floor(random() * 10)],
    (ARRAY['success', 'success', 'success', 'error', 'failed', 'warning', 'skipped', 'pending', 'odd'])[1 + floor(random() * 9)],
    timestamptz '2024-02-28 22:00Z' + CASE WHEN n % 10 = 0 THEN floor(random() * 7) * interval '1 hour'
      WHEN n % 10 = 1 THEN floor(random() * 6) * interval '1 hour' - interval '1 microsecond'
      ELSE random() * interval '6 hours' END,
    CASE WHEN n % 7 > 0 THEN floor(random() * 500)::int8 * 18014398509481984 END,
    CASE WHEN n % 11 = 0 THEN NULL WHEN n % 50 = 1 THEN -1 WHEN n % 50 = 2 THEN 2147483647 ELSE exp(random() * 12)::int END,
    ('[null, {}, [], {"email_sent": true}, {"email_sent": "true"}, {"email_sent": false, "conflict_type": "data_import"},
       {"conflict_source": "portal_registration", "conflict_type": "data_import", "method": "onec_id"},
       {"conflict_source": "a new one", "search_method": "tax_id", "email_sent": true},
       {"identification_method": "email"}, {"method": "unknown"}]'::jsonb) -> floor(random() * 10)::int
  FROM generate_series(1, 20000) n`;

describe.each(newestVersion())('the numbers of a period out of the table, on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let client: pg.Client;
  let pool: ReadPool;
  let table: TableShape;
  const random = randomOf(SEED + version);

  beforeAll(async () => {
    console.log(`seed ${SEED}`);
    db = await freshDatabase(version);
    client = new pg.Client(db.url);
    await client.connect();
    await client.query(`SELECT setseed(${(SEED % 1000) / 1000}); ${createTable('history')}; ${ROWS}`);
    // A moment of its own: half past seven in a zone of quarter hours changes nothing.
    await client.query(`SET timezone = 'Asia/Kathmandu'`);
    pool = new ReadPool({ url: db.url, session: READER_SESSION });
    table = await discover(db.url, 'history');
  });
  afterAll(async () => {
    pool.close();
    await client.end();
    await db.drop();
  });

  const ask = <T>(work: (query: Query) => Promise<T>) => pool.snapshot(work);
  const business = (start: Date, end: Date, savings: Savings = { manualResolutionMinutes: 10 }) =>
    ask((query) => businessOfTable(query, table, start, end, savings));
  const operations = (start: Date, end: Date, of = table) =>
    ask((query) => operationsOfTable(query, of, start, end));

  test('equal what SQL says, for any period', async () => {
    for (let i = 0; i < 12; i++) {
      const edge = () =>
        FROM + (random() < 0.5 ? Math.floor(random() * 7) * HOUR : Math.floor(random() * HOURS * HOUR));
      const [a, b] = [edge(), edge()];
      const [start, end] = [new Date(Math.min(a, b)), new Date(Math.max(a, b) + 1)];
      const name = `${start.toISOString()} to ${end.toISOString()}`;
      const numbers = await operations(start, end);
      expect(numbers.period_start).toBe(start.toISOString());
      expect(await operationDifferences(client, name, numbers, 'history')).toEqual([]);
      expect(await businessDifferences(client, name, await business(start, end), 'history')).toEqual([]);
      const { rows } = await client.query(
        'SELECT status, count(*)::int AS n FROM history WHERE created_at >= $1 AND created_at < $2 GROUP BY 1',
        [start, end],
      );
      expect(numbers.by_status).toEqual(Object.fromEntries(rows.map(({ status, n }) => [status, n])));
    }
  });

  test('are half-open: a row on the end belongs to the next period', async () => {
    const [start, end] = [new Date(FROM), new Date(FROM + HOUR)];
    const [one, two, both] = [
      await operations(start, end),
      await operations(end, new Date(FROM + 2 * HOUR)),
      await operations(start, new Date(FROM + 2 * HOUR)),
    ];
    expect(one.total_operations + two.total_operations).toBe(both.total_operations);
    const onTheBound = await operations(end, new Date(end.getTime() + 1));
    expect(onTheBound.total_operations).toBeGreaterThan(200);
  });

  test('of nothing are 0 where they count, and null where they would divide by it', async () => {
    const [start, end] = [new Date(0), new Date(60_000)];
    expect(await operations(start, end)).toEqual({
      total_operations: 0,
      success_count: 0,
      error_count: 0,
      warning_count: 0,
      skipped_count: 0,
      pending_count: 0,
      by_status: {},
      success_rate: null,
      error_rate: null,
      duration_count: 0,
      duration_negative_count: 0,
      duration_avg_ms: null,
      duration_min_ms: null,
      duration_max_ms: null,
      duration_p50_ms: null,
      duration_p95_ms: null,
      duration_p99_ms: null,
      throughput_per_minute: 0,
      operations_by_type: {},
      by_type: {},
      period_start: '1970-01-01T00:00:00.000Z',
      period_end: '1970-01-01T00:01:00.000Z',
    });
    expect(await business(start, end)).toEqual({
      synced_customers_count: 0,
      conflicts_resolved: {},
      total_conflicts: 0,
      total_conflicts_resolved: 0,
      identification_methods: {},
      total_identifications: 0,
      new_registrations: 0,
      imports_from_1c: 0,
      admin_notifications_sent: 0,
      auto_resolution_rate: null,
      automation_hours_saved: 0,
      period_start: '1970-01-01T00:00:00.000Z',
      period_end: '1970-01-01T00:01:00.000Z',
    });
  });

  test('say what was saved, in money only where an hour has its cost', async () => {
    const period = [new Date(FROM), new Date(FROM + HOURS * HOUR)] as const;
    const { total_conflicts_resolved: resolved } = await business(...period);
    expect(resolved).toBeGreaterThan(0);
    const saved = await business(...period, { manualResolutionMinutes: 6, hourCost: 25 });
    expect(saved.automation_hours_saved).toBeCloseTo(resolved / 10, 9);
    expect(saved.automation_money_saved).toBeCloseTo((resolved / 10) * 25, 9);
    expect(await business(...period)).not.toHaveProperty('automation_money_saved');
  });

  test('keep the 32 most frequent unknown names, the rest is other', async () => {
    await client.query(`${createTable('bomb', { status: 'text', operation_type: 'text' })};
      INSERT INTO bomb (operation_type, status, created_at, duration_ms, details)
        SELECT 'type ' || t, 'status ' || t, '2020-01-01 00:00:30Z', t, jsonb_build_object('conflict_source', 'source ' || t, 'method', 'method ' || t)
        FROM generate_series(1, 100) t, generate_series(1, t);
      INSERT INTO bomb (operation_type, status, created_at, duration_ms, details)
        SELECT type, 'success', '2020-01-01 00:00:30Z', NULL, jsonb_build_object('conflict_source', 'source ' || t, 'method', 'method ' || t)
        FROM generate_series(1, 100) t, generate_series(1, t), unnest('{conflict_resolution, customer_identification}'::text[]) type;
      INSERT INTO bomb (operation_type, status, created_at, duration_ms)
        VALUES (repeat('x', 5000), 'success', '2020-01-01 00:00:30Z', 7), ('other', repeat('y', 5000), '2020-01-01 00:00:30Z', 9)`);
    const bomb = await discover(db.url, 'bomb');
    const [start, end] = [new Date('2020-01-01T00:00:00Z'), new Date('2020-01-01T00:01:00Z')];
    const numbers = await operations(start, end, bomb);
    const all = (100 * 101) / 2;
    const rest = (68 * 69) / 2;
    expect(Object.keys(numbers.by_type)).toHaveLength(32 + 2 + 1);
    expect(numbers.operations_by_type).toMatchObject({ 'type 100': 100, 'type 69': 69, other: rest + 2 });
    expect(numbers.operations_by_type).not.toHaveProperty('type 68');
    expect(numbers.by_type.other).toMatchObject({
      duration_count: rest + 2,
      duration_min_ms: 1,
      duration_max_ms: 68,
    });
    expect(numbers.total_operations).toBe(3 * all + 2);
    expect(numbers.by_status).toMatchObject({ 'status 100': 100, other: rest + 1 });
    const { conflicts_resolved: sources, identification_methods: methods } = await ask((query) =>
      businessOfTable(query, bomb, start, end, { manualResolutionMinutes: 10 }),
    );
    expect(sources).toMatchObject({ 'source 100': 100, 'source 69': 69, other: rest });
    expect(methods).toMatchObject({ 'method 100': 100, other: rest });
    expect(Object.values(sources).reduce((sum, n) => sum + n, 0)).toBe(all);
  });

  test('of a table without the optional columns, and with NULL where Django has none', async () => {
    await client.query(`CREATE TABLE bare (id bigserial PRIMARY KEY, operation_type text, status text, created_at timestamptz);
      INSERT INTO bare (operation_type, status, created_at) VALUES ('conflict_resolution', 'success', '2020-01-01 00:00Z'), ('created', 'error', '2020-01-01 00:00Z'),
        (NULL, NULL, '2020-01-01 00:00Z'), ('created', 'success', NULL), ('created', 'success', 'infinity')`);
    const bare = await discover(db.url, 'bare');
    const period = [new Date('2020-01-01T00:00:00Z'), new Date('2020-01-01T00:02:00Z')] as const;
    expect(await operations(...([new Date(0), new Date('2030-01-01')] as const), bare)).toMatchObject({
      total_operations: 3,
      operations_by_type: { conflict_resolution: 1, created: 1, '': 1 },
      success_count: 1,
      error_count: 1,
      duration_count: 0,
      duration_avg_ms: null,
    });
    const saved = { manualResolutionMinutes: 10 };
    expect(await ask((query) => businessOfTable(query, bare, ...period, saved))).toMatchObject({
      synced_customers_count: 0,
      conflicts_resolved: { unknown: 1 },
      admin_notifications_sent: 0,
      auto_resolution_rate: 100,
    });
    // A NULL type keeps its durations.
    await client.query(`ALTER TABLE bare ADD duration_ms int; UPDATE bare SET duration_ms = 5`);
    const timed = await operations(...period, await discover(db.url, 'bare'));
    expect(timed.by_type['']).toMatchObject({ duration_count: 1, duration_min_ms: 5 });
  });
});
