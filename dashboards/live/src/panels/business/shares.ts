/** Counts by name as bars. Pure. */

export interface Share {
  readonly name: string;
  readonly count: number;
  /** Of all, percent. */
  readonly percent: number;
  /** Of the largest, 0..1: the length of its bar. */
  readonly length: number;
}

export interface Shares {
  /** The largest first; the same counts by name. */
  readonly shown: readonly Share[];
  /** What is not shown: how many names, and their counts together. */
  readonly rest: { readonly names: number; readonly count: number } | null;
}

/** Names come out of the database: up to 32 unknown ones beside the known. */
const SHOWN = 8;

/** @param most names that are shown, at least 1 */
export function sharesOf(counts: Readonly<Record<string, number>>, most = SHOWN): Shares {
  const sorted = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1));
  const all = sorted.reduce((sum, [, count]) => sum + count, 0);
  const largest = sorted[0]?.[1] ?? 0;
  // One that is left over takes the line that would say so.
  const cut = sorted.length === most + 1 ? sorted.length : most;
  const left = sorted.slice(cut);
  return {
    shown: sorted.slice(0, cut).map(([name, count]) => ({
      ...{ name, count, percent: (count / all) * 100, length: count / largest },
    })),
    rest:
      left.length === 0
        ? null
        : { names: left.length, count: left.reduce((sum, [, count]) => sum + count, 0) },
  };
}
