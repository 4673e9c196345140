/** Pages of past events against the plainest SELECT over the same rows. */
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EventTable, eventsOfTable, type SearchBounds } from '../../src/history/events-query.js';
import type { EventRequest } from '../../src/http/view.js';
import { decodeRow } from '../../src/source/decode.js';
import { ReadPool } from '../../src/source/pool.js';
import { READER_SESSION } from '../../src/source/source.js';
import { selectList } from '../../src/source/statements.js';
import { freshDatabase, type TestDatabase } from '../setup/database.js';
import { discover } from '../source/tables.js';

const ROWS = 20_000;
const BOUNDS: SearchBounds = { rows: 200_000, milliseconds: 60_000, now: () => performance.now() };

let db: TestDatabase;
let client: pg.Client;
let pool: ReadPool;
let table: EventTable;

beforeAll(async () => {
  db = await freshDatabase();
  client = new pg.Client(db.url);
  await client.connect();
  // Ids and created_at go together roughly, as in a log; one row in seven is missing.
  await client.query(`
    INSERT INTO customer_sync_logs (id, operation_type, status, created_at, customer_id, onec_id, correlation_id,
        customer_email, error_message, details)
    SELECT n, CASE n % 3 WHEN 0 THEN 'export_to_1c' WHEN 1 THEN 'sync_changes' ELSE 'of_a_new_kind' END,
      CASE WHEN n % 5 = 0 THEN 'error' WHEN n % 11 = 0 THEN 'failed' ELSE 'success' END,
      timestamptz '2026-01-01Z' + (n + (n * 7919) % 61 - 30) * interval '1 second',
      n % 100, 'C' || n % 1000, 'corr-' || n / 10, 'ivan' || n || '@example.com', 'call +7 912 345-67-89',
      '{"conflict_source": "data_import"}'
    FROM generate_series(1, ${ROWS}) n WHERE n % 7 <> 0`);
  await client.query(`INSERT INTO customer_sync_logs (id, operation_type, status, created_at, customer_id)
    VALUES (9007199254740993, 'sync_changes', 'success', 'infinity', 9007199254740993)`);
  await client.query('ANALYZE customer_sync_logs');
  const info = await discover(db.url, 'customer_sync_logs');
  table = { ...info, selectList: selectList(info.columns, 't'), decode: decodeRow };
  pool = new ReadPool({ url: db.url, session: READER_SESSION });
});

afterAll(async () => {
  pool?.close();
  await client?.end();
  await db?.drop();
});

const page = (request: EventRequest, bounds = BOUNDS, of = table) =>
  pool.snapshot((query) => eventsOfTable(query, of, request, bounds));

/** All pages of a request, one after the other. */
async function walk(request: EventRequest, bounds = BOUNDS, of = table) {
  const ids: string[] = [];
  let pages = 0;
  let beforeId: string | undefined;
  for (;;) {
    const { events, next_before_id } = await page({ ...request, ...(beforeId && { beforeId }) }, bounds, of);
    pages += 1;
    expect(events.length).toBeLessThanOrEqual(request.limit);
    ids.push(...events.map((event) => String(event.id)));
    if (next_before_id === null) return { ids, pages };
    beforeId = String(next_before_id);
  }
}

async function expected({ filter }: EventRequest): Promise<string[]> {
  const { rows } = await client.query(
    `SELECT id::text FROM customer_sync_logs WHERE ($1::text[] IS NULL OR operation_type = ANY ($1))
       AND ($2::text[] IS NULL OR status = ANY ($2)) AND ($3::text IS NULL OR correlation_id = $3)
       AND ($4::int8 IS NULL OR customer_id = $4) AND ($5::text IS NULL OR onec_id = $5)
       AND ($6::timestamptz IS NULL OR created_at >= $6) AND ($7::timestamptz IS NULL OR created_at < $7) ORDER BY customer_sync_logs.id DESC`,
    [
      filter.types,
      filter.statuses,
      filter.correlationId,
      filter.customerId,
      filter.onecId,
      filter.since,
      filter.until,
    ].map((value) => value ?? null),
  );
  return rows.map((row) => row.id);
}

const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000);
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });

describe('pages of events', () => {
  it('are all that a SELECT finds, newest first, whatever the filter', async () => {
    const filters = fc.record({
      types: maybe(fc.subarray(['export_to_1c', 'sync_changes', 'none'], { minLength: 1 })),
      statuses: maybe(fc.subarray(['error', 'failed', 'success'], { minLength: 1 })),
      correlationId: maybe(fc.integer({ min: 0, max: ROWS / 10 }).map((n) => `corr-${n}`)),
      customerId: maybe(fc.constantFrom('5', '99', '12345', '9007199254740993')),
      onecId: maybe(fc.constantFrom('C5', 'C999', 'none')),
      since: maybe(fc.integer({ min: -100, max: ROWS + 100 }).map(at)),
      until: maybe(fc.integer({ min: -100, max: ROWS + 100 }).map(at)),
    });
    const limits = fc.constantFrom(100, 499, 500);
    const bounds = fc.constantFrom(BOUNDS, { ...BOUNDS, rows: 5_000 }, { ...BOUNDS, milliseconds: 0 });
    await fc.assert(
      fc.asyncProperty(filters, limits, bounds, fc.boolean(), async (all, limit, bound, createdAtIndexed) => {
        const filter = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
        const found = await walk({ filter, limit }, bound, { ...table, createdAtIndexed });
        expect(found.ids).toEqual(await expected({ filter, limit }));
      }),
      { numRuns: 60 },
    );
  });

  it('are masked, and tell where the next one begins', async () => {
    const first = await page({ filter: {}, limit: 2 });
    expect(first).toMatchObject({ next_before_id: 20_000, complete: true });
    expect(first.events).toMatchObject([
      { id: '9007199254740993', customer_id: '9007199254740993', created_at: null },
      { id: 20_000, customer_email: 'i***@e***.com', conflict_source: 'data_import' },
    ]);
    expect(first.events[1]?.error_message).not.toContain('345');
    const last = await page({ filter: {}, beforeId: '3', limit: 500 });
    expect(last.events.map((event) => event.id)).toEqual([2, 1]);
    expect(last).toMatchObject({ next_before_id: null, complete: true });
  });

  it('stop at the bound when nothing matches, and say that they did', async () => {
    const request = { filter: { correlationId: 'nowhere' }, limit: 10 };
    const stopped = await page(request, { ...BOUNDS, rows: 3_000 });
    expect(stopped).toMatchObject({ events: [], complete: false });
    expect(Number(stopped.next_before_id)).toBeGreaterThan(ROWS - 4_000);
    expect(await page(request)).toEqual({ events: [], next_before_id: null, complete: true });
  });

  it('look only at the ids of the period where an index knows them', async () => {
    const request = { filter: { since: at(100), until: at(200) }, limit: 500 };
    const bounds = { ...BOUNDS, rows: 2_500 };
    expect(await page(request, bounds)).toMatchObject({ next_before_id: null, complete: true });
    const blind = await page(request, bounds, { ...table, createdAtIndexed: false });
    expect(blind).toMatchObject({ events: [], complete: false });
  });

  it('cannot be filtered by a column that is not there', async () => {
    const columns = new Set([...table.columns].filter((name) => name !== 'onec_id'));
    const asked = page({ filter: { onecId: 'C1' }, limit: 1 }, BOUNDS, { ...table, columns });
    await expect(asked).rejects.toMatchObject({ code: 'column_absent', column: 'onec_id' });
  });
});
