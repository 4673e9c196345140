/**
 * The service level objective: how much of the error budget is left and how fast it goes (SPEC section 7). Windows and
 * lines after the Google SRE Workbook, "Alerting on SLOs", 6: a long window so that it matters, and a short one so that it
 * is over when it is over.
 */
import {
  SLO_WINDOWS,
  type SloBurn,
  type SloCount,
  type SloNumbers,
  type SloReading,
  type SloWindow,
} from './alert.js';
import { sloWords } from './slo-words.js';

export interface SloOptions {
  /** Percent, below 100. */
  readonly target: number;
  readonly windowDays: number;
  /** With fewer operations in its long window nothing burns; default 50. */
  readonly minimumEvents?: number;
  /** With fewer errors in its long window nothing burns: one error of fifty is 2 times the speed; default 5. */
  readonly minimumErrors?: number;
}

/** Errors and operations up to now; null where a period is not known. */
export interface SloCounts {
  readonly windows: Readonly<Record<SloWindow, SloCount | null>>;
  /** Over all of `windowDays`. */
  readonly budget: SloCount | null;
}

const PAIRS = {
  fast: { long: '1h', short: '5m', line: 14.4 },
  slow: { long: '6h', short: '30m', line: 6 },
  steady: { long: '3d', short: '6h', line: 1 },
} as const;

const DAY_SECONDS = 86_400;
// So that 14.4 % of errors at a target of 99.9 % is 144 and not 144.000000000008.
const DIGITS = 1e9;

/** @throws RangeError for a target that leaves no budget, or a window that is no time. */
export function sloReading(counts: SloCounts, options: SloOptions): SloReading {
  const numbers = sloNumbers(counts, options);
  const { budgetLeft, goneInSeconds, burnRates, windowDays } = numbers;
  return {
    ...numbers,
    words: sloWords({ budgetLeft, goneInSeconds, burnRate: burnRates['1h'], windowDays }),
  };
}

/** Without the words, which take longer than all the rest. @throws as sloReading */
export function sloNumbers(counts: SloCounts, options: SloOptions): SloNumbers {
  const { target, windowDays } = options;
  if (!(target >= 0 && target < 100))
    throw new RangeError(`an SLO target of ${target} % leaves no error budget; valid are 0 to below 100`);
  if (!(windowDays > 0)) throw new RangeError(`an SLO window of ${windowDays} days is no time`);
  const rateOf = (count: SloCount | null): number | null => burnRate(count, target);
  const burnRates = Object.fromEntries(
    SLO_WINDOWS.map((window) => [window, rateOf(counts.windows[window])]),
    // One for each of SLO_WINDOWS.
  ) as Record<SloWindow, number | null>;
  const used = rateOf(counts.budget);
  const budgetLeft = used === null ? null : rounded(1 - used);
  const goneInSeconds = goneIn(budgetLeft, burnRates['1h'], windowDays);
  const burn = (pair: keyof typeof PAIRS): SloBurn => burnOf(PAIRS[pair], counts, burnRates, options);
  return {
    target,
    windowDays,
    counts: counts.budget,
    budgetLeft,
    burnRates,
    fast: burn('fast'),
    slow: burn('slow'),
    steady: burn('steady'),
    goneInSeconds,
  };
}

/** How many times faster than allowed errors come; null without operations. */
function burnRate(count: SloCount | null, target: number): number | null {
  if (count === null || count.total <= 0) return null;
  return rounded((count.errors * 100) / count.total / rounded(100 - target));
}

function burnOf(
  { long, short, line }: { readonly long: SloWindow; readonly short: SloWindow; readonly line: number },
  counts: SloCounts,
  rates: SloReading['burnRates'],
  { minimumEvents = 50, minimumErrors = 5 }: SloOptions,
): SloBurn {
  const [slower, faster] = [rates[long], rates[short]];
  const count = counts.windows[long];
  const enough = count !== null && count.total >= minimumEvents && count.errors >= minimumErrors;
  const rate = slower === null || faster === null ? null : Math.min(slower, faster);
  return { long, short, line, rate, enough };
}

/** What is left, at this speed: the whole budget would last the window at a speed of 1. Seconds. */
function goneIn(budgetLeft: number | null, rate: number | null, windowDays: number): number | null {
  if (budgetLeft === null) return null;
  if (budgetLeft <= 0) return 0;
  if (rate === null || rate <= 0) return null;
  const seconds = (budgetLeft * windowDays * DAY_SECONDS) / rate;
  // By then the errors of today have left the window.
  return seconds > windowDays * DAY_SECONDS ? null : Math.round(seconds);
}

function rounded(value: number): number {
  return Math.round(value * DIGITS) / DIGITS;
}
