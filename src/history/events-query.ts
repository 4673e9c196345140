/**
 * Past events out of the table, newest first. The walk goes down the ids in blocks of a bounded number of rows, so
 * that a filter that matches nothing on a huge table ends too, and says where to go on.
 */
import type { BigId, SyncEvent, SyncRow } from '../../streams/event.js';
import { toClearEvent, toEvent } from '../../streams/mask.js';
import type { Query } from './table-query.js';

/** All conditions must hold; of a list any one. Text is compared as it is in the table. */
export interface EventFilter {
  readonly types?: readonly string[];
  readonly statuses?: readonly string[];
  readonly correlationId?: string;
  /** Decimal digits of a bigint. */
  readonly customerId?: string;
  readonly onecId?: string;
  /** created_at of the oldest row, inclusive. */
  readonly since?: Date;
  /** created_at, exclusive. */
  readonly until?: Date;
}

export interface EventRequest {
  readonly filter: EventFilter;
  /** Decimal digits; only rows with smaller ids. */
  readonly beforeId?: string;
  readonly limit: number;
  /** Personal data in clear; whether the caller may see it is decided before. */
  readonly unmasked?: boolean;
}

export interface EventPage {
  /** Newest first, personal data masked unless asked for otherwise. */
  readonly events: readonly SyncEvent[];
  /** Where the next page begins; null when there is none. */
  readonly next_before_id: BigId | null;
  /** False: the search stopped at its bound, before the page was full and before the end of the table. */
  readonly complete: boolean;
}

/** The watched table, and how its rows are read: both come from where it was discovered. */
export interface EventTable {
  readonly qualified: string;
  readonly columns: ReadonlySet<string>;
  readonly createdAtIndexed: boolean;
  /** The columns of a row `t`, as `decode` reads them, the id first. */
  readonly selectList: string;
  readonly decode: (raw: readonly (string | null)[]) => SyncRow;
}

export interface SearchBounds {
  /** Rows that one page may look at. */
  readonly rows: number;
  /** Looked at after each block, whose own size is bounded. */
  readonly milliseconds: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** A filter on a column that this table does not have: nothing could ever match it. */
export class AbsentColumnError extends Error {
  readonly code = 'column_absent';
  readonly column: string;
  constructor(column: string) {
    super(`the log table has no column ${column}`);
    this.name = 'AbsentColumnError';
    this.column = column;
  }
}

const FIRST_BLOCK = 2_000;
const LAST_BLOCK = 32_000;
/** Rows of a period among which its ids are looked up. */
const PERIOD_ROWS = 200_000;
const LOWEST_ID = -(2n ** 63n);
const HIGHEST_ID = 2n ** 63n - 1n;

/**
 * One page of events.
 * @throws AbsentColumnError, or the database's error
 */
export async function eventsOfTable(
  query: Query,
  table: EventTable,
  { filter, beforeId, limit, unmasked = false }: EventRequest,
  bounds: SearchBounds,
): Promise<EventPage> {
  const where = conditions(table, filter);
  const shown = unmasked ? toClearEvent : toEvent;
  const ids = await idsOfPeriod(query, table, filter, Math.min(bounds.rows, PERIOD_ROWS));
  if (ids === 'none') return { events: [], next_before_id: null, complete: true };
  let top = beforeId === undefined ? HIGHEST_ID : BigInt(beforeId) - 1n;
  if (ids !== null && ids.high < top) top = ids.high;
  const floor = ids?.low ?? LOWEST_ID;
  const deadline = bounds.now() + bounds.milliseconds;
  const events: SyncEvent[] = [];
  let looked = 0;
  // Without a condition each row of a block is wanted.
  let size = where.sql === '' ? limit : FIRST_BLOCK;
  for (;;) {
    const block = await blockBelow(query, table, { top, floor, size });
    if (block === null) return { events, next_before_id: null, complete: true };
    const values = [...where.values, String(block.low), String(top), limit - events.length];
    const n = where.values.length;
    const found = await query(
      `SELECT ${table.selectList} FROM ${table.qualified} t
       WHERE t.id >= $${n + 1}::int8 AND t.id <= $${n + 2}::int8${where.sql} ORDER BY t.id DESC LIMIT $${n + 3}`,
      values,
    );
    for (const raw of found) events.push(shown(table.decode(raw)));
    const last = events.at(-1);
    if (events.length >= limit && last) return { events, next_before_id: last.id, complete: true };
    if (block.count < size || block.low <= floor) return { events, next_before_id: null, complete: true };
    looked += block.count;
    if (looked >= bounds.rows || bounds.now() >= deadline)
      return { events, next_before_id: toId(block.low), complete: false };
    top = block.low - 1n;
    size = Math.min(size * 4, LAST_BLOCK, bounds.rows - looked);
  }
}

interface IdRange {
  readonly low: bigint;
  readonly high: bigint;
}

/** The lowest id and the number of the `size` rows from `top` down; null when there is none. */
async function blockBelow(
  query: Query,
  table: EventTable,
  { top, floor, size }: { readonly top: bigint; readonly floor: bigint; readonly size: number },
): Promise<{ readonly low: bigint; readonly count: number } | null> {
  const [[low, count] = []] = await query(
    `SELECT min(id), count(*) FROM (SELECT t.id::int8 AS id FROM ${table.qualified} t
       WHERE t.id >= $1::int8 AND t.id <= $2::int8 ORDER BY t.id DESC LIMIT $3) block`,
    [String(floor), String(top), size],
  );
  return low == null ? null : { low: BigInt(low), count: Number(count) };
}

/**
 * Between which ids the rows of the asked period lie, where an index can tell that without reading more than `rows`
 * of them; null where it cannot. Ids and created_at do not go together exactly, so this is looked up and not guessed.
 */
async function idsOfPeriod(
  query: Query,
  table: EventTable,
  { since, until }: EventFilter,
  rows: number,
): Promise<IdRange | 'none' | null> {
  if (!table.createdAtIndexed || (since === undefined && until === undefined)) return null;
  const period = conditions(table, { ...(since && { since }), ...(until && { until }) });
  const [[low, high, count] = []] = await query(
    `SELECT min(id), max(id), count(*) FROM (SELECT t.id::int8 AS id FROM ${table.qualified} t
       WHERE true${period.sql} ORDER BY t.created_at LIMIT $${period.values.length + 1}) period`,
    [...period.values, rows],
  );
  if (low == null || high == null) return 'none';
  return Number(count) < rows ? { low: BigInt(low), high: BigInt(high) } : null;
}

function conditions(
  table: EventTable,
  filter: EventFilter,
): { readonly sql: string; readonly values: unknown[] } {
  const values: unknown[] = [];
  let sql = '';
  const add = (column: string, test: (parameter: string) => string, value: unknown) => {
    if (value === undefined) return;
    values.push(value);
    sql += ` AND ${test(`$${values.length}`)}`;
    if (!REQUIRED.includes(column) && !table.columns.has(column)) throw new AbsentColumnError(column);
  };
  add('operation_type', (p) => `t.operation_type::text = ANY (${p}::text[])`, filter.types);
  add('status', (p) => `t.status::text = ANY (${p}::text[])`, filter.statuses);
  add('correlation_id', (p) => `t.correlation_id::text = ${p}::text`, filter.correlationId);
  add('customer_id', (p) => `t.customer_id = ${p}::int8`, filter.customerId);
  add('onec_id', (p) => `t.onec_id::text = ${p}::text`, filter.onecId);
  add('created_at', (p) => `t.created_at >= ${p}::timestamptz`, filter.since?.toISOString());
  add('created_at', (p) => `t.created_at < ${p}::timestamptz`, filter.until?.toISOString());
  return { sql, values };
}

const REQUIRED: readonly string[] = ['operation_type', 'status', 'created_at'];

function toId(id: bigint): BigId {
  const number = Number(id);
  return Number.isSafeInteger(number) ? number : String(id);
}
