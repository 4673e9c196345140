/** What a report asks of the table beyond its numbers: which errors, and whose. */
import { type BigId, OPERATION_TYPES } from '../../streams/event.js';
import { isoOf } from '../../streams/iso.js';
import { ERROR_MESSAGE_READ_LIMIT, maskText, SHOWN_LIMIT } from '../../streams/mask.js';
import { Names, recordOf } from '../../streams/names.js';
import type { AffectedCustomers, ErrorGroup, ReportedErrors } from '../../streams/report.js';
import type { Query, TableShape } from './table-query.js';

const TOP = 10;
/** Messages that differ by more than numbers and ids, the most frequent first; the rest is counted. */
const MESSAGES_READ = 5_000;
/** Characters of a message by which it is grouped. */
const GROUPED_BY = 500;

/**
 * What differs between two messages that say the same, and what stands for it while they are counted. The database does
 * this, so that a million messages with a million ids come over as one. The stand-ins are such as masking knows:
 * an address stays one, a number stays a number.
 */
const ALIKE: readonly (readonly [pattern: string, standIn: string])[] = [
  // Line ends stay: what stands after a name key is masked up to there.
  [String.raw`[ \t\r\f\v]+`, ' '],
  [String.raw`[^\s<>()\[\],;:"'=@]+@[^\s<>()\[\],;:"'=@]+`, 'a@a.a'],
  ['[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}', '0'],
  ['0[xX][0-9A-Fa-f]+', '0'],
  // A word of letters and digits, two of these at least.
  [String.raw`\m(?=[A-Za-z]*[0-9][A-Za-z]*[0-9])[A-Za-z0-9]{8,}\M`, '0'],
  // All numbers but that of 1C, in either alphabet.
  ['[02-9][0-9]*|1[0-9]+|1(?![CcСс])', '0'],
];

const ERRORS = `created_at >= $1::timestamptz AND created_at < $2::timestamptz AND status::text IN ('error', 'failed')`;

/** The most frequent errors of a half-open period. @throws the database's error */
export async function errorsOfTable(
  query: Query,
  table: TableShape,
  start: Date,
  end: Date,
): Promise<ReportedErrors> {
  const bounds = [start.toISOString(), end.toISOString()];
  const hasMessage = table.columns.has('error_message');
  const message = hasMessage ? `nullif(btrim(left(error_message::text, ${GROUPED_BY})), '')` : 'NULL::text';
  // Their parameters follow the bounds of the period.
  const alike = ALIKE.reduce(
    (text, _, i) => `regexp_replace(${text}, $${3 + 2 * i}::text, $${4 + 2 * i}::text, 'g')`,
    'message',
  );
  const found = await query(
    `SELECT ${alike}, type, sum(n), max(newest), sum(sum(n)) OVER ()
     FROM (SELECT ${message} AS message, coalesce(operation_type::text, '') AS type, count(*) AS n, max(id)::int8 AS newest
           FROM ${table.qualified} WHERE ${ERRORS} GROUP BY 1, 2) messages
     GROUP BY 1, 2 ORDER BY ${alike} IS NULL DESC, 3 DESC, 4 DESC LIMIT ${MESSAGES_READ}`,
    [...bounds, ...ALIKE.flat()],
  );
  const groups = groupsOf(found.filter(([text]) => text !== null));
  const without = found.filter(([text]) => text === null).reduce((sum, row) => sum + Number(row[2]), 0);
  const read = found.reduce((sum, row) => sum + Number(row[2]), 0);
  return {
    top: await withSamples(query, table, groups.slice(0, TOP)),
    groups: groups.length,
    without_message: without,
    not_grouped: Number(found[0]?.[4] ?? 0) - read,
  };
}

interface Counted {
  readonly message: string;
  count: number;
  newest: bigint;
  readonly types: Map<string, number>;
}

/** Groups by what is left when personal data is masked too, the most frequent first. */
function groupsOf(rows: readonly (readonly (string | null)[])[]): Counted[] {
  const groups = new Map<string, Counted>();
  const names = new Names(OPERATION_TYPES);
  for (const [text, type, n, newest] of rows) {
    const message = shownMessage(text ?? '');
    const group = groups.get(message) ?? { message, count: 0, newest: 0n, types: new Map<string, number>() };
    groups.set(message, group);
    const [count, id] = [Number(n), BigInt(newest ?? 0)];
    const name = names.name(names.index(type ?? ''));
    group.types.set(name, (group.types.get(name) ?? 0) + count);
    if (group.count === 0 || id > group.newest) group.newest = id;
    group.count += count;
  }
  return [...groups.values()].sort((a, b) => b.count - a.count);
}

function shownMessage(alike: string): string {
  const masked = maskText(alike, GROUPED_BY, { truncated: alike.length >= GROUPED_BY });
  const shown = masked.replace(/a\*\*\*@a\*\*\*\.a/g, '***@***').replace(/0+/g, '#');
  return [...shown].slice(0, SHOWN_LIMIT).join('');
}

async function withSamples(
  query: Query,
  table: TableShape,
  groups: readonly Counted[],
): Promise<ErrorGroup[]> {
  if (groups.length === 0) return [];
  const correlation = table.columns.has('correlation_id') ? 'correlation_id::text' : 'NULL::text';
  const rows = await query(
    `SELECT id::int8, extract(epoch FROM created_at) * 1000, left(${correlation}, ${SHOWN_LIMIT}),
       left(error_message::text, ${ERROR_MESSAGE_READ_LIMIT})
     FROM ${table.qualified} WHERE id = ANY ($1::int8[])`,
    [groups.map(({ newest }) => String(newest))],
  );
  const samples = new Map(rows.map(([id, ...rest]) => [id, rest]));
  return groups.map(({ message, count, newest, types }) => {
    const [time = null, correlationId = null, text = ''] = samples.get(String(newest)) ?? [];
    const truncated = (text ?? '').length >= ERROR_MESSAGE_READ_LIMIT;
    return {
      message,
      count,
      by_type: recordOf([...types]),
      sample: {
        id: toId(String(newest)),
        created_at: isoOf(Number(time)) ?? '',
        correlation_id: correlationId,
        message: maskText(text ?? '', SHOWN_LIMIT, { truncated }),
      },
    };
  });
}

/** The customers of the errors of a half-open period. @throws the database's error */
export async function customersOfTable(
  query: Query,
  table: TableShape,
  start: Date,
  end: Date,
): Promise<AffectedCustomers> {
  const bounds = [start.toISOString(), end.toISOString()];
  const customer = table.columns.has('customer_id') ? 'customer_id::int8' : 'NULL::int8';
  const rows = await query(
    `SELECT customer, errors, last * 1000, count(customer) OVER (), sum(errors) FILTER (WHERE customer IS NULL) OVER ()
     FROM (SELECT ${customer} AS customer, count(*) AS errors, extract(epoch FROM max(created_at)) AS last
           FROM ${table.qualified} WHERE ${ERRORS} GROUP BY 1) customers
     ORDER BY customer IS NULL, errors DESC, customer LIMIT ${TOP}`,
    bounds,
  );
  return {
    count: Number(rows[0]?.[3] ?? 0),
    errors_without_customer: Number(rows[0]?.[4] ?? 0),
    top: rows.flatMap(([id, errors, last]) =>
      id == null
        ? []
        : [{ customer_id: toId(id), errors: Number(errors), last_error_at: isoOf(Number(last)) ?? '' }],
    ),
  };
}

function toId(digits: string): BigId {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : digits;
}
