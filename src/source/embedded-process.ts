/**
 * One PostgreSQL cluster as a child process: make it, start it, end it. Used by the embedded database and, with
 * other settings, by the tests. The programs are run directly: `pg_ctl` would detach the server from us.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { type Account, asAccount, type Binaries } from './embedded-binaries.js';

export interface Installation {
  readonly binaries: Binaries;
  readonly account: Account;
  readonly dataDir: string;
}

/** fast: roll back what is open and checkpoint. immediate: as after a crash, recovery at the next start. */
export type StopMode = 'fast' | 'immediate';

export interface Postmaster {
  readonly pid: number;
  /** When the server has ended, for whatever reason: how, and the last lines it wrote. */
  readonly exited: Promise<string>;
  /** Asks the server to stop and waits for it; after `patienceMs` of a fast stop it is stopped immediately. */
  stop(mode: StopMode, patienceMs?: number): Promise<void>;
}

const KEPT_LINES = 40;
/** Nothing of the caller's PG* or locale settings may leak into the server. */
const CLEAN_ENV = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };

/**
 * Runs `initdb` with these further arguments.
 * @throws with what initdb said, when it fails.
 */
export async function initCluster(at: Installation, args: readonly string[]): Promise<void> {
  const child = spawn(at.binaries.initdb, ['-D', at.dataDir, '-E', 'UTF8', '--locale=C', ...args], {
    ...asAccount(at.account),
    cwd: dirname(at.dataDir),
    env: CLEAN_ENV,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number | string>((settle, fail) => {
    child.on('error', fail);
    child.on('close', (exit, signal) => settle(exit ?? signal ?? 'unknown'));
  });
  if (code !== 0) {
    throw new Error(
      `initdb of ${at.dataDir} as ${at.account.name} ended with ${code}: ${Buffer.concat(output)}`,
    );
  }
}

/**
 * Starts the server and waits until it accepts connections (after recovery, where there is some to do).
 * @throws with its last lines when it ends before that.
 */
export async function launch(
  at: Installation,
  settings: Readonly<Record<string, string>>,
): Promise<Postmaster> {
  const args = ['-D', at.dataDir];
  for (const [key, value] of Object.entries(settings)) args.push('-c', `${key}=${value}`);
  const child = spawn(at.binaries.postgres, args, {
    ...asAccount(at.account),
    cwd: dirname(at.dataDir),
    env: CLEAN_ENV,
    // A process group of its own: Ctrl-C at the terminal reaches us alone, and we stop the server last.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lines: string[] = [];
  const exited = new Promise<string>((settle) => {
    child.on('error', (error) => settle(`could not be started: ${error.message}`));
    child.on('close', (code, signal) => settle(`ended with ${code ?? signal}: ${lines.join('\n')}`));
  });
  const ready = new Promise<'ready'>((settle) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      if (line.includes('database system is ready to accept connections')) settle('ready');
    });
  });
  const first = await Promise.race([ready, exited]);
  const pid = child.pid;
  if (first !== 'ready' || pid === undefined) throw new Error(`PostgreSQL in ${at.dataDir} ${first}`);
  return {
    pid,
    exited,
    async stop(mode, patienceMs = 10_000) {
      child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
      const impatience = setTimeout(() => child.kill('SIGQUIT'), patienceMs);
      await exited;
      clearTimeout(impatience);
    },
  };
}

/** Below the range from which systems take ports for outgoing connections, so that a remembered one stays free. */
const PORTS = { from: 20_000, to: 32_000 };

/**
 * A random port that is free on 127.0.0.1 now.
 * @throws after 50 tries.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    if (await portIsFree(port)) return port;
  }
  throw new Error(`50 random ports between ${PORTS.from} and ${PORTS.to} on 127.0.0.1 were all in use`);
}

/** Whether a server could listen on this port of 127.0.0.1 now. */
export function portIsFree(port: number): Promise<boolean> {
  return new Promise((settle, fail) => {
    const probe = createServer();
    probe.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') settle(false);
      else fail(error);
    });
    probe.listen({ port, host: '127.0.0.1' }, () => probe.close(() => settle(true)));
  });
}
