/** A real Redis that tests kill and start again on the same port. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { freePort } from '../../src/source/embedded-process.js';

export const redisInstalled = spawnSync('redis-server', ['--version']).status === 0;

export interface TestRedis {
  readonly url: string;
  start(): Promise<void>;
  /** SIGKILL: nothing of what it held is kept. */
  kill(): Promise<void>;
}

export async function startRedis(): Promise<TestRedis> {
  const port = await freePort();
  let server: ChildProcess | null = null;
  const redis: TestRedis = {
    url: `redis://127.0.0.1:${port}/0`,
    async start() {
      const options = { '--port': port, '--bind': '127.0.0.1', '--save': '', '--dir': tmpdir() };
      server = spawn('redis-server', Object.entries(options).flat().map(String), {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      if (!server.stdout) throw new Error('no pipe');
      for await (const line of createInterface({ input: server.stdout }))
        if (line.includes('Ready to accept connections')) break;
      server.stdout.resume();
    },
    async kill() {
      if (!server) return;
      const closed = once(server, 'close');
      server.kill('SIGKILL');
      await closed;
      server = null;
    },
  };
  await redis.start();
  return redis;
}
