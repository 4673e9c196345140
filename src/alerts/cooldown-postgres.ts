import type { CooldownStore } from './cooldown.js';
import { type Db, epochMs, msOf } from './db.js';

const CLAIM = `
WITH claimed AS (
  INSERT INTO sync_monitor.alert_cooldown AS c (table_name, rule, transition_id, until)
  VALUES ($1, $2, $3, $4::timestamptz)
  ON CONFLICT (table_name, rule) DO UPDATE SET transition_id = excluded.transition_id, until = excluded.until
    WHERE c.until <= $5::timestamptz OR c.transition_id = excluded.transition_id
  RETURNING NULL::float8 AS until)
SELECT until FROM claimed
UNION ALL
SELECT ${epochMs('until')} FROM sync_monitor.alert_cooldown
WHERE table_name = $1 AND rule = $2 AND NOT EXISTS (SELECT FROM claimed)`;

/** @param table the watched table, under whose name it is kept */
export function postgresCooldown(db: Db, table: string): CooldownStore {
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    name: 'PostgreSQL',
    async claim(rule, transitionId, until, now) {
      // No row at all: somebody else took it within this very statement, and the next one sees whom.
      for (let tries = 0; tries < 3; tries++) {
        const [row] = await db.query(CLAIM, [table, rule, transitionId, iso(until), iso(now)]);
        if (row) return msOf(row[0]);
      }
      return null;
    },
    async take(rule, transitionId, until) {
      await db.query(
        `INSERT INTO sync_monitor.alert_cooldown (table_name, rule, transition_id, until)
         VALUES ($1, $2, $3, $4::timestamptz)
         ON CONFLICT (table_name, rule) DO UPDATE SET transition_id = excluded.transition_id, until = excluded.until`,
        [table, rule, transitionId, iso(until)],
      );
    },
  };
}
