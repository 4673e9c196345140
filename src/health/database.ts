/** The database: how long a question takes, and its connections by state against their maximum. */
import { type Check, concern, well } from './check.js';

/** A connection of the check's own, made anew where it was lost. Rows are arrays of raw text. */
export interface DatabaseAsk {
  /** @throws what the connection or the server says */
  ask(sql: string): Promise<(string | null)[][]>;
  /** Ends the connection, and with it a question under way. */
  close(): void;
}

/** Percent of the maximum, as the rule database_connection has it. */
const CONNECTIONS_LIMIT = 90;

/**
 * The state of other roles' sessions is hidden from a role without pg_read_all_stats, and so is their kind: whoever is in
 * some database is counted then.
 */
const SQL = `SELECT CASE WHEN backend_type IS NULL THEN 'hidden' ELSE coalesce(state, 'starting') END, count(*),
    current_setting('max_connections'), current_setting('superuser_reserved_connections')
  FROM pg_stat_activity
  WHERE backend_type = 'client backend' OR (backend_type IS NULL AND datid IS NOT NULL) GROUP BY 1`;

/** Always told, so that a graph has them when there is none. */
const STATES = ['active', 'idle', 'idle_in_transaction', 'idle_in_transaction_aborted'];

export function databaseCheck(database: DatabaseAsk): Check {
  return {
    component: 'database',
    async ask(signal) {
      const cancel = () => database.close();
      signal.addEventListener('abort', cancel, { once: true });
      try {
        return judge(await database.ask(SQL));
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    },
    close: () => database.close(),
  };
}

function judge(rows: (string | null)[][]) {
  const connections: Record<string, number> = Object.fromEntries(STATES.map((state) => [state, 0]));
  for (const [state, count] of rows) connections[nameOf(state ?? '')] = Number(count);
  const used = Object.values(connections).reduce((sum, count) => sum + count, 0);
  const [, , max, reserved] = rows[0] ?? [];
  const details = {
    connections,
    connections_used: used,
    connections_max: Number(max),
    connections_reserved: Number(reserved),
  };
  const full = used > (Number(max) * CONNECTIONS_LIMIT) / 100;
  const message = `answers; ${used} of ${max} connections are used`;
  return full ? concern(message, details) : well(message, details);
}

/** `idle in transaction (aborted)` as a label. */
function nameOf(state: string): string {
  return state.replace(/[()]/g, '').trim().replaceAll(' ', '_');
}
