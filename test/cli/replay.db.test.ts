/** `sync-monitor replay` against a history whose alerts SQL can tell as well. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReplayWire } from '../../src/cli/replay-text.js';
import { run } from '../../src/main.js';
import { freshDatabase, newestVersion, type TestDatabase } from '../setup/database.js';

const DAY = '2026-03-10';
const PERIOD = ['--since', `${DAY}T00:00:00Z`, '--until', `${DAY}T12:00:00Z`];

/** An hour or so of each kind of trouble, with an hour of nothing after it. */
const HISTORY = `
  -- Well all day: 12 rows a minute, fast.
  INSERT INTO customer_sync_logs (operation_type, status, duration_ms, created_at, customer_id)
    SELECT 'sync_changes', 'success', 100, timestamptz '${DAY} 00:00:01.5Z' + n * interval '5 seconds', n % 90 FROM generate_series(0, 5039) n;
  -- 01:00: a burst of errors of six minutes.
  INSERT INTO customer_sync_logs (operation_type, status, created_at, customer_id, error_message)
    SELECT 'export_to_1c', 'error', timestamptz '${DAY} 01:00:00.25Z' + n * interval '3 seconds', n % 40, 'No answer for anna.k@example.com after ' || n || ' ms' FROM generate_series(0, 119) n;
  -- 03:00: a slow spell of ten minutes.
  INSERT INTO customer_sync_logs (operation_type, status, duration_ms, created_at)
    SELECT 'import_from_1c', 'success', 9000, timestamptz '${DAY} 03:00:00.75Z' + n * interval '4 seconds' FROM generate_series(0, 149) n;
  -- 05:00: flapping: a minute of errors every twelve minutes.
  INSERT INTO customer_sync_logs (operation_type, status, created_at)
    SELECT 'sync_changes', 'failed', timestamptz '${DAY} 05:00:00.1Z' + k * interval '12 minutes' + n * interval '2 seconds'
    FROM generate_series(0, 3) k, generate_series(0, 29) n;
  -- 10:00, an hour of nothing on both sides: all errors, but fewer than ten in five minutes.
  INSERT INTO customer_sync_logs (operation_type, status, created_at)
    SELECT 'data_validation', 'error', timestamptz '${DAY} 10:00:00Z' + n * interval '30 seconds' FROM generate_series(0, 8) n;
  INSERT INTO customer_sync_logs (operation_type, status, created_at, details)
    VALUES ('batch_operation', 'success', '${DAY} 09:30:00Z', '{"operation_name": "nightly", "error_count": 3}'),
      ('export_to_1c', 'pending', '${DAY} 02:00:00Z', NULL);`;

interface Expected {
  readonly rule: string;
  readonly starts_at: string;
  readonly ends_at: string | null;
  readonly peak: number;
}

describe.each(newestVersion())('replay on PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let client: pg.Client;
  let folder: string;

  beforeAll(async () => {
    db = await freshDatabase(version);
    client = new pg.Client(db.url);
    await client.connect();
    await client.query(HISTORY);
    folder = await mkdtemp(join(tmpdir(), 'csm-replay-'));
  });
  afterAll(async () => {
    await client.end();
    await db.drop();
    await rm(folder, { recursive: true });
  });

  async function replay(args: readonly string[], env: Record<string, string> = {}) {
    const [out, err]: [string[], string[]] = [[], []];
    const host = {
      print: (line: string) => void out.push(line),
      note: (line: string) => void err.push(line),
      signal: new AbortController().signal,
      colours: false,
      env: { DATABASE_URL: db.url, ...env },
      folder,
    };
    const code = await run(['replay', ...args], host);
    return { code, out: out.join('\n'), err: err.join('\n') };
  }

  async function json(args: readonly string[], env: Record<string, string> = {}): Promise<ReplayWire> {
    const { code, out, err } = await replay([...args, '--json'], env);
    expect([code, err]).toEqual([0, '']);
    return JSON.parse(out);
  }

  /** Every step of 15 s judged by SQL over its window, then put together by hand. */
  async function expected(
    rule: string,
    value: string,
    enough: string,
    [window, step]: readonly [minutes: number, seconds: number],
    line: number,
  ): Promise<Expected[]> {
    const { rows } = await client.query<{ at: Date; value: number | null }>(
      `SELECT at, (SELECT CASE WHEN ${enough} THEN ${value} END FROM customer_sync_logs
         WHERE created_at <= at AND created_at >= to_timestamp(ceil((extract(epoch FROM at) + 1) / ${step}) * ${step}) - interval '${window} minutes')::float8 AS value
       FROM generate_series(timestamptz '${DAY} 00:00Z', '${DAY} 12:00Z', '15 seconds') at ORDER BY at`,
    );
    const found: (Expected & { ends_at: string | null; peak: number })[] = [];
    let open: { rule: string; starts_at: string; ends_at: string | null; peak: number } | null = null;
    let back: number | null = null;
    let notice = Number.NEGATIVE_INFINITY;
    let startsAt: Date | null = null;
    let peak = 0;
    for (const { at, value: is } of rows) {
      if (is !== null && is > line) {
        back = null;
        startsAt ??= at;
        peak = Math.max(peak, is);
        if (open) open.peak = peak;
        else if (at.getTime() - notice >= 300_000) {
          open = { rule, starts_at: startsAt.toISOString(), ends_at: null, peak };
          found.push(open);
          notice = at.getTime();
        }
      } else if (startsAt !== null) {
        back ??= at.getTime();
        if (at.getTime() - back < 60_000) continue;
        if (open) {
          open.ends_at = at.toISOString();
          notice = at.getTime();
        }
        [open, startsAt, back, peak] = [null, null, null, 0];
      }
    }
    return found;
  }

  const RATE = `round(100.0 * count(*) FILTER (WHERE status IN ('error', 'failed')) / nullif(count(*), 0), 2)`;

  it('finds the alerts that SQL over the windows finds, and no others', async () => {
    const { alerts, rows, unsent } = await json(PERIOD);
    const all = await client.query('SELECT count(*)::int AS count FROM customer_sync_logs');
    expect(rows).toBe(all.rows[0].count);
    const of = (name: string) =>
      alerts
        .filter(({ rule }) => rule === name)
        .map(({ rule, starts_at, ends_at, peak }) => ({ rule, starts_at, ends_at, peak }));
    const realtime = await expected('realtime_error_rate', RATE, 'count(*) >= 10', [5, 1], 20);
    expect(realtime.length).toBeGreaterThanOrEqual(3);
    expect(of('realtime_error_rate')).toEqual(realtime);
    const hour = [60, 10] as const;
    const rate = await expected('high_error_rate', RATE, 'count(*) >= 20', hour, 10);
    expect(rate.length).toBeGreaterThanOrEqual(1);
    expect(of('high_error_rate')).toEqual(rate);
    const spike = await expected(
      'failed_operations_spike',
      `count(*) FILTER (WHERE status IN ('error', 'failed'))`,
      'true',
      hour,
      50,
    );
    expect(spike.length).toBeGreaterThanOrEqual(2);
    expect(of('failed_operations_spike')).toEqual(spike);
    const slow = await expected(
      'slow_response',
      'percentile_disc(0.95) WITHIN GROUP (ORDER BY duration_ms)',
      'true',
      hour,
      2000,
    );
    expect(slow).toHaveLength(1);
    const [found, ...more] = of('slow_response');
    expect(more).toEqual([]);
    // Durations are kept in cells of a percent.
    expect({ ...found, peak: slow[0]?.peak }).toEqual(slow[0]);
    expect(found?.peak).toBeGreaterThan(8_900);
    expect(of('batch_failure')).toEqual([
      { rule: 'batch_failure', starts_at: `${DAY}T09:30:00.000Z`, ends_at: `${DAY}T09:36:00.000Z`, peak: 1 },
    ]);
    const others = alerts.filter(
      ({ rule }) => !/error_rate|spike|slow_response|batch_failure|slo_/.test(rule),
    );
    expect(others).toEqual([]);
    expect(unsent).toEqual({});
  });

  it('says what it was, and what it could not judge, without personal data', async () => {
    const { code, out } = await replay(PERIOD);
    expect(code).toBe(0);
    expect(out).toMatch(/^2026-03-10T01:0\d:\d\dZ {2}critical {2}realtime_error_rate {2}for \d+ min/m);
    expect(out).toMatch(
      /error_rate_5m was at \d+\.?\d* % \(line 20 %\), at its peak at \d+\.?\d* % at 2026-03-10T01:0/,
    );
    expect(out).toMatch(/^ {2}\d+ customers affected$/m);
    expect(out).toMatch(/^ {2}\d+ x No answer for .*\*/m);
    expect(out).not.toContain('anna.k@');
    expect(out).toMatch(/Not judged.*api_unavailable.*disk_space.*monitor_degraded/);
    expect(out).toContain('Pending rows are taken as they are now');
  });

  it('gives the same whether there is an index on created_at or not', async () => {
    const before = await json(PERIOD);
    await client.query('DROP INDEX sync_log_created_idx');
    try {
      expect(await json(PERIOD)).toEqual(before);
    } finally {
      await client.query('CREATE INDEX sync_log_created_idx ON customer_sync_logs (created_at)');
    }
  });

  it('a rules file changes a threshold, turns rules off and adds one', async () => {
    const file = 'rules.yaml';
    await writeFile(
      join(folder, file),
      `rules:
  realtime_error_rate: { threshold: 99 }
  failed_operations_spike: { enabled: false }
  few_errors: { measure: errors_5m, operation_type: data_validation, threshold: 8, severity: warning }
  silence: { measure: minutes_without_rows, comparison: at_least, threshold: 30, severity: critical }
`,
    );
    const { alerts, judged } = await json([...PERIOD, '--rules', file]);
    expect(judged).not.toContain('failed_operations_spike');
    expect(alerts.map(({ rule }) => rule)).not.toContain('realtime_error_rate');
    expect(alerts.filter(({ rule }) => rule === 'few_errors')).toMatchObject([
      {
        starts_at: `${DAY}T10:04:00.000Z`,
        value: 9,
        peak: 9,
        threshold: 8,
        operation_type: 'data_validation',
      },
    ]);
    // Before the first row there was none at all; rows end at 06:59:56.5, and come again at 09:30 and 10:00 to 10:04.
    expect(alerts.filter(({ rule }) => rule === 'silence')).toMatchObject([
      { starts_at: `${DAY}T00:00:00.000Z`, began_before: true, ends_at: `${DAY}T00:01:15.000Z` },
      { starts_at: `${DAY}T07:30:00.000Z`, began_before: false, ends_at: `${DAY}T09:31:00.000Z` },
      { starts_at: `${DAY}T10:34:00.000Z`, ends_at: null, peak: 116 },
    ]);
  });

  it('--expect-none ends with 3 when something fires, and with 0 when nothing does', async () => {
    expect(await replay([...PERIOD, '--expect-none'])).toMatchObject({ code: 3, err: '' });
    const quiet = ['--since', '2026-02-01T00:00:00Z', '--until', '2026-02-20T00:00:00Z', '--expect-none'];
    expect(await replay(quiet)).toMatchObject({
      code: 0,
      out: expect.stringContaining('No alert would have fired.'),
    });
  });

  it.each([
    [[], {}, 2, /required option '--since <when>' not specified/],
    [['--since', 'monday'], {}, 2, /--since is "monday"; allowed/],
    [['--since', '1d', '--until', '2d'], {}, 2, /is not before the end/],
    [['--since', '1d', '--until', '2999-01-01'], {}, 2, /still to come/],
    [['--since', '1d', '--rules', 'absent.yaml'], {}, 2, /absent\.yaml.*cannot be read/],
    [['--since', '1d'], { DATABASE_URL: '' }, 2, /DATABASE_URL is not set/],
    [['--since', '1d'], { DATABASE_URL: 'postgres://127.0.0.1:1/none' }, 1, /nobody listens/],
    [['--since', '1d'], { SYNC_LOG_TABLE: 'nothing' }, 1, /nothing/],
  ])('%j with %j ends with %i', async (args, env, code, message) => {
    expect(await replay(args, env)).toEqual({ code, out: '', err: expect.stringMatching(message) });
  });

  it('a broken rules file is wrong usage, with line and column', async () => {
    await writeFile(join(folder, 'broken.yaml'), 'rules:\n  high_eror_rate: { threshold: 5 }\n');
    const { code, err } = await replay([...PERIOD, '--rules', 'broken.yaml']);
    expect(code).toBe(2);
    expect(err).toMatch(/broken\.yaml.*2.*high_error_rate/);
  });
});
