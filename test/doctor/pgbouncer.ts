/** Debian's pgbouncer in front of a PostgreSQL on this host. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asAccount, unprivilegedAccount } from '../../src/source/embedded-binaries.js';
import { freePort } from '../../src/source/embedded-process.js';
import { until } from '../source/collector.js';

export const PGBOUNCER = spawnSync('pgbouncer', ['--version']).status === 0;

export interface Pgbouncer {
  /** The same database and user, through the pooler. */
  through(url: string): string;
  stop(): Promise<void>;
}

/** Ends with our end, however violent: its shell waits on a pipe of ours. */
const SCRIPT = 'pgbouncer -q "$0" </dev/null & read -r _; kill -INT $!; wait $!';

export async function startPgbouncer(
  server: string,
  mode: 'session' | 'transaction' | 'statement',
  settings: Readonly<Record<string, string>> = {},
): Promise<Pgbouncer> {
  const folder = await mkdtemp(join(tmpdir(), 'csm-pgbouncer-'));
  await chmod(folder, 0o755);
  const port = await freePort();
  const all = {
    ...{ listen_addr: '127.0.0.1', listen_port: String(port), unix_socket_dir: '', auth_type: 'any' },
    ...{ pool_mode: mode, default_pool_size: '20', ...settings },
  };
  const lines = Object.entries(all).map(([key, value]) => `${key} = ${value}`);
  const { port: serverPort } = new URL(server);
  const target = `* = host=127.0.0.1 port=${serverPort} user=postgres`;
  const file = join(folder, 'pgbouncer.ini');
  await writeFile(file, ['[databases]', target, '[pgbouncer]', ...lines, ''].join('\n'));
  const child = spawn('/bin/sh', ['-c', SCRIPT, file], {
    ...asAccount(await unprivilegedAccount()),
    cwd: '/',
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(-2_000);
  });
  await until(() => answers(port), 'pgbouncer answers').catch((error: Error) => {
    throw new Error(`${error.message}: ${said}`, { cause: error });
  });
  return {
    through(url) {
      const other = new URL(url);
      other.port = String(port);
      return other.href;
    },
    async stop() {
      const closed = once(child, 'close');
      child.stdin.end();
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      settle(true);
    });
    socket.on('error', () => settle(false));
  });
}
