/**
 * What the source (src/source) says about itself: the raw material of health, /metrics and the realtime answer.
 * Times are milliseconds of the database's clock; null is "not known".
 */

/** How the monitor learns of new rows right now. */
export type BellMode =
  /** Idle, holds the key: every writing statement notifies. */
  | 'armed'
  /** Busy: polls on a short cadence, writers notify nothing. */
  | 'disarmed'
  /** No trigger in use (`BELL=off`, or it may not be installed): polling only. */
  | 'off'
  /** The trigger or the listener was seen not to work: polling until it is proven again. */
  | 'dead';

/** How far the reading of what was there before the first start is. */
export interface BackfillState {
  /** 0..100, of the ids. */
  readonly percent: number;
  /** Read by this process. */
  readonly rows: number;
  /** Those and an estimate of what is left; null until something was read. */
  readonly total: number | null;
  /** Over the last ten seconds. */
  readonly rowsPerSecond: number;
  readonly secondsLeft: number | null;
}

export interface SourceState {
  readonly role: 'starting' | 'leader' | 'standby' | 'stopped';
  /** False while the database does not answer. */
  readonly connected: boolean;
  /** When `connected` last changed, ms of this host's clock. */
  readonly connectedSince: number | null;
  readonly bell: {
    readonly configured: 'auto' | 'always' | 'off';
    readonly mode: BellMode;
    /** Why it is in this mode, one English sentence. */
    readonly reason: string;
    readonly since: number;
  };
  readonly listener: {
    /** Its last nonce came back and none is overdue. */
    readonly proven: boolean;
    readonly restarts: number;
    /** Time of the last proof, ms of this host's clock. */
    readonly provenAt: number | null;
  };
  /** Notifications heard on the bell's channel. */
  readonly bells: number;
  readonly polls: number;
  readonly rowsRead: number;
  /** Every id up to here is settled for good (`low`). */
  readonly sealedId: number;
  /** Every id up to here was looked at once (`high`). */
  readonly highId: number;
  /** Ids between the two that are still open (holes whose writers may yet commit). */
  readonly unsealedIds: number;
  /** Age of the oldest open generation of holes, ms; 0 when all is sealed. */
  readonly sealLagMs: number;
  /** Rows counted with an id beyond the sequence (given explicitly or replicated). */
  readonly aheadRows: number;
  /** Rows or ids that had to be left to the audit because a bound was reached. */
  readonly givenUp: number;
  readonly pendingTracked: number;
  readonly pendingUntracked: number;
  /** 0..1, `pg_notification_queue_usage()`; null when not yet asked. */
  readonly notificationQueueUsage: number | null;
  /** Null when there is nothing left of it, and without history. */
  readonly backfill: BackfillState | null;
  /** Times the folded state was dropped and rebuilt from the table, and why the last time. */
  readonly resets: number;
  readonly lastResetReason: string | null;
  /** What the table cannot show (missing optional columns), and assumptions that do not hold: sentences. */
  readonly warnings: readonly string[];
}
