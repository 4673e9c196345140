import type { CursorState } from './checkpoint.js';
import { type Range, RangeSet } from './ranges.js';

/**
 * Which ids have been folded, which are still open, which never were: "count on sight, seal on proof".
 *
 * Ids come from a sequence but commits come in another order, and rollbacks leave holes. A row is counted when it is
 * first seen; a hole is given up only when every transaction that could still fill it has ended. A *generation* is a
 * set of holes with the transactions (holders) that held a writing lock on the table when those holes were looked at:
 * INSERT takes that lock before `nextval` and keeps it to its end, so nobody else can fill them.
 *
 * Pure: the reader brings S, the ids and the holders, in this order within one step:
 * `pulled` (rows up to S) - `looked` (holders, read after S) - re-read what `due()` lists - `settled`.
 */
export interface Generation {
  readonly holes: RangeSet;
  /** Virtual transactions that may still fill them, as of the last look. */
  holders: ReadonlySet<string>;
  /** A holder has left (or the generation is new): re-read the holes once, after the look. */
  due: boolean;
  /** Database time at which the oldest of the holes was first looked at, ms. */
  readonly since: number;
}

/** What `recentHoles` lists at most: ids in one hole, and in all. */
export interface HoleLimit {
  readonly width: number;
  readonly ids: number;
}

export interface CursorLimits {
  /** Ranges of holes kept in all; beyond that the oldest generation is given up to the audit, and counted. */
  readonly maxRanges: number;
  /** Generations with distinct holders; beyond that the oldest two are joined (re-read more often, never wrong). */
  readonly maxGenerations: number;
}

const DEFAULT_LIMITS: CursorLimits = { maxRanges: 1_000_000, maxGenerations: 256 };

export class Cursor {
  readonly #limits: CursorLimits;
  #high: number;
  #floor: number | null;
  /** Holes of steps since the last look: they have no holders yet. */
  #fresh = new RangeSet();
  #generations: Generation[] = [];
  #givenUp = 0;

  /** Starts with every id up to `high` settled, but for those up to `floor`, which `pulledDown` reads later. */
  constructor(high: number, limits: Partial<CursorLimits> = {}, floor: number | null = null) {
    this.#high = high;
    this.#floor = floor;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Goes on from a checkpoint. Its holes wait for the next look, which says who may still fill them. */
  static restore(state: Pick<CursorState, 'high' | 'floor' | 'holes'>): Cursor {
    const cursor = new Cursor(state.high, {}, state.floor);
    for (const [from, to] of state.holes) cursor.#fresh.add(from, to);
    return cursor;
  }

  /** Every id up to here, and above `floor`, was looked for at least once. */
  get high(): number {
    return this.#high;
  }

  /** Ids up to here have not been looked for yet; null when there are none. */
  get floor(): number | null {
    return this.#floor;
  }

  /** Every id above `floor` up to here is settled for good. */
  get low(): number {
    let low = this.#high;
    for (const generation of this.#generations) low = Math.min(low, (generation.holes.first ?? low + 1) - 1);
    return Math.min(low, (this.#fresh.first ?? low + 1) - 1);
  }

  /** Ids that may yet appear. */
  get unsealedIds(): number {
    return this.#generations.reduce((sum, generation) => sum + generation.holes.ids, this.#fresh.ids);
  }

  get openGenerations(): number {
    return this.#generations.length;
  }

  /** Ids given up because a bound was reached; the audit is what finds them. */
  get givenUp(): number {
    return this.#givenUp;
  }

  /** Database time of the oldest open hole, undefined when all is sealed. */
  get openSince(): number | undefined {
    return this.#generations[0]?.since;
  }

  /** There are holes that no look has assigned holders to, or a re-read is due. */
  get needsLook(): boolean {
    return this.#fresh.size > 0 || this.#generations.length > 0;
  }

  /**
   * Rows with `high < id <= upTo` were read; `ids` are theirs, ascending. `upTo` is S, or the last id of a page that
   * came back full.
   */
  pulled(upTo: number, ids: readonly number[]): void {
    let next = this.#high + 1;
    for (const id of ids) {
      if (id > next) this.#fresh.add(next, id - 1);
      next = id + 1;
    }
    if (upTo >= next) this.#fresh.add(next, upTo);
    this.#high = Math.max(this.#high, upTo);
  }

  /**
   * Rows with `floor < id <= this.floor` were read, `ids` descending; null when there is none below them. `holders` are
   * those of the transactions that were open when the backfill began that lived at the last look before the read:
   * they may still fill what is missing, and when there are none, what is missing never was.
   */
  pulledDown(
    floor: number | null,
    ids: readonly number[],
    holders: ReadonlySet<string>,
    since: number,
  ): void {
    if (this.#floor === null) return;
    if (holders.size > 0) {
      const holes = new RangeSet();
      // Sequences count from 1, if not from below.
      let from = floor === null ? Math.min(1, ids.at(-1) ?? 1) : floor + 1;
      for (const id of ids.toReversed()) {
        holes.add(from, id - 1);
        from = id + 1;
      }
      holes.add(from, this.#floor);
      // First of all: it is the oldest, and the first to go where there are too many.
      if (holes.size > 0) this.#generations.unshift({ holes, holders, due: false, since });
    }
    this.#floor = floor;
  }

  /**
   * The transactions that hold a writing lock now, read after the last `pulled`. Forms a generation of the fresh
   * holes and marks as due those that a holder has left.
   */
  looked(holders: ReadonlySet<string>, now: number): void {
    for (const generation of this.#generations) {
      const remaining = new Set<string>();
      for (const holder of generation.holders) if (holders.has(holder)) remaining.add(holder);
      if (remaining.size < generation.holders.size) {
        generation.holders = remaining;
        generation.due = true;
      }
    }
    if (this.#fresh.size > 0) {
      this.#generations.push({ holes: this.#fresh, holders: new Set(holders), due: true, since: now });
      this.#fresh = new RangeSet();
    }
  }

  /**
   * The newest small holes: writers of short transactions fill most of them within milliseconds, sooner than the next
   * look. No hole of a long import (it would be read for nothing again and again), none older than `notBefore`.
   */
  recentHoles(notBefore: number, limit: HoleLimit): Range[] {
    const recent: Range[] = [];
    let ids = 0;
    const sets = [this.#fresh];
    for (const generation of this.#generations.toReversed())
      if (generation.since >= notBefore) sets.push(generation.holes);
    for (const holes of sets)
      for (const [from, to] of holes) {
        const width = to - from + 1;
        if (width > limit.width) continue;
        if (ids + width > limit.ids) return recent;
        ids += width;
        recent.push([from, to]);
      }
    return recent;
  }

  /** Ids that were read from among `recentHoles`: they are folded and no longer holes. */
  filled(ids: readonly number[]): void {
    if (ids.length === 0) return;
    for (const holes of [this.#fresh, ...this.#generations.map((generation) => generation.holes)])
      if (ids.some((id) => holes.has(id))) holes.deleteAll(ids);
    this.#generations = this.#generations.filter((generation) => generation.holes.size > 0);
  }

  /** Generations whose holes are to be read again now. */
  due(): Generation[] {
    return this.#generations.filter((generation) => generation.due);
  }

  /** Whether an open hole covers `id`, so that a row with it has not been folded. */
  isOpen(id: number): boolean {
    return this.#fresh.has(id) || this.#generations.some((generation) => generation.holes.has(id));
  }

  /** Whether a row with this id, if there is one, has been folded. */
  holds(id: number): boolean {
    return id <= this.#high && (this.#floor === null || id > this.#floor) && !this.isOpen(id);
  }

  /** All that is open, ascending. */
  holes(): Range[] {
    const sets = [this.#fresh, ...this.#generations.map((generation) => generation.holes)];
    return [...RangeSet.of(sets.flatMap((set) => [...set]).sort(([a], [b]) => a - b))];
  }

  /** The ids that the re-read of a due generation found; they are folded and no longer holes. */
  found(generation: Generation, ids: readonly number[]): void {
    generation.holes.deleteAll(ids);
  }

  /**
   * The re-read of a due generation is complete. With no holder left, what is still missing never was: the
   * generation closes. Otherwise it waits for its next holder to leave.
   */
  settled(generation: Generation): void {
    generation.due = false;
    const closed = generation.holders.size === 0 || generation.holes.size === 0;
    if (closed) this.#generations = this.#generations.filter((other) => other !== generation);
  }

  /** Joins generations that wait for the same holders, and keeps the bounds. Call once per step, after `settled`. */
  compact(): void {
    const byHolders = new Map<string, Generation>();
    const kept: Generation[] = [];
    for (const generation of this.#generations) {
      const key = generation.due ? undefined : [...generation.holders].sort().join(' ');
      const twin = key === undefined ? undefined : byHolders.get(key);
      if (twin) this.#join(twin, generation.holes);
      else {
        if (key !== undefined) byHolders.set(key, generation);
        kept.push(generation);
      }
    }
    while (kept.length > this.#limits.maxGenerations) {
      const [a, b] = kept.splice(0, 2) as [Generation, Generation];
      this.#join(a, b.holes);
      // A holder of the one may not be one of the other: re-reads too often, misses nothing.
      a.holders = new Set([...a.holders, ...b.holders]);
      a.due ||= b.due;
      kept.unshift(a);
    }
    let ranges = kept.reduce((sum, generation) => sum + generation.holes.size, 0);
    while (ranges > this.#limits.maxRanges) {
      const oldest = kept.shift() as Generation; // not empty: it holds ranges
      ranges -= oldest.holes.size;
      this.#givenUp += oldest.holes.ids;
    }
    this.#generations = kept;
  }

  #join(into: Generation, holes: Iterable<Range>): void {
    for (const [from, to] of holes) into.holes.add(from, to);
  }
}
