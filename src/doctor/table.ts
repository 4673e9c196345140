/** The log table: is it there, what may this role do with it, how are its ids made. */
import { type Ask, type Finding, fault, ok, together, warning } from './check.js';

export interface Relation {
  readonly oid: number;
  readonly kind: string;
  /** Quoted, with its schema. */
  readonly qualified: string;
  /** Quoted. */
  readonly schema: string;
  /** Quoted: the role that asks. */
  readonly role: string;
  readonly persistence: string;
  readonly hasHeirs: boolean;
}

export interface Name {
  readonly schema: string | null;
  readonly name: string;
}

/** The first of these names that something in the catalogue has. */
export async function findRelation(ask: Ask, names: readonly Name[]): Promise<Relation | undefined> {
  const [row] = await ask(
    `SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname), quote_ident(n.nspname), quote_ident(current_user),
            c.relpersistence, c.relhassubclass
     FROM unnest($1::name[], $2::name[]) WITH ORDINALITY AS wanted (schema, name, preference)
     JOIN pg_class c ON c.relname = wanted.name JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE CASE WHEN wanted.schema IS NULL THEN pg_table_is_visible(c.oid) ELSE n.nspname = wanted.schema END
     ORDER BY wanted.preference LIMIT 1`,
    [names.map(({ schema }) => schema), names.map(({ name }) => name)],
  );
  if (!row) return undefined;
  const [oid, kind, qualified, schema, role, persistence, heirs] = row as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  return { oid: Number(oid), kind, qualified, schema, role, persistence, hasHeirs: heirs === 't' };
}

/** Tables that look like a log of the portal, for whoever has misspelt its name. */
export async function similarTables(ask: Ask): Promise<string[]> {
  const rows = await ask(
    `SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT LIKE 'pg\\_%' AND 4 = (
       SELECT count(*) FROM pg_attribute WHERE attrelid = c.oid AND NOT attisdropped
         AND attname IN ('id', 'operation_type', 'status', 'created_at')) ORDER BY 1 LIMIT 5`,
  );
  return rows.map(([name]) => `${name}`);
}

export function judgeRelation(
  relation: Relation | undefined,
  {
    label,
    kinds,
    similar,
  }: { label: string; kinds: Readonly<Record<string, string>>; similar: readonly string[] },
): Finding {
  const other =
    similar.length > 0
      ? `Set SYNC_LOG_TABLE to the portal's log table; these have its columns: ${similar.join(', ')}.`
      : "Set SYNC_LOG_TABLE to the portal's log table, or DATABASE_URL to its database.";
  if (!relation) return fault(`There is no table ${label} (SYNC_LOG_TABLE) in this database.`, other);
  const { kind, qualified } = relation;
  if (kind !== 'r' && kind !== 'p')
    return fault(
      `${qualified} is ${kinds[kind] ?? `of kind ${kind}`}; an ordinary or partitioned table is needed.`,
      other,
    );
  if (relation.persistence === 't')
    return fault(`${qualified} is a temporary table; nobody else's rows can be seen in it.`, other);
  const crash = relation.persistence === 'u' ? ', unlogged: a crash of the server empties it' : '';
  return ok(`${qualified} is ${kind === 'p' ? 'a partitioned' : 'an ordinary'} table${crash}.`);
}

export interface Columns {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** Functions that the monitor calls; a hardened database may have taken them from PUBLIC. */
const FUNCTIONS = [
  'pg_control_system()',
  'pg_current_wal_lsn()',
  'pg_walfile_name(pg_lsn)',
  'pg_notification_queue_usage()',
  'pg_notify(text, text)',
  'pg_try_advisory_lock(bigint)',
];

/** What the role may read: the schema, each column, the sequence; and the functions it may call. */
export async function checkPrivileges(
  ask: Ask,
  relation: Relation,
  { required, optional }: Columns,
  sequence: { readonly qualified: string; readonly oid: number; readonly readable: boolean } | undefined,
): Promise<Finding> {
  const { oid, qualified, schema, role } = relation;
  const [row] = await ask(
    `SELECT has_schema_privilege((SELECT relnamespace FROM pg_class WHERE oid = $1::oid), 'USAGE'),
       (SELECT array_to_json(array_agg(attname ORDER BY attnum)) FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0
          AND NOT attisdropped AND attname = ANY ($2::name[]) AND NOT has_column_privilege($1::oid, attnum, 'SELECT')),
       (SELECT array_to_json(array_agg(f)) FROM unnest($3::text[]) f WHERE NOT has_function_privilege('pg_catalog.' || f, 'EXECUTE')),
       (SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = $4::oid AND NOT has_schema_privilege(n.oid, 'USAGE'))`,
    [oid, [...required, ...optional], FUNCTIONS, sequence?.oid ?? null],
  );
  const list = (at: number) => JSON.parse(row?.[at] ?? '[]') as string[];
  const closed = list(1);
  const owner = 'The owner or a superuser has to run:';
  const findings: Finding[] = [];
  if (row?.[0] !== 't')
    findings.push(
      fault(
        `Role ${role} lacks USAGE on schema ${schema}.`,
        owner,
        `GRANT USAGE ON SCHEMA ${schema} TO ${role};`,
      ),
    );
  for (const [names, judge] of [
    [closed.filter((name) => required.includes(name)), fault],
    [closed.filter((name) => optional.includes(name)), warning],
  ] as const) {
    if (names.length === 0) continue;
    const columns = names.join(', ');
    findings.push(
      judge(
        `Role ${role} may not read ${columns} of ${qualified}.`,
        owner,
        `GRANT SELECT (${columns}) ON ${qualified} TO ${role};`,
      ),
    );
  }
  if (sequence && !sequence.readable) {
    const usage = row?.[3] ? `GRANT USAGE ON SCHEMA ${row[3]} TO ${role};\n` : '';
    findings.push(
      fault(
        `Role ${role} may not read the sequence ${sequence.qualified}.`,
        owner,
        `${row?.[3] === schema ? '' : usage}GRANT SELECT ON SEQUENCE ${sequence.qualified} TO ${role};`,
      ),
    );
  }
  const functions = list(2);
  if (functions.length > 0)
    findings.push(
      fault(
        `Role ${role} may not execute ${functions.join(', ')}.`,
        'A superuser has to run:',
        functions.map((name) => `GRANT EXECUTE ON FUNCTION pg_catalog.${name} TO ${role};`).join('\n'),
      ),
    );
  return together(findings, `Role ${role} may read all that is needed.`);
}

export async function checkRowSecurity(ask: Ask, { oid, role, qualified }: Relation): Promise<Finding> {
  const [row] = await ask('SELECT row_security_active($1::oid)', [oid]);
  if (row?.[0] === 'f') return ok(`No row-level security hides rows of ${qualified} from role ${role}.`);
  return fault(
    `A row-level security policy can hide rows of ${qualified} from role ${role}.`,
    'A superuser has to run:',
    `ALTER ROLE ${role} BYPASSRLS;`,
  );
}

export interface Sequence {
  readonly qualified: string;
  readonly increment: number;
  readonly cache: number;
  readonly cycle: boolean;
  readonly readable: boolean;
}

const LIMITS: Readonly<Record<string, number>> = {
  smallint: 32_767,
  integer: 2_147_483_647,
  bigint: Number.MAX_SAFE_INTEGER,
};

export async function checkIdType(
  ask: Ask,
  relation: Relation,
  sequence: Sequence | undefined,
): Promise<Finding> {
  const { oid, qualified } = relation;
  const [row] = await ask(
    `WITH RECURSIVE base (oid) AS (SELECT atttypid FROM pg_attribute WHERE attrelid = $1 AND attname = 'id' AND NOT attisdropped
       UNION SELECT t.typbasetype FROM base JOIN pg_type t ON t.oid = base.oid WHERE t.typbasetype <> 0)
     SELECT format_type(t.oid, NULL) FROM base JOIN pg_type t ON t.oid = base.oid WHERE t.typbasetype = 0`,
    [oid],
  );
  const type = row?.[0];
  if (type === undefined || type === null)
    return fault(`${qualified} has no column id.`, "Set SYNC_LOG_TABLE to the portal's log table.");
  const limit = LIMITS[type];
  if (limit === undefined)
    return fault(
      `id of ${qualified} is ${type}; an integer from a sequence is needed, for its order says what is new.`,
      'Give the table a bigint id from a sequence (Django: BigAutoField), and keep the other one as a further column.',
    );
  if (!sequence?.readable) return ok(`id is ${type}.`);
  const [position] = await ask(`SELECT last_value FROM ${sequence.qualified}`);
  const used = Number(position?.[0]) / limit;
  if (used <= 0.8)
    return ok(`id is ${type}, ${(used * 100).toFixed(used < 0.01 ? 2 : 0)} % of its range is used.`);
  return warning(
    `id is ${type}, and ${(used * 100).toFixed(1)} % of its range is used; at the end the portal's INSERTs fail.`,
    'The owner has to run, in a quiet hour (it rewrites the table):',
    `ALTER TABLE ${qualified} ALTER COLUMN id TYPE bigint;\nALTER SEQUENCE ${sequence.qualified} AS bigint;`,
  );
}

export function judgeSequence(relation: Relation, sequence: Sequence | undefined): Finding {
  const { qualified } = relation;
  if (!sequence)
    return fault(
      `id of ${qualified} takes its values from no sequence.`,
      'The owner has to run:',
      `ALTER TABLE ${qualified} ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;\nSELECT setval(pg_get_serial_sequence('${qualified.replaceAll("'", "''")}', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM ${qualified}), false);`,
    );
  const { qualified: name, increment, cache, cycle } = sequence;
  const owner = 'The owner has to run:';
  const findings: Finding[] = [];
  if (increment < 1)
    findings.push(
      fault(`The sequence ${name} counts by ${increment}.`, owner, `ALTER SEQUENCE ${name} INCREMENT BY 1;`),
    );
  if (cache > 1)
    findings.push(
      fault(
        `The sequence ${name} has CACHE ${cache}: sessions hold ids back, and their rows would be missed.`,
        "The owner has to run this, and then the portal's processes have to connect anew (a session keeps what it holds):",
        `ALTER SEQUENCE ${name} CACHE 1;`,
      ),
    );
  if (cycle)
    findings.push(
      warning(
        `The sequence ${name} has CYCLE: after it wraps, the numbers are rebuilt from the table.`,
        owner,
        `ALTER SEQUENCE ${name} NO CYCLE;`,
      ),
    );
  return together(findings, `The sequence ${name} has CACHE 1, NO CYCLE and INCREMENT ${increment}.`);
}
