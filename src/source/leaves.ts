import pg from 'pg';
import type { Cursor } from '../../streams/cursor.js';
import { PENDING } from '../../streams/event.js';
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
  /** It was here before: its settled rows were counted, its pending ones were taken for deleted. */
  readonly again: boolean;
  after: number;
  readonly upTo: number;
  /**
   * Holes when it was seen first, and what was read elsewhere since the look before, in it or beside it: who still
   * fills one of them is waited for, and read there.
   */
  readonly apart: RangeSet;
}

/**
 * Follows which partitions there are. One that comes with rows in it was never announced, and no poll can have met
 * them: with history they are folded as what was there before, without it all is rebuilt.
 */
export class Leaves {
  readonly #reading: Reading;
  readonly #keepsHistory: boolean;
  /** All that were ever seen. Whether what comes back is still counted, the audit knows. */
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
    this.#reading.folded.elsewhere =
      this.#keepsHistory && this.#reading.table.partitioned ? new RangeSet() : undefined;
  }

  /** Partitions with rows that are still to be read. */
  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * @returns whether one came with rows in it
   * @throws ResetNeededError when one did, and there is no history
   */
  async check(look: Look, cursor: Cursor): Promise<boolean> {
    if (!this.#reading.table.partitioned) return false;
    const { folded } = this.#reading;
    const brought: Brought[] = [];
    for (const leaf of look.leaves) {
      if (this.#present.has(leaf)) continue;
      const found = await leafWithRows(this.#reading.link, leaf, this.#highAtLook);
      if (found === undefined) continue;
      if (!this.#keepsHistory)
        throw new ResetNeededError(`partition ${found.name} was attached with rows in it`);
      brought.push({
        leaf,
        name: found.readable ? found.name : undefined,
        again: this.#seen.has(leaf),
        // What is below, the backfill meets.
        after: cursor.floor ?? Number.MIN_SAFE_INTEGER,
        upTo: this.#highAtLook,
        apart: RangeSet.of([...cursor.holes(), ...(folded.elsewhere ?? [])]),
      });
    }
    this.#present = new Set(look.leaves);
    this.#queue = [...this.#queue, ...brought].filter(({ leaf }) => this.#present.has(leaf));
    for (const leaf of look.leaves) this.#seen.add(leaf);
    this.#highAtLook = cursor.high;
    if (this.#keepsHistory) folded.elsewhere = new RangeSet();
    return brought.length > 0;
  }

  /** Reads one page of what a new partition brought. */
  async step(): Promise<void> {
    const brought = this.#queue[0];
    if (!brought) return;
    const { table, pageRows, folded } = this.#reading;
    const { name, leaf, again, after, upTo, apart } = brought;
    const conditions = [
      ...(name === undefined ? [`t.tableoid = ${leaf}`] : []),
      ...(again ? [`t.status::text = '${PENDING}'`] : []),
      't.id > $1::int8 AND t.id <= $2::int8',
    ];
    const page = `SELECT ${selectList(table.columns, 't')} FROM ${name ?? table.qualified} t
      WHERE ${conditions.join(' AND ')} ORDER BY t.id LIMIT $3`;
    try {
      const rows = await this.#reading.rows(page, [after, upTo, pageRows]);
      brought.after = rows.at(-1)?.id as number;
      if (rows.length < pageRows) this.#queue.shift();
      folded.rows(
        rows.filter(({ id }) => !apart.has(id as number) && !folded.pending.has(id)),
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
