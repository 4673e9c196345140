/** Memory and CPU: of the control group where that has a limit (a container), else of the whole host. */
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { join } from 'node:path';

export interface HostReading {
  readonly memory: {
    readonly scope: 'host' | 'cgroup';
    readonly usedBytes: number;
    readonly totalBytes: number;
  };
  readonly cpu: {
    readonly scope: 'host' | 'cgroup';
    readonly cores: number;
    /** Since the reading before, 0..1; null at the first. */
    readonly usedRatio: number | null;
  };
}

/** Where the kernel shows itself; other folders for tests. */
export interface KernelFolders {
  readonly proc: string;
  readonly cgroup: string;
}

interface CpuTimes {
  readonly scope: 'host' | 'cgroup';
  readonly cores: number;
  /** Seconds of work, and seconds that could have been worked. */
  readonly busy: number;
  readonly possible: number;
}

const KERNEL: KernelFolders = { proc: '/proc', cgroup: '/sys/fs/cgroup' };
/** USER_HZ, fixed at 100 on all of Linux's usual machines; ratios do not depend on it. */
const TICKS = 100;

export class HostSampler {
  readonly #kernel: KernelFolders;
  readonly #now: () => number;
  #before: CpuTimes | undefined;

  /** @param now monotonic ms */
  constructor(kernel: KernelFolders = KERNEL, now: () => number = () => performance.now()) {
    this.#kernel = kernel;
    this.#now = now;
  }

  async read(): Promise<HostReading> {
    const [memory, times] = await Promise.all([this.#memory(), this.#times()]);
    const before = this.#before?.scope === times.scope ? this.#before : undefined;
    const possible = before ? times.possible - before.possible : 0;
    const busy = before ? times.busy - before.busy : 0;
    this.#before = times;
    const usedRatio = possible > 0 ? Math.min(1, Math.max(0, busy / possible)) : null;
    return { memory, cpu: { scope: times.scope, cores: times.cores, usedRatio } };
  }

  async #memory(): Promise<HostReading['memory']> {
    const host = await this.#hostMemory();
    const [limit, used, stat] = await Promise.all([
      this.#group('memory.max', 'memory/memory.limit_in_bytes'),
      this.#group('memory.current', 'memory/memory.usage_in_bytes'),
      this.#group('memory.stat', 'memory/memory.stat'),
    ]);
    const totalBytes = Number(limit);
    // `max`, or a number beyond all memory, is no limit.
    if (used === null || !(totalBytes > 0 && totalBytes < host.totalBytes)) return host;
    // Files that were read stay in memory until somebody needs the room.
    const cached = Number(/^(?:total_)?inactive_file (\d+)$/m.exec(stat ?? '')?.[1] ?? 0);
    return { scope: 'cgroup', usedBytes: Math.max(0, Number(used) - cached), totalBytes };
  }

  async #hostMemory(): Promise<HostReading['memory']> {
    const text = await this.#text(join(this.#kernel.proc, 'meminfo'));
    const of = (key: string) =>
      Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(text ?? '')?.[1]) * 1_024;
    const [total, available] = [of('MemTotal'), of('MemAvailable')];
    if (Number.isFinite(total) && Number.isFinite(available))
      return { scope: 'host', usedBytes: total - available, totalBytes: total };
    return { scope: 'host', usedBytes: totalmem() - freemem(), totalBytes: totalmem() };
  }

  async #times(): Promise<CpuTimes> {
    const [max, stat] = await Promise.all([this.#group('cpu.max'), this.#group('cpu.stat')]);
    const [quota, period] = (max ?? '').split(/\s+/).map(Number);
    const usage = /^usage_usec (\d+)$/m.exec(stat ?? '')?.[1];
    const cores = (quota ?? 0) / (period ?? 0);
    if (usage !== undefined && Number.isFinite(cores) && cores > 0 && cores < availableParallelism())
      return { scope: 'cgroup', cores, busy: Number(usage) / 1e6, possible: (this.#now() / 1_000) * cores };
    return this.#hostTimes();
  }

  async #hostTimes(): Promise<CpuTimes> {
    const of = { scope: 'host', cores: cpus().length } as const;
    const text = await this.#text(join(this.#kernel.proc, 'stat'));
    const ticks = /^cpu +([\d ]+)$/m
      .exec(text ?? '')?.[1]
      ?.split(' ')
      .map(Number);
    if (ticks) {
      // user nice system idle iowait irq softirq steal; guests are in user already (proc(5)).
      const all = ticks.slice(0, 8).reduce((sum, n) => sum + n, 0);
      const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0);
      return { ...of, busy: (all - idle) / TICKS, possible: all / TICKS };
    }
    const each = cpus().map(({ times }) => times);
    const all = each.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
    const idle = each.reduce((sum, times) => sum + times.idle, 0);
    return { ...of, busy: (all - idle) / 1_000, possible: all / 1_000 };
  }

  /** A file of the control group: its own in a container, whose root it is; null where there is none. */
  async #group(v2: string, v1?: string): Promise<string | null> {
    const found = await this.#text(join(this.#kernel.cgroup, v2));
    if (found !== null || v1 === undefined) return found?.trim() ?? null;
    return (await this.#text(join(this.#kernel.cgroup, v1)))?.trim() ?? null;
  }

  async #text(path: string): Promise<string | null> {
    // Not there: another system, or no limit.
    return readFile(path, 'utf8').catch(() => null);
  }
}
