import { ERROR_MESSAGE_READ_LIMIT } from '../../streams/mask.js';
import type { OptionalColumn, TableInfo } from './table.js';

/** Every SQL text the reader uses, built once per discovery. Only listed columns and keys of `details` are read. */
export interface Statements {
  /** $1 id, $2 limit: S, the clock, then the columns; one row with null columns where there is no new row. */
  readonly poll: string;
  /** The same, and with it the rows in $3, $4 bounds of ranges (inclusive) below $1. */
  readonly pollAgain: string;
  /** $1 id (exclusive), $2 id (inclusive), $3 limit. */
  readonly page: string;
  /** $1 id (inclusive), $2 limit: downwards. */
  readonly pageDown: string;
  /** The same, only with the columns that count for history: nobody is shown rows that are older than the windows. */
  readonly pageDownLean: string;
  /** $1, $2 bounds of ranges (inclusive). */
  readonly ranges: string;
  /** $1 ids. */
  readonly byIds: string;
  /** $1, $2 bounds of the ranges that are known, $3 limit: rows beyond S. */
  readonly ahead: string;
  /** One look at locks, contention, the key's holder and the epoch, and what it took. $1 high word, $2 low word of the key. */
  readonly look: string;
  /** S and the clock. */
  readonly position: string;
  /** $1 id (exclusive), $2 id (inclusive), $3 limit: pending rows of any age. */
  readonly pending: string;
  /** $1 seconds since the epoch, $2 id: the place after which to go on; $3 S, $4 limit: settled rows by created_at. */
  readonly recentByTime: string;
  /** $1 seconds since the epoch, $2 id: the place after which to go on; $3 S, $4 limit: rows by created_at. */
  readonly tailByTime: string;
  /** $1, $2 seconds since the epoch, half-open; $3 seconds, $4 id: the place after which to go on; $5 limit. */
  readonly span: string;
  /** $1 ids of customers, $2, $3 seconds since the epoch, half-open, but not $4, $5: the newest success of each. */
  readonly witnesses: string;
  /** $1, $2 seconds since the epoch, half-open. */
  readonly firstIdBetween: string;
  readonly firstId: string;
  /** $1 id (exclusive), $2 id (inclusive), $3 seconds since the epoch: recent and pending rows of a block of ids. */
  readonly recentById: string;
  /** $1 id (exclusive), $2 id (inclusive), $3 rows: the last id of a block of so many rows, NULL for none. */
  readonly blockEnd: string;
}

/** Number of columns that `decodeRow` reads, in this order. */
export const ROW_WIDTH = 14;

/**
 * The list of columns, each with a fixed type so that the owner's ALTER COLUMN TYPE breaks no prepared statement.
 * @param counted only what counts of settled rows (streams/rollup.ts), for `decodeCounted`: of a large table each value
 *   takes its time
 */
export function selectList(
  columns: ReadonlySet<OptionalColumn>,
  alias: string,
  { counted = false }: { readonly counted?: boolean } = {},
): string {
  const column = (name: OptionalColumn, sql: string, type = 'text') =>
    columns.has(name) ? sql : `NULL::${type}`;
  const c = (name: string) => `${alias}.${name}`;
  const key = (name: string, limit: number) => `left(${c('details')} ->> '${name}', ${limit})`;
  const ofSuccess = (sql: string, type?: string) => {
    const successful = `${c('status')}::text = 'success'${type ? ` AND ${c('operation_type')}::text = '${type}'` : ''}`;
    return counted ? `CASE WHEN ${successful} THEN ${sql} END` : sql;
  };
  const shown = (name: OptionalColumn, sql: string) => (counted ? [] : [column(name, sql)]);
  return [
    `${c('id')}::int8`,
    `left(${c('operation_type')}::text, 200)`,
    `left(${c('status')}::text, 200)`,
    // float8 holds microseconds exactly until the year 2255 and, unlike numeric, 'infinity'.
    `date_part('epoch', ${c('created_at')})::float8`,
    column('customer_id', ofSuccess(`${c('customer_id')}::int8`), 'int8'),
    ...shown('customer_email', `left(${c('customer_email')}::text, 254)`),
    ...shown('onec_id', `left(${c('onec_id')}::text, 200)`),
    ...shown('correlation_id', `left(${c('correlation_id')}::text, 200)`),
    ...shown('error_message', `left(${c('error_message')}::text, ${ERROR_MESSAGE_READ_LIMIT})`),
    column('duration_ms', `${c('duration_ms')}::int8`, 'int8'),
    column(
      'details',
      ofSuccess(
        `coalesce(${key('conflict_source', 100)}, ${key('conflict_type', 100)})`,
        'conflict_resolution',
      ),
    ),
    column(
      'details',
      ofSuccess(
        `coalesce(${key('search_method', 100)}, ${key('identification_method', 100)}, ${key('method', 100)})`,
        'customer_identification',
      ),
    ),
    column('details', `CASE WHEN ${c('details')} ->> 'email_sent' = 'true' THEN 't' END`),
    ...shown(
      'details',
      `CASE WHEN ${c('operation_type')}::text = 'batch_operation' THEN json_build_array(${key('operation_name', 200)}, ${key('total_count', 30)}, ${key('success_count', 30)}, ${key('error_count', 30)})::text END`,
    ),
  ].join(', ');
}

/** Modes under which a transaction may write rows. ShareUpdateExclusive (VACUUM, ANALYZE) and Share cannot. */
const WRITING = `('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')`;

export function buildStatements(table: TableInfo): Statements {
  const t = table.qualified;
  const cols = selectList(table.columns, 't');
  const s = `(CASE WHEN is_called THEN last_value ELSE last_value - ${table.sequence.increment} END)`;
  const seq = table.sequence.qualified;
  // pg_partition_tree() knows nothing of tables that inherit in the old way.
  const tree = `(WITH RECURSIVE tree (relid) AS (SELECT ${table.oid}::oid UNION SELECT inhrelid FROM pg_inherits JOIN tree ON inhparent = relid)
    SELECT relid FROM tree)`;
  const watched = table.partitioned ? `IN ${tree}` : `= ${table.oid}`;
  // An id is compared as int8 whatever its type: a bound of ours may lie beyond integer.
  // Never executed: it makes the parser lock the table before the sequence, as TRUNCATE RESTART IDENTITY and SET LOGGED
  // do. The other way round their statement and ours would wait for each other, and every writer for both.
  const at = (parameter: string) => `timestamptz 'epoch' + ${parameter}::float8 * interval '1 second'`;
  const tableFirst = `table_first AS (SELECT FROM ${t})`;
  return {
    // The snapshot is taken before the sequence is read, so an id <= S may be missing here: it becomes a hole, and
    // the holes are read again after the look.
    poll: `WITH ${tableFirst}, s AS MATERIALIZED (SELECT ${s} AS s, date_part('epoch', clock_timestamp()) AS now FROM ${seq})
      SELECT s.s, s.now, r.* FROM s LEFT JOIN LATERAL (
        SELECT ${cols} FROM ${t} t WHERE t.id > $1::int8 AND t.id <= s.s ORDER BY t.id LIMIT $2) r ON true`,
    pollAgain: `WITH ${tableFirst}, s AS MATERIALIZED (SELECT ${s} AS s, date_part('epoch', clock_timestamp()) AS now FROM ${seq})
      SELECT s.s, s.now, r.* FROM s LEFT JOIN LATERAL (
        (SELECT ${cols} FROM ${t} t WHERE t.id > $1::int8 AND t.id <= s.s ORDER BY t.id LIMIT $2) UNION ALL
        (SELECT ${cols} FROM unnest($3::int8[], $4::int8[]) AS h(a, b) JOIN ${t} t ON t.id BETWEEN h.a AND h.b)) r ON true`,
    page: `SELECT ${cols} FROM ${t} t WHERE t.id > $1::int8 AND t.id <= $2::int8 ORDER BY t.id LIMIT $3`,
    pageDownLean: `SELECT ${selectList(table.columns, 't', { counted: true })} FROM ${t} t WHERE t.id <= $1::int8 ORDER BY t.id DESC LIMIT $2`,
    pageDown: `SELECT ${cols} FROM ${t} t WHERE t.id <= $1::int8 ORDER BY t.id DESC LIMIT $2`,
    ranges: `SELECT ${cols} FROM unnest($1::int8[], $2::int8[]) AS r(a, b) JOIN ${t} t ON t.id BETWEEN r.a AND r.b`,
    byIds: `SELECT ${cols} FROM ${t} t WHERE t.id = ANY ($1::int8[])`,
    // One statement: S is read after the snapshot, so no row that the sequence numbered can look as if beyond it.
    ahead: `WITH ${tableFirst}, s AS MATERIALIZED (SELECT ${s} AS s FROM ${seq})
      SELECT x.* FROM s, unnest($1::int8[], $2::int8[]) AS r(a, b), LATERAL (
        SELECT ${cols} FROM ${t} t WHERE t.id > s.s AND t.id BETWEEN r.a AND r.b ORDER BY t.id LIMIT $3) x LIMIT $3`,
    look: `WITH l AS MATERIALIZED (SELECT * FROM pg_locks)
      SELECT date_part('epoch', clock_timestamp()),
        (SELECT string_agg(DISTINCT virtualtransaction, ' ') FROM l WHERE locktype = 'relation' AND granted
           AND database = ${table.databaseOid} AND relation ${watched} AND mode IN ${WRITING}),
        (SELECT count(*) FROM l WHERE locktype = 'object' AND database = 0 AND classid = 1262 AND objid = 0 AND NOT granted),
        (SELECT pid FROM l WHERE locktype = 'advisory' AND granted AND mode = 'ExclusiveLock' AND database = ${table.databaseOid}
           AND classid = $1::int8::oid AND objid = $2::int8::oid AND objsubid = 1),
        pg_notification_queue_usage(),
        (SELECT system_identifier FROM pg_control_system())
          || '/' || CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END
          || '/' || coalesce(to_regclass(${literal(t)})::oid::text, 'gone') || '/' || ${table.sequence.oid}
          || '/' || coalesce(pg_relation_filenode(${table.sequence.oid})::text, 'gone'),
        (SELECT ${s} FROM ${seq}),
        ${table.partitioned ? `(SELECT string_agg(oid::text, ' ' ORDER BY oid) FROM pg_class WHERE relkind <> 'p' AND oid IN ${tree})` : 'NULL'},
        (SELECT string_agg(tgenabled, '') FROM pg_trigger WHERE tgrelid = ${table.oid} AND tgname = 'sync_monitor_bell'),
        date_part('epoch', clock_timestamp() - statement_timestamp()) * 1000`,
    position: `SELECT ${s}, date_part('epoch', clock_timestamp()) FROM ${seq}`,
    pending: `SELECT ${cols} FROM ${t} t WHERE t.status::text = 'pending' AND t.id > $1::int8 AND t.id <= $2::int8 ORDER BY t.id LIMIT $3`,
    recentByTime: `SELECT ${cols} FROM ${t} t
      WHERE (t.created_at, t.id) > (${at('$1')}, $2::int8)
        AND t.id <= $3::int8 AND t.status::text <> 'pending' ORDER BY t.created_at, t.id LIMIT $4`,
    tailByTime: `SELECT ${cols} FROM ${t} t
      WHERE (t.created_at, t.id) > (${at('$1')}, $2::int8) AND t.id <= $3::int8 ORDER BY t.created_at, t.id LIMIT $4`,
    span: `SELECT ${cols} FROM ${t} t WHERE t.created_at >= ${at('$1')} AND t.created_at < ${at('$2')}
        AND (t.created_at, t.id) > (${at('$3')}, $4::int8) ORDER BY t.created_at, t.id LIMIT $5`,
    witnesses: `SELECT DISTINCT ON (t.customer_id) ${cols} FROM ${t} t
      WHERE ${table.columns.has('customer_id') ? 't.customer_id = ANY ($1::int8[])' : '$1::int8[] IS NULL'} AND t.status::text = 'success'
        AND t.created_at >= ${at('$2')} AND t.created_at < ${at('$3')} AND NOT (t.created_at >= ${at('$4')} AND t.created_at < ${at('$5')})
      ORDER BY ${table.columns.has('customer_id') ? 't.customer_id, ' : ''}t.created_at DESC`,
    // OFFSET 0: else the planner walks the ids from the smallest on, until one is recent.
    firstIdBetween: `SELECT min(id) FROM (SELECT t.id FROM ${t} t
      WHERE t.created_at >= ${at('$1')} AND t.created_at < ${at('$2')} OFFSET 0) recent`,
    firstId: `SELECT min(id) FROM ${t}`,
    recentById: `SELECT ${cols} FROM ${t} t WHERE t.id > $1::int8 AND t.id <= $2::int8
        AND (t.created_at >= ${at('$3')} OR t.status::text = 'pending') ORDER BY t.id`,
    blockEnd: `SELECT max(id) FROM (SELECT t.id FROM ${t} t WHERE t.id > $1::int8 AND t.id <= $2::int8 ORDER BY t.id LIMIT $3) block`,
  };
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
