import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TableError } from '../../src/source/table.js';
import { freshDatabase, sharedVersions, type TestDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { createTable, discover, dropRoles, newRole, as as urlAs } from './tables.js';

/** The one message with which discovery refuses. */
async function refusal(found: Promise<unknown>): Promise<string> {
  const error = await found.then(
    () => new Error('it was accepted'),
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(TableError);
  return (error as TableError).message;
}

describe.each(sharedVersions())('a table on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  const roles: string[] = [];
  const sql = (text: string) => ask(db.url, text);

  beforeAll(async () => {
    db = await freshDatabase(version);
  });
  afterAll(async () => {
    await db.drop();
    await dropRoles(db.url, roles);
  });

  test('as in the sample is found with everything, by any of its names', async () => {
    const table = await discover(db.url, 'customer_sync_logs');
    expect(table).toMatchObject({
      label: 'customer_sync_logs',
      qualified: 'public.customer_sync_logs',
      schema: 'public',
      name: 'customer_sync_logs',
      partitioned: false,
      sequence: { qualified: 'public.customer_sync_logs_id_seq', increment: 1 },
      createdAtIndexed: true,
      statusIndexed: true,
      warnings: [],
    });
    expect([...table.columns].sort()).toEqual([
      'correlation_id',
      'customer_email',
      'customer_id',
      'details',
      'duration_ms',
      'error_message',
      'onec_id',
    ]);
    for (const name of [
      'public.customer_sync_logs',
      '"public"."customer_sync_logs"',
      'Public.Customer_Sync_Logs',
    ])
      expect((await discover(db.url, name)).oid).toBe(table.oid);
  });

  describe('that cannot be watched is refused with one message that says what was found', () => {
    test('missing, or named so that no table can have the name', async () => {
      for (const name of [
        'nowhere',
        'nowhere.customer_sync_logs',
        '',
        ' ',
        '"unterminated',
        'public."unterminated',
        'a.b.c.d',
        `${'other_database'}.public.customer_sync_logs`,
        'customer_sync_logs; SELECT 1',
        "'; --",
      ]) {
        const message = await refusal(discover(db.url, name));
        expect(message).toBe(
          `Table ${name} (SYNC_LOG_TABLE) does not exist in this database, or its schema is not visible.`,
        );
      }
    });

    test('a view, a materialised view, a sequence, an index, a composite type', async () => {
      await sql(`CREATE VIEW a_view AS SELECT * FROM customer_sync_logs;
        CREATE MATERIALIZED VIEW a_matview AS SELECT * FROM customer_sync_logs;
        CREATE TYPE a_type AS (id bigint)`);
      for (const [name, kind] of [
        ['a_view', 'a view'],
        ['a_matview', 'a materialised view'],
        ['a_type', 'a composite type'],
        ['customer_sync_logs_id_seq', 'a sequence'],
        ['customer_sync_logs_pkey', 'an index'],
      ])
        expect(await refusal(discover(db.url, `${name}`))).toBe(
          `Table ${name} (SYNC_LOG_TABLE) is ${kind}; an ordinary or partitioned table is needed.`,
        );
    });

    test('a foreign table', async () => {
      await sql(`CREATE EXTENSION postgres_fdw; CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw;
        CREATE FOREIGN TABLE a_foreign (id bigint, operation_type text, status text, created_at timestamptz) SERVER elsewhere`);
      expect(await refusal(discover(db.url, 'a_foreign'))).toContain(
        'a_foreign (SYNC_LOG_TABLE) is a foreign table;',
      );
    });

    test('a temporary table: only its own session sees rows in it', async () => {
      const found = discover(db.url, 'temporary', createTable('pg_temp.temporary'));
      expect(await refusal(found)).toContain("is a temporary table; nobody else's rows can be seen in it.");
    });

    test('an id that is no integer', async () => {
      await sql(createTable('uuid_id', { id: 'uuid PRIMARY KEY' }));
      expect(await refusal(discover(db.url, 'uuid_id'))).toContain(
        'cannot be watched: column id is uuid, smallint or integer or bigint is needed. Found: id, operation_type,',
      );
    });

    test('a required column missing, each of them', async () => {
      for (const column of ['id', 'operation_type', 'status', 'created_at']) {
        await sql(`DROP TABLE IF EXISTS lacking; ${createTable('lacking', { [column]: undefined })}`);
        const message = await refusal(discover(db.url, 'lacking'));
        expect(message).toContain(
          `Table lacking (SYNC_LOG_TABLE) cannot be watched: column ${column} is missing.`,
        );
        expect(message.split('Found: ')[1]).not.toMatch(new RegExp(`\\b${column}\\b`));
      }
    });

    test('several faults at once', async () => {
      await sql(
        createTable('faulty', {
          id: 'numeric(20) PRIMARY KEY',
          status: undefined,
          created_at: 'timestamp without time zone',
          operation_type: undefined,
        }),
      );
      expect(await refusal(discover(db.url, 'public.faulty'))).toBe(
        'Table public.faulty (SYNC_LOG_TABLE) cannot be watched: ' +
          'column id is numeric, smallint or integer or bigint is needed; ' +
          'column operation_type is missing; column status is missing; ' +
          'column created_at is timestamp without time zone, timestamp with time zone is needed. ' +
          'Found: id, created_at, customer_id, customer_email, onec_id, correlation_id, error_message, duration_ms, details.',
      );
    });

    test('an id without a sequence, or with one that counts down', async () => {
      await sql(createTable('by_hand', { id: 'bigint PRIMARY KEY' }));
      expect(await refusal(discover(db.url, 'by_hand'))).toContain(
        'column id takes its values from no sequence (no default nextval, no identity).',
      );
      await sql(
        createTable('downwards', { id: 'bigint GENERATED ALWAYS AS IDENTITY (INCREMENT -1) PRIMARY KEY' }),
      );
      expect(await refusal(discover(db.url, 'downwards'))).toContain(
        'the sequence public.downwards_id_seq counts by -1; a positive increment is needed.',
      );
    });

    test('a sequence beyond what a number holds', async () => {
      await sql(`${createTable('beyond')}; SELECT setval('beyond_id_seq', 9007199254740992)`);
      expect(await refusal(discover(db.url, 'beyond'))).toContain(
        'stands at 9007199254740992; ids up to 9007199254740991 can be followed.',
      );
    });

    test('rows hidden by a policy, but not from whom it does not bind', async () => {
      const [reader, free] = [await newRole(db.url), await newRole(db.url, 'BYPASSRLS')];
      roles.push(reader, free);
      await sql(`${createTable('guarded')}; ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
        GRANT SELECT ON guarded TO ${reader}, ${free}; GRANT SELECT ON SEQUENCE guarded_id_seq TO ${reader}, ${free}`);
      expect(await refusal(discover(urlAs(db.url, reader), 'guarded'))).toContain(
        `a row-level security policy would hide rows from role ${reader}; give it BYPASSRLS`,
      );
      expect((await discover(urlAs(db.url, free), 'guarded')).name).toBe('guarded');
      expect((await discover(db.url, 'guarded')).name).toBe('guarded'); // a superuser
      await sql(`ALTER TABLE guarded DISABLE ROW LEVEL SECURITY`);
      expect((await discover(urlAs(db.url, reader), 'guarded')).name).toBe('guarded');
    });
  });
});
