/**
 * Real PostgreSQL clusters for tests and benches: 18 from npm and, where Debian has installed it, 15.
 * Each cluster lies in a temporary folder of its own, and a reaper ends it even if the tests are killed.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { access, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import {
  type Binaries,
  ROOT_STATE_DIR,
  reachableBinaries,
  shippedBinaries,
  unprivilegedAccount,
} from '../../src/source/embedded-binaries.js';
import {
  freePort,
  type Installation,
  initCluster,
  launch,
  type Postmaster,
  type StopMode,
} from '../../src/source/embedded-process.js';

export type Version = 18 | 15;

export interface ClusterOptions {
  readonly version?: Version;
  /** Server settings by name, over the defaults below. */
  readonly settings?: Readonly<Record<string, string>>;
  /** False for speed where no test cuts the power: a killed server loses nothing without it. Default true. */
  readonly fsync?: boolean;
  /** A stopped cluster of the same version, whose data it begins with. Quicker than `initdb`. */
  readonly copyOf?: Cluster;
}

export interface Cluster {
  readonly version: Version;
  readonly port: number;
  readonly dataDir: string;
  /** Folder of the unix socket; as `host` of a connection. */
  readonly socketDir: string;
  /** Over TCP on 127.0.0.1; any user, no password. */
  url(database?: string, user?: string): string;
  /** Creates an empty database, or a copy of `template`, under a name of its own and gives the name. */
  createDatabase(template?: string): Promise<string>;
  /** Ends the server, which keeps its data and port. */
  stop(mode?: StopMode): Promise<void>;
  /** Starts it again after stop() or kill9(); waits for recovery. */
  start(): Promise<void>;
  /** SIGKILL to the postmaster; waits until its children are gone too, so that start() works at once. */
  kill9(): Promise<void>;
  /** Of the postmaster. @throws while the server is stopped. */
  pid(): number;
  /** Ends the server and removes its folder. */
  destroy(): Promise<void>;
}

const DEBIAN_15 = '/usr/lib/postgresql/15/bin';
const SUPERUSER = 'postgres';

/** The versions that can be started here, newest first. */
export async function availableVersions(): Promise<Version[]> {
  const versions: Version[] = [18];
  await access(join(DEBIAN_15, 'postgres')).then(
    () => versions.push(15),
    () => versions,
  );
  return versions;
}

/**
 * Makes a cluster and starts it.
 * @throws when that version is not installed, or PostgreSQL does not start (with its last lines).
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const version = options.version ?? 18;
  const account = await unprivilegedAccount();
  const binaries: Binaries =
    version === 18
      ? await reachableBinaries(await shippedBinaries(), account, ROOT_STATE_DIR)
      : { initdb: join(DEBIAN_15, 'initdb'), postgres: join(DEBIAN_15, 'postgres') };
  const folder = await mkdtemp(join(tmpdir(), 'csm-pg-'));
  if (account.uid !== undefined && account.gid !== undefined) {
    await chown(folder, account.uid, account.gid);
  }
  const reaper = startReaper(folder);
  const at: Installation = { binaries, account, dataDir: join(folder, 'data') };
  try {
    if (options.copyOf) await copyFolder(options.copyOf.dataDir, at.dataDir);
    else await initCluster(at, ['-A', 'trust', '-U', SUPERUSER, '-N']);
    const settings: Record<string, string> = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: folder,
      max_connections: '200',
      shared_buffers: '64MB',
      fsync: options.fsync === false ? 'off' : 'on',
      ...options.settings,
    };
    const { server, port } = await launchOnFreePort(at, settings);
    return clusterOf({ version, at, settings: { ...settings, port }, folder, reaper, server });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    dismiss(reaper);
    throw error;
  }
}

/** With owners and modes: the server insists on them. */
const copyFolder = (from: string, to: string) => promisify(execFile)('cp', ['-a', from, to]);

/** Another process may take the port between the look and the start: then another port. */
async function launchOnFreePort(at: Installation, settings: Record<string, string>) {
  for (let tries = 1; ; tries++) {
    const port = settings.port ?? String(await freePort());
    try {
      return { port, server: await launch(at, { ...settings, port }) };
    } catch (error) {
      if (tries === 5 || !String(error).includes('Address already in use')) throw error;
    }
  }
}

interface Parts {
  readonly version: Version;
  readonly at: Installation;
  readonly settings: Record<string, string>;
  readonly folder: string;
  readonly reaper: ChildProcess;
  server: Postmaster | null;
}

function clusterOf(parts: Parts): Cluster {
  const { at, settings, folder } = parts;
  let databases = 0;
  const url = (database = 'postgres', user = SUPERUSER) =>
    `postgres://${encodeURIComponent(user)}@127.0.0.1:${settings.port}/${encodeURIComponent(database)}`;
  return {
    version: parts.version,
    port: Number(settings.port),
    dataDir: at.dataDir,
    socketDir: folder,
    url,
    async createDatabase(template = 'template0') {
      databases += 1;
      const name = `t${process.pid}_${databases}_${Math.random().toString(36).slice(2, 8)}`;
      await ask(url(), `CREATE DATABASE "${name}" TEMPLATE "${template}"`);
      return name;
    },
    async stop(mode = 'fast') {
      await parts.server?.stop(mode);
      parts.server = null;
    },
    async start() {
      parts.server ??= await launch(at, settings);
    },
    async kill9() {
      if (!parts.server) return;
      process.kill(parts.server.pid, 'SIGKILL');
      // `exited` waits for the end of stderr, which every child of the postmaster holds open.
      await parts.server.exited;
      parts.server = null;
    },
    pid() {
      if (!parts.server) throw new Error(`the cluster in ${at.dataDir} is stopped`);
      return parts.server.pid;
    },
    async destroy() {
      await parts.server?.stop('immediate');
      parts.server = null;
      await rm(folder, { recursive: true, force: true });
      dismiss(parts.reaper);
    },
  };
}

/** One statement on a connection of its own; gives its rows. */
export async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  // The statement that meets a lost connection rejects; the same as an event would end the test run.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/**
 * A shell that outlives us for as long as it takes to clean up: the end of its standard input, which comes with our
 * end however violent, makes it stop the server and remove the folder. `pid` is re-read, a test may have restarted.
 */
const REAPER = `
read -r word && exit 0
pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null)
[ -n "$pid" ] && kill -QUIT "$pid" 2>/dev/null
while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
rm -rf "$0"
`;

function startReaper(folder: string): ChildProcess {
  const reaper = spawn('/bin/sh', ['-c', REAPER, folder], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // A reaper that is gone already must not fail the test that dismisses it.
  reaper.stdin?.on('error', () => undefined);
  reaper.unref();
  return reaper;
}

function dismiss(reaper: ChildProcess): void {
  reaper.stdin?.end('done\n');
}
