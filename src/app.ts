/** All wiring: the only place that sees every folder. */
import { config as rxjs } from 'rxjs';
import { type AlertsConfig, alertsConfig } from './alert-settings.js';
import { celeryConfig } from './celery-service.js';
import { UsageError } from './commands-end.js';
import type { Config } from './config.js';
import { watchDescriptors } from './descriptors.js';
import { shipped, version } from './files.js';
import { healthConfig } from './health-settings.js';
import { createAccess } from './http/auth.js';
import { LiveHub } from './http/live.js';
import { createApp } from './http/routes.js';
import { startServer } from './http/server.js';
import { loadPage } from './http/static.js';
import { readTls, type TlsFiles } from './http/tls.js';
import type { Logger } from './log.js';
import { logRows } from './log-rows.js';
import { startMonitor } from './monitor.js';
import { Link } from './source/connection.js';
import { connectOrExplain } from './source/connection-fault.js';
import {
  migrate as install,
  pendingStatements,
  removalStatements,
  unmigrate as remove,
  type Statement,
} from './source/migrate.js';
import { discoverTable, type TableInfo } from './source/table.js';

export interface Served {
  /** Where to open the page. */
  readonly address: string;
  /** Ends everything in order, within 5 s. */
  stop(): Promise<void>;
}

/** Besides those of WebSocket clients. */
const REQUEST_CONNECTIONS = 1_000;

/**
 * Follows the table and serves what it finds.
 * @throws UsageError for receivers, a rules file or files of TLS that cannot be used; with one sentence when the database, the table or
 *   the port cannot
 */
export async function serve(config: Config, { log }: { readonly log: Logger }): Promise<Served> {
  const onError = (error: unknown, where: string) =>
    log.error({ event_type: 'internal', where, error }, `failed in ${where}`);
  // A watcher of the streams that throws loses its subscription; RxJS would end the process with it.
  rxjs.onUnhandledError = (error) => onError(error, 'a watcher of the streams');
  // What can be wrong with the settings is found before anything runs.
  const access = createAccess({
    host: config.HOST,
    auth: config.AUTH,
    authToken: config.AUTH_TOKEN ?? undefined,
    viewerToken: config.VIEWER_TOKEN ?? undefined,
    metricsToken: config.METRICS_TOKEN ?? undefined,
    publicUrl: config.PUBLIC_URL ?? undefined,
    trustProxy: config.TRUST_PROXY,
    onLimited: (address) =>
      log.warn({ event_type: 'access', address }, 'too many wrong tokens: this address has to wait'),
  });
  const tls = tlsFiles(config);
  const alerts = usableAlerts(config);
  const page = await loadPage(shipped('dist/dashboards/live'));
  const monitor = await startMonitor({
    databaseUrl: databaseUrl(config),
    table: config.SYNC_LOG_TABLE,
    bell: config.BELL,
    manualResolutionMinutes: config.MANUAL_RESOLUTION_MINUTES,
    hourCost: config.HOUR_COST ?? undefined,
    retentionDays: config.ROLLUP_RETENTION_DAYS,
    history: config.HISTORY,
    backfillRowsPerSecond: config.BACKFILL_MAX_ROWS_PER_SECOND,
    alerts,
    health: healthConfig(config),
    celery: celeryConfig(config),
    log,
  });
  const rows = logRows(log, monitor.events$);
  const hub = new LiveHub(monitor, { limits: { clients: config.MAX_WS_CLIENTS }, onError });
  const app = createApp(monitor, {
    access,
    page,
    unmask: config.UNMASK,
    onUnmasked: (access) => log.warn({ event_type: 'unmasked', ...access }, 'personal data was shown'),
    onSignOut: (session) => hub.endSession(session),
    metricsEnabled: config.PROMETHEUS_METRICS_ENABLED,
    metricsCacheTtl: config.METRICS_CACHE_TTL,
    liveStats: () => hub.stats(),
    version: version(),
    onError,
  });
  try {
    const server = await startServer({
      ...{ host: config.HOST, port: config.PORT, app, hub, access, tls, onError },
      limits: { connections: config.MAX_WS_CLIENTS + REQUEST_CONNECTIONS },
      onCertificate: () => log.info({ event_type: 'tls' }, 'another certificate is in use'),
    });
    const unwatch = watchDescriptors(log, config.MAX_WS_CLIENTS + REQUEST_CONNECTIONS);
    log.info({ event_type: 'serving', address: server.url, access: access.mode }, `open ${server.url}`);
    return {
      address: server.url,
      async stop() {
        unwatch();
        await server.close(1_500);
        rows.unsubscribe();
        await monitor.stop();
      },
    };
  } catch (error) {
    rows.unsubscribe();
    await hub.close();
    await monitor.stop();
    throw error;
  }
}

/** @throws UsageError for files that cannot be used */
function tlsFiles({ TLS_CERT: cert, TLS_KEY: key }: Config): TlsFiles | undefined {
  if (cert === null || key === null) return undefined;
  try {
    readTls({ cert, key });
  } catch (error) {
    throw new UsageError(`wrong settings:\n  ${(error as Error).message}`, { cause: error });
  }
  return { cert, key };
}

function usableAlerts(config: Config): AlertsConfig {
  try {
    return alertsConfig(config);
  } catch (error) {
    const lines = (error as Error).message.replaceAll('\n', '\n  ');
    throw new UsageError(`wrong settings:\n  ${lines}`, { cause: error });
  }
}

interface MigrateDeps {
  readonly dryRun: boolean;
  readonly log: Logger;
  /** Where the SQL of a dry run goes, a line at a time. */
  readonly print: (line: string) => void;
}

/** Installs schema and bell, or prints the SQL that would. @throws with one sentence when it may not */
export function migrate(config: Config, deps: MigrateDeps): Promise<void> {
  return withTable(config, async (link, table) => {
    const todo = deps.dryRun
      ? await pendingStatements(link, table, config.BELL, shipped('sql'))
      : await install(link, table, config.BELL, shipped('sql'));
    report(todo, deps, `the monitor's schema and bell are installed on ${table.qualified}`);
  });
}

/** Removes all that `migrate` added, or prints the SQL that would. @throws with one sentence when it may not */
export function unmigrate(config: Config, deps: MigrateDeps): Promise<void> {
  return withTable(config, async (link, table) => {
    const todo = deps.dryRun
      ? await removalStatements(link, table, shipped('sql'))
      : await remove(link, table, shipped('sql'));
    report(todo, deps, `nothing of the monitor is on ${table.qualified}`);
  });
}

function report(todo: readonly Statement[], { dryRun, log, print }: MigrateDeps, nothing: string): void {
  if (todo.length === 0) {
    if (dryRun) print(`-- Nothing to do: ${nothing}.`);
    else log.info({ event_type: 'migrate' }, `nothing to do: ${nothing}`);
  }
  for (const { title, sql } of todo) {
    if (dryRun) print(`-- ${title}\n${sql}\n`);
    else log.info({ event_type: 'migrate' }, `done: ${title}`);
  }
}

async function withTable(
  config: Config,
  work: (link: Link, table: TableInfo) => Promise<void>,
): Promise<void> {
  const url = databaseUrl(config);
  const link = new Link('migrate', { url, maybeShared: true });
  await connectOrExplain(link, url);
  try {
    await work(link, await discoverTable(link, config.SYNC_LOG_TABLE));
  } finally {
    link.close();
  }
}

function databaseUrl(config: Config): string {
  if (config.DATABASE_URL === null)
    throw new Error('DATABASE_URL is not set; it names the database to work on.');
  return config.DATABASE_URL;
}
