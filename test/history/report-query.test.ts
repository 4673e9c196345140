import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { customersOfTable, errorsOfTable } from '../../src/history/report-query.js';
import type { Query, TableShape } from '../../src/history/table-query.js';
import { ReadPool } from '../../src/source/pool.js';
import { QUERY_SESSION } from '../../src/source/source.js';
import { freshDatabase, newestVersion, type TestDatabase } from '../setup/database.js';
import { createTable, discover } from '../source/tables.js';

const DAY = [new Date('2026-03-10T00:00:00Z'), new Date('2026-03-11T00:00:00Z')] as const;

describe.each(newestVersion())('what a report asks of the table, on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let client: pg.Client;
  let pool: ReadPool;

  beforeAll(async () => {
    db = await freshDatabase(version);
    client = new pg.Client(db.url);
    await client.connect();
    pool = new ReadPool({ url: db.url, session: QUERY_SESSION });
  });
  afterAll(async () => {
    pool.close();
    await client.end();
    await db.drop();
  });

  const ask = <T>(work: (query: Query) => Promise<T>) => pool.snapshot(work);
  const errors = (table: TableShape) => ask((query) => errorsOfTable(query, table, ...DAY));
  const customers = (table: TableShape) => ask((query) => customersOfTable(query, table, ...DAY));

  let tables = 0;
  /** A table with these messages, each an error of its own. */
  async function tableOf(messages: readonly (string | null)[]): Promise<TableShape> {
    tables += 1;
    const name = `messages${tables}`;
    await client.query(createTable(name));
    await client.query(
      `INSERT INTO ${name} (operation_type, status, created_at, error_message, correlation_id)
       SELECT 'sync_changes', 'error', '2026-03-10T12:00Z', message, 'corr-' || n
       FROM unnest($1::text[]) WITH ORDINALITY AS of(message, n)`,
      [messages],
    );
    return discover(db.url, name);
  }
  const groupsOf = async (messages: readonly (string | null)[]) =>
    (await errors(await tableOf(messages))).top.map(({ message, count }) => [message, count]);

  test.each([
    [['Customer 17 not found', 'Customer  4711 not found'], 'Customer # not found'],
    [['1C is silent for 20 s', '1C is silent for 1 s'], '1C is silent for # s'],
    [['1С недоступна: код 3', '1С недоступна: код 21'], '1С недоступна: код #'],
    [
      [
        'No reply to 8f14e45f-ceea-467f-9575-0d1f1a2b3c4d',
        'No reply to 0A14E45F-ceea-467f-9575-ffffffffffff',
      ],
      'No reply to #',
    ],
    [['at 0x7ffE21 in ab12cd34ef', 'at 0xdead in 99zz88yy77'], 'at # in #'],
    [['Mail to ivan.1@example.com refused', 'Mail to Пётр@почта.рф refused'], 'Mail to ***@*** refused'],
    [['ИНН 7701234567\n\nФИО: Иванов', 'ИНН 770123456789\n\nФИО: Петров Пётр'], 'ИНН #  ФИО: ***'],
    [['ФИО: Иванов Иван\nнет ответа', 'ФИО: Ли\nнет ответа'], 'ФИО: *** нет ответа'],
    [['call +7 (912) 345-67-89', 'call +7 (495) 111-22-33'], 'call +# (#) #-#-#'],
    [['export_to_1c failed', 'export_to_1c failed '], 'export_to_1c failed'],
    [['tls1v3 alert', 'tls1v2 alert'], 'tls#v# alert'],
    [['a\u001b[31mred\nline 5', 'a\u001b[31mred\nline 6'], 'ared line #'],
    [['\\1 \\& $1', '\\2 \\& $2'], '\\# \\& $#'],
  ])('puts together %j', async (messages, shown) => {
    expect(await groupsOf(messages)).toEqual([[shown, messages.length]]);
  });

  test('keeps apart what differs by more than numbers', async () => {
    const found = await groupsOf(['timeout', 'timeout', 'refused', 'Timeout', 'timeout 1C', 'timeout 2C']);
    expect(found).toEqual([
      ['timeout', 2],
      ['timeout #C', 1],
      ['timeout 1C', 1],
      ['Timeout', 1],
      ['refused', 1],
    ]);
  });

  test('counts all errors of the period, and no other row', async () => {
    await client.query(createTable('counted'));
    await client.query(`INSERT INTO counted (operation_type, status, created_at, error_message, customer_id) VALUES
      ('sync_changes', 'error', '2026-03-10T00:00Z', 'no answer 1', 1),
      ('export_to_1c', 'failed', '2026-03-10T23:59:59.999999Z', 'no answer 2', 9223372036854775807),
      ('export_to_1c', 'failed', '2026-03-10T12:00Z', 'no answer 3', 1),
      ('export_to_1c', 'failed', '2026-03-10T12:00Z', ' ', NULL),
      ('export_to_1c', 'error', '2026-03-10T12:00Z', NULL, NULL),
      ('sync_changes', 'warning', '2026-03-10T12:00Z', 'no answer 4', 5),
      ('sync_changes', 'error', '2026-03-11T00:00Z', 'no answer 5', 5),
      ('sync_changes', 'error', '2026-03-09T23:59:59.999999Z', 'no answer 6', 5),
      ('sync_changes', 'error', 'infinity', 'no answer 7', 5)`);
    const table = await discover(db.url, 'counted');
    expect(await errors(table)).toEqual({
      top: [
        {
          message: 'no answer #',
          count: 3,
          by_type: { sync_changes: 1, export_to_1c: 2 },
          sample: {
            id: 3,
            created_at: '2026-03-10T12:00:00.000Z',
            correlation_id: null,
            message: 'no answer 3',
          },
        },
      ],
      groups: 1,
      without_message: 2,
      not_grouped: 0,
    });
    expect(await customers(table)).toEqual({
      count: 2,
      errors_without_customer: 2,
      top: [
        { customer_id: 1, errors: 2, last_error_at: '2026-03-10T12:00:00.000Z' },
        {
          customer_id: '9223372036854775807',
          errors: 1,
          last_error_at: '2026-03-10T23:59:59.999999Z',
        },
      ],
    });
  });

  test('shows the ten most frequent, masked, and counts what is too rare to be read', async () => {
    // Two letters a word: 6,000 texts of which no two are alike, five of them twice.
    const word = (n: number) => `x${[...String(n)].map((digit) => 'abcdefghij'.at(Number(digit))).join('')}`;
    const messages = Array.from({ length: 6_000 }, (_, n) => `fault ${word(n)} of ivan@example.com`);
    const table = await tableOf([...messages, ...messages.slice(0, 5)]);
    const found = await errors(table);
    expect(found.groups).toBe(5_000);
    expect(found.not_grouped).toBe(1_000);
    expect(found.top.map(({ count }) => count)).toEqual([2, 2, 2, 2, 2, 1, 1, 1, 1, 1]);
    expect(found.top[0]?.sample).toMatchObject({
      correlation_id: expect.stringMatching(/^corr-600[1-5]$/),
      message: expect.stringMatching(/^fault xa* ?.* of i\*\*\*@e\*\*\*\.com$/),
    });
    expect(JSON.stringify(found)).not.toContain('ivan');
  });

  test('bounds what it reads of a text, and cuts no address in half', async () => {
    const long = `${'x '.repeat(240)}somebody.with.a.long.name@example.com ${'y'.repeat(1_000_000)}`;
    const found = await errors(await tableOf([long]));
    expect(found.top[0]?.message).toMatch(/^(x ){99}x ?$/);
    const cutAt = await errors(await tableOf([`${'x '.repeat(245)}ivan.petrov@example.com`]));
    expect(JSON.stringify(cutAt)).not.toContain('ivan');
  });

  test('is fast for a text that is made to hurt', async () => {
    const hostile = [
      'a'.repeat(499),
      'a@'.repeat(250),
      '1'.repeat(499),
      `${'a1'.repeat(249)}!`,
      '@'.repeat(499),
    ];
    const table = await tableOf(Array.from({ length: 2_000 }, (_, n) => `${n % 10}${hostile[n % 5]}`));
    // The statement's time is bounded: this fails where one of the patterns tries all combinations.
    const found = await ask(async (query) => {
      await query('SET LOCAL statement_timeout = 5000');
      return errorsOfTable(query, table, ...DAY);
    });
    expect(found.top.reduce((sum, { count }) => sum + count, 0)).toBe(2_000);
  });

  test('answers for a table without the optional columns, whose id is small and whose text is no text', async () => {
    const absent = { customer_id: undefined, error_message: undefined, correlation_id: undefined };
    await client.query(
      createTable('lean', { ...absent, id: 'serial PRIMARY KEY', created_at: 'timestamptz' }),
    );
    await client.query(
      `INSERT INTO lean (operation_type, status, created_at) VALUES ('created', 'error', '2026-03-10T12:00Z')`,
    );
    const lean = await discover(db.url, 'lean');
    expect(await errors(lean)).toEqual({ top: [], groups: 0, without_message: 1, not_grouped: 0 });
    expect(await customers(lean)).toEqual({ count: 0, errors_without_customer: 1, top: [] });
    await client.query(
      createTable('odd', { id: 'serial PRIMARY KEY', error_message: 'uuid', correlation_id: 'uuid' }),
    );
    await client.query(`INSERT INTO odd (operation_type, status, created_at, error_message, correlation_id)
      SELECT 'created', 'error', '2026-03-10T12:00Z', gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 3)`);
    expect((await errors(await discover(db.url, 'odd'))).top).toMatchObject([{ message: '#', count: 3 }]);
  });

  test('answers for a period without errors', async () => {
    const table = await tableOf([]);
    expect(await errors(table)).toEqual({ top: [], groups: 0, without_message: 0, not_grouped: 0 });
    expect(await customers(table)).toEqual({ count: 0, errors_without_customer: 0, top: [] });
  });
});
