/** Celery as one monitor sees it: the settings, the clock, and the one fold that everything is told to. */
import { Celery, type CeleryState, type CeleryTotals, type CeleryView } from '../streams/celery.js';
import { celeryComponents } from '../streams/celery-health.js';
import type { ComponentHealth } from '../streams/system-health.js';
import { type CeleryLog, CeleryWatch } from './celery/watch.js';
import type { Config } from './config.js';

export interface CeleryConfig {
  /** CELERY_BROKER_URL, or REDIS_URL. */
  readonly url: string;
  /** It is the one that Celery uses, not one that Celery might use. */
  readonly certain: boolean;
  readonly queues: readonly string[];
  readonly watchWorkers: boolean;
  readonly watchQueues: boolean;
  /** Between two pings of workers, seconds (HEALTH_CHECK_INTERVAL). */
  readonly pingIntervalSeconds: number;
}

type CelerySettings = Pick<
  Config,
  | 'REDIS_URL'
  | `CELERY_${'BROKER_URL' | 'QUEUES' | 'MONITOR_WORKERS' | 'MONITOR_QUEUE_LENGTH'}`
  | 'HEALTH_CHECK_INTERVAL'
>;

/** How long a round of pings waits for the last of the workers, ms: as long as `celery inspect` does. */
const PING_TIMEOUT_MS = 1_000;

/** Undefined: there is no broker to ask, or nothing that is wanted of it. */
export function celeryConfig(config: CelerySettings): CeleryConfig | undefined {
  const url = config.CELERY_BROKER_URL ?? config.REDIS_URL;
  const { CELERY_MONITOR_WORKERS: watchWorkers, CELERY_MONITOR_QUEUE_LENGTH: watchQueues } = config;
  if (url === null || !(watchWorkers || watchQueues)) return undefined;
  return {
    ...{
      url,
      certain: config.CELERY_BROKER_URL !== null,
      watchWorkers,
      watchQueues,
      queues: config.CELERY_QUEUES,
    },
    pingIntervalSeconds: config.HEALTH_CHECK_INTERVAL,
  };
}

export class CeleryService implements CeleryView {
  readonly #fold: Celery;
  readonly #watch: CeleryWatch;

  constructor(config: CeleryConfig, log: CeleryLog) {
    const { queues, watchWorkers, watchQueues, certain } = config;
    // Of this host, and never set back or forward: the liveness of workers hangs on it.
    const now = () => performance.timeOrigin + performance.now();
    this.#fold = new Celery({ queues, watchWorkers, watchQueues, certain }, now());
    this.#watch = new CeleryWatch(
      this.#fold,
      {
        ...{ url: config.url, queues, watchWorkers, watchQueues, log },
        pingIntervalMs: config.pingIntervalSeconds * 1_000,
        pingTimeoutMs: PING_TIMEOUT_MS,
      },
      now,
    );
  }

  /** Returns at once; a broker that is not there is waited for. */
  start(): void {
    this.#watch.start();
  }

  stop(): Promise<void> {
    return this.#watch.stop();
  }

  state(): CeleryState {
    return this.#fold.state();
  }

  totals(): CeleryTotals {
    return this.#fold.totals();
  }

  /** `celery_workers` and `celery_queue`, as health and the rules see them. */
  components(): readonly ComponentHealth[] {
    return celeryComponents(this.state());
  }
}
