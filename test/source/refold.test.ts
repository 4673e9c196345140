/** Parts of the windows that the table says otherwise about are read again, while rows of the same minutes come in. */
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RefoldSpan } from '../../streams/checkpoint.js';
import type { Batch } from '../../streams/event.js';
import { differences } from '../monitor/oracle.js';
import { freshDatabase, sharedVersions, type TestDatabase } from '../setup/database.js';
import { until } from './collector.js';
import { type Kept, keep, MemoryHistory } from './history.js';

const STEP = 300_000;

describe.each(sharedVersions())('on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let client: pg.Client;
  let history: MemoryHistory;
  let here: Kept;
  let refolds: Batch[];

  beforeEach(async () => {
    db = await freshDatabase(version);
    client = new pg.Client(db.url);
    await client.connect();
    history = new MemoryHistory();
  });
  afterEach(async () => {
    await here.stop();
    await client.end();
    await db.drop();
  });

  /** Five minutes that lie within the last hours at any moment of the test. */
  const span = (hoursAgo: number) => Math.floor((Date.now() - hoursAgo * 3_600_000) / STEP) * STEP;
  const at = (ms: number) => `to_timestamp(${ms / 1000})`;

  /** Rows spread over these five minutes. */
  const fill = (from: number, rows: number, status = 'success', customers = 50) =>
    client.query(
      `INSERT INTO customer_sync_logs (operation_type, status, customer_id, duration_ms, created_at)
       SELECT (ARRAY['created','export_to_1c','conflict_resolution'])[1 + n % 3], $2, n % $3, n % 3000, ${at(from)} + n * interval '299 seconds' / $1::int
       FROM generate_series(1, $1::int) n`,
      [rows, status, customers],
    );

  async function start(): Promise<void> {
    here = await keep(db.url, history);
    refolds = [];
    here.source.batches$.subscribe((batch) => {
      if (batch.origin === 'refold') refolds.push(batch);
    });
    await here.agrees(client);
  }

  async function right(): Promise<void> {
    let found = ['no snapshot'];
    await until(() => here.source.completeness().state === 'complete', 'complete');
    const same = async () => {
      found = await differences(client, here.latest());
      return found.length === 0;
    };
    await until(same, 'right windows', 15_000).catch(() => expect(found).toEqual([]));
  }

  const of = (from: number, to = from + STEP, lostCustomers: number[] = []): RefoldSpan => ({
    ...{ from, to, idMin: null, idMax: null, lostCustomers },
  });

  test('rows that were changed and deleted, in several parts; nothing that is right changes', async () => {
    const [a, b, c] = [span(3), span(7), span(0.5)];
    for (const from of [a, b, c]) await fill(from, 300);
    await start();
    await client.query(`UPDATE customer_sync_logs SET status = 'error', duration_ms = 9999 WHERE id % 5 = 0;
      DELETE FROM customer_sync_logs WHERE id % 7 = 0`);
    here.source.refold([of(a), of(b, b + 2 * STEP), of(c)]);
    await right();
    expect(here.source.completeness().state).toBe('complete');
    expect(refolds.map((batch) => batch.span)).toEqual(
      [a, b, b + STEP, c].map((from) => ({ from, to: from + STEP })),
    );
    // Asked for again it is the same again.
    here.source.refold([of(a)]);
    await until(() => refolds.length === 5, 'once more');
    await right();
    expect(history.faults).toEqual([]);
  });

  test('a customer whose newest success is gone is still one where there is an older or a newer one', async () => {
    const [older, newest] = [span(9), span(2)];
    await fill(older, 20, 'success', 10);
    await fill(newest, 30, 'success', 15);
    await start();
    expect(here.latest().windows['24h'].business.synced_customers_count).toBe(15);
    await client.query(
      `UPDATE customer_sync_logs SET status = 'failed' WHERE created_at >= ${at(newest)} AND customer_id < 12`,
    );
    here.source.refold([
      of(
        newest,
        newest + STEP,
        Array.from({ length: 12 }, (_, i) => i),
      ),
    ]);
    await right();
    // 0 to 9 have older ones, 12 to 14 their own, 10 and 11 none.
    expect(here.latest().windows['24h'].business.synced_customers_count).toBe(13);
    expect(refolds[0]?.witnesses).toHaveLength(10);
  });

  test('a customer who succeeds only in what is yet to come of the part is one for an older success', async () => {
    // At the end of its five minutes nothing is yet to come: then in the next.
    await until(() => Date.now() % STEP < STEP - 10_000, 'room in these five minutes');
    const from = Math.floor(Date.now() / STEP) * STEP;
    const insert = (customer: number, createdAt: number) =>
      client.query(
        `INSERT INTO customer_sync_logs (operation_type, status, customer_id, created_at) VALUES ('created', 'success', $1, ${at(createdAt)})`,
        [customer],
      );
    await insert(1, from - 3 * STEP);
    await insert(1, from);
    await insert(2, from);
    for (const customer of [1, 2]) await insert(customer, from + STEP - 1);
    await start();
    await client.query(`UPDATE customer_sync_logs SET status = 'error' WHERE created_at = ${at(from)}`);
    here.source.refold([of(from)]);
    await right();
    expect(here.latest().windows['24h'].business.synced_customers_count).toBe(1);
  });

  test('more than a page, while rows of the same minutes come, settle and vanish', async () => {
    const from = span(1.5);
    await fill(from, 25_000);
    await fill(from, 50, 'pending');
    await start();
    await client.query(
      `UPDATE customer_sync_logs SET status = 'error' WHERE id % 3 = 0 AND status = 'success'`,
    );
    // From the first page on until after the fold.
    const during: Promise<unknown>[] = [];
    let writing = true;
    const write = async () => {
      const other = new pg.Client(db.url);
      await other.connect();
      while (writing) {
        await other.query(`INSERT INTO customer_sync_logs (operation_type, status, customer_id, created_at)
          SELECT 'updated', CASE WHEN n % 3 = 0 THEN 'pending' ELSE 'warning' END, n, ${at(from)} + n * interval '20 seconds' FROM generate_series(1, 14) n`);
        await other.query(`UPDATE customer_sync_logs SET status = 'success'
          WHERE id IN (SELECT id FROM customer_sync_logs WHERE status = 'pending' ORDER BY random() LIMIT 2)`);
        await other.query(`DELETE FROM customer_sync_logs
          WHERE id IN (SELECT id FROM customer_sync_logs WHERE status = 'pending' ORDER BY random() LIMIT 1)`);
      }
      await other.end();
    };
    during.push(write());
    for (let n = 1; n <= 4; n++) {
      here.source.refold([of(from)]);
      await until(() => refolds.length >= n, 'folded');
    }
    expect(refolds[0]?.rows.length).toBeGreaterThan(25_000);
    writing = false;
    await Promise.all(during);
    await right();
  });

  test('without an index on created_at: by the ids that history knows, and none where there are none', async () => {
    const [a, b] = [span(3), span(5)];
    await fill(a, 300);
    await fill(b, 300);
    await client.query('DROP INDEX sync_log_created_idx');
    await start();
    await client.query(`UPDATE customer_sync_logs SET status = 'skipped' WHERE id BETWEEN 100 AND 200;
      DELETE FROM customer_sync_logs WHERE id > 300`);
    here.source.refold([{ from: a, to: a + STEP, idMin: 1, idMax: 300, lostCustomers: [] }, of(b)]);
    await right();
    expect(refolds.map((batch) => batch.rows.length)).toEqual([300, 0]);
  });

  test('pending rows keep what was folded of them, and are followed when they settle', async () => {
    const from = span(4);
    await fill(from, 40, 'pending');
    await fill(from, 10);
    await start();
    // Pending again: of these only the table knows.
    await client.query(`UPDATE customer_sync_logs SET status = 'pending' WHERE id > 45`);
    here.source.refold([of(from)]);
    await right();
    expect(here.source.state().pendingTracked).toBe(45);
    await client.query(`UPDATE customer_sync_logs SET status = 'success' WHERE status = 'pending'`);
    await right();
    expect(here.source.state().pendingTracked).toBe(0);
  });

  test('what was asked for while the windows were filled from older minutes is still done', async () => {
    const from = span(3);
    await fill(from, 100);
    await start();
    await here.stop();
    await client.query(`UPDATE customer_sync_logs SET status = 'error'`);
    history.onOpen = () => {
      // As an audit that ends between the minutes and the first round.
      setImmediate(() => here.source.refold([of(from)]));
    };
    here = await keep(db.url, history);
    await right();
  });
});
