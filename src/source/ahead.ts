import type { BigId, SyncRow } from '../../streams/event.js';
import { RangeSet } from '../../streams/ranges.js';
import type { Link } from './connection.js';
import { decodeRow } from './decode.js';
import type { Statements } from './statements.js';

/** Rows brought by one look beyond the sequence. */
const PAGE = 5_000;
/** Gaps between known ids that one look asks for. */
const MAX_GAPS = 2_000;
/** Ids above 2^53-1 that are remembered one by one. */
const MAX_HUGE = 1_000;
const HUGE_FROM = '9007199254740992';
const HUGE_TO = '9223372036854775807';

/**
 * Ids beyond the sequence: given explicitly, or applied by logical replication. They are counted when first seen and
 * remembered until the sequence passes them, so that the poll that then meets them does not count them again.
 */
export class AheadRows {
  readonly #known = new RangeSet();
  readonly #huge = new Set<string>();
  #incomplete = false;

  /** Rows counted that the sequence has not reached. */
  get rows(): number {
    return this.#known.ids + this.#huge.size;
  }

  /** A bound was reached: there may be rows beyond the sequence that are not counted. */
  get incomplete(): boolean {
    return this.#incomplete;
  }

  has(id: BigId): boolean {
    if (typeof id === 'string') return this.#huge.has(id);
    return this.#known.size > 0 && this.#known.has(id);
  }

  /** It was counted by a process before this one. */
  add(id: BigId): void {
    if (typeof id === 'string') this.#huge.add(id);
    else this.#known.add(id, id);
  }

  /** One by one, all that are remembered. */
  *ids(): Generator<BigId> {
    for (const [from, to] of this.#known) for (let id = from; id <= to; id++) yield id;
    yield* this.#huge;
  }

  /** The cursor has passed `id`: what it met was skipped, and is the cursor's from now on. */
  passed(id: number): void {
    if ((this.#known.first ?? Number.POSITIVE_INFINITY) <= id) this.#known.deleteUpTo(id);
  }

  /**
   * Reads rows beyond the sequence that are not known yet.
   * @returns the rows, and whether there may be more to read at once.
   */
  async read(link: Link, statements: Statements, high: number): Promise<{ rows: SyncRow[]; more: boolean }> {
    const from: (number | string)[] = [];
    const to: (number | string)[] = [];
    for (const [a, b] of this.#known.gaps(high + 1, Number.MAX_SAFE_INTEGER)) {
      if (from.length >= MAX_GAPS) break;
      from.push(a);
      to.push(b);
    }
    this.#incomplete = from.length >= MAX_GAPS || this.#huge.size >= MAX_HUGE;
    if (this.#huge.size < MAX_HUGE) {
      from.push(HUGE_FROM);
      to.push(HUGE_TO);
    }
    const raw = await link.query(statements.ahead, [from, to, PAGE], 'csm_ahead');
    const rows: SyncRow[] = [];
    for (const columns of raw) {
      const row = decodeRow(columns);
      if (typeof row.id === 'string') {
        if (this.#huge.has(row.id)) continue;
      }
      this.add(row.id);
      rows.push(row);
    }
    return { rows, more: raw.length >= PAGE && rows.length > 0 };
  }
}
