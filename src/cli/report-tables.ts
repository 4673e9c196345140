/** A report as titled tables of plain text: what both of its printed forms show. */
import type { Report } from '../../streams/report.js';
import type { BusinessMetrics, OperationMetrics, OperationNumbers } from '../../streams/snapshot.js';
import { Zone } from '../../streams/zone.js';

export interface ReportTable {
  readonly title: string;
  readonly columns: readonly string[];
  /** Cells as they came out of the database in part: to be escaped where they are shown. */
  readonly rows: readonly (readonly string[])[];
  /** What stands below it, or in place of its rows. */
  readonly notes: readonly string[];
}

export interface ReportPage {
  readonly title: string;
  readonly lines: readonly string[];
  readonly tables: readonly ReportTable[];
}

const NOTHING = '\u2013';
const COUNT = new Intl.NumberFormat('en-US');
const ONE_DIGIT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });

export function reportPage(report: Report): ReportPage {
  const { kind, date, tz, period_start, period_end, before, complete, table, generated_at } = report;
  return {
    title: `Customer synchronisation, ${kind === 'day' ? date : `week of ${date}`} (${tz})`,
    lines: [
      `${period_start} up to ${period_end}${complete ? '' : `; the ${kind} is not over, these are its numbers so far`}`,
      `Before: ${before.period_start} up to ${before.period_end}`,
      `Table ${table}, read at ${generated_at}`,
    ],
    tables: [
      summaryTable(report),
      typeTable(report),
      statusTable(report),
      ...businessTables(report),
      errorTable(report),
      customerTable(report),
    ],
  };
}

const count = (value: number): string => COUNT.format(value);
const percent = (value: number | null): string => (value === null ? NOTHING : `${value.toFixed(2)} %`);
const millis = (value: number | null): string => (value === null ? NOTHING : `${ONE_DIGIT.format(value)} ms`);
const plain = (value: number): string => ONE_DIGIT.format(value);

/** By how much it is more than before, relative to that; a dash where there is nothing to relate to. */
function change(now: number | null, before: number | null): string {
  if (now === null || before === null) return NOTHING;
  if (now === before) return '0 %';
  return before === 0 ? NOTHING : `${signed((100 * (now - before)) / before, 1)} %`;
}

/** Of two percentages: in points. */
function points(now: number | null, before: number | null): string {
  return now === null || before === null ? NOTHING : `${signed(now - before, 2)} pp`;
}

function signed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  // Not "-0.0".
  return Number(text) > 0 ? `+${text}` : Number(text) === 0 ? '0' : text;
}

type Row = [string, string, string, string];

function summaryTable({ operations, business, customers, before }: Report): ReportTable {
  const of = before.operations;
  const row = <T extends number | null>(
    name: string,
    show: (value: T) => string,
    [now, then]: readonly [T, T],
    compare: (now: T, then: T) => string = change,
  ): Row => [name, show(now), show(then), compare(now, then)];
  const counts = (name: string, key: CountKey): Row => row(name, count, [operations[key], of[key]]);
  const durations = (name: string, key: DurationKey): Row => row(name, millis, [operations[key], of[key]]);
  const facts = (name: string, key: BusinessCountKey): Row =>
    row(name, count, [business[key], before.business[key]]);
  const money = [business.automation_money_saved, before.business.automation_money_saved] as const;
  return {
    title: 'Summary',
    columns: ['', 'this', 'before', 'change'],
    rows: [
      counts('Operations', 'total_operations'),
      row('Success rate', percent, [operations.success_rate, of.success_rate], points),
      row('Error rate', percent, [operations.error_rate, of.error_rate], points),
      counts('Errors', 'error_count'),
      counts('Warnings', 'warning_count'),
      counts('Skipped', 'skipped_count'),
      counts('Still pending', 'pending_count'),
      row('Customers affected by errors', count, [customers.count, before.affected_customers]),
      durations('Duration, average', 'duration_avg_ms'),
      durations('Duration, median', 'duration_p50_ms'),
      durations('Duration, p95', 'duration_p95_ms'),
      durations('Duration, p99', 'duration_p99_ms'),
      durations('Duration, longest', 'duration_max_ms'),
      facts('Customers synchronised', 'synced_customers_count'),
      facts('New registrations', 'new_registrations'),
      facts('Imports from 1C', 'imports_from_1c'),
      facts('Conflicts', 'total_conflicts'),
      facts('Conflicts resolved', 'total_conflicts_resolved'),
      row(
        'Resolved by themselves',
        percent,
        [business.auto_resolution_rate, before.business.auto_resolution_rate],
        points,
      ),
      facts('Identifications', 'total_identifications'),
      facts('Mails to admins', 'admin_notifications_sent'),
      row('Hours saved', plain, [business.automation_hours_saved, before.business.automation_hours_saved]),
      ...(money[0] === undefined ? [] : [row('Money saved', plain, [money[0], money[1] ?? 0])]),
    ],
    notes: [],
  };
}

type CountKey = Extract<keyof OperationMetrics, `${string}_count` | 'total_operations'>;
type DurationKey = Extract<keyof OperationMetrics, `duration_${string}_ms`>;
type BusinessCountKey = {
  [Key in keyof BusinessMetrics]-?: BusinessMetrics[Key] extends number ? Key : never;
}[keyof BusinessMetrics];

function typeTable({ operations, before }: Report): ReportTable {
  const rows = byCount(operations.operations_by_type).map(([type, total]) => {
    const of = own<OperationNumbers>(operations.by_type, type);
    const then = own<number>(before.operations.operations_by_type, type) ?? 0;
    return [
      type,
      count(total),
      count(of?.success_count ?? 0),
      count(of?.error_count ?? 0),
      percent(of?.error_rate ?? null),
      millis(of?.duration_avg_ms ?? null),
      millis(of?.duration_p95_ms ?? null),
      count(then),
      change(total, then),
    ];
  });
  const columns = ['type', 'total', 'success', 'errors', 'error rate', 'average', 'p95', 'before', 'change'];
  return tableOf('By type', columns, rows, 'No operations.');
}

function statusTable({ operations, before }: Report): ReportTable {
  const rows = byCount(operations.by_status).map(([status, n]) => {
    const then = own<number>(before.operations.by_status, status) ?? 0;
    return [status, count(n), shareOf(n, operations.total_operations), count(then), change(n, then)];
  });
  return tableOf('By status', ['status', 'rows', 'share', 'before', 'change'], rows, 'No operations.');
}

function businessTables({ business, before }: Report): ReportTable[] {
  const tables = [
    ['Resolved conflicts by source', business.conflicts_resolved, before.business.conflicts_resolved],
    ['Identifications by method', business.identification_methods, before.business.identification_methods],
  ] as const;
  return tables
    .filter(([, now]) => Object.keys(now).length > 0)
    .map(([title, now, then]) => {
      const rows = byCount(now).map(([name, n]) => {
        const earlier = own<number>(then, name) ?? 0;
        return [name, count(n), count(earlier), change(n, earlier)];
      });
      return tableOf(title, ['', 'rows', 'before', 'change'], rows, '');
    });
}

function errorTable({ errors, operations }: Report): ReportTable {
  const rows = errors.top.map(({ message, count: n, by_type, sample }) => [
    count(n),
    shareOf(n, operations.error_count),
    typesOf(by_type),
    sample.correlation_id ?? NOTHING,
    message,
  ]);
  const more = errors.groups - errors.top.length;
  const notes = [
    more > 0 ? `${count(more)} rarer messages are not shown.` : '',
    errors.without_message > 0 ? `${count(errors.without_message)} errors have no message.` : '',
    errors.not_grouped > 0 ? `${count(errors.not_grouped)} errors with rare messages were not read.` : '',
  ];
  const columns = [
    'errors',
    'share',
    'types',
    'correlation id of the newest',
    'message (# is a number or id)',
  ];
  const nothing = errors.without_message === 0 ? 'No errors.' : '';
  return tableOf('Top errors', columns, rows, nothing, notes);
}

const TYPES_NAMED = 2;

function typesOf(counts: Readonly<Record<string, number>>): string {
  const types = byCount(counts).map(([type]) => type);
  const more = types.length - TYPES_NAMED;
  return types.slice(0, TYPES_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function customerTable({ customers, tz }: Report): ReportTable {
  const zone = new Zone(tz);
  const rows = customers.top.map(({ customer_id, errors, last_error_at }) => [
    String(customer_id),
    count(errors),
    zone.iso(Date.parse(last_error_at)),
  ]);
  const more = customers.count - customers.top.length;
  return tableOf('Affected customers', ['customer', 'errors', 'last error'], rows, 'None.', [
    more > 0 ? `${count(more)} more customers are affected.` : '',
    customers.errors_without_customer > 0
      ? `${count(customers.errors_without_customer)} errors name no customer.`
      : '',
  ]);
}

function tableOf(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  nothing: string,
  notes: readonly string[] = [],
): ReportTable {
  return {
    title,
    columns,
    rows,
    notes: [rows.length === 0 ? nothing : '', ...notes].filter((note) => note !== ''),
  };
}

function shareOf(part: number, whole: number): string {
  return whole === 0 ? NOTHING : `${((100 * part) / whole).toFixed(1)} %`;
}

const byCount = (counts: Readonly<Record<string, number>>): [string, number][] =>
  Object.entries(counts).sort(([, a], [, b]) => b - a);

/** A name such as `constructor` is inherited by each record. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
