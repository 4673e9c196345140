/** Stays connected to a monitor that was reached once, through its restarts and outages. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect } from './tail-connection.js';

/** Who listens over all connections. */
export interface Follower {
  readonly take: ConnectionOptions['onMessage'];
  /** A connection that was open has ended; the next one is being tried. */
  lost(reason: string): void;
  /** Whether there has been a `hello`. */
  readonly connected: boolean;
  /** What forbids another connection; null: nothing. */
  readonly fault: string | null;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;

/** Gives null when the signal has ended it, and otherwise why the monitor cannot be reached at first, or refuses us. */
export async function stayConnected(
  { url, token, signal }: Omit<ConnectionOptions, 'onMessage'>,
  follower: Follower,
): Promise<string | null> {
  let retry = FIRST_RETRY_MS;
  for (;;) {
    const onMessage: ConnectionOptions['onMessage'] = (message, send) => follower.take(message, send);
    const ending = await connect({ url, token, signal, onMessage });
    if (signal.aborted) return null;
    const never = !follower.connected && ending.how === 'unreachable';
    if (ending.how === 'refused' || follower.fault !== null || never) {
      const hint = ending.how === 'unreachable' ? ' (is "sync-monitor serve" running there?)' : '';
      return `${follower.fault ?? ending.reason}${hint}`;
    }
    if (ending.how === 'lost') {
      retry = FIRST_RETRY_MS;
      follower.lost(ending.reason);
    }
    // Half to the whole of it, so that many clients do not come back in one moment. Cut short by the signal only.
    await sleep(retry * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return null;
    retry = Math.min(retry * 2, LAST_RETRY_MS);
  }
}
