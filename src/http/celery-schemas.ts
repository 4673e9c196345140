/** Celery in the snapshot message, as strict as in schemas.ts. */
import { z } from '@hono/zod-openapi';
import { TASK_STATES, type TaskState } from '../../streams/celery-event.js';
import type { CelerySummary } from '../../streams/celery-summary.js';
import { count, instant } from './schemas.js';

const seconds = z
  .number()
  .min(0)
  .nullable()
  .openapi({ description: 'Seconds; null when there was nothing.' });

const states = Object.fromEntries(TASK_STATES.map((state) => [state, count])) as Record<
  TaskState,
  typeof count
>;

const task = z
  .strictObject({
    ...states,
    runtime_avg_seconds: seconds,
    runtime_max_seconds: seconds,
    waiting_avg_seconds: seconds,
    waiting_max_seconds: seconds,
  })
  .openapi('CeleryTask');

const queue = z
  .strictObject({
    length: count,
    by_priority: z.record(z.string(), count),
    backlog_since: instant.nullable().openapi({ description: 'Not seen empty since; null: it is.' }),
    waited_count: count,
    waited_avg_seconds: seconds,
    waited_max_seconds: seconds,
  })
  .openapi('CeleryQueue');

const worker = z
  .strictObject({
    name: z.string(),
    online: z.boolean(),
    seen_by: z.enum(['heartbeat', 'ping']),
    since: instant,
    active: z.number().nullable().openapi({ description: 'Tasks that it executes.' }),
  })
  .openapi('CeleryWorker');

export const celerySummarySchema = z
  .strictObject({
    connected: z.boolean(),
    since: instant,
    reason: z.string().nullable(),
    workers_online: count.nullable().openapi({ description: 'Null: not known.' }),
    workers_up: z.boolean().nullable(),
    workers: z.array(worker).readonly(),
    tasks: z.record(z.string(), task).openapi({ description: 'Counted since the monitor began to listen.' }),
    tasks_succeeded: count,
    tasks_failed: count,
    queues: z.record(z.string(), queue).nullable(),
    queue_length: count.nullable(),
    queues_reason: z.string().nullable(),
    interruptions: count,
    problems: z.array(z.string()).readonly(),
  })
  .openapi('Celery') satisfies z.ZodType<CelerySummary>;
