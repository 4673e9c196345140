import { type BigId, PENDING, type RowUpdate, type SyncRow } from '../../streams/event.js';
import type { Link } from './connection.js';
import { decodeRow, sameRow } from './decode.js';
import type { Statements } from './statements.js';

export const SLICE = 2_000;
/** Ids of pending rows beyond the bound that are remembered. */
const MAX_BEYOND = 1_000_000;

/**
 * The rows that were pending when last read, with what was folded for them, so that an UPDATE can be folded as a
 * change. Bounded; of rows beyond the bound only the ids are kept, and a rebuild of the windows is what follows them.
 */
export class PendingRows {
  readonly #rows = new Map<BigId, SyncRow>();
  readonly #limit: number;
  readonly #beyond = new Set<BigId>();
  #forgotten = 0;
  /** Goes round: ids to re-read before any is read twice. */
  #queue: BigId[] = [];

  constructor(limit = 200_000) {
    this.#limit = limit;
  }

  get tracked(): number {
    return this.#rows.size;
  }

  get untracked(): number {
    return this.#beyond.size + this.#forgotten;
  }

  /** There is no room for one more. */
  get full(): boolean {
    return this.#rows.size >= this.#limit;
  }

  /** It was pending when last read, tracked or not. */
  has(id: BigId): boolean {
    return this.#rows.has(id) || this.#beyond.has(id);
  }

  /** What was folded for a tracked one. */
  get(id: BigId): SyncRow | undefined {
    return this.#rows.get(id);
  }

  /** Of all that were pending when last read. */
  *ids(): Generator<BigId> {
    yield* this.#rows.keys();
    yield* this.#beyond;
  }

  /** The tracked ones, as they were folded. */
  rows(): Iterable<SyncRow> {
    return this.#rows.values();
  }

  /** Remembers those of the rows that are pending. */
  add(rows: readonly SyncRow[]): void {
    for (const row of rows) {
      if (row.status !== PENDING) continue;
      if (!this.full || this.#rows.has(row.id)) this.#rows.set(row.id, row);
      else if (this.#beyond.size < MAX_BEYOND) this.#beyond.add(row.id);
      else this.#forgotten++;
    }
  }

  clear(): void {
    this.#rows.clear();
    this.#queue = [];
    this.#beyond.clear();
    this.#forgotten = 0;
  }

  /** A full round of re-reads begins with the next call. */
  get roundDone(): boolean {
    return this.#queue.length === 0;
  }

  /**
   * Re-reads the next slice of at most 2,000 and returns what changed; the caller folds it in the same turn.
   * @throws what the query throws; nothing is forgotten then.
   */
  async reread(link: Link, statements: Statements): Promise<{ updates: RowUpdate[]; removals: SyncRow[] }> {
    if (this.#queue.length === 0) this.#queue = [...this.#rows.keys()];
    const ids = this.#queue.slice(0, SLICE).filter((id) => this.#rows.has(id));
    const updates: RowUpdate[] = [];
    const removals: SyncRow[] = [];
    if (ids.length > 0) {
      const missing = new Set(ids);
      for (const raw of await link.query(statements.byIds, [ids], 'csm_by_ids')) {
        const row = decodeRow(raw);
        missing.delete(row.id);
        const previous = this.#rows.get(row.id);
        if (!previous || sameRow(row, previous)) continue;
        updates.push({ row, previous });
        if (row.status === PENDING) this.#rows.set(row.id, row);
        else this.#rows.delete(row.id);
      }
      for (const id of missing) {
        const previous = this.#rows.get(id);
        if (previous) removals.push(previous);
        this.#rows.delete(id);
      }
    }
    this.#queue.splice(0, SLICE);
    return { updates, removals };
  }
}
