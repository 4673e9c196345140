/** `report`: the numbers of a day or a week, read straight from the database in one snapshot; nothing else is needed. */
import { maskText } from '../streams/mask.js';
import { recordOf } from '../streams/names.js';
import type { Report } from '../streams/report.js';
import type { BusinessMetrics } from '../streams/snapshot.js';
import type { Zone } from '../streams/zone.js';
import { reportHtml } from './cli/report-html.js';
import { type ReportKind, reportPeriod } from './cli/report-period.js';
import { reportPage } from './cli/report-tables.js';
import { reportText } from './cli/report-text.js';
import type { Config } from './config.js';
import { customersOfTable, errorsOfTable } from './history/report-query.js';
import { businessOfTable, operationsOfTable, type Query } from './history/table-query.js';
import { ConnectionLostError, Link } from './source/connection.js';
import { connectOrExplain } from './source/connection-fault.js';
import { QUERY_SESSION } from './source/source.js';
import { discoverTable } from './source/table.js';

export const REPORT_FORMATS = ['text', 'json', 'html'] as const;

export interface ReportRequest {
  readonly kind: ReportKind;
  /** As report-period.ts reads it. */
  readonly date: string | undefined;
  readonly zone: Zone;
  readonly format: (typeof REPORT_FORMATS)[number];
  /** Ends the reading. */
  readonly signal: AbortSignal;
}

/** The date cannot be reported on: wrong usage, found only when the database's clock was asked. */
export class ReportDateError extends Error {}

/** One statement. A week of a large table without an index on created_at is a long scan. */
const STATEMENT_MS = 120_000;
const REPORT_MS = 300_000;
/** For somebody's ALTER TABLE. */
const LOCK_MS = 10_000;

/**
 * The report as lines.
 * @throws ReportDateError, or with one sentence when the database or the table cannot be read, or not in time
 */
export async function report(config: Config, url: string, request: ReportRequest): Promise<string[]> {
  const { format } = request;
  const made = await read(config, url, request);
  if (format === 'json') return [JSON.stringify(made, null, 2)];
  return format === 'html' ? reportHtml(reportPage(made)) : reportText(reportPage(made));
}

async function read(config: Config, url: string, request: ReportRequest): Promise<Report> {
  const link = new Link('report', { url, queryTimeoutMs: STATEMENT_MS + 5_000, maybeShared: true });
  await connectOrExplain(link, url);
  const tooLong = AbortSignal.timeout(REPORT_MS);
  const end = AbortSignal.any([request.signal, tooLong]);
  const close = () => link.close();
  end.addEventListener('abort', close);
  try {
    if (end.aborted) close();
    return await readTable(link, config, request);
  } catch (error) {
    if (request.signal.aborted) throw new Error('the report was interrupted', { cause: error });
    if (tooLong.aborted) throw tooSlow(`${REPORT_MS / 1000} s in all`, error);
    if ((error as { code?: unknown }).code === '57014')
      throw tooSlow(`${STATEMENT_MS / 1000} s for one question`, error);
    if (error instanceof ConnectionLostError)
      throw new Error('the connection to the database was lost; run the report again', { cause: error });
    throw error;
  } finally {
    end.removeEventListener('abort', close);
    link.close();
  }
}

function tooSlow(limit: string, cause: unknown): Error {
  const remedy = 'an index on created_at makes it fast ("sync-monitor doctor" looks for one)';
  return new Error(`the database needed more than ${limit}: ${remedy}`, { cause });
}

async function readTable(link: Link, config: Config, { kind, date, zone }: ReportRequest): Promise<Report> {
  // Before the session's own search path: the table may be named without its schema.
  const table = await discoverTable(link, config.SYNC_LOG_TABLE);
  await link.query(
    `${QUERY_SESSION}; SET statement_timeout = ${STATEMENT_MS}; SET lock_timeout = ${LOCK_MS}`,
  );
  await link.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const query: Query = (text, values) => link.query(text, values);
  const [[time] = []] = await query('SELECT extract(epoch FROM now()) * 1000');
  const now = Math.floor(Number(time));
  const period = periodOf(kind, date, zone, now);
  const savings = {
    manualResolutionMinutes: config.MANUAL_RESOLUTION_MINUTES,
    hourCost: config.HOUR_COST ?? undefined,
  };
  const numbers = async (start: number, end: number) => {
    const bounds = [new Date(start), new Date(end)] as const;
    const customers = await customersOfTable(query, table, ...bounds);
    return {
      customers,
      period_start: zone.iso(start),
      period_end: zone.iso(end),
      operations: await operationsOfTable(query, table, ...bounds),
      business: masked(await businessOfTable(query, table, ...bounds, savings)),
      affected_customers: customers.count,
    };
  };
  const { customers, ...own } = await numbers(period.start, period.end);
  const { customers: _, ...before } = await numbers(period.before.start, period.before.end);
  const errors = await errorsOfTable(query, table, new Date(period.start), new Date(period.end));
  await link.query('COMMIT');
  return {
    kind,
    date: period.date,
    tz: zone.name,
    complete: period.complete,
    table: table.qualified,
    generated_at: zone.iso(now),
    ...own,
    errors,
    customers,
    before,
  };
}

/** A report is mailed around, and `details` can hold anything as a source or a method. */
function masked(business: BusinessMetrics): BusinessMetrics {
  const { conflicts_resolved, identification_methods } = business;
  return {
    ...business,
    conflicts_resolved: maskedNames(conflicts_resolved),
    identification_methods: maskedNames(identification_methods),
  };
}

function maskedNames(counts: Readonly<Record<string, number>>): Record<string, number> {
  const sums = new Map<string, number>();
  for (const [name, count] of Object.entries(counts)) {
    const shown = maskText(name);
    sums.set(shown, (sums.get(shown) ?? 0) + count);
  }
  return recordOf([...sums]);
}

function periodOf(...of: Parameters<typeof reportPeriod>): ReturnType<typeof reportPeriod> {
  try {
    return reportPeriod(...of);
  } catch (error) {
    throw new ReportDateError((error as Error).message);
  }
}
