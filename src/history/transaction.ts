import type { CopyingDb, StoreConnection } from './db.js';

export interface TransactionOptions {
  /** All statements see one moment: that of the first. */
  readonly snapshot?: boolean;
  /** From here on it may have been committed, whatever is heard. */
  readonly beforeCommit?: () => void;
}

/**
 * Connects where that is needed, and runs `work` between BEGIN and COMMIT.
 * @throws what the work and the connection throw, rolled back; after a lost COMMIT nobody knows
 */
export async function transaction<T>(
  link: StoreConnection,
  work: (tx: CopyingDb) => Promise<T>,
  { snapshot = false, beforeCommit }: TransactionOptions = {},
): Promise<T> {
  if (!link.connected) await link.connect();
  try {
    await link.query(snapshot ? 'BEGIN ISOLATION LEVEL REPEATABLE READ' : 'BEGIN');
    const result = await work(link);
    beforeCommit?.();
    await link.query('COMMIT');
    return result;
  } catch (error) {
    // The first error is the one to tell; a connection that cannot even roll back is of no more use.
    await link.query('ROLLBACK').catch(() => link.close());
    throw error;
  }
}
