/** In which order components and tasks are shown. Pure. */
import type { CelerySummary } from '../../../../../streams/celery-summary.js';
import type { ComponentHealth } from '../../../../../streams/system-health.js';
import type { Level } from '../../status.js';

const RANK: Readonly<Record<ComponentHealth['status'], number>> = {
  unhealthy: 0,
  degraded: 1,
  healthy: 2,
  not_configured: 3,
};

/** The worst first, of the same status what lasts longest; those that are well in the order in which they are told. */
export function inOrder(components: readonly ComponentHealth[]): readonly ComponentHealth[] {
  return [...components].sort((one, other) => {
    const worse = RANK[one.status] - RANK[other.status];
    if (worse !== 0 || one.status === 'healthy' || one.status === 'not_configured') return worse;
    return (one.since ?? '').localeCompare(other.since ?? '');
  });
}

export function levelOfStatus(status: ComponentHealth['status']): Level {
  switch (status) {
    case 'unhealthy':
      return 'bad';
    case 'degraded':
      return 'warn';
    case 'healthy':
      return 'good';
    case 'not_configured':
      return 'unknown';
  }
}

export interface TaskRow {
  readonly name: string;
  readonly succeeded: number;
  readonly failed: number;
  readonly retried: number;
  /** Every other state that was met, in the order of a task's life. */
  readonly others: readonly (readonly [state: string, count: number])[];
  readonly runtimeAvgSeconds: number | null;
  readonly runtimeMaxSeconds: number | null;
}

const OTHERS = ['sent', 'received', 'started', 'revoked', 'rejected', 'cancelled'] as const;

/** Those that fail first, then the busiest. */
export function taskRows(tasks: CelerySummary['tasks']): readonly TaskRow[] {
  return Object.entries(tasks)
    .map(([name, task]) => ({
      ...{ name, succeeded: task.succeeded, failed: task.failed, retried: task.retried },
      others: OTHERS.map((state) => [state, task[state]] as const).filter(([, count]) => count > 0),
      runtimeAvgSeconds: task.runtime_avg_seconds,
      runtimeMaxSeconds: task.runtime_max_seconds,
    }))
    .sort(
      (one, other) =>
        other.failed - one.failed || other.succeeded - one.succeeded || (one.name < other.name ? -1 : 1),
    );
}

/** Offline ones first: they are what is looked for. */
export function workerRows(workers: CelerySummary['workers']): CelerySummary['workers'] {
  return [...workers].sort(
    (one, other) => Number(one.online) - Number(other.online) || (one.name < other.name ? -1 : 1),
  );
}
