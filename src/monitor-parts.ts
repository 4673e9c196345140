/** What a monitor is made of: all that can be wrong with database and table is found here, before anything runs. */
import { celeryComponents } from '../streams/celery-health.js';
import { type AlertService, alertsFor } from './alert-service.js';
import { CeleryService } from './celery-service.js';
import { shipped } from './files.js';
import { HealthService } from './health-service.js';
import { type HistoryService, historyFor } from './history-service.js';
import type { MonitorConfig } from './monitor-types.js';
import { Link } from './source/connection.js';
import type { SourceLog } from './source/journal.js';
import { installLater, type Prepared, type PrepareOptions, prepare } from './source/prepare.js';

export interface MonitorParts {
  readonly prepared: Prepared;
  /** Or why there is none. */
  readonly history: HistoryService | string;
  readonly alerts: AlertService | undefined;
  readonly health: HealthService;
  readonly celery: CeleryService | undefined;
  readonly log: SourceLog;
  /** Tries again what a busy table refused. @returns what ends that */
  readonly install: () => () => void;
}

const SILENT: SourceLog = { info() {}, warn() {}, error() {} };

/**
 * @throws TableError when the table cannot be watched, the driver's error when the database cannot be reached:
 *   misconfiguration fails now; later outages heal by themselves.
 */
export async function openParts(config: MonitorConfig): Promise<MonitorParts> {
  const log = config.log ?? SILENT;
  const options: PrepareOptions = {
    url: config.databaseUrl,
    table: config.table ?? 'public.customer_sync_logs',
    bell: config.bell ?? 'auto',
    install: config.migrate ?? true,
    sqlDir: shipped('sql'),
    log,
  };
  const prepared = await prepare(options);
  const db = new Link('setup', { url: config.databaseUrl });
  await db.connect();
  const celery = config.celery && new CeleryService(config.celery, log);
  // Where nothing around the monitor is checked, nothing is said of what is not configured either.
  const unconfigured = config.health ? celeryComponents(undefined) : [];
  try {
    return {
      ...{ prepared, log, install: () => installLater(options, prepared) },
      history: await historyFor(config, prepared.table.qualified, { db, log }),
      alerts: await alertsFor(config, prepared.table.qualified, { db, log }),
      health: new HealthService({
        ...{ databaseUrl: config.databaseUrl, config: config.health, log },
        others: () => celery?.components() ?? unconfigured,
      }),
      celery,
    };
  } finally {
    db.close();
  }
}
