import pg from 'pg';
import type { Cursor } from '../../streams/cursor.js';
import { RangeSet } from '../../streams/ranges.js';
import type { Link } from './connection.js';
import type { Look } from './look.js';
import { type Reading, ResetNeededError } from './reading.js';
import { selectList } from './statements.js';

const UNDEFINED_TABLE = '42P01';

/** Rows that came with a partition, to be read page by page. */
interface Brought {
  readonly leaf: string;
  /** Undefined where the role may read the rows only through the parent. */
  readonly name: string | undefined;
  after: number;
  readonly upTo: number;
  /** Holes when it was seen first: whoever still fills one of them is waited for, and read there. */
  readonly holes: RangeSet;
}

/**
 * Follows which partitions there are. One that comes with rows in it was never announced, and no poll can have met
 * them: with history they are folded as what was there before, without it all is rebuilt.
 */
export class Leaves {
  readonly #reading: Reading;
  readonly #keepsHistory: boolean;
  /** All that were ever seen: what comes back was counted once, and whether it still is the audit knows. */
  readonly #seen = new Set<string>();
  #present: ReadonlySet<string> = new Set();
  /** What a new partition brings up to here was not read by a poll. */
  #highAtLook = 0;
  #queue: Brought[] = [];

  constructor(reading: Reading, keepsHistory: boolean) {
    this.#reading = reading;
    this.#keepsHistory = keepsHistory;
  }

  /** All that is in these was or will be read as everything else. */
  began(look: Look, high: number): void {
    this.#queue = [];
    this.#present = new Set(look.leaves);
    this.#seen.clear();
    for (const leaf of look.leaves) this.#seen.add(leaf);
    this.#highAtLook = high;
  }

  /** Partitions with rows that are still to be read. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** @throws ResetNeededError when one came with rows in it, and there is no history */
  async check(look: Look, cursor: Cursor): Promise<void> {
    if (!this.#reading.table.partitioned) return;
    const brought: Brought[] = [];
    for (const leaf of look.leaves) {
      if (this.#keepsHistory ? this.#seen.has(leaf) : this.#present.has(leaf)) continue;
      const found = await leafWithRows(this.#reading.link, leaf, this.#highAtLook);
      if (found === undefined) continue;
      if (!this.#keepsHistory)
        throw new ResetNeededError(`partition ${found.name} was attached with rows in it`);
      brought.push({
        leaf,
        name: found.readable ? found.name : undefined,
        // What is below, the backfill meets.
        after: cursor.floor ?? Number.MIN_SAFE_INTEGER,
        upTo: this.#highAtLook,
        holes: RangeSet.of(cursor.holes()),
      });
    }
    this.#present = new Set(look.leaves);
    this.#queue = [...this.#queue, ...brought].filter(({ leaf }) => this.#present.has(leaf));
    for (const leaf of look.leaves) this.#seen.add(leaf);
    this.#highAtLook = cursor.high;
  }

  /** Reads one page of what a new partition brought. */
  async step(): Promise<void> {
    const brought = this.#queue[0];
    if (!brought) return;
    const { table, pageRows, folded } = this.#reading;
    const { name, leaf, after, upTo, holes } = brought;
    const from =
      name === undefined ? `${table.qualified} t WHERE t.tableoid = ${leaf} AND` : `${name} t WHERE`;
    const page = `SELECT ${selectList(table.columns, 't')} FROM ${from} t.id > $1::int8 AND t.id <= $2::int8 ORDER BY t.id LIMIT $3`;
    try {
      const rows = await this.#reading.rows(page, [after, upTo, pageRows]);
      brought.after = rows.at(-1)?.id as number;
      if (rows.length < pageRows) this.#queue.shift();
      folded.rows(
        rows.filter(({ id }) => !holes.has(id as number)),
        'start',
      );
    } catch (error) {
      // Gone again between the look and this page.
      if (!(error instanceof pg.DatabaseError) || error.code !== UNDEFINED_TABLE) throw error;
      this.#queue.shift();
    }
  }
}

/** Looks for rows with ids up to `upTo` in a partition that was not there before: no poll can have met them. */
async function leafWithRows(
  link: Link,
  leaf: string,
  upTo: number,
): Promise<{ name: string; readable: boolean } | undefined> {
  const [relation] = await link.query(
    `SELECT oid::regclass::text, pg_relation_size(oid), has_schema_privilege(relnamespace, 'USAGE') AND has_column_privilege(oid, 'id', 'SELECT')
     FROM pg_class WHERE oid = $1`,
    [leaf],
  );
  if (!relation || relation[1] === '0') return undefined; // dropped again, or as empty as new ones mostly are
  const [name, , readable] = relation as [string, string, string];
  // A role that may read the table only as a whole cannot ask whose rows these are: taken for brought ones.
  if (readable !== 't') return { name, readable: false };
  const [found] = await link.query(`SELECT EXISTS (SELECT FROM ${name} WHERE id <= $1)`, [upTo]);
  return found?.[0] === 't' ? { name, readable: true } : undefined;
}
