/** `doctor`: which checks there are, what each needs, and what they ask. Nothing is changed anywhere. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config.js';
import { judgeBell } from './doctor/bell.js';
import {
  type Ask,
  type Check,
  type Finding,
  fault,
  ok,
  type Report,
  runChecks,
  warning,
} from './doctor/check.js';
import { checkDisk, judgeAccess, judgePrometheus, judgeWebhooks } from './doctor/host.js';
import { checkPartitions, findLeaves, judgeIndexes } from './doctor/leaves.js';
import { checkRedis } from './doctor/redis.js';
import * as server from './doctor/server.js';
import * as table from './doctor/table.js';
import { shipped } from './files.js';
import { Asking } from './health/asking.js';
import { onecCheck } from './health/onec.js';
import { isLoopback } from './http/auth.js';
import { redactUrl } from './log.js';
import { Link } from './source/connection.js';
import { explainConnection } from './source/connection-fault.js';
import { keysOf } from './source/keeper.js';
import { type BellSetting, pendingStatements, triggerState, writersMayRing } from './source/migrate.js';
import { detectPooling, poolingRefusal } from './source/pooler.js';
import { OLDEST_VERSION } from './source/prepare.js';
import {
  discoverTable,
  type FoundSequence,
  findSequence,
  KINDS,
  namesOf,
  OPTIONAL,
  REQUIRED,
  TableError,
} from './source/table.js';

/** One statement; below the check's own time, so that a slow one says which it was. */
const STATEMENT_MS = 5_000;
const CHECK_MS = 12_000;

/** Checks the set-up that `config` describes; `folder` is where the monitor would be started. Never throws. */
export async function doctor(config: Config, folder: string): Promise<Report> {
  const link = new Link('doctor', {
    url: config.DATABASE_URL ?? '',
    queryTimeoutMs: STATEMENT_MS + 2_000,
    maybeShared: true,
  });
  try {
    const checks = [...databaseChecks(config, link), ...hostChecks(config, folder)];
    return await runChecks(checks, { timeoutMs: CHECK_MS, clean: redactUrl });
  } finally {
    link.close();
  }
}

function hostChecks(config: Config, folder: string): Check[] {
  const loopback = isLoopback(config.HOST);
  const { AUTH_TOKEN, VIEWER_TOKEN, METRICS_TOKEN } = config;
  const data = join(folder, 'data');
  return [
    { check: 'disk', run: () => checkDisk(existsSync(data) ? data : folder) },
    { check: 'redis', run: () => checkRedis(config.REDIS_URL, STATEMENT_MS) },
    { check: '1c_api', run: () => checkOnec(config.HEALTH_CHECK_1C_API_URL) },
    { check: 'webhooks', run: judgeWebhooks },
    {
      check: 'prometheus',
      run: () => {
        const open = config.AUTH === 'off' || (AUTH_TOKEN ?? VIEWER_TOKEN ?? METRICS_TOKEN) === null;
        return judgePrometheus(config.PROMETHEUS_METRICS_ENABLED, open);
      },
    },
    {
      check: 'access',
      run: () =>
        judgeAccess({
          host: config.HOST,
          loopback,
          auth: config.AUTH,
          tokens: { AUTH_TOKEN, VIEWER_TOKEN, METRICS_TOKEN },
        }),
    },
  ];
}

/** As `serve` will ask it. */
async function checkOnec(url: string | null): Promise<Finding> {
  if (url === null) return ok('Not configured (HEALTH_CHECK_1C_API_URL).');
  const { available, message } = await new Asking(onecCheck(url), STATEMENT_MS).ask(
    new AbortController().signal,
  );
  if (available) return ok(`The API of 1C ${message}.`);
  return fault(
    `The API of 1C ${message}.`,
    'Correct HEALTH_CHECK_1C_API_URL, or start what is to answer there.',
  );
}

/** Each check runs in a read-only transaction of its own: through a pooler no setting of ours is left to others. */
function databaseChecks(config: Config, link: Link): Check[] {
  const ask: Ask = (sql, values) => link.query(sql, values);
  const url = config.DATABASE_URL;
  const found: { relation?: table.Relation; sequence?: FoundSequence } = {};
  const relation = (): table.Relation => {
    if (!found.relation) throw new Error('the table was not found');
    return found.relation;
  };
  const inDatabase = (check: string, needs: readonly string[], work: () => Promise<Finding>): Check => ({
    check,
    needs: ['connection', ...needs],
    run: () => readOnly(link, work),
  });
  return [
    { check: 'connection', run: () => connect(link, url) },
    { check: 'pooler', needs: ['connection'], run: () => checkPooler(link, url ?? '') },
    inDatabase('version', [], () => server.checkVersion(ask, OLDEST_VERSION)),
    inDatabase('primary', [], () => server.checkPrimary(ask)),
    inDatabase('idle_session_timeout', [], () => server.checkIdleTimeout(ask)),
    inDatabase('connections', [], () => server.checkConnections(ask)),
    inDatabase('clock', [], () => server.checkClock(ask)),
    inDatabase('notification_queue', [], () => server.checkQueue(ask)),
    inDatabase('prepared_transactions', [], () => server.checkPrepared(ask, config.BELL)),
    inDatabase('table', [], async () => {
      const it = await table.findRelation(ask, namesOf(config.SYNC_LOG_TABLE));
      if (it) found.relation = it;
      const sequence = it && (await findSequence(link, it.oid));
      if (sequence) found.sequence = sequence;
      const usable = it?.kind === 'r' || it?.kind === 'p';
      const similar = usable ? [] : await table.similarTables(ask);
      return table.judgeRelation(it, { label: config.SYNC_LOG_TABLE, kinds: KINDS, similar });
    }),
    inDatabase('privileges', ['table'], () => {
      const columns = { required: Object.keys(REQUIRED), optional: Object.keys(OPTIONAL) };
      return table.checkPrivileges(ask, relation(), columns, found.sequence);
    }),
    inDatabase('row_security', ['table'], () => table.checkRowSecurity(ask, relation())),
    inDatabase('id_type', ['table'], () => table.checkIdType(ask, relation(), found.sequence)),
    inDatabase('sequence', ['id_type'], async () => table.judgeSequence(relation(), found.sequence)),
    inDatabase('columns', ['privileges', 'row_security', 'sequence'], () => checkColumns(link, config)),
    inDatabase('partitions', ['columns'], async () =>
      checkPartitions(ask, relation(), await findLeaves(ask, relation().oid)),
    ),
    inDatabase('indexes', ['table'], async () => judgeIndexes(await findLeaves(ask, relation().oid))),
    inDatabase('trigger', ['columns'], () => checkTrigger(link, config)),
  ];
}

async function readOnly(link: Link, work: () => Promise<Finding>): Promise<Finding> {
  // An earlier check may have been given up, and its connection with it.
  if (!link.connected) await link.connect();
  await link.query(
    `BEGIN READ ONLY; SET LOCAL statement_timeout = ${STATEMENT_MS}; SET LOCAL lock_timeout = 1000`,
  );
  try {
    return await work();
  } finally {
    if (link.connected) await link.query('ROLLBACK');
  }
}

async function connect(link: Link, url: string | null): Promise<Finding> {
  if (url === null)
    return fault(
      'DATABASE_URL is not set: "serve" would start an embedded PostgreSQL with sample traffic.',
      'Set DATABASE_URL=postgres://role:password@host:5432/database.',
    );
  try {
    await link.connect();
  } catch (error) {
    const { message, remedy } = explainConnection(error, url);
    return fault(message, remedy);
  }
  const [row] = await link.query(
    `SELECT current_database(), current_user, (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())`,
  );
  return ok(
    `Connected to database ${row?.[0]} as role ${row?.[1]}, ${row?.[2] === 't' ? 'with' : 'without'} TLS.`,
  );
}

async function checkPooler(link: Link, url: string): Promise<Finding> {
  const pooling = await detectPooling(link, url);
  const direct =
    'Let DATABASE_URL lead to PostgreSQL itself (host and port of the server, not of the pooler).';
  if (pooling === 'none') return ok('The connection is direct.');
  if (pooling !== 'session') return fault(poolingRefusal(pooling), direct);
  return warning(
    'A pooler in session mode is in between: all works, and each of our connections keeps one of its server connections.',
    `${direct} Else give its pool ${server.CONNECTIONS_NEEDED} connections more (pgbouncer: default_pool_size).`,
  );
}

/** The very discovery that `serve` starts with: whatever it refuses or warns of is told here too. */
async function checkColumns(link: Link, config: Config): Promise<Finding> {
  try {
    const { warnings, columns } = await discoverTable(link, config.SYNC_LOG_TABLE);
    const absent = warnings.filter((text) => text.startsWith('Column '));
    if (absent.length === 0)
      return ok(`All ${Object.keys(REQUIRED).length + columns.size} columns are there.`);
    return warning(
      absent.join(' '),
      'Nothing, where the portal does not log it; else let its migrations add the column, or grant its SELECT.',
    );
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
    return fault(
      error.message,
      "Set SYNC_LOG_TABLE to the portal's log table, or bring its columns up to date (manage.py migrate).",
    );
  }
}

async function checkTrigger(link: Link, config: Config): Promise<Finding> {
  const info = await discoverTable(link, config.SYNC_LOG_TABLE);
  const [row] = await link.query(`SELECT current_setting('max_prepared_transactions')`);
  // As `serve` decides: src/source/prepare.ts.
  const setting: BellSetting = config.BELL === 'auto' && row?.[0] !== '0' ? 'off' : config.BELL;
  const pending = await pendingStatements(link, info, setting, shipped('sql'));
  return judgeBell({
    table: info.qualified,
    setting,
    state: await triggerState(link, info, keysOf(info.qualified)),
    pending: pending.map(({ sql }) => sql).join('\n'),
    writersMay: await writersMayRing(link),
  });
}
