import type { Link } from './connection.js';

/**
 * Looks for rows with ids up to `upTo` in partitions that were not there before: no poll can have met them.
 * @returns the name of the first partition that came with such rows.
 */
export async function leafWithRows(
  link: Link,
  leaves: readonly string[],
  upTo: number,
): Promise<string | undefined> {
  for (const leaf of leaves) {
    const [relation] = await link.query(
      `SELECT oid::regclass::text, pg_relation_size(oid), has_schema_privilege(relnamespace, 'USAGE') AND has_column_privilege(oid, 'id', 'SELECT')
       FROM pg_class WHERE oid = $1`,
      [leaf],
    );
    if (!relation || relation[1] === '0') continue; // dropped again, or as empty as new ones mostly are
    const [name, , readable] = relation as [string, string, string];
    // A role that may read the table only as a whole cannot ask whose rows these are: taken for brought ones.
    if (readable !== 't') return name;
    const [found] = await link.query(`SELECT EXISTS (SELECT FROM ${name} WHERE id <= $1)`, [upTo]);
    if (found?.[0] === 't') return name;
  }
  return undefined;
}
