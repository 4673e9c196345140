/** `replay`: which alerts past rows would have raised, read straight from the table in one snapshot. */

import type { SyncRow } from '../streams/event.js';
import { ERROR_MESSAGE_READ_LIMIT } from '../streams/mask.js';
import { alertsConfig } from './alert-settings.js';
import { REPLAY_STEP_MS, Replay } from './cli/replay.js';
import { type ReplayWire, replayWire } from './cli/replay-text.js';
import { parseSince } from './cli/tail-since.js';
import type { Config } from './config.js';
import { ConnectionLostError, Link } from './source/connection.js';
import { connectOrExplain } from './source/connection-fault.js';
import { decodeRow } from './source/decode.js';
import { QUERY_SESSION } from './source/source.js';
import { discoverTable, type OptionalColumn, type TableInfo } from './source/table.js';

export interface ReplayRequest {
  /** As parseSince reads it, before the end or before now. */
  readonly since: string;
  /** Undefined: up to now. */
  readonly until: string | undefined;
  /** Instead of ALERT_RULES_FILE; relative to `folder`. */
  readonly rules: string | undefined;
  readonly folder: string;
  /** Ends the reading. */
  readonly signal: AbortSignal;
}

/** The request or the rules file is wrong: wrong usage. */
export class ReplayUsageError extends Error {}

/** Rows of one page; two of them are in memory at a time. */
const PAGE_ROWS = 20_000;
/** The first page of a large table without an index on created_at waits for a sort. */
const STATEMENT_MS = 600_000;
const LOCK_MS = 10_000;

/**
 * @throws ReplayUsageError, or with one sentence when the database or the table cannot be read
 */
export async function replay(config: Config, url: string, request: ReplayRequest): Promise<ReplayWire> {
  const link = new Link('replay', { url, queryTimeoutMs: STATEMENT_MS + 5_000, maybeShared: true });
  const alerts = settingsOf(config, request);
  await connectOrExplain(link, url);
  const close = () => link.close();
  request.signal.addEventListener('abort', close);
  try {
    if (request.signal.aborted) close();
    return await readTable(link, config, alerts, request);
  } catch (error) {
    if (request.signal.aborted) throw new Error('the replay was interrupted', { cause: error });
    if ((error as { code?: unknown }).code === '57014')
      throw new Error(
        `the database needed more than ${STATEMENT_MS / 1000} s for one question: an index on created_at makes it fast`,
        { cause: error },
      );
    if (error instanceof ConnectionLostError)
      throw new Error('the connection to the database was lost; run the replay again', { cause: error });
    throw error;
  } finally {
    request.signal.removeEventListener('abort', close);
    link.close();
  }
}

type Settings = ReturnType<typeof alertsConfig>;

function settingsOf(config: Config, { rules, folder }: ReplayRequest): Settings {
  try {
    return alertsConfig(rules === undefined ? config : { ...config, ALERT_RULES_FILE: rules }, folder);
  } catch (error) {
    throw new ReplayUsageError((error as Error).message, { cause: error });
  }
}

async function readTable(
  link: Link,
  config: Config,
  alerts: Settings,
  request: ReplayRequest,
): Promise<ReplayWire> {
  // Before the session's own search path: the table may be named without its schema.
  const table = await discoverTable(link, config.SYNC_LOG_TABLE);
  await link.query(
    `${QUERY_SESSION}; SET statement_timeout = ${STATEMENT_MS}; SET lock_timeout = ${LOCK_MS}`,
  );
  await link.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const [[time] = []] = await link.query('SELECT extract(epoch FROM now()) * 1000');
  const { from, to } = periodOf(request, Math.floor(Number(time)));
  const run = new Replay({
    ...{ rules: alerts.rules, limits: alerts.limits, batchErrors: alerts.batchErrors, from, to },
    sloTarget: alerts.slo.target,
  });
  await readBefore(link, table, run);
  await pages(link, table, 'true', [run.rowsFrom, to + 0.001], (rows) => run.add(rows));
  run.finish();
  await link.query('COMMIT');
  return replayWire(run, { table: table.qualified.replaceAll('"', ''), from, to });
}

/** What is known of the time before the first row that is read. */
async function readBefore(link: Link, table: TableInfo, run: Replay): Promise<void> {
  const { countsFrom, rowsFrom } = run;
  const t = table.qualified;
  if (countsFrom < rowsFrom) {
    const minutes = await link.query(
      `SELECT floor(date_part('epoch', created_at) / 60) * 60000, count(*) FILTER (WHERE status::text IN ('error', 'failed')), count(*)
       FROM ${t} WHERE created_at >= ${timeOf('$1')} AND created_at < ${timeOf('$2')} GROUP BY 1`,
      [countsFrom / 1000, rowsFrom / 1000],
    );
    for (const [start, errors, total] of minutes) run.addMinute(Number(start), Number(errors), Number(total));
  }
  if (run.needsNewest) {
    const [[newest] = []] = await link.query(
      `SELECT date_part('epoch', max(created_at)) FROM ${t} WHERE created_at < ${timeOf('$1')} AND created_at > '-infinity'`,
      [rowsFrom / 1000],
    );
    if (newest != null) run.addNewest(Number(newest) * 1000);
  }
  const before = [Number.NEGATIVE_INFINITY, rowsFrom] as const;
  await pages(link, table, "t.status::text = 'pending'", before, (rows) => run.addPending(rows));
}

/** Rows of the half-open period in order of created_at; the next page is on its way while one is looked at. */
async function pages(
  link: Link,
  table: TableInfo,
  condition: string,
  [start, end]: readonly [number, number],
  take: (rows: readonly SyncRow[]) => void,
): Promise<void> {
  // A cursor walks the index on created_at where there is one, and is sorted once by the server where there is none.
  await link.query(
    `DECLARE past NO SCROLL CURSOR FOR SELECT ${neededColumns(table.columns)} FROM ${table.qualified} t
     WHERE t.created_at >= ${literalTime(start)} AND t.created_at < ${literalTime(end)} AND ${condition}
     ORDER BY t.created_at, t.id`,
  );
  const fetch = () => link.query(`FETCH ${PAGE_ROWS} FROM past`);
  let page = await fetch();
  while (page.length > 0) {
    const next = page.length < PAGE_ROWS ? Promise.resolve([]) : fetch();
    // The failure of the next page must not go unheard while this one throws.
    next.catch(() => undefined);
    take(page.map((raw) => decodeRow(raw)));
    page = await next;
  }
  await link.query('CLOSE past');
}

/** The columns of decodeRow, empty but for what rules and evidence look at: `details` is what reading takes long for. */
function neededColumns(columns: ReadonlySet<OptionalColumn>): string {
  const has = (name: OptionalColumn, sql: string) => (columns.has(name) ? sql : 'NULL');
  const ofError = (sql: string) => `CASE WHEN t.status::text IN ('error', 'failed') THEN ${sql} END`;
  const key = (name: string, limit: number) => `left(t.details ->> '${name}', ${limit})`;
  return [
    't.id::int8',
    'left(t.operation_type::text, 200)',
    'left(t.status::text, 200)',
    "date_part('epoch', t.created_at)::float8",
    has('customer_id', ofError('t.customer_id::int8')),
    ...['NULL', 'NULL', 'NULL'],
    has('error_message', ofError(`left(t.error_message::text, ${ERROR_MESSAGE_READ_LIMIT})`)),
    has('duration_ms', 't.duration_ms::int8'),
    ...['NULL', 'NULL', 'NULL'],
    has(
      'details',
      `CASE WHEN t.operation_type::text = 'batch_operation' THEN json_build_array(${key('operation_name', 200)}, ${key('total_count', 30)}, ${key('success_count', 30)}, ${key('error_count', 30)})::text END`,
    ),
  ].join(', ');
}

function timeOf(parameter: string): string {
  return `timestamptz 'epoch' + ${parameter}::float8 * interval '1 second'`;
}

/** DECLARE takes no parameters that a prepared plan could know. */
function literalTime(time: number): string {
  return Number.isFinite(time) ? timeOf(`'${time / 1000}'`) : "'-infinity'::timestamptz";
}

function periodOf({ since, until }: ReplayRequest, now: number): { from: number; to: number } {
  const parsed = (text: string, at: number, flag: string) => {
    try {
      return parseSince(text, at, flag);
    } catch (error) {
      throw new ReplayUsageError((error as Error).message, { cause: error });
    }
  };
  const end = until === undefined ? now : parsed(until, now, '--until');
  const start = parsed(since, now, '--since');
  if (end > now) throw new ReplayUsageError(`--until is ${until}, which is still to come`);
  if (start >= end) throw new ReplayUsageError(`--since is ${since}, which is not before the end`);
  // Steps lie on whole seconds, as the windows end with one.
  const from = Math.floor(start / REPLAY_STEP_MS) * REPLAY_STEP_MS;
  return { from, to: Math.floor(end) };
}
