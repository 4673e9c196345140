/** When a notice that did not get through is tried again: pure, so that a day of attempts is a table in the tests. */
import { backoff } from '../../streams/backoff.js';

/** Undelivered for so long, a notice is given up. ms */
export const GIVE_UP_AFTER_MS = 24 * 3_600_000;

/** A receiver that is back hears of it within the longest. */
const PAUSES = { firstMs: 5_000, longestMs: 300_000 };

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
  const wait = Math.max(backoff(attempts - 1, PAUSES, random), retryAfterMs ?? 0);
  return Math.min(now + Math.ceil(wait), end);
}
