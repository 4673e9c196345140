import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { discoverTable, TableError } from '../../src/source/table.js';
import { freshDatabase, sharedVersions, type TestDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { createTable, discover, dropRoles, newRole, as as urlAs, withLink } from './tables.js';

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

  describe('that lacks something optional is watched, and said', () => {
    test('only the four required columns', async () => {
      const none = Object.fromEntries(
        [
          'customer_id',
          'customer_email',
          'onec_id',
          'correlation_id',
          'error_message',
          'duration_ms',
          'details',
        ].map((column) => [column, undefined]),
      );
      await sql(createTable('bare', none));
      const { columns, warnings, createdAtIndexed, statusIndexed } = await discover(db.url, 'bare');
      expect([columns.size, createdAtIndexed, statusIndexed]).toEqual([0, false, false]);
      expect(warnings).toEqual([
        'Column customer_id is missing: the count of distinct customers stays 0.',
        'Column customer_email is missing: events carry no e-mail.',
        'Column onec_id is missing: events carry no 1C id.',
        'Column correlation_id is missing: events cannot be grouped by correlation id.',
        'Column error_message is missing: events carry no error message.',
        'Column duration_ms is missing: there are no durations and no percentiles.',
        'Column details is missing: conflict sources and identification methods are unknown, mails and batch totals absent.',
      ]);
    });

    test('a column of another type is as good as none', async () => {
      await sql(
        createTable('odd', { duration_ms: 'numeric', details: 'text', correlation_id: 'varchar(64)[]' }),
      );
      const { columns, warnings } = await discover(db.url, 'odd');
      expect(columns.has('duration_ms') || columns.has('details') || columns.has('correlation_id')).toBe(
        false,
      );
      expect(warnings).toEqual([
        expect.stringContaining(
          'Column correlation_id is character varying[], not character varying or text',
        ),
        'Column duration_ms is numeric, not smallint or integer or bigint: there are no durations and no percentiles.',
        expect.stringContaining('Column details is text, not jsonb'),
      ]);
    });

    test('details that are json and not jsonb could stop the reading with one row', async () => {
      await sql(`${createTable('jsonish', { details: 'json' })};
        INSERT INTO jsonish (operation_type, status, details) VALUES ('created', 'success', '{"method": "\\u0000"}')`);
      await expect(sql(`SELECT details ->> 'method' FROM jsonish`)).rejects.toThrow(
        'unsupported Unicode escape',
      );
      const { columns, warnings } = await discover(db.url, 'jsonish');
      expect([columns.has('details'), warnings]).toEqual([
        false,
        [expect.stringContaining('Column details is json, not jsonb')],
      ]);
    });

    test('no index led by id, or by created_at or status alone', async () => {
      await sql(`${createTable('unindexed', { id: 'bigserial' })};
        CREATE INDEX ON unindexed (status, id); CREATE INDEX ON unindexed (created_at) WHERE status = 'error';
        CREATE INDEX ON unindexed ((id + 1))`);
      const { warnings, createdAtIndexed, statusIndexed } = await discover(db.url, 'unindexed');
      expect(warnings).toEqual([
        'No index of unindexed is led by id: every poll reads the whole table. Create one.',
      ]);
      expect([createdAtIndexed, statusIndexed]).toEqual([false, true]);
    });

    test('a sequence with CACHE or CYCLE', async () => {
      await sql(
        createTable('cached', { id: 'bigint GENERATED BY DEFAULT AS IDENTITY (CACHE 50 CYCLE) PRIMARY KEY' }),
      );
      expect((await discover(db.url, 'cached')).warnings).toEqual([
        'The sequence public.cached_id_seq has CACHE 50: sessions hold ids back, and a row may be counted late. ALTER SEQUENCE public.cached_id_seq CACHE 1 mends it.',
        'The sequence public.cached_id_seq has CYCLE: after it wraps, the numbers are rebuilt from the table.',
      ]);
    });
  });

  describe('whatever its sequence is', () => {
    test('serial, identity, one of its own schema, one shared by two tables', async () => {
      await sql(`CREATE SCHEMA "Other Schema"; CREATE SEQUENCE "Other Schema"."Shared Ids" INCREMENT 10;
        ${createTable('a_serial', { id: 'serial PRIMARY KEY' })};
        ${createTable('an_identity', { id: 'int GENERATED ALWAYS AS IDENTITY PRIMARY KEY' })};
        ${createTable('shared_a', { id: `bigint PRIMARY KEY DEFAULT nextval('"Other Schema"."Shared Ids"')` })};
        ${createTable('shared_b', { id: `bigint PRIMARY KEY DEFAULT nextval('"Other Schema"."Shared Ids"')` })}`);
      const of = async (name: string) => (await discover(db.url, name)).sequence;
      expect(await of('a_serial')).toMatchObject({ qualified: 'public.a_serial_id_seq', increment: 1 });
      expect(await of('an_identity')).toMatchObject({ qualified: 'public.an_identity_id_seq' });
      const shared = await of('shared_a');
      expect(shared).toMatchObject({ qualified: '"Other Schema"."Shared Ids"', increment: 10 });
      expect(await of('shared_b')).toEqual(shared);
    });

    test('what the default calls counts, not what the column owns', async () => {
      await sql(`${createTable('replaced', { id: 'bigserial PRIMARY KEY' })}; CREATE SEQUENCE newer;
        ALTER TABLE replaced ALTER id SET DEFAULT nextval('newer')`);
      expect((await discover(db.url, 'replaced')).sequence.qualified).toBe('public.newer');
    });
  });

  describe('whatever its types are', () => {
    test('smaller ids, uuid, enum, citext and domains', async () => {
      await sql(`CREATE EXTENSION citext; CREATE TYPE state AS ENUM ('success', 'pending');
        CREATE DOMAIN moment AS timestamptz; CREATE DOMAIN late_moment AS moment; CREATE DOMAIN number AS bigint;
        CREATE DOMAIN ms AS integer CHECK (VALUE >= 0); CREATE DOMAIN kind AS varchar(50); CREATE SEQUENCE typed_ids;
        ${createTable('typed', {
          id: "number PRIMARY KEY DEFAULT nextval('typed_ids')",
          operation_type: 'kind NOT NULL',
          status: 'state NOT NULL',
          created_at: 'late_moment NOT NULL',
          customer_id: 'smallint',
          customer_email: 'citext',
          correlation_id: 'uuid',
          onec_id: 'char(36)',
          duration_ms: 'ms',
        })};
        ${createTable('small', { id: 'smallserial PRIMARY KEY' })}`);
      const { columns, warnings } = await discover(db.url, 'typed');
      expect([columns.size, warnings]).toEqual([7, []]);
      expect((await discover(db.url, 'small')).warnings).toEqual([]);
    });
  });

  describe('whatever its name is', () => {
    test('names that need quotes, given with them and without', async () => {
      await sql(`CREATE SCHEMA "Portal"; ${createTable('"Portal"."Sync Log"')}; ${createTable('"Portal"."SyncLog"')};
        ${createTable('"Portal".synclog')}; ${createTable('"with.dot"')}; ${createTable('"say ""hi"""')};
        ${createTable('"журнал"')}; ${createTable('"select"')}`);
      for (const [given, qualified] of [
        ['"Portal"."Sync Log"', '"Portal"."Sync Log"'],
        ['Portal.Sync Log', '"Portal"."Sync Log"'],
        ['"Portal"."SyncLog"', '"Portal"."SyncLog"'],
        // No such name by SQL's rules (they fold portal), so it is taken as it is written.
        ['Portal.SyncLog', '"Portal"."SyncLog"'],
        ['"Portal".SyncLog', '"Portal".synclog'],
        ['"with.dot"', 'public."with.dot"'],
        ['public."say ""hi"""', 'public."say ""hi"""'],
        ['журнал', 'public."журнал"'],
        ['select', 'public."select"'],
      ] as const) {
        const table = await discover(db.url, given);
        expect([given, table.qualified]).toEqual([given, qualified]);
        // The name is ready for SQL.
        expect(await sql(`SELECT count(*)::int AS n FROM ${table.qualified}`)).toEqual([{ n: 0 }]);
      }
    });

    test('without a schema it is looked for on the search_path', async () => {
      await sql(`CREATE SCHEMA first; ${createTable('first.on_path')}; ${createTable('public.on_path')}`);
      const found = await discover(db.url, 'on_path', 'SET search_path = first, public');
      expect(found.qualified).toBe('first.on_path');
      expect((await discover(db.url, 'on_path')).qualified).toBe('public.on_path');
    });
  });

  test('in partitions is one table; a partition can be watched alone', async () => {
    await sql(`${createTable('parted', { id: 'bigserial' }, 'PARTITION BY RANGE (created_at)')};
      CREATE TABLE parted_now PARTITION OF parted FOR VALUES FROM ('2000-01-01') TO (MAXVALUE);
      CREATE UNIQUE INDEX ON parted (id, created_at); CREATE INDEX ON parted (created_at)`);
    expect(await discover(db.url, 'parted')).toMatchObject({
      partitioned: true,
      sequence: { qualified: 'public.parted_id_seq' },
      createdAtIndexed: true,
      statusIndexed: false,
      warnings: [],
    });
    expect(await discover(db.url, 'parted_now')).toMatchObject({ partitioned: false, warnings: [] });
  });

  test('needs these privileges and no more: each one taken away in turn', async () => {
    const role = await newRole(db.url);
    roles.push(role);
    await sql(`CREATE SCHEMA closed; ${createTable('closed.logs', { secret: 'text' })};
      GRANT USAGE ON SCHEMA closed TO ${role}; GRANT SELECT ON SEQUENCE closed.logs_id_seq TO ${role};
      GRANT SELECT (id, operation_type, status, created_at, customer_id, customer_email, onec_id, correlation_id,
                    error_message, duration_ms, details) ON closed.logs TO ${role}`);
    await withLink(urlAs(db.url, role), async (link) => {
      const without = async (privilege: string, check: () => Promise<void>) => {
        await sql(`REVOKE ${privilege} FROM ${role}`);
        await check();
        await sql(`GRANT ${privilege} TO ${role}`);
      };
      const look = () => discoverTable(link, 'closed.logs');
      const full = await look();
      expect([full.columns.size, full.warnings]).toEqual([7, []]);
      for (const column of ['id', 'operation_type', 'status', 'created_at'])
        await without(`SELECT (${column}) ON closed.logs`, async () => {
          expect(await refusal(look())).toContain(`column ${column} may not be read (GRANT SELECT)`);
        });
      for (const column of full.columns)
        await without(`SELECT (${column}) ON closed.logs`, async () => {
          const { columns, warnings } = await look();
          expect(columns.has(column)).toBe(false);
          expect(warnings).toEqual([expect.stringContaining(`Column ${column} may not be read: `)]);
        });
      await without('SELECT ON SEQUENCE closed.logs_id_seq', async () => {
        expect(await refusal(look())).toContain(
          `role ${role} may not read the sequence closed.logs_id_seq (GRANT SELECT, and USAGE on its schema).`,
        );
      });
      await without('USAGE ON SCHEMA closed', async () => {
        expect(await refusal(look())).toContain(`role ${role} lacks USAGE on schema closed`);
      });
      expect((await look()).warnings).toEqual([]);
    });
  });
});
