/** Celery as a part of the snapshot message: what a page shows, without what changes with every heartbeat. */
import type { CeleryState } from './celery.js';
import type { CeleryWorkerState } from './celery-workers.js';

export type CeleryWorkerSummary = Pick<CeleryWorkerState, 'name' | 'online' | 'seen_by' | 'since' | 'active'>;

export type CelerySummary = Omit<
  CeleryState,
  'heard' | 'workers' | 'found' | 'watches_workers' | 'watches_queues'
> & {
  readonly workers: readonly CeleryWorkerSummary[];
  readonly interruptions: number;
  readonly problems: readonly string[];
};

/** Undefined: there is no Celery to be shown. */
export function celerySummary(state: CeleryState): CelerySummary | undefined {
  const { heard, workers, found, watches_workers: _workers, watches_queues: _queues, ...rest } = state;
  if (!found) return undefined;
  return {
    ...rest,
    workers: workers.map(({ name, online, seen_by, since, active }) => ({
      ...{ name, online, seen_by, since, active },
    })),
    interruptions: heard.interruptions,
    problems: heard.problems,
  };
}
