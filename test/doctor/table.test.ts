import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Report } from '../../src/doctor/check.js';
import { freshDatabase, newestVersion, type TestDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { createTable, dropRoles, newRole, as as urlAs } from '../source/tables.js';
import { command, diagnose, refusal } from './scene.js';

describe.each(newestVersion())('doctor and serve on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  const roles: string[] = [];
  const sql = (text: string) => ask(db.url, text);

  beforeEach(async () => {
    db = await freshDatabase(version);
  });
  afterEach(async () => {
    await db.drop();
    await dropRoles(db.url, roles.splice(0));
  });

  test('a good set-up is well; before migrate it lacks the trigger, and its SQL installs it', async () => {
    const before = await diagnose(db.url);
    expect([before.code, before.report.status, before.all('warning')]).toEqual([0, 'warning', ['trigger']]);
    await sql(`${before.check('trigger').sql}`);
    const after = await diagnose(db.url);
    expect([after.code, after.report.status]).toEqual([0, 'ok']);
    expect(after.err).toEqual([]);
    // As text, the same.
    const text = await command(['doctor'], { DATABASE_URL: db.url });
    expect(text.code).toBe(0);
    expect(text.out.at(-1)).toBe(`${after.report.checks.length} ok, 0 warnings, 0 faults, 0 skipped`);
  });

  const VIEW = 'ALTER TABLE customer_sync_logs RENAME TO rows; CREATE VIEW customer_sync_logs AS TABLE rows';
  test.each([
    ['a missing table', 'ALTER TABLE customer_sync_logs RENAME TO moved', 'table', /does not exist/],
    ['a view', VIEW, 'table', /is a view/],
    [
      'a foreign table',
      `DROP TABLE customer_sync_logs; CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
       CREATE FOREIGN TABLE customer_sync_logs (id bigint) SERVER s`,
      'table',
      /is a foreign table/,
    ],
    [
      'a uuid id',
      `DROP TABLE customer_sync_logs; ${createTable('customer_sync_logs', { id: 'uuid PRIMARY KEY DEFAULT gen_random_uuid()' })}`,
      'id_type',
      /column id is uuid/,
    ],
    ['a missing column', 'ALTER TABLE customer_sync_logs DROP status', 'columns', /column status is missing/],
  ])('%s: one sentence each, and exit code 1', async (_, setup, check, words) => {
    await sql(setup);
    expect(await refusal(db.url)).toMatch(words);
    const { code, check: named, all } = await diagnose(db.url);
    expect(code).toBe(1);
    expect(all('fault')).toEqual([check]);
    expect(named(check).remedy).toMatch(/SYNC_LOG_TABLE|bigint/);
    expect(all('skipped')).toContain('trigger');
  });

  test('a misspelt name: the table that was meant is named', async () => {
    await sql(createTable('"Portal log"'));
    const { check } = await diagnose(db.url, { SYNC_LOG_TABLE: 'sync_log' });
    expect(check('table').remedy).toContain('public."Portal log", public.customer_sync_logs');
  });

  test.each([
    ['CACHE 50', 'sequence', 'fault', 'ALTER SEQUENCE customer_sync_logs_id_seq CACHE 50'],
    ['CYCLE', 'sequence', 'warning', 'ALTER SEQUENCE customer_sync_logs_id_seq CYCLE'],
    [
      'a negative increment',
      'sequence',
      'fault',
      'ALTER SEQUENCE customer_sync_logs_id_seq INCREMENT -1 MINVALUE -9 START 1',
    ],
    [
      'no sequence',
      'sequence',
      'fault',
      'ALTER TABLE customer_sync_logs ALTER id DROP IDENTITY IF EXISTS; ALTER TABLE customer_sync_logs ALTER id DROP DEFAULT; DROP SEQUENCE IF EXISTS customer_sync_logs_id_seq',
    ],
    [
      'an id that runs out',
      'id_type',
      'warning',
      `DROP TABLE customer_sync_logs; ${createTable('customer_sync_logs', { id: 'serial PRIMARY KEY' })}; SELECT setval('customer_sync_logs_id_seq', 2000000000)`,
    ],
    [
      'a trigger that was disabled',
      'trigger',
      'warning',
      'ALTER TABLE customer_sync_logs DISABLE TRIGGER sync_monitor_bell',
    ],
    [
      'a trigger of another table',
      'trigger',
      'warning',
      `DROP TRIGGER sync_monitor_bell ON customer_sync_logs; CREATE TRIGGER sync_monitor_bell AFTER INSERT ON customer_sync_logs
       FOR EACH STATEMENT EXECUTE FUNCTION sync_monitor.ring('elsewhere')`,
    ],
  ])('%s: the SQL that it prints mends it', async (_, check, status, setup) => {
    await command(['migrate'], { DATABASE_URL: db.url });
    await sql(setup);
    const { code, check: named, all } = await diagnose(db.url);
    expect([code, named(check).status]).toEqual([status === 'fault' ? 1 : 0, status]);
    if (status === 'fault') expect(all('fault')).toEqual([check]);
    await sql(`${named(check).sql}`);
    const after = await diagnose(db.url);
    expect([after.code, after.check(check).status]).toEqual([0, 'ok']);
  });

  test('CACHE 50 is refused by serve: rows would be missed', async () => {
    await sql('ALTER SEQUENCE customer_sync_logs_id_seq CACHE 50');
    expect(await refusal(db.url)).toContain(
      'has CACHE 50: sessions hold ids back, and their rows would be missed. The owner has to run: ALTER SEQUENCE public.customer_sync_logs_id_seq CACHE 1;',
    );
  });

  test('missing indexes are warnings, and CREATE INDEX CONCURRENTLY mends them, on partitions too', async () => {
    await sql(`${createTable('bare', { id: 'bigserial' })};
      ${createTable('parted', { id: 'bigserial' }, 'PARTITION BY LIST (operation_type)')};
      CREATE TABLE "part A" PARTITION OF parted FOR VALUES IN ('created');
      CREATE TABLE part_b PARTITION OF parted FOR VALUES IN ('updated');
      CREATE INDEX ON part_b (id)`);
    for (const [table, count] of [
      ['bare', 3],
      ['parted', 5],
    ] as const) {
      const env = { SYNC_LOG_TABLE: table };
      const { code, check, all } = await diagnose(db.url, env);
      expect([code, all('warning')]).toEqual([
        0,
        table === 'parted' ? ['partitions', 'indexes', 'trigger'] : ['indexes', 'trigger'],
      ]);
      const statements = `${check('indexes').sql}`.split('\n');
      expect(statements).toHaveLength(count);
      for (const statement of statements) await sql(statement);
      expect((await diagnose(db.url, env)).check('indexes').status).toBe('ok');
    }
  });

  test('ids that are doubled over partitions are a fault', async () => {
    await sql(`${createTable('parted', { id: 'bigserial' }, 'PARTITION BY LIST (operation_type)')};
      CREATE TABLE part_a PARTITION OF parted FOR VALUES IN ('created');
      CREATE TABLE part_b PARTITION OF parted FOR VALUES IN ('updated'); CREATE INDEX ON part_a (id)`);
    const env = { SYNC_LOG_TABLE: 'parted' };
    const compared = async () => (await diagnose(db.url, env)).check('partitions');
    expect(await compared()).toMatchObject({
      status: 'warning',
      message: expect.stringContaining('1 of 2 have no index led by id'),
    });
    await sql('CREATE INDEX ON part_b (id)');
    await sql(
      `INSERT INTO parted (id, operation_type, status) VALUES (1, 'created', 'success'), (2, 'updated', 'success')`,
    );
    expect((await diagnose(db.url, env)).check('partitions')).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('2 partitions'),
    });
    await sql(`INSERT INTO parted (id, operation_type, status) VALUES (1, 'updated', 'success')`);
    const { code, check } = await diagnose(db.url, env);
    expect([code, check('partitions').status]).toEqual([1, 'fault']);
    expect(await sql(`${check('partitions').sql}`)).toHaveLength(2);
  });

  test('each privilege revoked in turn: serve says which, and the SQL of doctor gives it back', async () => {
    const role = await newRole(db.url);
    roles.push(role);
    const url = urlAs(db.url, role);
    const env = { SYNC_LOG_TABLE: '"Closed".logs', BELL: 'off' };
    await sql(`CREATE SCHEMA "Closed"; ${createTable('"Closed".logs')};
      CREATE INDEX ON "Closed".logs (created_at); CREATE INDEX ON "Closed".logs (status);
      GRANT USAGE ON SCHEMA "Closed" TO ${role}; GRANT SELECT ON SEQUENCE "Closed".logs_id_seq TO ${role};
      GRANT SELECT (id, operation_type, status, created_at, customer_id, customer_email, onec_id, correlation_id,
                    error_message, duration_ms, details) ON "Closed".logs TO ${role}`);
    const whole = await diagnose(url, env);
    expect([whole.code, whole.all('fault')]).toEqual([0, []]);
    const cases = [
      ['USAGE ON SCHEMA "Closed"', /lacks USAGE on schema/],
      ['SELECT ON SEQUENCE "Closed".logs_id_seq', /may not read the sequence/],
      ...['id', 'operation_type', 'status', 'created_at'].map(
        (column) =>
          [`SELECT (${column}) ON "Closed".logs`, new RegExp(`column ${column} may not be read`)] as const,
      ),
    ] as const;
    for (const [privilege, words] of cases) {
      await sql(`REVOKE ${privilege} FROM ${role}`);
      expect(await refusal(url, env)).toMatch(words);
      const { code, check, all } = await diagnose(url, env);
      expect([code, all('fault')]).toEqual([1, ['privileges']]);
      await sql(`${check('privileges').sql}`);
      expect((await diagnose(url, env)).check('privileges').status).toBe('ok');
    }
    // An optional column costs what it shows, no more.
    await sql(`REVOKE SELECT (details) ON "Closed".logs FROM ${role}`);
    const less = await diagnose(url, env);
    expect([less.code, less.check('privileges').status, less.check('columns').status]).toEqual([
      0,
      'warning',
      'warning',
    ]);
    await sql(`${less.check('privileges').sql}`);
    expect((await diagnose(url, env)).check('columns').status).toBe('ok');
  });

  test('rows hidden by a policy, and a role that may connect only a few times', async () => {
    const role = await newRole(db.url, 'CONNECTION LIMIT 3');
    roles.push(role);
    const url = urlAs(db.url, role);
    await sql(`GRANT SELECT ON customer_sync_logs, customer_sync_logs_id_seq TO ${role};
      ALTER TABLE customer_sync_logs ENABLE ROW LEVEL SECURITY`);
    expect(await refusal(url)).toContain('row-level security');
    const { check, all } = await diagnose(url);
    expect(all('fault')).toEqual(['connections', 'row_security']);
    for (const name of all('fault')) await sql(`${check(name).sql}`);
    const after = await diagnose(url);
    expect([after.check('connections').status, after.check('row_security').status]).not.toContain('fault');
  });

  test('functions taken from PUBLIC: who may not call what, and writers before anything', async () => {
    const role = await newRole(db.url);
    roles.push(role);
    await sql(`GRANT SELECT ON customer_sync_logs, customer_sync_logs_id_seq TO ${role};
      REVOKE EXECUTE ON FUNCTION pg_control_system(), pg_notify(text, text) FROM PUBLIC`);
    const { check } = await diagnose(urlAs(db.url, role));
    expect(check('privileges')).toMatchObject({
      status: 'fault',
      message: `Role ${role} may not execute pg_control_system(), pg_notify(text, text).`,
    });
    await sql(`${check('privileges').sql}`);
    const after = await diagnose(urlAs(db.url, role));
    expect([after.check('privileges').status, after.check('trigger').status]).toEqual(['ok', 'warning']);
    await sql(`${after.check('trigger').sql}`);
    expect((await diagnose(urlAs(db.url, role))).check('trigger').message).toContain('not on public');
  });

  test('a statement that waits is given up, and the checks after it still run', async () => {
    await sql(`${createTable('parted', { id: 'bigserial' }, 'PARTITION BY LIST (operation_type)')};
      CREATE INDEX ON parted (id); CREATE TABLE part_a PARTITION OF parted FOR VALUES IN ('created')`);
    const blocker = new pg.Client(db.url);
    await blocker.connect();
    try {
      await blocker.query('BEGIN; LOCK TABLE parted IN ACCESS EXCLUSIVE MODE');
      const { code, check } = await diagnose(db.url, { SYNC_LOG_TABLE: 'parted' });
      expect(code).toBe(1);
      expect(check('partitions')).toMatchObject({
        status: 'fault',
        message: 'The check failed: canceling statement due to lock timeout.',
      });
      expect([check('indexes').status, check('access').status]).toEqual(['warning', 'ok']);
    } finally {
      await blocker.end();
    }
  });
});

test('without DATABASE_URL it says so and checks the rest', async () => {
  const { code, out } = await command(['doctor', '--json'], {});
  const { checks } = JSON.parse(out.join('')) as Report;
  expect(code).toBe(1);
  expect(checks[0]).toMatchObject({ check: 'connection', status: 'fault' });
  const well = checks.filter((one) => one.status === 'ok').map((one) => one.check);
  expect(well).toEqual(['disk', 'redis', '1c_api', 'webhooks', 'prometheus', 'access']);
});
