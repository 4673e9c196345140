/** What history needs of a database connection, and what it tells. */

/** One connection. Rows are arrays of raw text; throws what the server refused, or that the connection was lost. */
export interface Db {
  query(text: string, values?: readonly unknown[]): Promise<(string | null)[][]>;
}

/** Many rows at once. */
export interface CopyingDb extends Db {
  /** Runs a `COPY ... FROM STDIN` of these bytes. */
  copy(text: string, data: Buffer): Promise<void>;
}

export interface StoreConnection extends CopyingDb {
  readonly connected: boolean;
  connect(): Promise<void>;
  /** At once; a transaction under way is rolled back by the server. */
  close(): void;
}

export interface HistoryLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * The session of the one who writes history. What is in a checkpoint must survive a crash whatever the database's
 * default; and a session whose client has gone must not hold the checkpoint for long. Its few statements all walk an
 * index; while a backfill fills a table that nobody has analysed yet, the planner would read all of it for each hundred
 * rows.
 */
export const HISTORY_SESSION = `SET default_transaction_isolation = 'read committed'; SET default_transaction_read_only = off;
  SET synchronous_commit = on; SET row_security = off; SET statement_timeout = 30000; SET lock_timeout = 5000;
  SET idle_in_transaction_session_timeout = 30000; SET tcp_user_timeout = 30000; SET jit = off;
  SET search_path = pg_catalog; SET extra_float_digits = 1; SET timezone = 'UTC'; SET enable_seqscan = off`;

/** For the connection's own patience: above that of the session. */
export const HISTORY_QUERY_TIMEOUT_MS = 35_000;

/** Another process writes, or what is kept is not what we think: everything has to be loaded again. */
export class HistoryLostError extends Error {
  readonly code = 'history_lost';
  constructor(reason: string) {
    super(reason);
    this.name = 'HistoryLostError';
  }
}
