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
 * @param seen rows that the table had of a suspect when it was looked at first; undefined where it is none
 */
export function judge(
  { differences, tableRows, level }: Comparison,
  known: Known,
  seen: (start: number) => number | undefined,
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
    // Deleting goes on where there are fewer rows than at the first look.
    if (doubtful.has(start) && seen(start) !== rows) {
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

interface Group {
  readonly from: number;
  readonly to: number;
  /** Rows that the table had, by start. */
  readonly rows: ReadonlyMap<number, number>;
  /** Monotonic ms. */
  readonly dueAt: number;
}

/** Groups that are remembered; what is more comes up again in the next round. */
const MOST_GROUPS = 1000;

/** Old periods whose rows vanished, until they are looked at again. */
export class Suspects {
  #groups: Group[] = [];

  /** Periods. */
  get size(): number {
    return this.#groups.reduce((sum, { rows }) => sum + rows.size, 0);
  }

  /** Monotonic ms; Infinity where there is none. */
  get dueAt(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#groups.map(({ dueAt }) => dueAt));
  }

  add(rows: ReadonlyMap<number, number>, periodLength: number, dueAt: number): void {
    if (rows.size === 0) return;
    const known = (start: number) => this.#groups.some((group) => group.rows.has(start));
    const fresh = new Map([...rows].filter(([start]) => !known(start)));
    if (fresh.size === 0 || this.#groups.length >= MOST_GROUPS) return;
    const starts = [...fresh.keys()];
    this.#groups.push({
      from: Math.min(...starts),
      to: Math.max(...starts) + periodLength,
      rows: fresh,
      dueAt,
    });
  }

  /** The span of those that are due first. */
  first(): Span | undefined {
    return this.#groups.toSorted((a, b) => a.dueAt - b.dueAt)[0];
  }

  /** Rows that the table had of a period, where its time has come by `now`. */
  rowsOf(start: number, now: number): number | undefined {
    return this.#groups.find((group) => group.dueAt <= now && group.rows.has(start))?.rows.get(start);
  }

  /** Those between two times that are due were looked at again. */
  forget({ from, to }: Span, now: number): void {
    this.#groups = this.#groups
      .map((group) =>
        group.dueAt > now
          ? group
          : { ...group, rows: new Map([...group.rows].filter(([start]) => start < from || start >= to)) },
      )
      .filter(({ rows }) => rows.size > 0);
  }

  clear(): void {
    this.#groups = [];
  }
}
