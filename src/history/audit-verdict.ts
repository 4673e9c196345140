/** What is to be done about the differences that a step found: pure, but for what is remembered until a second look. */

import type { Span } from '../../streams/event.js';
import type { Comparison, Difference } from './audit-compare.js';
import { auditedFrom, type Known, periodMs } from './audit-known.js';
import { DAY_MS } from './cover.js';

export interface Verdict {
  /** Real ones: their periods are to be made anew. */
  readonly differences: readonly Difference[];
  /** By start (ms): rows that the table has now. */
  readonly refold: ReadonlyMap<number, number>;
  /** Old periods of which rows are missing: to be looked at again. */
  readonly suspects: ReadonlyMap<number, number>;
  /** Rows in which the suspects differ. */
  readonly suspectRows: number;
}

/** Start (ms) of the first period of which rows are missing that may have gone by retention; undefined where none is. */
export function firstVanished({ differences, level }: Comparison, known: Known): number | undefined {
  return differences.find(
    (difference) => difference.onlyGone && mayBeRetention(difference.start, level, known),
  )?.start;
}

/**
 * @param known as it is after what was judged about the old end
 * @param sure whether a period of which rows are missing was looked at long enough to know that it is not retention
 */
export function judge(
  { differences, tableRows, level }: Comparison,
  known: Known,
  sure: (start: number, rows: number) => boolean,
): Verdict {
  const refold = new Map<number, number>();
  const suspects = new Map<number, number>();
  const audited = differences.filter(({ start }) => start >= auditedFrom(known));
  const doubtful = new Set(audited.map(({ start }) => start));
  for (const { start, onlyGone } of audited)
    if (!onlyGone || !mayBeRetention(start, level, known)) doubtful.delete(start);
  let suspectRows = 0;
  const real: Difference[] = [];
  for (const difference of audited) {
    const { start } = difference;
    const rows = tableRows.get(start) ?? 0;
    if (doubtful.has(start) && !sure(start, rows)) {
      suspects.set(start, rows);
      suspectRows += difference.rows;
    } else {
      refold.set(start, rows);
      real.push(difference);
    }
  }
  return { differences: real, refold, suspects, suspectRows };
}

function mayBeRetention(start: number, level: Comparison['level'], known: Known): boolean {
  if (known.truncatedBefore !== null && start < known.truncatedBefore) return false;
  return start + periodMs(level) <= known.now - DAY_MS;
}

interface Suspect {
  /** Rows that the table had. */
  readonly rows: number;
  /** Rows that had ever been deleted from the table. */
  readonly deleted: number;
  /** Times that it was looked at. */
  readonly looks: number;
}

interface Group {
  readonly from: number;
  readonly to: number;
  /** By start of the period, ms. */
  readonly periods: ReadonlyMap<number, Suspect>;
  /** Monotonic ms. */
  readonly dueAt: number;
}

/** Groups that are remembered; what is more comes up again in the next round. */
const MOST_GROUPS = 1000;
/** After so many looks it does not matter any more that rows are being deleted somewhere in the table. */
const MOST_LOOKS = 12;

/**
 * Old periods of which rows are missing while older ones are there. A retention that is at work may leave such holes,
 * in whatever order it takes the rows; so they are left alone for as long as rows are being deleted.
 */
export class Suspects {
  #groups: Group[] = [];

  /** Periods. */
  get size(): number {
    return this.#groups.reduce((sum, { periods }) => sum + periods.size, 0);
  }

  /** Monotonic ms; Infinity where there is none. */
  get dueAt(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#groups.map(({ dueAt }) => dueAt));
  }

  /** The span of those that are due first. */
  first(): Span | undefined {
    return this.#groups.toSorted((a, b) => a.dueAt - b.dueAt)[0];
  }

  /** Whether a period with so many rows, while so many were ever deleted, is known long enough at `now`. */
  sure(start: number, rows: number, deleted: number, now: number): boolean {
    const before = this.#due(now, start)?.periods.get(start);
    if (before?.rows !== rows) return false;
    return before.deleted === deleted || before.looks >= MOST_LOOKS;
  }

  /**
   * A step has looked at `span`: those of it whose time had come are forgotten, `suspects` (rows by start) are looked at
   * again at `dueAt`.
   */
  looked(
    span: Span,
    suspects: ReadonlyMap<number, number>,
    at: { readonly now: number; readonly deleted: number; readonly dueAt: number; readonly length: number },
  ): void {
    const { now, deleted, dueAt, length } = at;
    const periods = new Map<number, Suspect>();
    for (const [start, rows] of suspects) {
      if (this.#groups.some((group) => group.dueAt > now && group.periods.has(start))) continue;
      const looks = (this.#due(now, start)?.periods.get(start)?.looks ?? 0) + 1;
      periods.set(start, { rows, deleted, looks });
    }
    this.#forget(span, now);
    if (periods.size === 0 || this.#groups.length >= MOST_GROUPS) return;
    const starts = [...periods.keys()];
    const [from, to] = [Math.min(...starts), Math.max(...starts) + length];
    this.#groups.push({ from, to, periods, dueAt });
  }

  clear(): void {
    this.#groups = [];
  }

  #due(now: number, start: number): Group | undefined {
    return this.#groups.find(({ dueAt, periods }) => dueAt <= now && periods.has(start));
  }

  #forget({ from, to }: Span, now: number): void {
    const kept = (group: Group) =>
      new Map([...group.periods].filter(([start]) => group.dueAt > now || start < from || start >= to));
    this.#groups = this.#groups
      .map((group) => ({ ...group, periods: kept(group) }))
      .filter(({ periods }) => periods.size > 0);
  }
}

export function rowsIn({
  differences,
}: {
  readonly differences: readonly { readonly rows: number }[];
}): number {
  return differences.reduce((sum, { rows }) => sum + rows, 0);
}
