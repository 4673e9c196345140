/** What health and the rules are told of Celery: the components `celery_workers` and `celery_queue`. */
import type { CeleryState } from './celery.js';
import type { ComponentHealth } from './system-health.js';

type Told = Omit<ComponentHealth, 'since' | 'consecutive_failures' | 'response_time_ms'>;

const OFF = 'Celery is not configured (REDIS_URL or CELERY_BROKER_URL)';
const NO_TRACE =
  'there is no trace of Celery in the Redis of REDIS_URL; where it uses another one, CELERY_BROKER_URL names that';

/**
 * The components as of a state; undefined: Celery is not configured. One of which nothing is known yet is left out, as
 * one that was not checked yet.
 */
export function celeryComponents(state: CeleryState | undefined): readonly ComponentHealth[] {
  return [workers(state), queue(state)].flatMap((part) =>
    part === null
      ? []
      : [
          {
            ...part,
            response_time_ms: null,
            since: null,
            consecutive_failures: part.status === 'degraded' ? 1 : 0,
          },
        ],
  );
}

function workers(state: CeleryState | undefined): Told | null {
  const component = 'celery_workers';
  if (state === undefined) return { component, available: false, status: 'not_configured', message: OFF };
  if (!state.watches_workers) return { component, ...switchedOff('CELERY_MONITOR_WORKERS') };
  if (!state.found) return { component, available: false, status: 'not_configured', message: NO_TRACE };
  if (state.workers_up === null) return null;
  const names = state.workers.filter(({ online }) => online).map(({ name }) => name);
  const details = {
    workers_online: state.workers_online,
    workers: names,
    tasks_succeeded: state.tasks_succeeded,
    tasks_failed: state.tasks_failed,
    interruptions: state.heard.interruptions,
    problems: state.heard.problems,
  };
  const of = { component, available: state.workers_up, details };
  if (!state.connected) {
    const lost = `the broker does not answer since ${state.since}: ${state.reason}`;
    return state.workers_up
      ? { ...of, status: 'healthy', message: `workers were online before; ${lost}` }
      : { ...of, status: 'degraded', message: `workers cannot be seen; ${lost}` };
  }
  if (!state.workers_up) return { ...of, status: 'degraded', message: noneOnline(state) };
  const { workers_online: online } = state;
  if (online === null || online === 0) {
    const message = `workers were online before; they are given time to come back to the broker, which answers since ${state.since}`;
    return { ...of, status: 'healthy', message };
  }
  const hint = state.heard.tasks_heard
    ? ''
    : '; no event of a task was heard yet (workers need the option -E)';
  return { ...of, status: 'healthy', message: `${online} online${hint}` };
}

function noneOnline({ workers }: CeleryState): string {
  const [last] = workers;
  if (last === undefined) return 'no worker is online: none sent a heartbeat or answered a ping';
  return `no worker is online; the last was ${last.name}, seen last at ${last.last_seen_at}`;
}

function queue(state: CeleryState | undefined): Told | null {
  const component = 'celery_queue';
  if (state === undefined) return { component, available: false, status: 'not_configured', message: OFF };
  if (!state.watches_queues) return { component, ...switchedOff('CELERY_MONITOR_QUEUE_LENGTH') };
  if (!state.found) return { component, available: false, status: 'not_configured', message: NO_TRACE };
  const { queues, queues_reason: reason } = state;
  if (queues === null) {
    const why = reason ?? state.reason;
    // Not read yet: nothing is wrong so far.
    if (why === null) return null;
    return { component, available: false, status: 'degraded', message: `the queues cannot be read: ${why}` };
  }
  const lengths = Object.fromEntries(Object.entries(queues).map(([name, { length }]) => [name, length]));
  const told = Object.entries(lengths).map(([name, length]) => `${length} in ${name}`);
  const message = reason === null ? `${told.join(', ')}` : `${told.join(', ')}; ${reason}`;
  return {
    ...{ component, available: true, message },
    status: reason === null ? 'healthy' : 'degraded',
    details: { queue_length: state.queue_length, queues: lengths },
  };
}

function switchedOff(setting: string): Omit<Told, 'component'> {
  return { available: false, status: 'not_configured', message: `switched off by ${setting}` };
}
