/**
 * What workers of Celery publish about themselves and their tasks, cut down to what is counted. Only the fields below
 * are ever read: `args`, `kwargs`, `result`, `exception` and `traceback` hold personal data and are not kept.
 * Source: celery/worker/heartbeat.py, worker/strategy.py and worker/request.py of Celery 5.2.
 */

/** States of a task that Celery has an event for, in the order of a task's life. */
export const TASK_STATES = [
  'sent',
  'received',
  'started',
  'succeeded',
  'failed',
  'retried',
  'revoked',
  'rejected',
  'cancelled',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

export interface WorkerEvent {
  readonly kind: 'online' | 'heartbeat' | 'offline';
  readonly worker: string;
  /** Announced seconds between two heartbeats; null where the event tells none that can be used. */
  readonly frequencySeconds: number | null;
  /** Tasks that it executes now, and has executed since it began. */
  readonly active: number | null;
  readonly processed: number | null;
}

export interface TaskEvent {
  readonly kind: TaskState;
  readonly uuid: string;
  /** Only `sent` and `received` carry it. */
  readonly name: string | null;
  /** By the clock of who sent the event, ms. */
  readonly at: number | null;
  /** Not to be started before, ms by the sender's clock. */
  readonly eta: number | null;
  /** Of `succeeded`, as Celery measured it. */
  readonly runtimeMs: number | null;
  /** Of `sent`. */
  readonly queue: string | null;
}

export type CeleryEvent = WorkerEvent | TaskEvent;

export interface ParsedEvents {
  readonly events: readonly CeleryEvent[];
  /** Elements that are no event of a worker or a task, or lack what identifies them. */
  readonly ignored: number;
}

/** Longer names and ids are somebody's mistake, and not worth their memory. UTF-16 units. */
export const TEXT_LIMIT = 255;
/** Seconds; a worker that announces a longer one would never be missed. */
const LONGEST_FREQUENCY = 3_600;

/** The events of one message: an object, or an array where the worker sent several at once (`task.multi`). */
export function parseCeleryEvents(body: unknown): ParsedEvents {
  const elements = Array.isArray(body) ? body : [body];
  const events = elements.map(parseOne).filter((event) => event !== null);
  return { events, ignored: elements.length - events.length };
}

export function isTaskEvent(event: CeleryEvent): event is TaskEvent {
  return 'uuid' in event;
}

function parseOne(element: unknown): CeleryEvent | null {
  if (typeof element !== 'object' || element === null) return null;
  const fields = element as Readonly<Record<string, unknown>>;
  const { type } = fields;
  if (typeof type !== 'string') return null;
  if (type.startsWith('worker-')) return workerEvent(type.slice('worker-'.length), fields);
  return type.startsWith('task-') ? taskEvent(type.slice('task-'.length), fields) : null;
}

function workerEvent(kind: string, fields: Readonly<Record<string, unknown>>): WorkerEvent | null {
  if (kind !== 'online' && kind !== 'heartbeat' && kind !== 'offline') return null;
  const worker = text(fields.hostname);
  if (worker === null) return null;
  const frequency = number(fields.freq);
  return {
    kind,
    worker,
    frequencySeconds: frequency !== null && frequency > 0 ? Math.min(frequency, LONGEST_FREQUENCY) : null,
    active: number(fields.active),
    processed: number(fields.processed),
  };
}

function taskEvent(kind: string, fields: Readonly<Record<string, unknown>>): TaskEvent | null {
  const state = TASK_STATES.find((known) => known === kind);
  const uuid = text(fields.uuid);
  if (state === undefined || uuid === null) return null;
  const eta = text(fields.eta);
  return {
    kind: state,
    uuid,
    // Not cut: two names that differ only at their end are two names; the registry refuses a long one.
    name: typeof fields.name === 'string' && fields.name !== '' ? fields.name : null,
    at: millis(number(fields.timestamp)),
    eta: eta === null ? null : finite(Date.parse(eta)),
    runtimeMs: millis(number(fields.runtime)),
    queue: text(fields.queue),
  };
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' && value.length <= TEXT_LIMIT ? value : null;
}

function number(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 ? finite(value) : null;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function millis(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1000;
}
