/**
 * The database of `serve` and `demo` without DATABASE_URL: the PostgreSQL that npm ships, on a loopback port, with
 * its data under `./data`. Started as our child, found again by the next start, stopped with us.
 */
import type pg from 'pg';
import {
  ROOT_STATE_DIR,
  reachableBinaries,
  shippedBinaries,
  unprivilegedAccount,
} from './embedded-binaries.js';
import { type Connection, chooseHome, prepare, SUPERUSER, settlePort } from './embedded-home.js';
import { clearPreviousRun, connectTo, takeOwnership } from './embedded-orphan.js';
import { type Installation, launch, type Postmaster } from './embedded-process.js';

export interface EmbeddedOptions {
  /** Where the data shall lie, e.g. `./data`; another place is chosen, and told, where that cannot be. */
  readonly folder: string;
  /** What the user should know: another folder, a server left behind by an earlier run. */
  readonly tell: (message: string) => void;
}

export interface Embedded {
  /** With the password in it: redact it before it is logged. */
  readonly url: string;
  readonly dataDir: string;
  /** Resolves when the server ends without being asked to. */
  readonly failed: Promise<Error>;
  /** A fast stop: open transactions roll back, everything committed is kept. Idempotent. */
  stop(): Promise<void>;
}

const DATABASE = 'customer_sync';
const STOP_PATIENCE_MS = 4_000;
const OWNER_RETRY_MS = 500;

/** Small: it shares the machine with the monitor and its sample traffic. TCP only: a socket's path can be too long. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '60',
  shared_buffers: '32MB',
  max_wal_size: '256MB',
  min_wal_size: '32MB',
  // No replica will ever read this log.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_prepared_transactions: '0',
  jit: 'off',
  log_checkpoints: 'off',
  timezone: 'UTC',
};

/**
 * Starts the embedded database; at the first start it is made (about a second).
 * @throws when the optional package is missing, no folder will do, another monitor uses the same data, or
 * PostgreSQL does not start (with its last lines).
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const account = await unprivilegedAccount();
  const binaries = await reachableBinaries(await shippedBinaries(), account, ROOT_STATE_DIR);
  const home = await chooseHome(options.folder, account, options.tell);
  const remembered = await prepare(home, account, binaries);
  await clearPreviousRun(home, remembered, options.tell);
  const connection = await settlePort(home, remembered);
  const server = await launchAfterCrash({ binaries, account, dataDir: home.dataDir }, connection);
  const keeper = new Keeper(connection);
  try {
    await createDatabase(await keeper.start());
  } catch (error) {
    await Promise.all([keeper.stop(), server.stop('fast', STOP_PATIENCE_MS)]);
    throw error;
  }
  let stopping: Promise<void> | null = null;
  return {
    url: `postgres://${SUPERUSER}:${connection.password}@127.0.0.1:${connection.port}/${DATABASE}`,
    dataDir: home.dataDir,
    failed: new Promise((settle) => {
      server.exited.then((how) => {
        if (!stopping) settle(new Error(`the embedded PostgreSQL in ${home.dataDir} ${how}`));
      });
    }),
    stop() {
      // Together: the keeper's farewell needs an answer, which a server that is stuck gives only by ending.
      stopping ??= Promise.all([keeper.stop(), server.stop('fast', STOP_PATIENCE_MS)]).then(() => undefined);
      return stopping;
    },
  };
}

/** Children of a killed server end a moment after it, and until then keep its shared memory from being replaced. */
async function launchAfterCrash(at: Installation, connection: Connection): Promise<Postmaster> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      return await launch(at, { ...SETTINGS, port: String(connection.port) });
    } catch (error) {
      if (!/shared memory block .* is still in use/.test(String(error)) || Date.now() > deadline) throw error;
      await new Promise((settle) => setTimeout(settle, 100));
    }
  }
}

async function createDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
  if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
}

/** Holds the session that marks the server as ours, and makes it anew when PostgreSQL restarts its sessions. */
class Keeper {
  readonly #connection: Connection;
  #client: pg.Client | null = null;
  #retry: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @throws when the server does not answer or is somebody else's. */
  async start(): Promise<pg.Client> {
    const client = await connectTo(this.#connection);
    if (this.#stopped || !(await takeOwnership(client))) {
      await client.end();
      throw new Error('another sync-monitor took the embedded database while it started');
    }
    this.#client = client;
    client.once('end', () => this.#again());
    return client;
  }

  /** For as long as the server is gone this goes on; `failed` has said so, and stop() follows. */
  #again(): void {
    if (this.#stopped) return;
    this.#retry = setTimeout(() => {
      this.start().catch(() => this.#again());
    }, OWNER_RETRY_MS);
    this.#retry.unref();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#retry) clearTimeout(this.#retry);
    // Already cut by a server that died: nothing is left to end.
    await this.#client?.end().catch(() => undefined);
  }
}
