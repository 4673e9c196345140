/** `/metrics/celery` (SPEC section 5), out of what streams/celery.ts has heard. Without Celery the families are empty. */
import type { CeleryState, CeleryTotals, CeleryView } from '../../streams/celery.js';
import type { SecondsHistogramView } from '../../streams/seconds.js';
import type { Family } from './exposition.js';
import { many, single } from './family.js';
import { histogramSamples } from './totals-families.js';

export function celeryFamilies(view: CeleryView | undefined): readonly Family[] {
  const [state, totals] = [view?.state(), view?.totals()];
  return [...workersAndQueues(state), ...ofTasks(totals), ...hearing(state)];
}

function workersAndQueues(state: CeleryState | undefined): readonly Family[] {
  return [
    single(
      'gauge',
      'celery_broker_up',
      'Whether the broker of Celery answers.',
      state && Number(state.connected),
    ),
    single(
      'gauge',
      'celery_workers_online',
      'Workers whose heartbeat is in time, or who answered the last ping.',
      state?.workers_online,
    ),
    many(
      'gauge',
      'celery_queue_length',
      'Tasks that wait in a queue, of all priorities.',
      Object.entries(state?.queues ?? {}).map(([queue, { length }]) => [{ queue }, length]),
    ),
  ];
}

function ofTasks(totals: CeleryTotals | undefined): readonly Family[] {
  return [
    many(
      'counter',
      'celery_tasks_total',
      'Events of tasks by name and state.',
      (totals?.tasks ?? []).map(({ task, state, count }) => [{ task, state }, count]),
    ),
    histogram('celery_task_runtime_seconds', 'Runtime of succeeded tasks.', 'task', totals?.runtime),
    histogram(
      'celery_task_waiting_seconds',
      'From being received by a worker, or its ETA, to being started.',
      'task',
      totals?.waiting,
    ),
    histogram(
      'celery_queue_waiting_seconds',
      'From being in the queue to being received by a worker; a sample, unless task-sent events are on.',
      'queue',
      totals?.queueWaiting,
    ),
  ];
}

/** How far the numbers above can be trusted. */
function hearing(state: CeleryState | undefined): readonly Family[] {
  const heard = state?.heard;
  const counter = (name: string, help: string, value: number | undefined) =>
    single('counter', name, help, value);
  return [
    single(
      'gauge',
      'celery_tasks_on_their_way',
      'Tasks whose end was not heard yet.',
      heard?.tasks_on_their_way,
    ),
    counter('celery_events_total', 'Events of workers and tasks that were heard.', heard?.events),
    counter(
      'celery_events_unreadable_total',
      'Messages on the channel of events that could not be read.',
      heard?.unreadable,
    ),
    counter(
      'celery_interruptions_total',
      'Times without a connection; what was told meanwhile is not counted.',
      heard?.interruptions,
    ),
    counter('celery_deaf_seconds_total', 'Their duration.', heard?.deaf_seconds),
    counter(
      'celery_task_names_forgotten_total',
      'Tasks whose name was forgotten to make room, and that are counted as "unknown".',
      heard?.names_forgotten,
    ),
    counter(
      'celery_task_names_other_total',
      'Events of tasks whose name is counted as "other".',
      heard?.other_tasks,
    ),
    counter(
      'celery_workers_not_kept_total',
      'Signs of life of workers beyond the most that are kept.',
      heard?.workers_not_kept,
    ),
    counter(
      'celery_waits_not_measured_total',
      'Waiting tasks that were left out of the sample because it was full.',
      heard?.waits_not_measured,
    ),
  ];
}

function histogram(
  name: string,
  help: string,
  label: string,
  views: Readonly<Record<string, SecondsHistogramView>> = {},
): Family {
  const samples = Object.entries(views).flatMap(([key, view]) => histogramSamples({ [label]: key }, view));
  return { name, help, type: 'histogram', samples };
}
