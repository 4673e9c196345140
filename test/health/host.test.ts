/** Memory and CPU: of this host as it is, and of containers as the kernel would show them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { cpuCheck } from '../../src/health/cpu.js';
import { type HostReading, HostSampler } from '../../src/health/host.js';
import { memoryCheck } from '../../src/health/memory.js';
import { until } from '../source/collector.js';

const root = mkdtempSync(join(tmpdir(), 'csm-kernel-'));
afterAll(() => rmSync(root, { recursive: true }));
const NEVER = new AbortController().signal;

function kernel(files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(root, 'k'));
  const put = (name: string, text: string) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), `${text}\n`);
  };
  for (const [name, text] of Object.entries(files)) put(name, text);
  return { put, folders: { proc: join(folder, 'proc'), cgroup: join(folder, 'cgroup') } };
}

const MEMINFO = 'MemTotal:       16000000 kB\nMemFree:          500000 kB\nMemAvailable:   12000000 kB';

it('measures this host', async () => {
  const host = new HostSampler();
  const first = await host.read();
  expect(first.cpu.usedRatio).toBeNull();
  expect(first.memory.totalBytes).toBeGreaterThan(0);
  expect(first.memory.totalBytes).toBeLessThanOrEqual(totalmem());
  expect(first.memory.usedBytes).toBeGreaterThan(process.memoryUsage().rss / 4);
  expect(first.memory.usedBytes).toBeLessThan(first.memory.totalBytes);
  let second: HostReading | undefined;
  // The kernel counts in hundredths of a second.
  await until(async () => {
    second = await host.read();
    return second.cpu.usedRatio !== null;
  }, 'some time has gone');
  expect(second?.cpu.usedRatio).toBeGreaterThanOrEqual(0);
  expect(second?.cpu.usedRatio).toBeLessThanOrEqual(1);
});

it('sees work of its own', async () => {
  const host = new HostSampler();
  await host.read();
  const worked = () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  };
  for (const end = worked() + 500_000; worked() < end; ) for (let i = 0; i < 1e6; i++) Math.random();
  // One thread kept one core busy; where others took it away, they did.
  const { cpu } = await host.read();
  expect((cpu.usedRatio ?? 0) * cpu.cores).toBeGreaterThan(0.5);
});

it('tells of the host where nothing is limited', async () => {
  const { put, folders } = kernel({
    'proc/meminfo': MEMINFO,
    'proc/stat': 'cpu  100 10 50 800 40 0 0 0 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1',
    'cgroup/memory.max': 'max',
    'cgroup/memory.current': '5000000',
    'cgroup/memory.stat': 'inactive_file 1000',
    'cgroup/cpu.max': 'max 100000',
    'cgroup/cpu.stat': 'usage_usec 5000000',
  });
  const host = new HostSampler(folders);
  expect(await host.read()).toEqual({
    memory: { scope: 'host', totalBytes: 16e6 * 1_024, usedBytes: 4e6 * 1_024 },
    cpu: { scope: 'host', cores: cpus().length, usedRatio: null },
  });
  // 30 of 120 ticks idle or waiting for a disk.
  put('proc/stat', 'cpu  180 10 60 820 50 0 0 0 0 0');
  expect((await host.read()).cpu.usedRatio).toBeCloseTo(0.75);
});

it('tells of the container where that is limited, without the files that it has read', async () => {
  const { put, folders } = kernel({
    'proc/meminfo': MEMINFO,
    'cgroup/memory.max': '1000000000',
    'cgroup/memory.current': '900000000',
    'cgroup/memory.stat': 'anon 1\ninactive_file 300000000\nactive_file 5',
    'cgroup/cpu.max': '50000 100000',
    'cgroup/cpu.stat': 'usage_usec 5000000\nuser_usec 1',
  });
  let now = 0;
  const host = new HostSampler(folders, () => now);
  expect((await host.read()).memory).toEqual({ scope: 'cgroup', totalBytes: 1e9, usedBytes: 6e8 });
  now += 10_000;
  put('cgroup/cpu.stat', 'usage_usec 9000000\nuser_usec 1');
  // Four seconds of work in ten of half a core.
  expect((await host.read()).cpu).toEqual({ scope: 'cgroup', cores: 0.5, usedRatio: expect.closeTo(0.8) });
  expect(availableParallelism()).toBeGreaterThan(0.5);
});

it('reads the older control groups', async () => {
  const { folders } = kernel({
    'proc/meminfo': MEMINFO,
    'cgroup/memory/memory.limit_in_bytes': '2000000000',
    'cgroup/memory/memory.usage_in_bytes': '800000000',
    'cgroup/memory/memory.stat': 'cache 1\ntotal_inactive_file 300000000',
  });
  expect((await new HostSampler(folders).read()).memory).toEqual({
    ...{ scope: 'cgroup', totalBytes: 2e9, usedBytes: 5e8 },
  });
});

it('does without the kernel’s files', async () => {
  const { memory, cpu } = await new HostSampler(kernel({}).folders).read();
  expect(memory).toMatchObject({ scope: 'host', totalBytes: totalmem() });
  expect(cpu).toEqual({ scope: 'host', cores: cpus().length, usedRatio: null });
});

it('says when there is hardly any memory left', async () => {
  const memory = (used: number) =>
    memoryCheck({
      read: async () => ({
        memory: { scope: 'cgroup', usedBytes: used * 2 ** 30, totalBytes: 4 * 2 ** 30 },
        cpu: { scope: 'host', cores: 1, usedRatio: null },
      }),
    }).ask(NEVER);
  expect(await memory(2)).toEqual({
    ...{ available: true, message: "50 % of the container's memory is used, 2.0 of 4.0 GiB" },
    details: { scope: 'cgroup', used_bytes: 2 ** 31, total_bytes: 2 ** 32, used_percent: 50 },
  });
  expect((await memory(3.9)).concern).toBe(true);
});

it('says when the CPU is busy for five minutes, not for one', async () => {
  let now = 0;
  let usedRatio: number | null = 0.99;
  const check = cpuCheck(
    {
      read: async () => ({
        memory: { scope: 'host', usedBytes: 1, totalBytes: 2 },
        cpu: { scope: 'host', cores: 2, usedRatio },
      }),
    },
    () => now,
  );
  const seen: (boolean | undefined)[] = [];
  for (; now <= 6 * 60_000; now += 60_000) seen.push((await check.ask(NEVER)).concern);
  expect(seen).toEqual([undefined, undefined, undefined, undefined, undefined, true, true]);
  usedRatio = 0.5;
  expect((await check.ask(NEVER)).concern).toBeUndefined();
  now += 60_000;
  usedRatio = 1;
  expect((await check.ask(NEVER)).concern).toBeUndefined();
  usedRatio = null;
  expect((await check.ask(NEVER)).message).toMatch(/from one check to the next/);
});
