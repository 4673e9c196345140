import type { HistoryLog, StoreConnection } from './db.js';
import type { WaitingLimits } from './waiting.js';

export interface HistoryStoreOptions {
  /** For this store alone; its session is HISTORY_SESSION. */
  readonly link: StoreConnection;
  /** Qualified: whose history it is. */
  readonly tableName: string;
  /** The database's clock, ms. */
  readonly clock: () => number;
  /** How long anything is kept; minutes MINUTES_KEPT_DAYS at most. */
  readonly retentionDays: number;
  readonly log: HistoryLog;
  readonly limits?: Partial<WaitingLimits>;
}

export interface FlushResult {
  /** Rows of the log that are in history now and were not before. */
  readonly rows: number;
  /** Rows of rollups that were written, and their bytes. */
  readonly minutes: number;
  readonly bytes: number;
  readonly durationMs: number;
}
