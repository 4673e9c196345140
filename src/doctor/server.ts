/** The server: version, role in replication, clock, room for connections, queues that can fill. */
import { type Ask, type Finding, fault, ok, together, warning } from './check.js';

/** As the README lists them: what it costs the database. */
export const CONNECTIONS_NEEDED = 10;
const SKEW_MS = 2_000;
const QUEUE_CAREFUL = 0.01;
const QUEUE_FULL = 0.5;

export async function checkVersion(ask: Ask, oldest: number): Promise<Finding> {
  const [row] = await ask(`SELECT current_setting('server_version_num'), current_setting('server_version')`);
  const [number, name] = [Number(row?.[0]), row?.[1]];
  if (number >= oldest) return ok(`PostgreSQL ${name}.`);
  return fault(
    `PostgreSQL ${name} is too old: ${oldest / 10_000} or later is needed.`,
    `Upgrade the server to PostgreSQL ${oldest / 10_000} or later.`,
  );
}

export async function checkPrimary(ask: Ask): Promise<Finding> {
  const [row] = await ask('SELECT pg_is_in_recovery()');
  if (row?.[0] === 'f') return ok('The server is the primary.');
  return fault(
    'The server is a hot standby: locks and the bell are where the rows are written.',
    'Let DATABASE_URL name the primary (with several hosts in front: target_session_attrs does not help here).',
  );
}

/** Without it a frozen monitor would keep the bell's key for ever. */
export async function checkIdleTimeout(ask: Ask): Promise<Finding> {
  const [row] = await ask(`SELECT 1 FROM pg_settings WHERE name = 'idle_session_timeout'`);
  if (row) return ok('idle_session_timeout is there: a frozen monitor lets go of the key by itself.');
  return fault(
    'The server does not know idle_session_timeout.',
    'Upgrade the server to PostgreSQL 14 or later.',
  );
}

export async function checkClock(ask: Ask): Promise<Finding> {
  const before = Date.now();
  const [row] = await ask(`SELECT date_part('epoch', clock_timestamp()) * 1000`);
  const after = Date.now();
  return judgeClock(Number(row?.[0]) - (before + after) / 2, after - before);
}

/** `skewMs`: by how much the database is ahead of this host, known to half of `roundTripMs`. */
export function judgeClock(skewMs: number, roundTripMs: number): Finding {
  const seconds = (Math.abs(skewMs) / 1000).toFixed(1);
  if (Math.abs(skewMs) <= SKEW_MS + roundTripMs / 2)
    return ok(`The clocks of this host and the database differ by ${seconds} s.`);
  return warning(
    `The database's clock is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} this host's.`,
    'Let both be set by NTP (timedatectl set-ntp true). The windows slide by the database; times of log lines are of this host.',
  );
}

export async function checkQueue(ask: Ask): Promise<Finding> {
  const [row] = await ask('SELECT pg_notification_queue_usage()');
  return judgeQueue(Number(row?.[0]));
}

/** `usage`: 0..1. */
export function judgeQueue(usage: number): Finding {
  const percent = `${(usage * 100).toFixed(1)} %`;
  if (usage <= QUEUE_CAREFUL) return ok(`The notification queue is ${percent} full.`);
  return (usage > QUEUE_FULL ? fault : warning)(
    `The notification queue is ${percent} full: a listener is stuck in a transaction. The bell is off above 1 %, and when it is full every NOTIFY fails.`,
    'End the oldest transaction of a listening session: find it, then SELECT pg_terminate_backend(its pid).',
    `SELECT pid, application_name, state, xact_start FROM pg_stat_activity WHERE xact_start IS NOT NULL ORDER BY xact_start LIMIT 5;`,
  );
}

export async function checkPrepared(ask: Ask, bell: 'auto' | 'always' | 'off'): Promise<Finding> {
  const [row] = await ask(
    `SELECT current_setting('max_prepared_transactions'),
       (SELECT string_agg(format('ROLLBACK PREPARED %L;', gid), E'\\n' ORDER BY prepared) FROM pg_prepared_xacts
         WHERE database = current_database() AND prepared < now() - interval '1 hour')`,
  );
  const [allowed, forgotten] = [Number(row?.[0]), row?.[1] ?? null];
  const findings: Finding[] = [];
  if (forgotten !== null)
    findings.push(
      warning(
        'Transactions were prepared over an hour ago and neither committed nor rolled back: their ids stay open.',
        'Commit or roll back each of them, as whoever prepared it decides:',
        forgotten,
      ),
    );
  if (allowed > 0 && bell !== 'off')
    findings.push(
      bell === 'auto'
        ? warning(
            `max_prepared_transactions is ${allowed}: with BELL=auto the bell is off, and rows are found by polling.`,
            'Set max_prepared_transactions to 0 and restart the server where nobody uses two-phase commit; else set BELL=off to say that polling is meant.',
            'ALTER SYSTEM SET max_prepared_transactions = 0;',
          )
        : warning(
            `max_prepared_transactions is ${allowed} and BELL=always: a transaction that wrote the table cannot be PREPAREd.`,
            'Set BELL=off or BELL=auto.',
          ),
    );
  return together(
    findings,
    allowed > 0
      ? 'Polling only (BELL=off): transactions may be PREPAREd.'
      : 'No transaction can be prepared.',
  );
}

export async function checkConnections(ask: Ask): Promise<Finding> {
  // An ordinary role sees of other sessions only whose they are: background processes belong to no role.
  const [row] = await ask(
    `SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true)::int, 0) - count(*) FILTER (WHERE usesysid IS NOT NULL AND datid IS NOT NULL),
       (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user),
       count(*) FILTER (WHERE usename = current_user),
       (SELECT datconnlimit FROM pg_database WHERE datname = current_database()),
       count(*) FILTER (WHERE datname = current_database()),
       quote_ident(current_user), quote_ident(current_database()), current_setting('max_connections')
     FROM pg_stat_activity`,
  );
  const [free, roleLimit, ofRole, databaseLimit, ofDatabase] = (row ?? []).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const [role, database, max] = (row ?? []).slice(5);
  // The connection that asks is ours, and goes.
  const rooms = [
    {
      free: free + 1,
      what: `max_connections is ${max}`,
      sql: `ALTER SYSTEM SET max_connections = ${Number(max) + 20};`,
    },
  ];
  if (roleLimit >= 0)
    rooms.push({
      free: roleLimit - ofRole + 1,
      what: `role ${role} has CONNECTION LIMIT ${roleLimit}`,
      sql: `ALTER ROLE ${role} CONNECTION LIMIT ${ofRole + CONNECTIONS_NEEDED + 2};`,
    });
  if (databaseLimit >= 0)
    rooms.push({
      free: databaseLimit - ofDatabase + 1,
      what: `database ${database} has CONNECTION LIMIT ${databaseLimit}`,
      sql: `ALTER DATABASE ${database} CONNECTION LIMIT ${ofDatabase + CONNECTIONS_NEEDED + 20};`,
    });
  return together(
    rooms
      .filter((room) => room.free < CONNECTIONS_NEEDED * 2)
      .map(({ free, what, sql }) => judgeRoom(Math.max(0, free), what, sql)),
    `${free + 1} connections are free; the monitor takes up to ${CONNECTIONS_NEEDED}.`,
  );
}

/** `free`: connections that are left, ours not counted. */
export function judgeRoom(free: number, what: string, sql: string): Finding {
  return (free < CONNECTIONS_NEEDED ? fault : warning)(
    `${free} connections are free, the monitor takes up to ${CONNECTIONS_NEEDED}: ${what}.`,
    'End sessions that nobody needs, or raise the limit (max_connections: and restart the server).',
    sql,
  );
}
