/** What an answer is made of while history is written, where it has not read all of the table yet, and where it is broken. */
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { breakdownOfPeriod, SPANS_AT_MOST, TooManySpansError } from '../../src/history/breakdown.js';
import { generationsAfter, type HistoryInMemory, type WatchedTable } from '../../src/history/moment.js';
import { operationsOfPeriod } from '../../src/history/period-query.js';
import { KEPT_UNTIL } from '../../src/history/rollup-rows.js';
import type { Query } from '../../src/history/table-query.js';
import type { Generation } from '../../src/history/waiting.js';
import { Link } from '../../src/source/connection.js';
import { ReadPool } from '../../src/source/pool.js';
import { QUERY_SESSION } from '../../src/source/source.js';
import { Changes } from '../../streams/changes.js';
import { Vocabulary } from '../../streams/vocabulary.js';
import { Zone } from '../../streams/zone.js';
import { operationDifferences } from '../monitor/oracle.js';
import { newestVersion } from '../setup/database.js';
import { discover } from '../source/tables.js';
import { breakdownDifferences } from './breakdown-oracle.js';
import { END, Followed, noting, settle } from './followed.js';
import { IDENTITY, type Scene, scene, TABLE, upTo } from './scene.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = END - 6 * HOUR;

describe.each(newestVersion())('an answer on PostgreSQL %i', (version) => {
  let place: Scene;
  let client: pg.Client;
  let reads: Link;
  let pool: ReadPool;
  let followed: Followed;
  let statements: string[];

  beforeEach(async () => {
    place = await scene(version);
    client = new pg.Client(place.db.url);
    await client.connect();
    reads = new Link('reader', { url: place.db.url });
    await reads.connect();
    pool = new ReadPool({ url: place.db.url, session: QUERY_SESSION });
    const { store } = place.store({ clock: () => END });
    followed = new Followed({ store, link: reads, table: await discover(place.db.url, TABLE) });
    statements = [];
  });
  afterEach(async () => {
    pool.close();
    reads.close();
    await client.end();
    await place.close();
  });

  /** So many rows, one after the other in the last six hours. */
  const write = (rows: number) =>
    client.query(
      `INSERT INTO customer_sync_logs (operation_type, status, created_at, duration_ms)
       SELECT (ARRAY['created', 'updated'])[1 + n % 2], (ARRAY['success', 'error', 'pending'])[1 + n % 3], $1::timestamptz + n * $2::interval, n
       FROM generate_series(0, $3::int - 1) n`,
      [new Date(START), `${(6 * HOUR) / rows} milliseconds`, rows],
    );

  interface Around {
    readonly table?: Partial<WatchedTable>;
    readonly memory?: Partial<HistoryInMemory>;
    /** Runs before, or after, the statement of that number (from 0) is answered. */
    readonly before?: Readonly<Record<number, () => Promise<unknown>>>;
    readonly after?: Readonly<Record<number, () => Promise<unknown>>>;
  }

  function through(query: Query, { before = {}, after = {} }: Around): Query {
    const noted = noting(query, statements);
    return async (text, values) => {
      const number = statements.length;
      const asked = async () => {
        await before[number]?.();
        const rows = await noted(text, values);
        await after[number]?.();
        return rows;
      };
      return asked();
    };
  }

  /** With the period's own ragged ends. @returns whether the table gave it all */
  async function judge(
    around: Around = {},
    [start, end]: readonly number[] = [START + 90_001, END - 12_345],
  ): Promise<boolean> {
    statements.length = 0;
    const { table = {}, memory = {} } = around;
    const numbers = await pool.snapshot((query) =>
      operationsOfPeriod(
        through(query, around),
        { ...followed.table, ...table },
        changed(followed.memory, memory),
        new Date(start ?? 0),
        new Date(end ?? 0),
      ),
    );
    expect(await operationDifferences(client, 'period', numbers, TABLE)).toEqual([]);
    expect(numbers.total_operations).toBeGreaterThan(0);
    return statements.some((text) => text.includes('percentile_disc'));
  }

  const changed = (memory: HistoryInMemory, by: Partial<HistoryInMemory>): HistoryInMemory =>
    Object.create(memory, Object.fromEntries(Object.entries(by).map(([key, value]) => [key, { value }])));

  const started = async (rows = 600) => {
    await followed.store.begin(IDENTITY, upTo(0));
    await write(rows);
  };

  describe('beside a flush', () => {
    test.each([
      ['before its snapshot', 'before', 0],
      ['as soon as its snapshot is taken', 'after', 0],
      ['while it reads the rollups', 'after', 1],
    ] as const)('that arrives %s, has every row once', async (_, when, statement) => {
      await started();
      await followed.read(200);
      await followed.flush();
      await followed.read(200);
      expect(followed.capture()).toBe(true);
      await followed.read();
      expect(await judge({ [when]: { [statement]: () => followed.store.flush() } })).toBe(false);
      expect(followed.store.generations()).toHaveLength(1);
    });

    test('and pending rows that settle, has every row once', async () => {
      await started();
      await followed.read();
      await settle(client, 50);
      const pending = followed.pendingRows;
      // They settled before its snapshot; the reader sees it before, or after.
      expect(await judge({ after: { 0: () => followed.reread() } })).toBe(false);
      expect(followed.pendingRows).toBeLessThan(pending);
      await settle(client, 99);
      await followed.reread();
      expect(await judge({ after: { 1: () => followed.flush() } })).toBe(false);
    });

    test('comes from the table where a flush came and went that it may have missed', async () => {
      await started();
      const twice = async () => {
        for (let i = 0; i < 2; i++) {
          await followed.read(100);
          await followed.flush();
        }
        await followed.read();
      };
      expect(await judge({ after: { 0: twice } })).toBe(true);
      expect(await judge()).toBe(false);
    });

    test('comes from the table where history was loaded again meanwhile', async () => {
      await started();
      await followed.read();
      expect(await judge({ after: { 0: () => followed.store.open(IDENTITY) } })).toBe(true);
    });
  });

  test('comes from the table without history, where it is broken, gone, or written by another', async () => {
    await started();
    await followed.read();
    await followed.flush();
    expect(await judge()).toBe(false);
    expect(await judge({ memory: { fault: 'too much waited' } })).toBe(true);
    expect(await judge({ memory: { checkpointId: -1 } })).toBe(true);
    const { store: other } = place.store({ clock: () => END });
    await other.open(IDENTITY);
    await client.query('UPDATE sync_monitor.checkpoint SET flush_no = flush_no + 5');
    expect(await judge()).toBe(true);
    const without = await pool.snapshot((query) =>
      operationsOfPeriod(query, followed.table, undefined, new Date(START), new Date(END)),
    );
    expect(await operationDifferences(client, 'without', without, TABLE)).toEqual([]);
  });

  test('comes from history as far as the backfill has read, from the table beyond', async () => {
    await write(600);
    await followed.store.begin(IDENTITY, upTo(300, { floor: 300 }));
    followed.high = 300;
    await followed.read();
    followed.store.capture({ ...followed.state(), floor: 300 });
    await followed.store.flush();
    const read = [START + 3.5 * HOUR, END];
    expect(await judge({}, read)).toBe(false);
    expect(await judge({}, [START + 2 * HOUR, END])).toBe(true);
    expect(await judge({}, [START + HOUR, START + 2 * HOUR])).toBe(true);
    // A look would cost a scan.
    expect(await judge({ table: { createdAtIndexed: false } }, read)).toBe(true);
  });

  test('comes from the table before all that is kept and beyond the last minute that can be', async () => {
    await started();
    await followed.read();
    expect(await judge({}, [END - 401 * 24 * HOUR, END])).toBe(true);
    expect(await judge({}, [END - HOUR, KEPT_UNTIL])).toBe(true);
    expect(await judge({}, [END - 399 * 24 * HOUR, KEPT_UNTIL - HOUR])).toBe(false);
  });

  test('of rows beside the reach of exact numbers has them without an index by time too', async () => {
    await started();
    await client.query(
      `INSERT INTO customer_sync_logs (id, operation_type, status, created_at, duration_ms) VALUES
         (9007199254740993, 'created', 'success', $1, 5), (9223372036854775807, 'created', 'pending', $1, 5)`,
      [new Date(START + 90_500)],
    );
    await followed.read();
    for (const createdAtIndexed of [true, false]) {
      expect(await judge({ table: { createdAtIndexed } }, [START + 90_001, START + 91_000])).toBe(false);
      // Nothing is looked for in an edge of which history knows no row.
      expect(await judge({ table: { createdAtIndexed } }, [START - 30_001, START + 5 * MINUTE])).toBe(false);
    }
  });

  describe('by the hour or day', () => {
    const ask = (bounds: readonly number[], memory?: HistoryInMemory) =>
      pool.snapshot((query) => breakdownOfPeriod(noting(query, statements), followed.table, memory, bounds));

    test('reads a rollup once, however many hours there are, and as the table has it', async () => {
      await started();
      await followed.read();
      await followed.flush();
      const zone = new Zone('Asia/Kathmandu');
      const bounds = zone.hours(START - 24 * HOUR, END + 24 * HOUR);
      expect(bounds.length).toBeGreaterThan(50);
      statements = [];
      const { spans, aligned } = await ask(bounds, followed.memory);
      expect(aligned).toBeUndefined();
      expect(await breakdownDifferences(client, 'hour', zone, bounds, spans)).toEqual([]);
      // The checkpoint, and all rollups in a few pages.
      expect(statements.length).toBeLessThanOrEqual(1 + Math.ceil((bounds.length * 4 + 12 * 60) / 192));
      statements = [];
      const ofTable = await ask(bounds);
      expect(await breakdownDifferences(client, 'hour', zone, bounds, ofTable.spans)).toEqual([]);
      expect(statements).toHaveLength(2);
    });

    test('is refused for more parts than can be told, and empty without any', async () => {
      await started();
      await followed.read();
      const first = Math.floor(START / HOUR) * HOUR;
      const many = Array.from({ length: SPANS_AT_MOST + 2 }, (_, i) => first + i * HOUR);
      await expect(ask(many, followed.memory)).rejects.toThrow(TooManySpansError);
      expect(await ask([START], followed.memory)).toEqual({ spans: [] });
      const { spans } = await ask(many.slice(0, -1), followed.memory);
      expect(spans).toHaveLength(SPANS_AT_MOST);
      expect(spans.slice(0, 7).reduce((sum, span) => sum + span.total_operations, 0)).toBe(600);
    });
  });
});

test.each([
  ['the filling one alone', 4, [5], [5], [5]],
  ['one on its way, that the snapshot does not have', 4, [5, 6], [5, 6], [5, 6]],
  ['one on its way, that the snapshot has', 5, [5, 6], [5, 6], [6]],
  ['one that was forgotten meanwhile, that the snapshot does not have', 4, [5], [6], [5, 6]],
  ['two that were forgotten, one of which was never seen', 4, [5], [7], undefined],
  ['a flush that nobody here made', 7, [5], [5], undefined],
  ['nothing loaded', 4, [], [], undefined],
  ['nothing loaded any more', 4, [5], [], undefined],
])('the generations after a flush: %s', (_, flushNo, before, after, expected) => {
  const changes = new Changes(new Vocabulary());
  const life = (one: number, flushNos: readonly number[]): Generation[] =>
    flushNos.map((of) => ({ flushNo: of, changes, life: one }));
  expect(generationsAfter(flushNo, life(1, before), life(1, after))?.map((one) => one.flushNo)).toEqual(
    expected,
  );
  if (before.length > 0 && after.length > 0)
    expect(generationsAfter(flushNo, life(1, before), life(2, after))).toBeUndefined();
});
