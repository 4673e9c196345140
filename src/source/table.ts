import type { Link } from './connection.js';

/** The log table as it was found in the catalogue. All names are quoted, ready for SQL. */
export interface TableInfo {
  /** As configured, for messages. */
  readonly label: string;
  readonly oid: number;
  readonly databaseOid: number;
  /** `"schema"."name"` */
  readonly qualified: string;
  readonly schema: string;
  readonly name: string;
  /** Rows may lie in other tables too: partitions, or tables that inherit from this one. */
  readonly partitioned: boolean;
  readonly sequence: SequenceInfo;
  /** Names of the optional columns that are there and usable. */
  readonly columns: ReadonlySet<OptionalColumn>;
  /** An index leads with created_at, so that a recent period is cheap to read. */
  readonly createdAtIndexed: boolean;
  /** An index leads with status, so that the pending rows of all time are cheap to find. */
  readonly statusIndexed: boolean;
  /** What will be absent, and assumptions that do not hold; one sentence each. */
  readonly warnings: readonly string[];
}

export interface SequenceInfo {
  readonly oid: number;
  readonly qualified: string;
  readonly increment: number;
}

/** The table cannot be watched; the message says what is missing and what was found. Waiting does not help. */
export class TableError extends Error {
  readonly code = 'table_unusable';
  constructor(message: string) {
    super(message);
    this.name = 'TableError';
  }
}

const INTEGERS = ['smallint', 'integer', 'bigint'];
const TEXTS = ['character varying', 'text', 'character', 'uuid', 'citext', 'name', 'inet'];

export const REQUIRED = {
  id: INTEGERS,
  operation_type: null,
  status: null,
  created_at: ['timestamp with time zone'],
} as const;

export const OPTIONAL = {
  customer_id: INTEGERS,
  customer_email: TEXTS,
  onec_id: TEXTS,
  correlation_id: TEXTS,
  error_message: TEXTS,
  duration_ms: INTEGERS,
  // Not json: it may hold \u0000, on which ->> fails, and one such row would stop all reading.
  details: ['jsonb'],
} as const;

export type OptionalColumn = keyof typeof OPTIONAL;

const ABSENT: Record<OptionalColumn, string> = {
  customer_id: 'the count of distinct customers stays 0',
  customer_email: 'events carry no e-mail',
  onec_id: 'events carry no 1C id',
  correlation_id: 'events cannot be grouped by correlation id',
  error_message: 'events carry no error message',
  duration_ms: 'there are no durations and no percentiles',
  details: 'conflict sources and identification methods are unknown, mails and batch totals absent',
};

export const KINDS: Record<string, string> = {
  v: 'a view',
  m: 'a materialised view',
  f: 'a foreign table',
  S: 'a sequence',
  i: 'an index',
  c: 'a composite type',
};

/**
 * Finds the table and proves that it can be watched.
 * @throws TableError with one message that names the table, what is missing and what was found.
 */
export async function discoverTable(link: Link, configured: string): Promise<TableInfo> {
  const names = namesOf(configured);
  // The catalogue and not to_regclass: that fails on names with a space (until PostgreSQL 15) and on closed schemas.
  const [relation] = await link.query(
    `SELECT c.oid, c.relkind, n.nspname, c.relname, format('%I.%I', n.nspname, c.relname), row_security_active(c.oid),
            c.relpersistence, (SELECT oid FROM pg_database WHERE datname = current_database()), current_user,
            has_schema_privilege(n.oid, 'USAGE'), c.relhassubclass
     FROM unnest($1::name[], $2::name[]) WITH ORDINALITY AS wanted (schema, name, preference)
     JOIN pg_class c ON c.relname = wanted.name JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE CASE WHEN wanted.schema IS NULL THEN pg_table_is_visible(c.oid) ELSE n.nspname = wanted.schema END
     ORDER BY wanted.preference LIMIT 1`,
    [names.map(({ schema }) => schema), names.map(({ name }) => name)],
  );
  const where = `Table ${configured} (SYNC_LOG_TABLE)`;
  if (!relation)
    throw new TableError(`${where} does not exist in this database, or its schema is not visible.`);
  const [oid, kind, schema, name, qualified, rowSecurity, persistence, databaseOid, user, usage, heirs] =
    relation as string[];
  if (kind !== 'r' && kind !== 'p')
    throw new TableError(
      `${where} is ${KINDS[kind ?? ''] ?? `of kind ${kind}`}; an ordinary or partitioned table is needed.`,
    );
  if (usage === 'f') throw new TableError(`${where}: role ${user} lacks USAGE on schema ${schema}.`);
  if (persistence === 't')
    throw new TableError(`${where} is a temporary table; nobody else's rows can be seen in it.`);
  if (rowSecurity === 't')
    throw new TableError(
      `${where}: a row-level security policy would hide rows from role ${user}; give it BYPASSRLS or a policy that lets it read all rows and owns none.`,
    );
  const warnings: string[] = [];
  const columns = await readColumns(link, Number(oid), where, warnings);
  const sequence = await readSequence(link, Number(oid), where, `${user}`, warnings);
  const indexed = await readIndexes(link, Number(oid), configured, warnings);
  return {
    label: configured,
    oid: Number(oid),
    databaseOid: Number(databaseOid),
    qualified: `${qualified}`,
    schema: `${schema}`,
    name: `${name}`,
    partitioned: kind === 'p' || heirs === 't',
    sequence,
    columns,
    createdAtIndexed: indexed.has('created_at'),
    statusIndexed: indexed.has('status'),
    warnings,
  };
}

const PART = '(?:"((?:[^"]|"")+)"|([^".]+))';
const NAME = new RegExp(`^${PART}(?:[.]${PART})?$`, 'u');

/** What the configured name may mean, best first: by SQL's rules (unquoted is folded), then as it is written. */
export function namesOf(configured: string): { schema: string | null; name: string }[] {
  const match = NAME.exec(configured.trim());
  if (!match) return [];
  const fold = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const part = (at: number, plain: (text: string) => string) =>
    match[at]?.replaceAll('""', '"') ?? (match[at + 1] === undefined ? null : plain(match[at + 1] as string));
  return [fold, (text: string) => text].map((plain) => {
    const [first, second] = [part(1, plain), part(3, plain)];
    return second === null ? { schema: null, name: `${first}` } : { schema: first, name: second };
  });
}

async function readColumns(
  link: Link,
  oid: number,
  where: string,
  warnings: string[],
): Promise<Set<OptionalColumn>> {
  const rows = await link.query(
    `WITH RECURSIVE base (column_type, oid) AS ( -- a domain may be made of another one
       SELECT atttypid, atttypid FROM pg_attribute WHERE attrelid = $1
       UNION SELECT base.column_type, t.typbasetype FROM base JOIN pg_type t ON t.oid = base.oid WHERE t.typbasetype <> 0)
     SELECT a.attname, format_type(t.oid, NULL), has_column_privilege(a.attrelid, a.attnum, 'SELECT')
     FROM pg_attribute a JOIN base ON base.column_type = a.atttypid JOIN pg_type t ON t.oid = base.oid AND t.typbasetype = 0
     WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [oid],
  );
  const found = new Map(
    rows.map(([name, type, readable]) => [`${name}`, { type: `${type}`, readable: readable === 't' }]),
  );
  const faults: string[] = [];
  for (const [column, types] of Object.entries(REQUIRED)) {
    const it = found.get(column);
    if (!it) faults.push(`column ${column} is missing`);
    else if (types && !(types as readonly string[]).includes(it.type))
      faults.push(`column ${column} is ${it.type}, ${types.join(' or ')} is needed`);
    else if (!it.readable) faults.push(`column ${column} may not be read (GRANT SELECT)`);
  }
  if (faults.length > 0)
    throw new TableError(
      `${where} cannot be watched: ${faults.join('; ')}. Found: ${[...found.keys()].join(', ')}.`,
    );
  const usable = new Set<OptionalColumn>();
  for (const column of Object.keys(OPTIONAL) as OptionalColumn[]) {
    const it = found.get(column);
    const types: readonly string[] = OPTIONAL[column];
    if (it?.readable && types.includes(it.type)) usable.add(column);
    else {
      const why = !it
        ? 'is missing'
        : !it.readable
          ? 'may not be read'
          : `is ${it.type}, not ${types.join(' or ')}`;
      warnings.push(`Column ${column} ${why}: ${ABSENT[column]}.`);
    }
  }
  return usable;
}

/** A sequence and what about it matters to whoever follows its ids. */
export interface FoundSequence extends SequenceInfo {
  readonly cache: number;
  readonly cycle: boolean;
  /** This role may read its position. */
  readonly readable: boolean;
}

/** The sequence that numbers the rows of this table; undefined where id takes its values from none. */
export async function findSequence(link: Link, tableOid: number): Promise<FoundSequence | undefined> {
  // What the default really calls comes before what the column merely owns.
  const [row] = await link.query(
    `WITH id AS (SELECT attrelid, attnum FROM pg_attribute WHERE attrelid = $1 AND attname = 'id')
     SELECT c.oid, format('%I.%I', n.nspname, c.relname), s.seqincrement, s.seqcache, s.seqcycle,
            has_sequence_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE')
     FROM (
       SELECT d.refobjid AS oid, 1 AS preference FROM id
         JOIN pg_attrdef ad ON ad.adrelid = id.attrelid AND ad.adnum = id.attnum
         JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = ad.oid AND d.refclassid = 'pg_class'::regclass
       UNION ALL
       SELECT d.objid, 2 FROM id
         JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = id.attrelid AND d.refobjsubid = id.attnum
           AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
     ) found
     JOIN pg_class c ON c.oid = found.oid AND c.relkind = 'S'
     JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_sequence s ON s.seqrelid = c.oid
     ORDER BY preference LIMIT 1`,
    [tableOid],
  );
  if (!row) return undefined;
  const [oid, qualified, increment, cache, cycle, readable] = row as string[];
  return {
    oid: Number(oid),
    qualified: `${qualified}`,
    increment: Number(increment),
    cache: Number(cache),
    cycle: cycle === 't',
    readable: readable === 't',
  };
}

async function readSequence(
  link: Link,
  oid: number,
  where: string,
  user: string,
  warnings: string[],
): Promise<SequenceInfo> {
  const found = await findSequence(link, oid);
  if (!found)
    throw new TableError(
      `${where}: column id takes its values from no sequence (no default nextval, no identity).`,
    );
  const { qualified, increment, cache } = found;
  if (!found.readable)
    throw new TableError(
      `${where}: role ${user} may not read the sequence ${qualified} (GRANT SELECT, and USAGE on its schema).`,
    );
  if (increment < 1)
    throw new TableError(
      `${where}: the sequence ${qualified} counts by ${increment}; a positive increment is needed.`,
    );
  const [value] = await link.query(`SELECT last_value FROM ${qualified}`);
  if (!Number.isSafeInteger(Number(value?.[0])))
    throw new TableError(
      `${where}: the sequence ${qualified} stands at ${value?.[0]}; ids up to 9007199254740991 can be followed.`,
    );
  if (cache > 1)
    warnings.push(
      `The sequence ${qualified} has CACHE ${cache}: sessions hold ids back, and a row may be counted late. ALTER SEQUENCE ${qualified} CACHE 1 mends it.`,
    );
  if (found.cycle)
    warnings.push(
      `The sequence ${qualified} has CYCLE: after it wraps, the numbers are rebuilt from the table.`,
    );
  return { oid: found.oid, qualified, increment };
}

async function readIndexes(link: Link, oid: number, table: string, warnings: string[]): Promise<Set<string>> {
  const rows = await link.query(
    `SELECT DISTINCT a.attname FROM pg_index i
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
     WHERE i.indrelid = $1 AND i.indisvalid AND i.indpred IS NULL AND a.attname IN ('id', 'status', 'created_at')`,
    [oid],
  );
  const found = new Set(rows.map(([name]) => `${name}`));
  if (!found.has('id'))
    warnings.push(`No index of ${table} is led by id: every poll reads the whole table. Create one.`);
  return found;
}
