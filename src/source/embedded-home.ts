/**
 * Where the embedded database keeps its data, and what it remembers there: port and password.
 * Layout under `./data` (or where PostgreSQL's account can reach it): `embedded-18/connection.json`, readable by us
 * alone, and `embedded-18/pgdata`, owned by that account.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  access,
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { type Account, accountCan, type Binaries, ROOT_STATE_DIR } from './embedded-binaries.js';
import { freePort, initCluster, portIsFree } from './embedded-process.js';

/** What the next start has to know again. */
export interface Connection {
  readonly port: number;
  readonly password: string;
}

export interface Home {
  readonly folder: string;
  readonly dataDir: string;
}

export const SUPERUSER = 'postgres';
const HOME_NAME = 'embedded-18';

/**
 * The first of `wanted` and a fallback in the state folder of this user where the account can keep a cluster.
 * @throws with the reason for each when none will do.
 */
export async function chooseHome(
  wanted: string,
  account: Account,
  tell: (message: string) => void,
): Promise<Home> {
  const reasons: string[] = [];
  for (const parent of [resolve(wanted), fallbackFor(resolve(wanted))]) {
    const reason = await whyUnsuitable(parent, account);
    if (reason === null) {
      if (reasons.length > 0)
        tell(`${reasons.join('; ')}: the embedded database keeps its data in ${parent}`);
      const folder = join(parent, HOME_NAME);
      return { folder, dataDir: join(folder, 'pgdata') };
    }
    reasons.push(reason);
  }
  throw new Error(`there is no place for the embedded database: ${reasons.join('; ')}`);
}

/** Two projects of the same name must not share a database, so the name carries a digest of the whole path. */
function fallbackFor(wanted: string): string {
  const base =
    process.getuid?.() === 0 ? ROOT_STATE_DIR : join(homedir(), '.local', 'state', basename(ROOT_STATE_DIR));
  return join(base, `data-${createHash('sha256').update(wanted).digest('hex').slice(0, 8)}`);
}

async function whyUnsuitable(parent: string, account: Account): Promise<string | null> {
  try {
    await mkdir(parent, { recursive: true, mode: 0o755 });
    const probe = await mkdtemp(join(parent, '.probe-'));
    try {
      await give(probe, account);
      // PostgreSQL refuses a data folder that others may read; some shared folders cannot keep the mode.
      if (process.platform !== 'win32' && ((await stat(probe)).mode & 0o077) !== 0) {
        return `${parent} cannot hold a folder of mode 0700`;
      }
      if (account.uid !== undefined && !accountCan(account, 'w', probe)) {
        return `the user ${account.name}, who runs PostgreSQL because root must not, cannot reach ${parent}`;
      }
      return null;
    } finally {
      await rm(probe, { recursive: true, force: true });
    }
  } catch (error) {
    return `${parent} cannot be used (${(error as Error).message})`;
  }
}

async function give(folder: string, account: Account): Promise<void> {
  await chmod(folder, 0o700);
  if (account.uid !== undefined && account.gid !== undefined) await chown(folder, account.uid, account.gid);
}

/**
 * Makes the cluster unless it is there, and says what to connect with.
 * @throws when initdb fails, or the file that holds the password of existing data is gone.
 */
export async function prepare(home: Home, account: Account, binaries: Binaries): Promise<Connection> {
  const file = join(home.folder, 'connection.json');
  if (!(await exists(home.folder))) await initialise(home, account, binaries);
  try {
    const { port, password } = JSON.parse(await readFile(file, 'utf8'));
    if (Number.isInteger(port) && typeof password === 'string') return { port, password };
    throw new Error('it lacks port or password');
  } catch (cause) {
    throw new Error(
      `${file}, which holds the password of the embedded database, cannot be used (${(cause as Error).message}): restore it, or remove ${home.folder} to start with an empty database`,
      { cause },
    );
  }
}

/** All is made beside the final place and renamed into it, so that a killed first start leaves no half cluster. */
async function initialise(home: Home, account: Account, binaries: Binaries): Promise<void> {
  const partial = await mkdtemp(`${home.folder}.`);
  try {
    await chmod(partial, 0o711);
    const dataDir = join(partial, 'pgdata');
    await mkdir(dataDir);
    await give(dataDir, account);
    const connection: Connection = { port: await freePort(), password: randomBytes(24).toString('hex') };
    const passwordFile = join(partial, 'password');
    await writeFile(passwordFile, `${connection.password}\n`, { mode: 0o600 });
    await give(passwordFile, account);
    await initCluster({ binaries, account, dataDir }, [
      ...['-U', SUPERUSER, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`],
    ]);
    await rm(passwordFile);
    await writeConnection(partial, connection);
    await rename(partial, home.folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

/** The remembered port while it is free, else a new one, remembered from now on. */
export async function settlePort(home: Home, connection: Connection): Promise<Connection> {
  if (await portIsFree(connection.port)) return connection;
  const moved = { ...connection, port: await freePort() };
  await writeConnection(home.folder, moved);
  return moved;
}

async function writeConnection(folder: string, connection: Connection): Promise<void> {
  const file = join(folder, 'connection.json');
  await writeFile(`${file}.new`, `${JSON.stringify(connection)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
