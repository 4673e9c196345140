import { Link } from './connection.js';

/** What stands between us and the server: nothing, or a pooler that keeps a backend for a session, or does not. */
export type Pooling = 'none' | 'session' | 'transaction' | 'statement';

const ROUNDS = 3;
/** Asked several times a round: of a pooler that hands out idle backends in turn, one answer could be ours by chance. */
const QUESTIONS = 3;

/**
 * Tells whether a pooler stands in between. A pooler makes up the process id that it announces when one connects;
 * PostgreSQL announces the true one. Then two sessions that are open together and yet share a backend, or one whose
 * backend changes, are pooled by transaction: no advisory lock, LISTEN or setting would last.
 * @throws what connecting a second time throws, or the query
 */
export async function detectPooling(link: Link, url: string): Promise<Pooling> {
  const own = await backend(link);
  if (own === String(link.announcedPid)) return 'none';
  const other = new Link('pooler probe', { url, queryTimeoutMs: 5_000, maybeShared: true });
  await other.connect();
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      // Its transaction keeps a backend from us while we ask for ours.
      await other.query('BEGIN');
      if ((await backend(other)) === own) return 'transaction';
      for (let question = 1; question <= QUESTIONS; question++)
        if ((await backend(link)) !== own) return 'transaction';
      await other.query('ROLLBACK');
    }
    return 'session';
  } catch (error) {
    // pgbouncer's words, with which it ends the connection.
    if (error instanceof Error && /statement pooling/i.test(error.message)) return 'statement';
    throw error;
  } finally {
    other.close();
  }
}

/** The sentence for a pooler through which nothing can be followed. */
export function poolingRefusal(pooling: 'transaction' | 'statement'): string {
  return `DATABASE_URL leads to a pooler in ${pooling} mode, where no lock, LISTEN or setting lasts; a direct connection to PostgreSQL is needed (or a pooler in session mode).`;
}

async function backend(link: Link): Promise<string> {
  const [row] = await link.query('SELECT pg_backend_pid()');
  return String(row?.[0]);
}
