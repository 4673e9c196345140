/** Where the rows lie: partitions (or tables that inherit), and the indexes on each of them. */
import { type Ask, type Finding, fault, ok, together, warning } from './check.js';
import type { Relation } from './table.js';

export interface Leaf {
  /** Quoted, with its schema. */
  readonly qualified: string;
  /** Which of id, created_at and status a valid, whole index leads with. */
  readonly led: ReadonlySet<string>;
  readonly foreign: boolean;
}

/** Ids below the newest that are compared over the leaves: enough to see it, cheap on any table. */
const COMPARED_IDS = 100_000;

/** The tables that hold rows themselves: the table, or its leaves. */
export async function findLeaves(ask: Ask, oid: number): Promise<Leaf[]> {
  const rows = await ask(
    `WITH RECURSIVE tree (oid) AS (SELECT $1::oid UNION SELECT inhrelid FROM pg_inherits JOIN tree ON inhparent = tree.oid)
     SELECT format('%I.%I', n.nspname, c.relname), c.relkind = 'f', (
       SELECT string_agg(DISTINCT a.attname, ' ') FROM pg_index i
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL)
     FROM tree JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind <> 'p' ORDER BY 1`,
    [oid],
  );
  return rows.map(([qualified, foreign, led]) => ({
    qualified: `${qualified}`,
    foreign: foreign === 't',
    led: new Set((led ?? '').split(' ')),
  }));
}

/** Ids have to be unique over all leaves: each row is known by its id. */
export async function checkPartitions(
  ask: Ask,
  relation: Relation,
  leaves: readonly Leaf[],
): Promise<Finding> {
  const { qualified, kind, hasHeirs } = relation;
  if (kind !== 'p' && !hasHeirs) return ok(`${qualified} is not partitioned.`);
  const findings: Finding[] = [];
  const foreign = leaves.filter((leaf) => leaf.foreign).map((leaf) => leaf.qualified);
  if (foreign.length > 0)
    findings.push(
      fault(
        `Partitions that are foreign tables cannot be followed: ${foreign.join(', ')}.`,
        'Watch the ordinary partitions alone (SYNC_LOG_TABLE), or keep foreign ones out of this table.',
      ),
    );
  const bare = leaves.filter((leaf) => !leaf.foreign && !leaf.led.has('id'));
  if (bare.length > 0)
    // Reading whole partitions to compare ids is not worth the load.
    return together(
      [
        ...findings,
        warning(
          `Whether ids are unique over the partitions was not compared: ${bare.length} of ${leaves.length} have no index led by id.`,
          'Create the indexes that the check "indexes" names, and run doctor again.',
        ),
      ],
      '',
    );
  const doubled = await ask(
    `SELECT id FROM ${qualified} WHERE id > (SELECT max(id) FROM ${qualified}) - ${COMPARED_IDS} GROUP BY id HAVING count(*) > 1 LIMIT 3`,
  );
  if (doubled.length > 0)
    findings.push(
      fault(
        `Ids of ${qualified} are not unique over its partitions (${doubled.map(([id]) => id).join(', ')}): only one row of each would be counted.`,
        'Let all partitions take their ids from one sequence, and give the doubled rows new ids. To find them:',
        `SELECT tableoid::regclass, id FROM ${qualified} WHERE id IN (SELECT id FROM ${qualified} GROUP BY id HAVING count(*) > 1) ORDER BY id;`,
      ),
    );
  return together(
    findings,
    `${leaves.length} partitions hold the rows, and the newest ${COMPARED_IDS} ids are unique over them.`,
  );
}

const INDEXES = [
  ['id', '(id)', 'every poll reads the whole table'],
  ['created_at', '(created_at, id)', 'the start and questions about a period read the whole table'],
  ['status', '(status, id)', 'finding the pending rows at the start reads the whole table'],
] as const;

/** The three indexes that reading leads with, on every table that holds rows. */
export function judgeIndexes(leaves: readonly Leaf[]): Finding {
  const findings = INDEXES.flatMap(([column, columns, cost]) => {
    const without = leaves
      .filter((leaf) => !leaf.foreign && !leaf.led.has(column))
      .map((leaf) => leaf.qualified);
    if (without.length === 0) return [];
    const shown =
      without.length > 3
        ? `${without.slice(0, 3).join(', ')} and ${without.length - 3} more`
        : without.join(', ');
    return [
      warning(
        `No index of ${shown} is led by ${column}: ${cost}.`,
        'The owner can run, while the portal writes (each statement outside a transaction):',
        without.map((name) => `CREATE INDEX CONCURRENTLY ON ${name} ${columns};`).join('\n'),
      ),
    ];
  });
  return together(findings, 'Indexes led by id, created_at and status are there.');
}
