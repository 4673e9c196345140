/**
 * What an earlier run may have left behind: a lock file without a server, or a server without its monitor.
 * A monitor marks the server as its own by a session that holds an advisory lock: the mark goes when the process
 * does, however it went, which a file with a process id in it cannot promise.
 */
import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { type Connection, type Home, SUPERUSER } from './embedded-home.js';

/** The key of the mark in the database `postgres`; any number that nothing else there uses. */
export const OWNER_LOCK = 1_668_112_416;
const PATIENCE_MS = 10_000;
const POLL_MS = 50;

/** Connects as the superuser of the embedded cluster. */
export async function connectTo(connection: Connection, database = 'postgres'): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: connection.port,
    user: SUPERUSER,
    password: connection.password,
    database,
    application_name: 'customer-sync-monitor',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  });
  // pg emits a lost connection as an event, too: without a listener it would end the process.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Whether this session is now the one that owns the cluster. */
export async function takeOwnership(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [
    OWNER_LOCK,
  ]);
  return rows[0]?.taken === true;
}

/**
 * Clears the way for a start: removes a stale lock file, stops a server whose monitor is gone.
 * @throws when a living monitor uses the cluster, or a server there does not answer.
 */
export async function clearPreviousRun(
  home: Home,
  connection: Connection,
  tell: (message: string) => void,
): Promise<void> {
  const lockFile = join(home.dataDir, 'postmaster.pid');
  const running = await readLockFile(lockFile);
  // A dead process: PostgreSQL itself replaces the file, after making sure that no child of it is left.
  if (running === null || !isAlive(running.pid)) return;
  if (!(await isPostgresOf(running.pid, home.dataDir))) {
    // The number now belongs to another process of this account, which PostgreSQL would take for a server.
    tell(`removing the stale lock file ${lockFile}: process ${running.pid} is no PostgreSQL of this folder`);
    await rm(lockFile, { force: true });
    return;
  }
  const client = await connectOnceItAnswers({ ...connection, port: running.port }, running.pid);
  if (client === null) return;
  const orphaned = await takeOwnership(client).finally(() => client.end());
  if (!orphaned) {
    throw new Error(
      `the embedded database in ${home.folder} is in use by another running sync-monitor: stop that one, or set DATABASE_URL`,
    );
  }
  tell(`stopping PostgreSQL (process ${running.pid}), which an earlier run left behind`);
  await stopByPid(running.pid);
}

/** Process and port of the server that wrote the file (postmaster.pid of pidfile.h: lines 1 and 4). */
async function readLockFile(file: string): Promise<{ pid: number; port: number } | null> {
  try {
    const lines = (await readFile(file, 'utf8')).split('\n');
    const [pid, port] = [Number(lines[0]), Number(lines[3])];
    return Number.isInteger(pid) && pid > 0 && Number.isInteger(port) ? { pid, port } : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, under another account.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function isPostgresOf(pid: number, dataDir: string): Promise<boolean> {
  try {
    const command =
      process.platform === 'linux'
        ? (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ')
        : (await promisify(execFile)('ps', ['-o', 'args=', '-p', String(pid)])).stdout;
    return command.includes('postgres') && command.includes(dataDir);
  } catch {
    // It ended between two looks: not a server of this folder any more.
    return false;
  }
}

/** Null when the server ended meanwhile (it was shutting down). */
async function connectOnceItAnswers(connection: Connection, pid: number): Promise<pg.Client | null> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await connectTo(connection);
    } catch (cause) {
      if (!isAlive(pid)) return null;
      if (Date.now() > deadline) {
        throw new Error(
          `PostgreSQL (process ${pid}) of an earlier run does not answer on 127.0.0.1:${connection.port} (${(cause as Error).message}): end that process, or set DATABASE_URL`,
          { cause },
        );
      }
      await pause();
    }
  }
}

/** Not our child, so its end cannot be awaited, only looked for. */
async function stopByPid(pid: number): Promise<void> {
  process.kill(pid, 'SIGINT');
  const impatience = Date.now() + PATIENCE_MS;
  let urged = false;
  while (isAlive(pid)) {
    if (!urged && Date.now() > impatience) {
      process.kill(pid, 'SIGQUIT');
      urged = true;
    }
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((settle) => setTimeout(settle, POLL_MS));
}
