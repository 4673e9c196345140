/** `serve` as a process of its own, whose limits can be changed while it runs. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { PROGRAM } from '../setup/build.js';

export interface Served {
  readonly address: string;
  readonly log: readonly string[];
  /** File descriptors in use. */
  descriptors(): number;
  /** How many it may use from now on. */
  limitDescriptors(limit: number): void;
  stop(): Promise<void>;
}

export async function startServed(databaseUrl: string, env: Record<string, string> = {}): Promise<Served> {
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--port', '0'], {
    env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl, SYNC_LOG_FORMAT: 'json', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'close');
  const log: string[] = [];
  const address = await new Promise<string>((found, failed) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        log.push(line);
        const [, at] = /"address":"(http:[^"]+)"/.exec(line) ?? [];
        if (at !== undefined) found(at);
      });
    void exited.then(([code]) => failed(new Error(`ended with ${code}:\n${log.join('\n')}`)));
  });
  return {
    address,
    log,
    descriptors: () => readdirSync(`/proc/${child.pid}/fd`).length,
    limitDescriptors: (limit) =>
      void execFileSync('prlimit', ['--pid', String(child.pid), `--nofile=${limit}:`]),
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
