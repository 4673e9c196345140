/** Where alerts are kept: whether this role may, and the connections for it. */
import type { AlertsConfig } from './alert-settings.js';
import type { AlertsOptions } from './alerts/alerts-options.js';
import { redisCooldown } from './alerts/cooldown-redis.js';
import { type Db, HISTORY_SESSION } from './history/db.js';
import { historyUsable, type Needs } from './history/usable.js';
import { Link } from './source/connection.js';
import type { SourceLog } from './source/journal.js';

const KEPT = ['SELECT', 'INSERT', 'UPDATE'] as const;
const PRUNED = [...KEPT, 'DELETE'] as const;

/** What alerts do in the schema sync_monitor. */
export const ALERT_NEEDS: Needs = {
  ...{ alert_state: KEPT, receiver_gone: KEPT, alert_cooldown: KEPT },
  ...{ alert: PRUNED, silence: PRUNED, outbox: PRUNED },
  delivery: ['SELECT', 'INSERT', 'DELETE'],
};
const QUERY_TIMEOUT_MS = 5_000;

export interface AlertPlaceOptions {
  readonly url: string;
  /** The watched table, schema-qualified. */
  readonly tableName: string;
  readonly config: AlertsConfig;
  readonly log: SourceLog;
}

export interface AlertPlace {
  /** For one `Alerts` after the other; only the last one may be in use. */
  readonly options: AlertsOptions;
  close(): void;
}

/**
 * Whether this role may keep alerts; that it may not is said in the log.
 * @throws what the connection throws
 */
export async function alertsUsable(db: Db, log: SourceLog): Promise<boolean> {
  const reason = await historyUsable(db, ALERT_NEEDS);
  if (reason !== undefined) log.warn({ event_type: 'alerts_off', reason }, `there are no alerts: ${reason}`);
  return reason === undefined;
}

/** @param clock the database's, ms */
export function openPlace(options: AlertPlaceOptions, clock: () => number): AlertPlace {
  const { url, tableName, config, log } = options;
  const link = new Link('alerts', { url, session: HISTORY_SESSION, queryTimeoutMs: QUERY_TIMEOUT_MS });
  const redis =
    config.redisUrl === null ? undefined : redisCooldown(config.redisUrl, `${placeOf(url)} ${tableName}`);
  let closed = false;
  const { rules, receivers, templates, locale, policy, publicUrl, limits } = config;
  return {
    options: {
      ...{ rules, receivers, templates, locale, policy, publicUrl, clock, log },
      table: tableName,
      connection: {
        get connected() {
          return link.connected;
        },
        async connect() {
          if (!closed) await link.connect();
          // Who is late with writing something down must not leave a connection behind.
          if (closed) link.close();
        },
        query: (text, values) => link.query(text, values),
      },
      rateLimitSeconds: limits.rateLimitSeconds,
      cooldowns: redis ? [redis] : [],
    },
    close() {
      closed = true;
      redis?.close();
      link.close();
    },
  };
}

/** Server and database of a URL, without who asks. */
function placeOf(url: string): string {
  if (!URL.canParse(url)) return '';
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
