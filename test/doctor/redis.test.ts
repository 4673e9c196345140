import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkRedis } from '../../src/doctor/redis.js';
import { freePort } from '../../src/source/embedded-process.js';

const installed = spawnSync('redis-server', ['--version']).status === 0;
if (!installed)
  console.log('redis-server is not installed (apt-get install redis-server): its PING is not tested');

test('without REDIS_URL it is said, and well', async () => {
  expect(await checkRedis(null, 1_000)).toMatchObject({
    status: 'ok',
    message: expect.stringContaining('Not configured'),
  });
});

test('where nobody listens it is a fault', async () => {
  for (const host of ['127.0.0.1', 'localhost'])
    expect(await checkRedis(`redis://:secret@${host}:1`, 5_000)).toEqual({
      status: 'fault',
      message: expect.stringMatching(new RegExp(`^Redis at ${host}:1 does not work: .*ECONNREFUSED`)),
      remedy: expect.stringContaining('Start Redis'),
    });
});

describe.skipIf(!installed)('a real Redis', () => {
  let server: ChildProcess;
  let port: number;

  beforeAll(async () => {
    port = await freePort();
    const options = {
      '--port': port,
      '--bind': '127.0.0.1',
      '--save': '',
      '--requirepass': 'word',
      '--dir': tmpdir(),
    };
    server = spawn('redis-server', Object.entries(options).flat().map(String), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (!server.stdout) throw new Error('no pipe');
    for await (const line of createInterface({ input: server.stdout }))
      if (line.includes('Ready to accept connections')) break;
    server.stdout.resume();
  });
  afterAll(async () => {
    const closed = once(server, 'close');
    server.kill('SIGTERM');
    await closed;
  });

  test('answers PING', async () => {
    const finding = await checkRedis(`redis://:word@127.0.0.1:${port}/1`, 5_000);
    expect(finding).toEqual({
      status: 'ok',
      message: expect.stringMatching(/answered PING within [\d.]+ ms/),
    });
  });

  test.each([
    ['redis://', 'role and password'],
    ['redis://:wrong-one@', 'role and password'],
    ['rediss://:word@', 'redis:// where it does not'],
  ])('asked as %s it is a fault with its remedy, and no password is shown', async (start, remedy) => {
    const finding = await checkRedis(`${start}127.0.0.1:${port}`, 1_000);
    expect(finding).toMatchObject({ status: 'fault', remedy: expect.stringContaining(remedy) });
    expect(JSON.stringify(finding)).not.toMatch(/wrong-one|:word/);
  });
});
