/** When a notice that did not get through is tried again: pure, so that a day of attempts is a table in the tests. */

/** Undelivered for so long, a notice is given up. ms */
export const GIVE_UP_AFTER_MS = 24 * 3_600_000;

const FIRST_PAUSE_MS = 5_000;
/** A receiver that is back hears of it within this time. */
const LONGEST_PAUSE_MS = 300_000;

export interface Failed {
  /** Attempts made, at least 1. */
  readonly attempts: number;
  /** When the notice was made, and the present, ms of one clock. */
  readonly createdAt: number;
  readonly now: number;
  /** How long the receiver asked us to wait, ms; null where it did not. */
  readonly retryAfterMs: number | null;
  /** 0 <= random < 1 */
  readonly random: number;
}

/**
 * The time of the next attempt; null when the notice is to be given up. Pauses double and vary between half and the whole
 * (monitors that failed in one moment must not come back in one). A receiver that asks for more time gets it, up to
 * the last moment before the notice is given up: then it is tried once more.
 */
export function nextAttempt({ attempts, createdAt, now, retryAfterMs, random }: Failed): number | null {
  const end = createdAt + GIVE_UP_AFTER_MS;
  if (now >= end) return null;
  // 2 ** 1000 is still a number, and Math.min brings it down.
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 1_000), LONGEST_PAUSE_MS);
  const wait = Math.max(pause * (0.5 + random / 2), retryAfterMs ?? 0);
  return Math.min(now + Math.ceil(wait), end);
}
