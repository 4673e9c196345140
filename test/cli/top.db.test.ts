import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { run } from '../../src/main.js';
import { PROGRAM } from '../setup/build.js';
import { freshDatabase, type TestDatabase } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { SOON, Terminal, TMUX } from './terminal.js';

/** `tail` and `top` as somebody has them before the eyes: in a terminal, against a monitor that serves. */
let database: TestDatabase;
let folder: string;
let monitor: Awaited<ReturnType<typeof serve>>;
const cleanups: (() => Promise<unknown>)[] = [];

async function serve(port = 0) {
  const stop = new AbortController();
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  const host = { print: say, note: say, signal: stop.signal, colours: false, folder };
  const ended = run(['serve', '--port', String(port)], {
    ...host,
    env: { DATABASE_URL: database.url, METRICS_CACHE_TTL: '0' },
  });
  const address = () => /open (http:\S+)/.exec(said.join('\n'))?.[1];
  // Not expect.poll: this is called in a hook too.
  const url = await vi.waitFor(() => new URL(address() ?? ''), SOON);
  await vi.waitFor(async () => {
    const answer = await (await fetch(new URL('/api/monitoring/realtime/', url))).json();
    expect(answer).toHaveProperty('completeness.state', 'complete');
  }, SOON);
  return {
    port: Number(url.port),
    async stop() {
      stop.abort();
      expect(await ended).toBe(0);
    },
  };
}

const insert = (type: string, status: string, correlation = 'none') =>
  ask(
    database.url,
    `INSERT INTO customer_sync_logs (operation_type, status, duration_ms, customer_id, correlation_id, error_message)
     VALUES ('${type}', '${status}', 1234, 4711, '${correlation}', 'no answer within thirty seconds')`,
  );

async function terminal(columns: number, rows = 24): Promise<Terminal> {
  const opened = await Terminal.open({ columns, rows, folder });
  cleanups.push(() => opened.close());
  return opened;
}

const command = (name: string, more = '') =>
  `node ${PROGRAM} ${name} --url ws://127.0.0.1:${monitor.port}/ws ${more}`;

/** Runs a command whose process id is known, and says afterwards how it ended. */
async function begin(screen: Terminal, line: string, before = ''): Promise<void> {
  await screen.run(
    `rm -f pid; ${before} bash -c 'echo $$ >pid; exec ${line}'; echo "ended $?" $(stty -a | grep -o '[-]*icanon')`,
  );
}

const kill = async (name: NodeJS.Signals) => {
  process.kill(Number.parseInt(await readFile(join(folder, 'pid'), 'utf8'), 10), name);
};

describe.skipIf(!TMUX)('in a terminal', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'csm-top-'));
    await chmod(folder, 0o755);
    database = await freshDatabase();
    monitor = await serve();
    await insert('export_to_1c', 'success');
    await insert('export_to_1c', 'error');
    await insert('sync_changes', 'pending');
  });

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  afterAll(async () => {
    await monitor?.stop();
    await database?.drop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  describe('top', () => {
    it('fits 80 and 200 columns and follows the size, the keys and the table', async () => {
      const screen = await terminal(80);
      await begin(screen, command('top'));
      // Each by itself: a screen that is read while it is drawn is not all there.
      await screen.shows(/^export_to_1c +2 +50\.00 +1\.23 s +1\.23 s +1\.23 s +0\.40 +\S+$/m);
      await screen.shows(
        /^sync-monitor top {2}127\.0\.0\.1:\d+ {2}connected +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/m,
      );
      await screen.shows(/^> 5m +3 +33\.33 +33\.33 +1 /m);
      await screen.shows(/^Queue {2}pending 1 {3}exports 0 {3}oldest waits \d+ s$/m);
      await screen.shows(/^(?:[^\n]*\n){23}q quit/);
      await screen.shows(/^Health healthy/m);
      await screen.shows(/^Alerts {2}none firing/m);

      await screen.resize(200, 50);
      const wide = await screen.shows(/COMPONENT +HEALTH[\s\S]*database +healthy[\s\S]*\nq quit/);
      expect(wide[49]).toMatch(/^q quit/);
      expect(wide.filter((line) => line.startsWith('sync-monitor top'))).toHaveLength(1);
      await screen.resize(60, 14);
      await screen.shows(/^sync-monitor top[^\n]*\n(?:[^\n]*\n){12}q quit/);
      await screen.resize(80, 24);

      await screen.press('4');
      await screen.shows(/^> 24h/m);
      await screen.press('s');
      await screen.shows(/ERROR %▼/);
      await screen.press('p');
      await screen.shows(/PAUSED/);
      await insert('created', 'success');
      await screen.shows(/PAUSED \d+ s, [1-9]\d* newer/);
      expect((await screen.lines()).join('\n')).not.toMatch(/^created/m);
      await screen.press('p');
      await screen.shows(/^created +1 /m);

      await screen.press('q');
      await screen.shows(/^ended 0 icanon$/m);
      expect(await screen.state()).toEqual({ alternate: false, cursor: true });
      expect((await screen.lines()).join('\n')).not.toContain('WINDOW');
    });

    it('says that the monitor is gone, keeps what it knew, and recovers by itself', async () => {
      const screen = await terminal(120);
      await begin(screen, command('top', '--window 24h'));
      await screen.shows(/^> 24h +[1-9]/m);
      await monitor.stop();
      const lost = await screen.shows(/CONNECTION LOST \d+ s ago, trying again/);
      expect(lost.join('\n')).toMatch(/^> 24h +[1-9]/m);
      expect(lost.join('\n')).toMatch(/^Health - /m);
      monitor = await serve(monitor.port);
      await screen.shows(/ connected /);
      await insert('updated', 'success');
      await screen.shows(/^updated +1 /m);
      await screen.press('C-c');
      await screen.shows(/^ended 0 icanon$/m);
    });

    it.each([
      ['SIGTERM', /^ended 0 icanon$/m],
      ['SIGINT', /^ended 0 icanon$/m],
      ['SIGHUP', /^ended 0 icanon$/m],
    ] as const)('gives the terminal back on %s', async (name, ending) => {
      const screen = await terminal(80);
      await begin(screen, command('top'));
      await screen.shows(/^> 5m +\d/m);
      expect(await screen.state()).toEqual({ alternate: true, cursor: false });
      await kill(name);
      await screen.shows(ending);
      expect(await screen.state()).toEqual({ alternate: false, cursor: true });
    });

    it('gives the terminal back on an error of its own, which can be read then', async () => {
      const screen = await terminal(80);
      // What no key does: an uncaught error, when we say so.
      const fault = 'process.on(%22SIGUSR2%22,()=>{throw(new(Error)(%22unforeseen%22))})';
      await screen.run(`export NODE_OPTIONS='--import=data:text/javascript,${fault}'`);
      await begin(screen, command('top'));
      await screen.shows(/^> 5m +\d/m);
      await kill('SIGUSR2');
      await screen.shows(/^ended 1 icanon$/m);
      expect(await screen.state()).toEqual({ alternate: false, cursor: true });
      expect(await screen.printed()).toContain('Error: unforeseen');
    });

    it('leaves to kill -9 what nobody can help, and `reset` mends', async () => {
      const screen = await terminal(80);
      await begin(screen, command('top'));
      await screen.shows(/^> 5m +\d/m);
      await kill('SIGKILL');
      await expect.poll(async () => (await screen.printed()).includes('ended 137'), SOON).toBe(true);
      expect((await screen.state()).alternate).toBe(true);
      await screen.run('tput rmcup; tput cnorm; stty sane; echo usable');
      await screen.shows(/^usable$/m);
      expect(await screen.state()).toEqual({ alternate: false, cursor: true });
    });

    it('has colours on a terminal that wants them', async () => {
      const screen = await terminal(100);
      await begin(screen, command('top'));
      await screen.shows(/^> 5m +\d/m);
      expect(await screen.coloured()).toMatch(/ESC\[[\d;]*32mconnected/);
      await screen.press('q');
      await screen.shows(/^ended 0/m);
      await screen.run(`clear; export NO_COLOR=1`);
      await begin(screen, command('top'));
      await screen.shows(/^> 5m +\d/m);
      expect(await screen.coloured()).not.toMatch(/ESC\[[\d;]*3[0-7]m/);
      await screen.press('q');
      await screen.shows(/^ended 0/m);
    });

    it('prints frames of text into a pipe, ends with its reader, and a single one on request', async () => {
      const screen = await terminal(100);
      await screen.run(`clear; ${command('top')} | head -80 | cut -c 1-30; echo "ended \${PIPESTATUS[@]}"`);
      await screen.shows(/^ended 0 0 0$/m);
      const frames = await screen.printed();
      expect(frames.match(/^sync-monitor top/gm)?.length).toBeGreaterThan(1);
      expect(frames).not.toMatch(/EPIPE|Error:/);
      await screen.run(`clear; ${command('top', '--once')} > frame; echo "ended $?"`);
      await screen.shows(/^ended 0$/m);
      const frame = await readFile(join(folder, 'frame'), 'utf8');
      expect(frame).toMatch(/^> 5m +\d/m);
      expect(frame).toMatch(/^Health (healthy|degraded)/m);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: a file has no use for them
      expect(frame).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    });

    it('says in the terminal itself that there is no monitor', async () => {
      const screen = await terminal(100);
      await screen.run(`node ${PROGRAM} top --url ws://127.0.0.1:1/ws; echo "ended $?"`);
      const lines = await screen.shows(/^ended 1$/m);
      expect(lines.join('\n')).toContain('cannot show ws://127.0.0.1:1/ws');
      expect(await screen.state()).toEqual({ alternate: false, cursor: true });
    });
  });

  describe('tail', () => {
    it('has a line for each event at 80 and at 200 columns, and sums up on Ctrl-C', async () => {
      const screen = await terminal(80);
      await listening(0);
      await begin(screen, command('tail', '--type import_from_1c'));
      await listening(1);
      await insert('import_from_1c', 'error', 'narrow-correlation-id');
      const [narrow] = (await screen.shows(/^\d\d:.* import_from_1c/m)).filter((line) =>
        /^\d\d:.* import_from_1c/.test(line),
      );
      expect(narrow).toMatch(
        /^\d\d:\d\d:\d\d\.\d{3} {2}error +import_from_1c +1234 ms {2}customer 4711 .*…$/,
      );
      expect([...(narrow ?? '')].length).toBeLessThanOrEqual(80);
      await screen.resize(200, 24);
      await insert('import_from_1c', 'failed', 'wide-correlation-id');
      const wide = (await screen.shows(/wide-correlation-id/)).find((line) =>
        line.includes('wide-correlation-id'),
      );
      expect(wide).toMatch(/^\d{4}-\d\d-\d\d .*no answer within thirty seconds$/);
      expect(await screen.coloured()).toMatch(/ESC\[31merror/);
      await screen.press('C-c');
      await screen.shows(/2 events in \d+ s: [^\n]*\nended 0 icanon$/m);
    });

    it('ends with head, on SIGTERM, and on kill -9, and the terminal is as it was', async () => {
      const screen = await terminal(120);
      await listening(0);
      await screen.run(
        `${command('tail', '--type created --json')} | head -1 | cut -c 1-20; echo "ended \${PIPESTATUS[@]}"`,
      );
      await listening(1);
      // The second write finds that nobody reads any more.
      for (const _ of [1, 2, 3]) await insert('created', 'success');
      await expect
        .poll(async () => {
          await insert('created', 'success');
          return (await screen.lines()).join('\n');
        }, SOON)
        .toMatch(/^ended 0 0 0$/m);
      expect(await screen.printed()).not.toMatch(/EPIPE|Error:/);
      for (const [name, code] of [
        ['SIGTERM', 0],
        ['SIGKILL', 137],
      ] as const) {
        await screen.run('clear');
        await begin(screen, command('tail'));
        await listening(1);
        await kill(name);
        await screen.shows(new RegExp(`ended ${code} icanon`));
        await listening(0);
        expect(await screen.state()).toEqual({ alternate: false, cursor: true });
      }
    });
  });
});

/** Waits until so many clients are connected. */
async function listening(clients: number): Promise<void> {
  const metrics = async () => (await fetch(`http://127.0.0.1:${monitor.port}/metrics`)).text();
  await expect.poll(metrics, SOON).toMatch(new RegExp(`^sync_monitor_\\w*clients\\w* ${clients}$`, 'm'));
}
