/** When to try again, as values: the timers are in connection.ts. */
import { backoff } from '../../../streams/backoff.js';

/** `connecting`: for the first time; `lost` lasts until it is open again, over all tries. */
export type ConnectionState = 'connecting' | 'open' | 'lost';

const PAUSES = { firstMs: 250, longestMs: 10_000 };

/**
 * The pause before the next try, ms. Grows with the failures, and is spread so that a monitor that starts anew does not
 * get all its viewers in the same moment.
 * @param failures tries since it last worked, 0 for the first
 * @param random 0..1
 */
export function pauseAfter(failures: number, random: number): number {
  return backoff(failures, PAUSES, random);
}

/** How long a connection may say nothing before it is taken for dead, ms: two heartbeats and some delay. */
export function silenceMs(heartbeatMs: number): number {
  return heartbeatMs * 2 + 2_000;
}
