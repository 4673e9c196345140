/** Rows as nobody meant them to be: all are counted as the table says, and shown so that nobody is harmed. */
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CustomerSyncMonitor, startMonitor } from '../../src/monitor.js';
import type { FeedEvent } from '../../streams/event.js';
import { freshDatabase, sharedVersions, type TestDatabase } from '../setup/database.js';
import { until } from '../source/collector.js';
import { createTable } from '../source/tables.js';
import { agree } from './agree.js';

const STRANGE = [
  '__proto__',
  'constructor',
  '',
  ' ',
  `😀 "quoted" 'too' \\ $1 %s`,
  'a\u0001b\tc\nd\u007fe\u009bf\u202eg',
  'журнал',
];
const LOUD =
  'Ошибка: \u001b[2J😀 ivan.petrov@example.com, +7 912 345-67-89, ИНН 7707083893, ФИО: Иванов Иван\'";--';

/** Column lists and values; every row of them is a statement of its own, so that none hides behind another. */
function rows(): [columns: string, values: readonly unknown[]][] {
  const all: [string, readonly unknown[]][] = [];
  const add = (columns: string, ...values: unknown[]) => void all.push([columns, values]);
  for (const duration of [0, 1, 2047, 2048, 2_147_483_647, -1, -2_147_483_648, null])
    add('operation_type, duration_ms', 'sync_changes', duration);
  const details: unknown[] = [
    null,
    'null',
    '[]',
    '["conflict_source", {"email_sent": true}]',
    '"email_sent"',
    '5',
    'true',
    '{}',
    '{"conflict_source": {"a": [1, null]}, "method": 7, "email_sent": "true"}',
    '{"conflict_source": null, "conflict_type": "data_import", "search_method": "", "email_sent": true}',
    '{"conflict_source": "__proto__", "identification_method": "constructor", "email_sent": 1}',
    '{"conflict_type": "portal_registration", "method": "tax_id", "email_sent": null}',
    '{"operation_name": "nightly", "total_count": "12", "success_count": 11.5, "error_count": "many"}',
    '{"operation_name": {"a": 1}, "total_count": null, "success_count": [], "error_count": 1e400}',
  ];
  for (const type of ['conflict_resolution', 'customer_identification', 'batch_operation'])
    for (const one of details) add('operation_type, details', type, one);
  for (const created of [
    '4713-01-01 BC',
    '1970-01-01',
    '2000-02-29 23:59:59.999999+00',
    '-infinity',
    'infinity',
    '2100-01-01',
    '294276-12-31',
  ])
    add('operation_type, created_at', 'data_validation', created);
  for (const type of STRANGE) {
    add('operation_type, status', type, 'success');
    add('operation_type, status', 'created', type);
    add('operation_type, onec_id, correlation_id, customer_email', 'updated', type, type, type);
    add('operation_type, error_message', 'error', type);
  }
  for (const customer of [
    '9223372036854775807',
    '-9223372036854775808',
    '9007199254740991',
    '9007199254740992',
    '9007199254740993',
    '0',
    '-1',
    null,
  ])
    add('operation_type, customer_id', 'import_from_1c', customer);
  add('operation_type, error_message, customer_email', 'skipped', LOUD, 'ivan.petrov@example.com');
  add('operation_type, error_message', 'skipped', `${LOUD}\n`.repeat(9_000)); // 1 MB
  return all;
}

describe.each(sharedVersions())('rows of every kind on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let client: pg.Client;
  let monitor: CustomerSyncMonitor | undefined;
  const events: FeedEvent[] = [];

  beforeEach(async () => {
    db = await freshDatabase(version);
    client = new pg.Client(db.url);
    await client.connect();
    // As the sample, but nothing keeps a duration from being negative; indexed, so that the start reads by time.
    await client.query(`${createTable('kinds', { id: 'bigserial PRIMARY KEY', status: 'text' })};
      ALTER TABLE kinds ALTER status SET DEFAULT 'success', ALTER created_at SET DEFAULT clock_timestamp();
      CREATE INDEX ON kinds (created_at); CREATE INDEX ON kinds (status)`);
    events.length = 0;
  });
  afterEach(async () => {
    await monitor?.stop();
    monitor = undefined;
    await client.end();
    await db.drop();
  });

  async function start(): Promise<CustomerSyncMonitor> {
    monitor = await startMonitor({ databaseUrl: db.url, table: 'kinds' });
    monitor.events$.subscribe((some) => void events.push(...some));
    await until(() => monitor?.source().polls !== 0, 'it follows');
    return monitor;
  }

  async function insertAll(): Promise<void> {
    for (const [columns, values] of rows())
      await client.query(
        `INSERT INTO kinds (${columns}) VALUES (${values.map((_, i) => `$${i + 1}`).join(', ')})`,
        [...values],
      );
    // 5 MB in one value; a second ahead, a day ahead of the database's clock; ids that the sequence did not give.
    await client.query(`INSERT INTO kinds (operation_type, details)
      VALUES ('conflict_resolution', jsonb_build_object('blob', repeat('я', 2500000), 'conflict_source', 'data_import'))`);
    await client.query(`INSERT INTO kinds (operation_type, created_at)
      SELECT 'sync_changes', clock_timestamp() + i FROM unnest('{1 s, 2 s, 90 s, 1 day}'::interval[]) i`);
    await client.query(`INSERT INTO kinds (id, operation_type, status)
      SELECT base + n, 'export_to_1c', status FROM unnest('{success, error, pending}'::text[]) WITH ORDINALITY s (status, n),
        unnest('{1000000000005, 9007199254740988, 9007199254740991, 9223372036854775804}'::int8[]) base`);
  }

  /** Nothing in the feed can harm who reads it. */
  function checkEvents(): void {
    for (const event of events) {
      const json = JSON.stringify(event);
      expect(JSON.parse(json)).toEqual(event);
      for (const secret of ['ivan.petrov', '345-67-89', '7707083893', 'Иванов'])
        expect(json).not.toContain(secret);
      const { error_message: message, customer_email: email, created_at: created } = event;
      expect([...(message ?? '')].length).toBeLessThanOrEqual(200);
      for (const text of [message, email])
        expect(text ?? '').not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      if (created !== null) expect(Date.parse(created)).not.toBeNaN();
    }
  }

  test('written while it watches: the windows equal the table, and the feed shows each row once, masked', async () => {
    const monitor = await start();
    await insertAll();
    await agree(monitor, client, 'kinds');
    const { rows: ids } = await client.query('SELECT id::text FROM kinds');
    const once = () => events.filter(({ change }) => change === 'insert').map(({ id }) => String(id));
    await until(() => once().length >= ids.length, 'all events');
    expect(once().sort()).toEqual(ids.map(({ id }) => id).sort());
    checkEvents();
    const infinite = events.filter(
      ({ operation_type, created_at }) => operation_type === 'data_validation' && !created_at,
    );
    expect(infinite.length).toBeGreaterThanOrEqual(2);
    const batches = events.filter(({ batch }) => batch !== null).map(({ batch }) => batch);
    expect(batches).toContainEqual({ operation_name: 'nightly', total: 12, success: 11.5, error: null });
    expect(batches.filter((batch) => batch?.total == null)).toHaveLength(batches.length - 1);
    // Pending rows beyond the sequence, and beyond what a number holds, are followed too.
    await client.query(`UPDATE kinds SET status = 'failed' WHERE status = 'pending'`);
    await agree(monitor, client, 'kinds');
    expect(monitor.latest()?.queue.pending_operations).toBe(0);
    const changed = events.filter(({ change }) => change === 'update');
    expect(changed.map(({ previous_status, status }) => [previous_status, status])).toEqual(
      Array(4).fill(['pending', 'failed']),
    );
    expect(monitor.source()).toMatchObject({ resets: 0, aheadRows: 12 });
    // The sequence passes some of them: they are not counted again.
    await client.query(`SELECT setval('kinds_id_seq', 1000000000000)`);
    await client.query(`INSERT INTO kinds (operation_type) SELECT 'created' FROM generate_series(1, 3)`);
    await agree(monitor, client, 'kinds');
    expect(monitor.source().aheadRows).toBe(12); // 1000000000006 is the first ahead
    await client.query(`SELECT setval('kinds_id_seq', 1000000000010)`);
    await client.query(`INSERT INTO kinds (operation_type) SELECT 'created' FROM generate_series(1, 3)`);
    await agree(monitor, client, 'kinds');
    await until(() => monitor.source().aheadRows === 9, 'the passed ones are the cursor’s');
  });

  test.each([
    ['read by time', ''],
    ['read by id, where created_at has no index', 'DROP INDEX kinds_created_at_idx'],
  ])(
    'written before it starts, %s: the windows equal the table, and there are no events',
    async (_, change) => {
      if (change !== '') await client.query(change);
      await insertAll();
      await client.query(`INSERT INTO kinds (id, operation_type, status)
      VALUES (0, 'created', 'success'), (-7, 'created', 'pending'), (-9007199254740990, 'updated', 'error')`);
      const monitor = await start();
      await agree(monitor, client, 'kinds');
      expect(events).toEqual([]);
      await client.query(`UPDATE kinds SET status = 'failed' WHERE status = 'pending'`);
      await agree(monitor, client, 'kinds');
      checkEvents();
    },
  );

  test('ten thousand types and statuses grow neither windows nor memory: 32 keep their name', async () => {
    const monitor = await start();
    await client.query(`INSERT INTO kinds (operation_type, status, duration_ms)
      SELECT 'type ' || n, 'status ' || n, n FROM generate_series(1, 10000) n`);
    await client.query(`INSERT INTO kinds (operation_type) SELECT 'sync_changes' FROM generate_series(1, 5)`);
    await until(() => monitor.latest()?.windows['1h'].total_operations === 10_005, 'all are counted');
    const snapshot = monitor.latest();
    for (const window of Object.values(snapshot?.windows ?? {})) {
      const types = Object.entries(window.operations_by_type).filter(([, n]) => n > 0);
      expect(types).toHaveLength(32 + 2);
      expect(window.operations_by_type).toMatchObject({ other: 10_000 - 32, sync_changes: 5 });
      expect(types.reduce((sum, [, n]) => sum + n, 0)).toBe(10_005);
      expect(Object.entries(window.by_status).filter(([, n]) => n > 0)).toHaveLength(32 + 2);
      expect(window).toMatchObject({ success_count: 5, duration_min_ms: 1, duration_max_ms: 10_000 });
    }
    expect(snapshot).toMatchObject({ other_types: 10_000 - 32, other_statuses: 10_000 - 32 });
    const names = new Set(events.map(({ operation_type }) => operation_type));
    expect(names.size).toBe(10_001);
  });
});
