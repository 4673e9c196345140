/** Measures memory and CPU each second while an import runs; what the checks find comes in at their own pace. */
import type { Batch } from '../streams/event.js';
import { ImportRuns, type ResourcesState } from '../streams/import-runs.js';
import { type Resources, resourcesOf } from '../streams/resources.js';
import type { SystemHealth } from '../streams/system-health.js';
import { HostSampler } from './health/host.js';

const EVERY_MS = 1_000;
/** Connections are asked for more often than else while an import runs: each so many measurements. */
const CONNECTIONS_EVERY = 5;

export interface ResourceWatchOptions {
  readonly health: () => SystemHealth;
  /** Lets the database be checked soon. */
  readonly askDatabase: () => void;
}

export class ResourceWatch {
  readonly #runs = new ImportRuns();
  readonly #options: ResourceWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #host: HostSampler | undefined;
  #newest: Partial<Resources> | undefined;
  #reading = false;
  #measured = 0;
  #stopped = false;

  constructor(options: ResourceWatchOptions) {
    this.#options = options;
  }

  /** Synchronously, for every batch of the source. */
  apply(batch: Batch): void {
    this.#runs.apply(batch);
    if (!this.#runs.active || this.#timer || this.#stopped) return;
    // CPU is measured from one reading to the next.
    this.#host = new HostSampler();
    this.#measured = 0;
    void this.#measure();
    this.#timer = setInterval(() => void this.#measure(), EVERY_MS);
    this.#timer.unref();
  }

  state(): ResourcesState {
    const { timestamp, components } = this.#options.health();
    this.#runs.advance(Date.parse(timestamp));
    return { timestamp, now: this.#now(components), imports: this.#runs.view() };
  }

  stop(): void {
    this.#stopped = true;
    this.#end();
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#newest = undefined;
  }

  #now(components: SystemHealth['components']): Resources {
    return { ...resourcesOf(components), ...this.#newest };
  }

  async #measure(): Promise<void> {
    if (this.#reading || !this.#host) return;
    this.#reading = true;
    if (this.#measured++ % CONNECTIONS_EVERY === 0) this.#options.askDatabase();
    try {
      const { memory, cpu } = await this.#host.read();
      this.#newest = {
        memory_used_bytes: memory.usedBytes,
        memory_total_bytes: memory.totalBytes,
        ...(cpu.usedRatio !== null && { cpu_used_ratio: cpu.usedRatio }),
      };
      const { timestamp, components } = this.#options.health();
      this.#runs.measured(this.#now(components));
      this.#runs.advance(Date.parse(timestamp));
      if (!this.#runs.active) this.#end();
    } finally {
      this.#reading = false;
    }
  }
}
