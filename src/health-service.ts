/**
 * Health of the monitor and of what is around it: each component is checked on a schedule of its own, and whoever asks is
 * answered at once from what is known.
 */
import type { Batch } from '../streams/event.js';
import type { ResourcesState } from '../streams/import-runs.js';
import type { ScheduleState } from '../streams/schedules.js';
import { Standing } from '../streams/standing.js';
import {
  type ComponentHealth,
  type HealthFacts,
  type SystemHealth,
  systemHealth,
} from '../streams/system-health.js';
import { CheckedComponent } from './health/checked.js';
import { checksOf } from './health-checks.js';
import type { HealthConfig } from './health-settings.js';
import { Job } from './job.js';
import { ResourceWatch } from './resource-watch.js';
import type { SourceLog } from './source/journal.js';
import { within } from './within.js';

export interface HealthServiceOptions {
  readonly databaseUrl: string;
  /** Undefined: nothing is checked, and only what the monitor knows of itself is told. */
  readonly config: HealthConfig | undefined;
  /** Components that somebody else keeps an eye on. */
  readonly others?: () => readonly ComponentHealth[];
  readonly log: SourceLog;
}

/** What the monitor knows without a check. */
export type OwnFacts = Omit<HealthFacts, 'checked' | 'critical' | 'standing'>;

/** Checks end when they are told to; a mount that hangs does not, and is left. SIGTERM leaves 5 s in all. ms */
const FINISH_MS = 500;

interface Kept {
  readonly checked: CheckedComponent;
  readonly job: Job;
}

export class HealthService {
  readonly #options: HealthServiceOptions;
  readonly #standing = new Standing();
  readonly #kept: readonly Kept[];
  readonly #unconfigured: readonly ComponentHealth[];
  #resources: ResourceWatch | undefined;
  #connected = true;

  constructor(options: HealthServiceOptions) {
    this.#options = options;
    const { config } = options;
    const { checks, unconfigured } = config
      ? checksOf(config, options.databaseUrl)
      : { checks: [], unconfigured: [] };
    this.#unconfigured = unconfigured;
    this.#kept = checks.map((check) => {
      const checked = new CheckedComponent(check, config?.timeoutMs ?? 0);
      const run = (stop: AbortSignal) => this.#check(checked, stop);
      return {
        checked,
        job: new Job({ name: `health:${check.component}`, when: config?.intervalMs ?? 0, run }),
      };
    });
  }

  /** @param health what `health()` gives with the facts of that moment */
  start(health: () => SystemHealth): void {
    for (const { job } of this.#kept) job.start();
    if (this.#options.config)
      this.#resources = new ResourceWatch({ health, askDatabase: () => this.#askDatabase() });
  }

  /** Synchronously, for every batch of the source. */
  apply(batch: Batch): void {
    this.#resources?.apply(batch);
  }

  /** Undefined where nothing is checked. */
  resources(): ResourcesState | undefined {
    return this.#resources?.state();
  }

  /** Never waits for a component. */
  health(facts: OwnFacts): SystemHealth {
    this.#follow(facts.source.connected);
    return systemHealth({
      ...facts,
      checked: [...this.#checked(facts), ...this.#unconfigured, ...(this.#options.others?.() ?? [])],
      critical: this.#options.config?.critical ?? [],
      standing: this.#standing,
    });
  }

  schedules(): readonly ScheduleState[] {
    return this.#kept.map(({ job }) => job.state());
  }

  async stop(): Promise<void> {
    this.#resources?.stop();
    await within(FINISH_MS, Promise.all(this.#kept.map(({ job }) => job.stop())));
    for (const { checked } of this.#kept) checked.close();
  }

  #checked({ source }: OwnFacts): ComponentHealth[] {
    return this.#kept.flatMap(({ checked }) => {
      const health = checked.health();
      if (!health) return [];
      // Failed before the reader was back: says nothing of now.
      const old = !health.available && checked.checkedAt < (source.connectedSince ?? 0);
      return checked.component === 'database' && source.connected && old ? [] : [health];
    });
  }

  /** The reader meets an outage and its end first. */
  #follow(connected: boolean): void {
    if (connected === this.#connected) return;
    this.#connected = connected;
    this.#askDatabase();
  }

  #askDatabase(): void {
    this.#kept.find(({ checked }) => checked.component === 'database')?.job.hurry();
  }

  async #check(checked: CheckedComponent, stop: AbortSignal) {
    const before = checked.health();
    const asked = await checked.check(stop);
    if (stop.aborted) return { outcome: 'skipped', message: 'the monitor stops' } as const;
    const after = checked.health();
    if (after && before?.status !== after.status) this.#tell(before, after);
    return asked.available
      ? ({ outcome: 'succeeded' } as const)
      : ({ outcome: 'failed', message: asked.message } as const);
  }

  /** Said once when it begins and once when it ends. */
  #tell(before: ComponentHealth | undefined, { component, status, message }: ComponentHealth): void {
    if (status === 'healthy' && !before) return;
    const level = status === 'healthy' ? 'info' : 'warn';
    this.#options.log[level](
      { event_type: 'health', component, status },
      `${component} is ${status}: ${message}`,
    );
  }
}
