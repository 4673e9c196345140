import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PROGRAM } from '../setup/build.js';
import { freshDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';

/** The program as a user starts it: a process with arguments, signals and an exit code. */
interface Started {
  readonly child: ChildProcess;
  readonly out: string[];
  readonly err: string[];
  readonly exit: Promise<number | null>;
  /** The first line of either stream, from the start on, that matches. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
}

const cleanups: (() => Promise<unknown>)[] = [];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'csm-main-'));
  // PostgreSQL runs as another user where we are root, and has to reach its data.
  await chmod(folder, 0o755);
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function start(args: string[], env: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = once(child, 'close').then(([code]) => code as number | null);
  cleanups.push(() => {
    child.kill('SIGTERM');
    return exit;
  });
  const [out, err]: [string[], string[]] = [[], []];
  const waiting = new Set<() => void>();
  const read = (stream: NodeJS.ReadableStream, lines: string[]) =>
    createInterface({ input: stream }).on('line', (text) => {
      lines.push(text);
      for (const look of waiting) look();
    });
  if (!child.stdout || !child.stderr) throw new Error('no pipes');
  read(child.stdout, out);
  read(child.stderr, err);
  const line = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((settle, fail) => {
      const look = () => {
        const found = [...out, ...err].map((text) => pattern.exec(text)).find((match) => match !== null);
        if (found) settle(found);
      };
      waiting.add(look);
      look();
      exit.then(() => fail(new Error(`ended without ${pattern}: ${[...out, ...err].join('\n')}`)));
    });
  return { child, out, err, exit, line };
}

async function freezeDatabase(): Promise<void> {
  const lock = await readFile(join(folder, 'data', 'embedded-18', 'pgdata', 'postmaster.pid'), 'utf8');
  const postmaster = Number.parseInt(lock, 10);
  process.kill(postmaster, 'SIGSTOP');
  cleanups.push(async () => process.kill(postmaster, 'SIGKILL'));
}

async function realtime(address: string): Promise<Record<string, unknown>> {
  return (await (await fetch(new URL('/api/monitoring/realtime/', address))).json()) as Record<
    string,
    unknown
  >;
}

describe('serve without a database', () => {
  it('says what it starts, shows rows at the address it prints, and stops all of it on Ctrl-C', async () => {
    const first = start(['serve', '--port', '0']);
    const address = (await first.line(/^Open (http:\S+)/))[1] ?? '';
    expect(first.out[0]).toMatch(/embedded PostgreSQL under \.\/data and writing sample traffic/);
    await expect
      .poll(() => realtime(address), { timeout: 30_000 })
      .toHaveProperty('completeness.state', 'complete');
    const day = await (await fetch(new URL('/api/monitoring/operations/', address))).json();
    expect(day).toHaveProperty('total_operations');
    expect((day as { total_operations: number }).total_operations).toBeGreaterThan(5_000);
    first.child.kill('SIGINT');
    expect(await first.exit).toBe(0);

    const second = start([
      'demo',
      '--port',
      '0',
      '--rate',
      '50',
      '--incident',
      'errors',
      'slow',
      '--seed',
      '7',
    ]);
    const again = (await second.line(/^Open (http:\S+)/))[1] ?? '';
    expect([...second.out, ...second.err].join('\n')).toMatch(/past_rows=0/);
    await expect
      .poll(() => realtime(again), { timeout: 30_000 })
      .toHaveProperty('completeness.state', 'complete');
    second.child.kill('SIGTERM');
    expect(await second.exit).toBe(0);
  });

  it('ends at once on a second Ctrl-C while something hangs', async () => {
    const hung = start(['serve', '--port', '0']);
    await hung.line(/^Open http/);
    await freezeDatabase();
    const impatient = setInterval(() => hung.child.kill('SIGINT'), 200);
    expect(await hung.exit).toBe(1);
    clearInterval(impatient);
    expect(hung.err.join('\n')).not.toContain('not everything had ended');
  });

  it('ends in time, and says so, when something hangs', async () => {
    const hung = start(['serve', '--port', '0']);
    await hung.line(/^Open http/);
    await freezeDatabase();
    hung.child.kill('SIGTERM');
    expect(await hung.exit).toBe(1);
    expect(hung.err.join('\n')).toContain('not everything had ended 4.8 s after SIGTERM');
  });

  it('recovers from kill -9', async () => {
    const first = start(['serve', '--port', '0', '--sync-log-format', 'json']);
    await first.line(/"message":"Open http/);
    first.child.kill('SIGKILL');
    await first.exit;
    const second = start(['serve', '--port', '0']);
    await second.line(/which an earlier run left behind/);
    await second.line(/^Open http/);
  });
});

describe('with a database', () => {
  it('follows rows from INSERT to the terminal, as text and as JSON', async () => {
    const database = await freshDatabase();
    cleanups.push(() => database.drop());
    const env = { DATABASE_URL: database.url };
    const served = start(['serve', '--port', '0'], env);
    const address = (await served.line(/open (http:\S+)/))[1] ?? '';
    await expect
      .poll(() => realtime(address), { timeout: 30_000 })
      .toHaveProperty('completeness.state', 'complete');
    const insert = (status: string) =>
      ask(
        database.url,
        `INSERT INTO customer_sync_logs (operation_type, status, customer_id, correlation_id, customer_email)
         VALUES ('created', '${status}', 9007199254740993, 'cid-${status}', 'ivan@example.com')`,
      );
    await insert('success');
    await expect.poll(() => realtime(address), { timeout: 20_000 }).toHaveProperty('operations_last_5min', 1);

    const json = start([
      'tail',
      '--url',
      address,
      '--json',
      '--since',
      '1h',
      '--status',
      'success',
      'failed',
    ]);
    const text = start(['tail', '--url', address, '--correlation-id', 'cid-error']);
    expect((await json.line(/^\{/))[0]).toBeTruthy();
    // Its subscription is in force when the monitor counts two clients.
    const clients = async () => (await fetch(new URL('/metrics', address))).text();
    await expect.poll(clients, { timeout: 20_000 }).toMatch(/^sync_monitor_\w*clients\w* 2$/m);
    await insert('error');
    await insert('failed');
    await text.line(/error +created .*cid-error/);
    await json.line(/cid-failed/);
    const events = json.out.map((line) => JSON.parse(line));
    expect(events.map((event) => event.status)).toEqual(['success', 'failed']);
    expect(events[0]).toMatchObject({ customer_id: '9007199254740993', customer_email: 'i***@e***.com' });
    text.child.kill('SIGINT');
    expect(await text.exit).toBe(0);
    expect(text.out).toHaveLength(1);
    expect(text.err.at(-1)).toMatch(/^1 events in \d+ s: error 1; 0 dropped/);

    // The reader goes away: the next event's write meets EPIPE, and nothing is said about it.
    json.child.stdout?.destroy();
    await insert('failed');
    expect(await json.exit).toBe(0);
    expect(json.err.join('\n')).not.toMatch(/EPIPE|Error/);
  });

  it('prints the SQL of migrate and unmigrate, runs it, and leaves nothing behind', async () => {
    const database = await freshDatabase();
    cleanups.push(() => database.drop());
    const env = { DATABASE_URL: database.url };
    const ours = `SELECT 1 FROM pg_namespace WHERE nspname = 'sync_monitor'
      UNION ALL SELECT 1 FROM pg_trigger WHERE tgrelid = 'customer_sync_logs'::regclass AND NOT tgisinternal`;
    const dry = start(['migrate', '--dry-run'], env);
    expect(await dry.exit).toBe(0);
    expect(dry.out.join('\n')).toMatch(/CREATE SCHEMA[\s\S]*CREATE [\s\S]*TRIGGER/i);
    expect(await ask(database.url, ours)).toHaveLength(0);
    expect(await start(['migrate'], env).exit).toBe(0);
    expect((await ask(database.url, ours)).length).toBeGreaterThanOrEqual(2);
    expect(await start(['unmigrate', '--dry-run'], env).exit).toBe(0);
    expect(await start(['unmigrate'], env).exit).toBe(0);
    expect(await ask(database.url, ours)).toHaveLength(0);
  });

  it('fails with one sentence that holds no password', async () => {
    const failed = start(['serve', '--port', '0'], { DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/none' });
    expect(await failed.exit).toBe(1);
    expect(failed.err.join('\n')).toMatch(/^sync-monitor: .*ECONNREFUSED/m);
    expect([...failed.out, ...failed.err].join('\n')).not.toMatch(/hunter2|\n\s+at /);
  });
});

describe('the exit code', () => {
  it.each([
    [['--help'], 0],
    [['serve', '--port', 'x'], 2],
    [['tail', '--url', 'ws://127.0.0.1:1'], 1],
  ])('of %j is %i', async (args, code) => {
    expect(await start(args).exit).toBe(code);
  });
});
