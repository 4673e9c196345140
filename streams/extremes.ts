/** Pairs of minimum and maximum, one per operation type. */
import type { Facts } from './facts.js';

/** The pairs of nothing: Infinity and -Infinity. */
export function newExtremes(types: number): Float64Array {
  const extremes = new Float64Array(2 * types);
  clearExtremes(extremes);
  return extremes;
}

export function clearExtremes(extremes: Float64Array): void {
  for (let i = 0; i < extremes.length; i += 2) {
    extremes[i] = Number.POSITIVE_INFINITY;
    extremes[i + 1] = Number.NEGATIVE_INFINITY;
  }
}

/** The same pairs with room for so many types. */
export function widenedExtremes(extremes: Float64Array, types: number): Float64Array {
  const wide = newExtremes(types);
  wide.set(extremes);
  return wide;
}

export function spreadExtremes(extremes: Float64Array, type: number, min: number, max: number): void {
  const at = 2 * type;
  if (min < (extremes[at] as number)) extremes[at] = min;
  if (max > (extremes[at + 1] as number)) extremes[at + 1] = max;
}

/** Spreads to the durations of rows `from` to `to` (exclusive). */
export function spreadToFacts(extremes: Float64Array, facts: Facts, from: number, to: number): void {
  const { type, key, durationMs } = facts;
  for (let i = from; i < to; i++) {
    if ((key[i] as number) < 0) continue;
    const duration = durationMs[i] as number;
    spreadExtremes(extremes, type[i] as number, duration, duration);
  }
}
