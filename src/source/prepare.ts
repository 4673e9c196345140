import { Link } from './connection.js';
import { connectOrExplain } from './connection-fault.js';
import type { SourceLog } from './journal.js';
import { type BellSetting, MigrationRefusedError, migrate } from './migrate.js';
import { detectPooling, poolingRefusal } from './pooler.js';
import { discoverTable, findSequence, TableError, type TableInfo } from './table.js';

export interface PrepareOptions {
  readonly url: string;
  readonly table: string;
  readonly bell: BellSetting;
  /** Install what is missing where the role may. */
  readonly install: boolean;
  readonly sqlDir: string;
  readonly log: SourceLog;
}

export interface Prepared {
  readonly table: TableInfo;
  readonly bell: {
    readonly configured: BellSetting;
    readonly effective: BellSetting;
    readonly reason?: string;
    /** Long transactions held the table while the bell was to be installed: `installLater` may find it free. */
    readonly later?: boolean;
  };
}

/** Tries of one go, about a second: `serve` does not wait for somebody's long transaction. */
const TRIES = 8;
/** Between tries to install a bell that a busy table refused. */
const INSTALL_AGAIN_MS = 10_000;

/** Older servers lack idle_session_timeout, without which a frozen monitor would never let go of the bell's key. */
export const OLDEST_VERSION = 140_000;

/**
 * Connects once, eagerly, so that misconfiguration fails now; finds the table; installs the bell where it may, else
 * says which statements the owner has to run and goes on without it.
 * @throws TableError, CannotConnectError when the database cannot be reached, or Error with one sentence
 */
export async function prepare(options: PrepareOptions): Promise<Prepared> {
  const { log } = options;
  const link = new Link('setup', { url: options.url, maybeShared: true });
  await connectOrExplain(link, options.url);
  try {
    const pooling = await detectPooling(link, options.url);
    if (pooling === 'transaction' || pooling === 'statement') throw new Error(poolingRefusal(pooling));
    const [server] = await link.query(
      `SELECT current_setting('server_version_num'), current_setting('max_prepared_transactions'), pg_is_in_recovery(), current_setting('server_version')`,
    );
    if (Number(server?.[0]) < OLDEST_VERSION)
      throw new Error(`The server is PostgreSQL ${server?.[3]}; 14 or later is needed.`);
    const table = await discoverTable(link, options.table);
    await requireOrder(link, table);
    for (const warning of table.warnings) log.warn({ event_type: 'table' }, warning);
    let effective = options.bell;
    let reason: string | undefined = options.bell === 'off' ? 'BELL=off' : undefined;
    let later = false;
    const off = (why: string) => {
      effective = 'off';
      reason = why;
      log.warn({ event_type: 'bell_off' }, `the bell is off, rows are found by polling: ${why}`);
    };
    if (server?.[2] === 't')
      throw new Error(
        'The server is a hot standby; the monitor has to read where the rows are written, on the primary.',
      );
    if (effective === 'auto' && server?.[1] !== '0')
      off(
        `max_prepared_transactions is ${server?.[1]}: a transaction that has rung the bell could not be PREPAREd`,
      );
    if (options.install) {
      try {
        for (const { title } of await migrate(link, table, effective, options.sqlDir, TRIES))
          log.info({ event_type: 'migrated' }, `migrated: ${title}`);
      } catch (error) {
        if (!(error instanceof MigrationRefusedError)) throw error;
        if (error.busy) {
          later = true;
          log.warn(
            { event_type: 'bell_later' },
            `rows are found by polling until the bell is installed: ${error.message}`,
          );
        } else if (effective !== 'off') off(error.message);
        if (!error.busy && error.statements.length > 0)
          log.warn(
            { event_type: 'owner_action' },
            `the owner of ${table.qualified} has to run, once ("sync-monitor migrate --dry-run" prints it too):\n${error.statements.map(({ sql }) => sql).join('\n')}`,
          );
      }
    }
    return {
      table,
      bell: {
        configured: options.bell,
        effective,
        ...(reason === undefined ? {} : { reason }),
        ...(later ? { later } : {}),
      },
    };
  } finally {
    link.close();
  }
}

/** Tries again, until it is settled, to install what a busy table refused. @returns what ends the trying */
export function installLater(options: PrepareOptions, prepared: Prepared): () => void {
  let trying = false;
  const timer = setInterval(async () => {
    if (trying) return;
    trying = true;
    if (await installed(options, prepared)) clearInterval(timer);
    trying = false;
  }, INSTALL_AGAIN_MS);
  return () => clearInterval(timer);
}

/** Whether it is installed now, or never will be. */
async function installed(options: PrepareOptions, { table, bell }: Prepared): Promise<boolean> {
  const link = new Link('setup', { url: options.url });
  try {
    await link.connect();
    for (const { title } of await migrate(link, table, bell.effective, options.sqlDir, TRIES))
      options.log.info({ event_type: 'migrated' }, `migrated: ${title}`);
    return true;
  } catch (error) {
    // Still busy, or the database is away, which the source tells: another time.
    if (!(error instanceof MigrationRefusedError) || error.busy) return false;
    options.log.warn({ event_type: 'bell_off' }, `the bell is not installed: ${error.message}`);
    return true;
  } finally {
    link.close();
  }
}

/**
 * A session keeps the ids of its CACHE for later: ids that were proven unused would still come. Nothing can follow
 * that without reading the whole table again, so it is refused rather than counted wrongly.
 */
async function requireOrder(link: Link, table: TableInfo): Promise<void> {
  const sequence = await findSequence(link, table.oid);
  if (sequence && sequence.cache > 1)
    throw new TableError(
      `The sequence ${sequence.qualified} has CACHE ${sequence.cache}: sessions hold ids back, and their rows would be missed. The owner has to run: ALTER SEQUENCE ${sequence.qualified} CACHE 1;`,
    );
}
