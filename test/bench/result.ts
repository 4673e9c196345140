/** What a bench answers; `main.ts` runs them by name and exits 1 when one does not pass. */
export interface BenchResult {
  readonly name: string;
  /** The line to be held, in words. */
  readonly target: string;
  readonly pass: boolean;
  /** The main figure over its baseline of the same run. */
  readonly ratio?: number;
  /** For people. */
  readonly lines: readonly string[];
  /** For machines. */
  readonly data: Record<string, unknown>;
}

export interface BenchOptions {
  /** A few seconds, to see that it runs; its figures prove nothing. */
  readonly quick?: boolean;
}

/** Middle value and the range, of at least one. */
export function spread(values: readonly number[]): { median: number; min: number; max: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median =
    sorted.length % 2 === 1
      ? (sorted[middle] as number)
      : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
  return { median, min: sorted[0] as number, max: sorted.at(-1) as number };
}
