/** `sync-monitor report` against real tables, with texts that are made to hurt. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/main.js';
import type { Report } from '../../streams/report.js';
import { businessDifferences, operationDifferences } from '../monitor/oracle.js';
import { freshDatabase, newestVersion, type TestDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';

const HOSTILE = `<script>alert("x")</script> & 'quoted' \u001b[2J\u202eevil </td></table> ивана ivan.petrov@example.com`;
const PERIOD = ['--date', '2026-10-25', '--tz', 'Europe/Berlin'];

describe.each(newestVersion())('report on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let client: pg.Client;

  beforeAll(async () => {
    db = await freshDatabase(version);
    client = new pg.Client(db.url);
    await client.connect();
    await client.query(
      `INSERT INTO customer_sync_logs (operation_type, status, created_at, customer_id, customer_email, duration_ms, error_message, correlation_id, details)
       SELECT (ARRAY['export_to_1c', 'import_from_1c', 'conflict_resolution', 'customer_identification', '__proto__', '<b>bold</b>'])[1 + n % 6],
         (ARRAY['success', 'success', 'error', 'failed', 'pending', '<i>', 'warning'])[1 + n % 7],
         timestamptz '2026-10-17 00:00+02' + n * interval '13 minutes', n % 40, 'ivan.petrov@example.com', n % 5000,
         CASE WHEN n % 7 = 2 THEN 'Customer ' || n || ' not found' WHEN n % 7 = 3 THEN $1 END, '<u>' || n,
         '{"conflict_source": "data_import", "method": "<s>tax</s>", "email_sent": true}'
       FROM generate_series(0, 1500) n`,
      [HOSTILE],
    );
  });
  afterAll(async () => {
    await client.end();
    await db.drop();
  });

  /** The command without a process around it. */
  async function report(
    args: readonly string[],
    env: Record<string, string> = {},
    stop = new AbortController(),
  ) {
    const [out, err]: [string[], string[]] = [[], []];
    const host = {
      print: (line: string) => void out.push(line),
      note: (line: string) => void err.push(line),
      signal: stop.signal,
      colours: false,
      env: { DATABASE_URL: db.url, ...env },
      folder: '/nonexistent',
    };
    const code = await run(['report', ...args], host);
    return { code, out: out.join('\n'), err: err.join('\n') };
  }

  async function json(args: readonly string[], env: Record<string, string> = {}): Promise<Report> {
    const { code, out, err } = await report([...args, '--format', 'json'], env);
    expect([code, err]).toEqual([0, '']);
    return JSON.parse(out);
  }

  it.each([
    ['--day', '2026-10-25T00:00:00+02:00', '2026-10-26T00:00:00+01:00', '2026-10-24T00:00:00+02:00'],
    ['--week', '2026-10-19T00:00:00+02:00', '2026-10-26T00:00:00+01:00', '2026-10-12T00:00:00+02:00'],
  ])('%s says what SQL says, over the end of summer time', async (kind, start, end, before) => {
    const made = await json([kind, ...PERIOD], { HOUR_COST: '30' });
    expect(made).toMatchObject({
      kind: kind.slice(2),
      date: start.slice(0, 10),
      tz: 'Europe/Berlin',
      complete: true,
      table: 'public.customer_sync_logs',
      period_start: start,
      period_end: end,
      before: { period_start: before, period_end: start },
    });
    expect(made.operations.total_operations).toBeGreaterThan(100);
    for (const part of [made, made.before]) {
      expect(Date.parse(part.operations.period_start)).toBe(Date.parse(part.period_start));
      expect(Date.parse(part.operations.period_end)).toBe(Date.parse(part.period_end));
      expect(await operationDifferences(client, kind, part.operations, 'customer_sync_logs')).toEqual([]);
      expect(await businessDifferences(client, kind, part.business, 'customer_sync_logs')).toEqual([]);
    }
    expect(made.business.automation_money_saved).toBe(made.business.automation_hours_saved * 30);
    const { rows } = await client.query(
      `SELECT count(*)::int AS errors, count(DISTINCT customer_id)::int AS customers,
         count(*) FILTER (WHERE error_message LIKE 'Customer%')::int AS not_found
       FROM customer_sync_logs WHERE status IN ('error', 'failed') AND created_at >= $1 AND created_at < $2`,
      [start, end],
    );
    const [{ errors, customers, not_found }] = rows;
    expect(made.customers.count).toBe(customers);
    expect(made.affected_customers).toBe(customers);
    expect(made.errors.top.reduce((sum, { count }) => sum + count, 0)).toBe(errors);
    const missing = made.errors.top.find(({ message }) => message === 'Customer # not found');
    expect(missing?.count).toBe(not_found);
  });

  it('keeps personal data and control characters out of every form', async () => {
    for (const format of ['text', 'json', 'html']) {
      const { code, out } = await report(['--week', ...PERIOD, '--format', format]);
      expect(code).toBe(0);
      expect(out).toContain('Customer # not found');
      expect(out).not.toMatch(/ivan\.petrov|example\.com/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what may not be there
      expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    }
  });

  it('masks what details say of sources and methods', async () => {
    await client.query(`INSERT INTO customer_sync_logs (operation_type, status, created_at, details)
      SELECT (ARRAY['conflict_resolution', 'customer_identification'])[1 + n % 2], 'success', '2026-11-01T12:00Z',
        jsonb_build_object('conflict_source', 'anna.ivanova@example.com', 'method', 'anna.i' || n || '@example.com')
      FROM generate_series(1, 6) n`);
    const { business } = await json(['--day', '--date', '2026-11-01']);
    expect(business.conflicts_resolved).toEqual({ 'a***@e***.com': 3 });
    expect(business.identification_methods).toEqual({ 'a***@e***.com': 3 });
  });

  it('escapes everything in HTML', async () => {
    const { out } = await report(['--week', ...PERIOD, '--format', 'html']);
    expect(out).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;quoted&#39;');
    expect(out).toContain('<td>&lt;b&gt;bold&lt;/b&gt;</td>');
    expect(out).toContain('&lt;s&gt;tax&lt;/s&gt;');
    const tags = new Set([...out.matchAll(/<([^\s>]+)/g)].map(([, tag]) => tag?.replace('/', '')));
    expect([...tags].sort()).toEqual(
      '!doctype body h1 h2 head html meta p style table tbody td th thead title tr'.split(' '),
    );
    // Each that is opened is closed.
    for (const tag of ['table', 'tr', 'td', 'th', 'tbody', 'thead', 'p', 'h2'])
      expect(out.split(`</${tag}>`).length).toBe(out.split(new RegExp(`<${tag}[ >]`)).length);
  });

  it('shows text in columns', async () => {
    const { out } = await report(['--day', ...PERIOD]);
    const lines = out.split('\n');
    expect(lines[0]).toBe('Customer synchronisation, 2026-10-25 (Europe/Berlin)');
    expect(out).toMatch(/^Operations +115 +111 +\+3\.6 %$/m);
    expect(out).toMatch(/^Success rate +\d\d\.\d\d % +\d\d\.\d\d % +([+-]\d\.\d\d|0) pp$/m);
    expect(out).toMatch(/^__proto__ +\d+ .* ms +\d+ +\S+ %$/m);
    for (const title of ['Summary', 'By type', 'By status', 'Top errors', 'Affected customers'])
      expect(lines).toContain(title);
  });

  it('says that a day is not over, and that there was nothing', async () => {
    const { code, out } = await report(['--day', '--date', 'today']);
    expect(code).toBe(0);
    expect(out).toMatch(/the day is not over, these are its numbers so far/);
    expect(out).toMatch(/^Success rate +–/m);
    expect(out).toMatch(/^By type\n-+\nNo operations\.$/m);
    const made = await json(['--week', '--date', 'today']);
    expect(made.complete).toBe(false);
    expect(made.operations).toMatchObject({ total_operations: 0, success_rate: null });
  });

  it('reads only what its role may read, and writes nothing', async () => {
    const role = `reporter_${db.name}`;
    await client.query(`CREATE ROLE ${role} LOGIN; GRANT SELECT (id, operation_type, status, created_at, duration_ms)
      ON customer_sync_logs TO ${role}; GRANT SELECT ON SEQUENCE customer_sync_logs_id_seq TO ${role}; ALTER ROLE ${role} SET default_transaction_read_only = on`);
    try {
      const url = new URL(db.url);
      url.username = role;
      const made = await json(['--day', ...PERIOD], { DATABASE_URL: url.href });
      expect(made.operations.total_operations).toBe(115);
      expect(made.errors).toMatchObject({ top: [], without_message: made.operations.error_count });
    } finally {
      await client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it.each([
    [[], /report needs --day or --week/],
    [['--day', '--week'], /'--day' cannot be used with option '--week'/],
    [['--day', '--date', '2026-02-30'], /--date is "2026-02-30"; allowed: a date such as/],
    [['--day', '--date', '9999-01-01'], /9999-01-01, which has not begun in UTC/],
    [['--day', '--tz', 'Moscow'], /'Moscow' is invalid.*the nearest is Europe\/Moscow/],
    [['--day', '--format', 'pdf'], /Allowed choices are text, json, html/],
    [['--day', 'now'], /too many arguments/],
  ])('%j is wrong usage', async (args, message) => {
    const { code, out, err } = await report(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });

  it('is wrong usage without a database', async () => {
    const { code, err } = await report(['--day'], { DATABASE_URL: '' });
    expect([code, err]).toEqual([2, expect.stringMatching(/DATABASE_URL is not set/)]);
  });

  it.each([
    [{ SYNC_LOG_TABLE: 'nothing' }, /nothing/],
    [{ DATABASE_URL: 'postgres://127.0.0.1:1/none' }, /nobody listens at 127\.0\.0\.1:1/],
  ])('fails with one sentence with %j', async (env, message) => {
    const { code, out, err } = await report(['--day'], env);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(message);
    expect(err.split('\n')).toHaveLength(1);
  });

  it('ends when it is told to, also while the database does not answer', async () => {
    const blocker = new pg.Client(db.url);
    await blocker.connect();
    await blocker.query('BEGIN; LOCK TABLE customer_sync_logs IN ACCESS EXCLUSIVE MODE');
    try {
      const stop = new AbortController();
      const running = report(['--day', ...PERIOD], {}, stop);
      await expect
        .poll(() =>
          ask(
            db.url,
            `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
          ),
        )
        .toHaveLength(1);
      stop.abort();
      expect(await running).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/interrupted/) });
    } finally {
      await blocker.end();
    }
  });
});
