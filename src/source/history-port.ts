import type { CursorState } from '../../streams/checkpoint.js';
import type { MinuteOfType } from '../../streams/event.js';

/** Where the source goes on from after a restart, and what it tells there: history, as the source sees it. */
export interface SourceHistory {
  /**
   * Takes over what is kept for this table; undefined where nothing is, and then `begin` follows. What was folded since
   * the last flush is forgotten: it is read again.
   * @throws what the connection throws; the source tries again
   */
  open(identity: string): Promise<Resumed | undefined>;
  /** Forgets everything that is kept, and starts anew with `state`. @throws as above */
  begin(identity: string, state: CursorState): Promise<void>;
  /**
   * Called synchronously at the end of each round: all that was read is folded, and the connections have been proven
   * to be those of the same life of the server. A state that was captured before history's own connection was lost must
   * not be written before the next call: what it says may not have survived a crash.
   * @param capture cheap enough to call every few seconds, not every round; also later, until the next round: it throws
   *   where it cannot be known whether what was read has survived
   * @param ended the last page of a backfill was folded: it need not wait for the next flush's time
   * @returns whether it still waits, for the end of another flush: the next round should not be long in coming
   */
  atRest(capture: () => CursorState, ended: boolean): boolean;
  /** Too much is waiting to be flushed: the backfill pauses. */
  readonly full: boolean;
}

/** What is kept, for the windows. */
export interface Resumed {
  readonly state: CursorState;
  /** Minutes in [from, to), ms, in chunks of any size. */
  minutes(from: number, to: number): AsyncIterable<readonly MinuteOfType[]>;
  /** Smallest id among the settled rows in minutes from `from` on, ms; null for none. */
  firstId(from: number): Promise<number | null>;
}

/**
 * What history belongs to: the epoch of a look without its timeline. After a failover the history that is found in the
 * database is that of the table beside it, whatever was lost.
 */
export function identityOf(epoch: string): string {
  const [system, , ...rest] = epoch.split('/');
  return [system, ...rest].join('/');
}
