import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/main.js';
import { freshDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';

const cleanups: (() => Promise<unknown>)[] = [];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'csm-commands-'));
  // PostgreSQL runs as another user where we are root, and has to reach its data.
  await chmod(folder, 0o755);
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** The commands without a process around them: what they print, and the exit code. */
function start(args: string[], env: Record<string, string> = {}) {
  const stop = new AbortController();
  const [out, err]: [string[], string[]] = [[], []];
  const host = {
    print: (line: string) => void out.push(line),
    note: (line: string) => void err.push(line),
    signal: stop.signal,
    colours: false,
    env,
    folder,
  };
  const code = run(args, host);
  cleanups.push(() => {
    stop.abort();
    return code;
  });
  return { out, err, code, stop, all: () => [...out, ...err].join('\n') };
}

const soon = { timeout: 30_000, interval: 20 };

describe('demo', () => {
  it('serves sample traffic of the asked shape', async () => {
    const args = ['demo', '--port', '0', '--rate', '200', '--incident', 'errors', '--seed', '3'];
    const demo = start(args, { DATABASE_URL: 'postgres://127.0.0.1:1/untouched' });
    await expect.poll(demo.all, soon).toMatch(/^Open http/m);
    expect(demo.err[0]).toBe('demo does not touch DATABASE_URL: it uses a database of its own');
    const address = /^Open (\S+)/m.exec(demo.all())?.[1] ?? '';
    const rows = async () => {
      const answer = await fetch(new URL('/api/monitoring/realtime/', address));
      return ((await answer.json()) as { operations_last_5min?: number }).operations_last_5min;
    };
    // The past of the sample has about 150 rows in five minutes.
    await expect.poll(rows, soon).toBeGreaterThan(600);
    demo.stop.abort();
    expect(await demo.code).toBe(0);
  });

  it('ends with 1 when its database dies, and says how', async () => {
    const demo = start(['serve', '--port', '0', '--sync-log-format', 'json', '--log-level', 'info']);
    await expect.poll(demo.all, soon).toMatch(/"message":"Open http/);
    const lock = join(folder, 'data', 'embedded-18', 'pgdata', 'postmaster.pid');
    process.kill(Number.parseInt(await readFile(lock, 'utf8'), 10), 'SIGKILL');
    expect(await demo.code).toBe(1);
    expect(demo.err.at(-1)).toMatch(/^sync-monitor: the embedded PostgreSQL in .* ended with SIGKILL/);
  });

  it('stops what had started when a later part does not start', async () => {
    const first = start(['serve', '--port', '0']);
    await expect.poll(first.all, soon).toMatch(/^Open http/m);
    const port = /^Open http:\/\/[^:]+:(\d+)/m.exec(first.all())?.[1] ?? '';
    first.stop.abort();
    expect(await first.code).toBe(0);
    const database = await freshDatabase();
    cleanups.push(() => database.drop());
    const squatter = start(['serve', '--port', port], { DATABASE_URL: database.url });
    await expect.poll(squatter.all, soon).toMatch(/open http/);
    const second = start(['serve', '--port', port]);
    expect(await second.code).toBe(1);
    expect(second.all()).toMatch(/in use/);
    // The embedded database is free again.
    const third = start(['serve', '--port', '0']);
    await expect.poll(third.all, soon).toMatch(/^Open http/m);
    expect(third.all()).not.toContain('left behind');
  });
});

describe('with a database', () => {
  it('serves, tails and ends well', async () => {
    const database = await freshDatabase();
    cleanups.push(() => database.drop());
    const served = start(['serve', '--port', '0'], { DATABASE_URL: database.url });
    await expect.poll(served.all, soon).toMatch(/open http/);
    const address = new URL(/open (http\S+)/.exec(served.all())?.[1] ?? '');
    // The address comes from the settings, as a user's `.env` has them.
    await writeFile(join(folder, '.env'), `PORT=${address.port}\n`);
    const tail = start(['tail', '--type', 'created', '--since', '1d']);
    const sql = "INSERT INTO customer_sync_logs (operation_type, status) VALUES ('created', 'success')";
    await expect
      .poll(async () => {
        await ask(database.url, sql);
        return tail.out.length;
      }, soon)
      .toBeGreaterThan(0);
    expect(tail.out[0]).toMatch(/success +created/);
    tail.stop.abort();
    expect(await tail.code).toBe(0);
    served.stop.abort();
    expect(await served.code).toBe(0);
  });

  it('prints and runs the SQL of migrate and unmigrate', async () => {
    const database = await freshDatabase();
    cleanups.push(() => database.drop());
    const env = { DATABASE_URL: database.url };
    const dry = start(['migrate', '--dry-run'], env);
    expect(await dry.code).toBe(0);
    expect(dry.out.join('\n')).toMatch(/CREATE SCHEMA/);
    for (const args of [['migrate'], ['unmigrate', '--dry-run'], ['unmigrate']]) {
      expect(await start(args, env).code, args.join(' ')).toBe(0);
    }
    expect(await ask(database.url, "SELECT FROM pg_namespace WHERE nspname = 'sync_monitor'")).toHaveLength(
      0,
    );
  });
});

describe('wrong usage', () => {
  it.each([
    [['serve', '--port', 'x', '--bell', 'y'], /PORT is "x" \(from the flag --port\).*\n.*BELL is "y"/],
    [['serv'], /unknown command 'serv'/],
    [['serve', '--colour'], /unknown option '--colour'/],
    [[], /Usage: sync-monitor/],
    [['migrate'], /DATABASE_URL is not set/],
    [['tail', '--since', 'noon'], /--since is "noon"; allowed/],
    [['tail', '--url', 'here'], /--url is "here"; allowed/],
    [['demo', '--rate', '0'], /allowed: above 0, to 10000 rows a second/],
    [['demo', '--incident', 'flood'], /Allowed choices are errors, slow, stopped, backlog/],
    [['demo', '--seed', '-1'], /allowed: a whole number from 0/],
  ])('%j ends with 2 and says why', async (args, message) => {
    const { code, all } = start(args);
    expect(await code).toBe(2);
    expect(all()).toMatch(message);
  });

  it.each([[['--help']], [['serve', '--help']], [['--version']]])('%j is no failure', async (args) => {
    const { code, out } = start(args);
    expect(await code).toBe(0);
    expect(out.length).toBeGreaterThan(0);
  });

  it('warns of a misspelt variable and goes on', async () => {
    const { code, err } = start(['tail', '--customer', '7'], { SYNC_LOG_TABEL: 'x', HOST: '::1', PORT: '1' });
    expect(await code).toBe(1);
    expect(err.join('\n')).toMatch(/warning: SYNC_LOG_TABEL .* the nearest is SYNC_LOG_TABLE/);
    expect(err.join('\n')).toMatch(/cannot follow ws:\/\/\[::1\]:1\/ws: .*/);
  });
});
