/**
 * A rollup reduced to what the windows need, as facts.ts does it with rows: places in `numbers` instead of names.
 */
import { spreadExtremes } from './extremes.js';
import type { Names } from './names.js';
import { ADMIN_MAILS, countAt, durationAt, METHODS_AT, SOURCES_AT, TYPES_AT_FIRST } from './numbers.js';
import type { Rollup, Tally } from './rollup.js';
import type { Vocabulary } from './vocabulary.js';

export interface RollupFacts {
  readonly type: number;
  /** Whether the type is one that not everybody has room for. */
  readonly wide: boolean;
  readonly rollup: Rollup;
  /** Places among the numbers, and what to add there. */
  readonly places: readonly number[];
  readonly amounts: readonly number[];
}

/** `type`: the index of its operation type. Registers the names that are new. */
export function rollupFacts(rollup: Rollup, type: number, words: Vocabulary): RollupFacts {
  const places: number[] = [];
  const amounts: number[] = [];
  const put = (place: number, amount: number): void => {
    if (amount === 0) return;
    places.push(place);
    amounts.push(amount);
  };
  const putAll = (tally: Tally, first: number, names: Names): void => {
    for (const [name, count] of tally) put(first + names.index(name), count);
  };
  putAll(rollup.statuses, countAt(type, 0), words.statuses);
  putAll(rollup.sources, SOURCES_AT, words.sources);
  putAll(rollup.methods, METHODS_AT, words.methods);
  put(ADMIN_MAILS, rollup.adminMails);
  put(durationAt(type), rollup.durationCount);
  put(durationAt(type) + 1, rollup.durationSum);
  put(durationAt(type) + 2, rollup.durationNegative);
  return { type, wide: type >= TYPES_AT_FIRST, rollup, places, amounts };
}

export function addRollup(numbers: Float64Array, { places, amounts }: RollupFacts): void {
  for (let i = 0; i < places.length; i++) {
    const place = places[i] as number;
    numbers[place] = (numbers[place] as number) + (amounts[i] as number);
  }
}

/** Spreads pairs of minimum and maximum to the durations of a rollup. */
export function spreadToRollup(extremes: Float64Array, { type, rollup }: RollupFacts): void {
  const { durationMin, durationMax } = rollup;
  if (durationMin !== null && durationMax !== null) spreadExtremes(extremes, type, durationMin, durationMax);
}
