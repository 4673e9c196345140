/**
 * How a period is put together from what is kept: whole months, days, quarter hours and minutes, and what is left over at
 * its ends from the table. Pure. All times are ms of the Unix epoch, all spans half-open.
 */
import type { Span } from '../../streams/event.js';

export const MINUTE_LEVEL = 0;
export const QUARTER_LEVEL = 1;
export const DAY_LEVEL = 2;
export const MONTH_LEVEL = 3;

/** 0 minute, 1 quarter hour, 2 day, 3 month; all of UTC. */
export type Level = 0 | 1 | 2 | 3;

export const MINUTE_MS = 60_000;
export const QUARTER_MS = 900_000;
export const DAY_MS = 86_400_000;

export interface Coarse {
  readonly level: Level;
  readonly start: number;
}

/** What is kept, as of one moment. */
export interface Kept {
  /** Coarse periods whose rows do not hold all of the finer ones yet. */
  readonly todo: Iterable<Coarse>;
  /** Minutes are kept from here on; before, a quarter hour is the finest and always holds all. A multiple of it. */
  readonly minutesFrom: number;
  /** Rollups are kept from here on. */
  readonly rollupsFrom: number;
  /** The table still has its rows from here on; null: all that it ever had. */
  readonly rawFrom: number | null;
}

/** Whole periods of one level that follow each other. */
export interface Part extends Span {
  readonly level: Level;
}

export interface Cover extends Span {
  /** The period was widened, because what would have to be cut off its ends is not in the table any more. */
  readonly aligned: boolean;
  /** What the parts hold together; empty where `from` is `to`. */
  readonly core: Span;
  /** In order of time, without a gap. */
  readonly parts: readonly Part[];
  /** To be read from the table: before the core, after it, or both in one. */
  readonly edges: readonly Span[];
}

/** What is kept of any period, as of one moment. */
export class Coverage {
  readonly #kept: Kept;
  readonly #todo: readonly Set<number>[] = [new Set(), new Set(), new Set(), new Set()];
  readonly #rollupsFrom: number;

  constructor(kept: Kept) {
    this.#kept = kept;
    for (const { level, start } of kept.todo) this.#todo[level]?.add(start);
    // What begins before it has been dropped, and with it the rest of its quarter hour.
    this.#rollupsFrom = ceil(kept.rollupsFrom, QUARTER_MS);
  }

  /**
   * What lies between each two of these bounds (ascending). Where what a bound cuts in two is not in the table any more,
   * the bound is moved: the last one up, all others down.
   * @returns undefined where the first bound lies before all that is kept, and the table knows more
   */
  between(bounds: readonly number[]): Cover[] | undefined {
    const since = this.#rollupsFrom;
    const [first = 0, last = 0] = [bounds[0], bounds.at(-1)];
    const { rawFrom } = this.#kept;
    if (first < since && (rawFrom === null || rawFrom < Math.min(since, last))) return undefined;
    const used = bounds.map((bound, i) => {
      // Nobody has what lies before.
      if (bound <= since) return bound;
      const unit = this.#finest(bound);
      const start = floor(bound, unit);
      // The first one cuts off what comes before it, the others what comes after them.
      if (start === bound || this.#inTable(i === 0 ? bound : Math.max(start, first))) return bound;
      return i > 0 && i === bounds.length - 1 ? start + unit : start;
    });
    const covers: Cover[] = [];
    for (const [i, from] of used.slice(0, -1).entries()) {
      const to = used[i + 1] ?? from;
      const aligned = from !== bounds[i] || to !== bounds[i + 1];
      covers.push({ from, to, aligned, ...this.#cover(Math.max(from, since), Math.max(to, since)) });
    }
    return covers;
  }

  #cover(from: number, to: number): Pick<Cover, 'core' | 'parts' | 'edges'> {
    const core = { from: ceil(from, this.#finest(from)), to: floor(to, this.#finest(to)) };
    // No whole minute between the bounds.
    if (core.from >= core.to)
      return { core: { from, to: from }, parts: [], edges: from < to ? [{ from, to }] : [] };
    const parts: Part[] = [];
    this.#divide(MONTH_LEVEL, core, parts);
    const ends = [
      { from, to: core.from },
      { from: core.to, to },
    ];
    return { core, parts, edges: ends.filter((end) => end.from < end.to) };
  }

  /** Whole periods of this level that hold all that they should, and what lies between them in finer ones. */
  #divide(level: Level, { from, to }: Span, parts: Part[]): void {
    let rest = from;
    for (let at = firstFrom(level, from); at < to; ) {
      const next = nextAfter(level, at);
      // Beyond what a Date can hold it is NaN.
      if (!(next <= to)) break;
      if (this.#holdsAll(level, at)) {
        if (rest < at) this.#divide(finer(level), { from: rest, to: at }, parts);
        append(parts, level, at, next);
        rest = next;
      }
      at = next;
    }
    if (rest < to) this.#divide(finer(level), { from: rest, to }, parts);
  }

  #holdsAll(level: Level, start: number): boolean {
    if (level === MINUTE_LEVEL) return true;
    if (level === QUARTER_LEVEL && start < this.#kept.minutesFrom) return true;
    return !this.#todo[level]?.has(start);
  }

  /** Length of the finest period that is kept of this time. */
  #finest(at: number): number {
    return at < this.#kept.minutesFrom ? QUARTER_MS : MINUTE_MS;
  }

  /** Whether the table has all rows from here on. */
  #inTable(at: number): boolean {
    return this.#kept.rawFrom === null || this.#kept.rawFrom <= at;
  }
}

/** Start of the period of this level that holds `at`. */
export function startOf(level: Level, at: number): number {
  if (level !== MONTH_LEVEL) return floor(at, LENGTHS[level]);
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

const LENGTHS = [MINUTE_MS, QUARTER_MS, DAY_MS] as const;

function firstFrom(level: Level, from: number): number {
  const start = startOf(level, from);
  return start === from ? from : nextAfter(level, start);
}

function nextAfter(level: Level, start: number): number {
  if (level !== MONTH_LEVEL) return start + LENGTHS[level];
  const date = new Date(start);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
}

function finer(level: Level): Level {
  return level === MONTH_LEVEL ? DAY_LEVEL : level === DAY_LEVEL ? QUARTER_LEVEL : MINUTE_LEVEL;
}

function append(parts: Part[], level: Level, from: number, to: number): void {
  const last = parts.at(-1);
  if (last?.level === level && last.to === from) parts[parts.length - 1] = { level, from: last.from, to };
  else parts.push({ level, from, to });
}

function floor(at: number, unit: number): number {
  return Math.floor(at / unit) * unit;
}

function ceil(at: number, unit: number): number {
  return Math.ceil(at / unit) * unit;
}
