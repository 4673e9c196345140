/** When to hold the bell's key. A pure decision, so that every edge is a row of a table in the test. */
export interface BellObservation {
  /** Monotonic, ms. */
  readonly now: number;
  readonly armed: boolean;
  /** The trigger is there, the listener proven, the keeper connected and leading. */
  readonly usable: boolean;
  /** Notifications heard within the last 100 ms. */
  readonly recentBells: number;
  /** Rows read within the last 250 ms. */
  readonly recentRows: number;
  /** Sessions waiting for the commit lock of NOTIFY at the last look. */
  readonly commitWaiters: number;
  /** 0..1 */
  readonly queueUsage: number;
  /** A page came back full: there is more to read at once. */
  readonly backlog: boolean;
  /** When contention was last seen, ms; -Infinity for never. */
  readonly contendedAt: number;
  /** When arming was last tried, ms. */
  readonly triedAt: number;
}

export type BellDecision =
  | { readonly action: 'arm' | 'disarm'; readonly reason: string; readonly contended: boolean }
  | { readonly action: 'stay'; readonly reason: string; readonly contended: boolean };

/** More than one bell each 5 ms: polling is cheaper for everybody. */
const STORM_BELLS = 20;
/** Below 100 rows/s a bell costs writers nothing that can be measured. */
const CALM_ROWS = 25;
const CALM_AFTER_CONTENTION_MS = 1_000;
const RETRY_MS = 100;
export const QUEUE_LIMIT = 0.01;

export function decideBell(seen: BellObservation): BellDecision {
  const contended = seen.commitWaiters > 0;
  if (seen.armed) {
    const disarm = (reason: string): BellDecision => ({ action: 'disarm', reason, contended });
    if (!seen.usable) return disarm('the bell is not usable');
    if (contended) return disarm('writers wait for the commit lock of NOTIFY');
    if (seen.queueUsage > QUEUE_LIMIT) return disarm('the notification queue is filling');
    if (seen.recentBells >= STORM_BELLS) return disarm('more than one bell each 5 ms');
    if (seen.backlog) return disarm('a backlog is being read');
    return { action: 'stay', reason: 'idle', contended };
  }
  const stay = (reason: string): BellDecision => ({ action: 'stay', reason, contended });
  if (!seen.usable) return stay('the bell is not usable');
  if (contended || seen.now - seen.contendedAt < CALM_AFTER_CONTENTION_MS)
    return stay('contention less than 1 s ago');
  if (seen.queueUsage > QUEUE_LIMIT) return stay('the notification queue is filling');
  if (seen.backlog) return stay('a backlog is being read');
  if (seen.recentBells >= STORM_BELLS) return stay('somebody else rings the bell');
  if (seen.recentRows >= CALM_ROWS) return stay('rows come faster than 100 per second');
  if (seen.now - seen.triedAt < RETRY_MS) return stay('a writer held the key a moment ago');
  return { action: 'arm', reason: 'idle', contended };
}
