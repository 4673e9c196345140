/**
 * What tasks did, by name and state. `task-received` carries the name and all later events only the uuid, so the names of
 * tasks on their way are remembered: bounded, and what had to be forgotten is counted and called `unknown`.
 */
import { TASK_STATES, type TaskEvent, type TaskState } from './celery-event.js';
import { Names, recordOf } from './names.js';
import { UNKNOWN } from './numbers.js';
import { SecondsHistogram, type SecondsHistogramView } from './seconds.js';

/** Names of tasks counted under their own; more is a cardinality bomb and becomes `other`. */
export const TASK_NAMES_KEPT = 100;
/** Tasks on their way whose names are remembered. */
export const TASKS_REMEMBERED = 20_000;
/** Upper bounds, seconds: a task takes from a millisecond to an hour. */
export const TASK_BOUNDS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600,
] as const;

/** Numbers of one task since the monitor began to listen. */
export type CeleryTaskState = Readonly<Record<TaskState, number>> & {
  /** Of succeeded ones, as Celery measured it; null where there is none. */
  readonly runtime_avg_seconds: number | null;
  readonly runtime_max_seconds: number | null;
  /** From being received by a worker (or its ETA) to being started. */
  readonly waiting_avg_seconds: number | null;
  readonly waiting_max_seconds: number | null;
};

export interface CeleryTaskTotals {
  readonly tasks: readonly { readonly task: string; readonly state: TaskState; readonly count: number }[];
  /** By task. */
  readonly runtime: Readonly<Record<string, SecondsHistogramView>>;
  readonly waiting: Readonly<Record<string, SecondsHistogramView>>;
}

/** A task that was sent or received and has not ended. */
interface OnItsWay {
  task: number;
  /** By the worker's clock, ms. */
  receivedAt: number | null;
  eta: number | null;
  /** By our clock, ms. */
  sentSeen: number | null;
  receivedSeen: number | null;
  queue: string | null;
}

/** From being put into a queue to being received by a worker. */
export interface Fetched {
  readonly uuid: string;
  /** Known where the portal announces what it sends. */
  readonly queue: string | null;
  readonly waitedMs: number | null;
}

const ENDS: ReadonlySet<TaskState> = new Set(['succeeded', 'failed', 'revoked', 'rejected', 'cancelled']);

export class CeleryTasks {
  /** Tasks on their way whose names were forgotten to make room. */
  forgotten = 0;
  private readonly names = new Names([UNKNOWN], TASK_NAMES_KEPT);
  private readonly counts = new Float64Array(this.names.capacity * TASK_STATES.length);
  private readonly runtimes: Measured[] = [];
  private readonly waits: Measured[] = [];
  private readonly onTheirWay = new Map<string, OnItsWay>();

  /** Events of tasks whose name is counted as `other`. */
  get other(): number {
    return this.names.overflowed;
  }

  /** Tasks that were sent or received, and of whose end nothing was heard yet. */
  get remembered(): number {
    return this.onTheirWay.size;
  }

  /** When a worker was heard to receive the task that is on its way, ms; null: not heard. */
  receivedSeen(uuid: string): number | null {
    return this.onTheirWay.get(uuid)?.receivedSeen ?? null;
  }

  /** Counts it; says of a task that was received how long it lay in its queue, where that is known. */
  apply(event: TaskEvent, now: number): Fetched | null {
    const known = this.onTheirWay.get(event.uuid);
    const task = event.name === null ? (known?.task ?? 0) : this.names.index(event.name);
    const at = task * TASK_STATES.length + TASK_STATES.indexOf(event.kind);
    this.counts[at] = (this.counts[at] as number) + 1;
    switch (event.kind) {
      case 'sent':
        this.remember(event, { ...unseen(task), sentSeen: now, queue: event.queue });
        return null;
      case 'received': {
        this.remember(event, { ...unseen(task), receivedAt: event.at, eta: event.eta, receivedSeen: now });
        const sent = known?.receivedSeen === null ? known.sentSeen : null;
        return { uuid: event.uuid, queue: known?.queue ?? null, waitedMs: sent === null ? null : now - sent };
      }
      case 'started':
        this.started(event, known, task);
        return null;
      default:
        if (event.kind === 'succeeded' && event.runtimeMs !== null)
          measured(this.runtimes, task, event.runtimeMs);
        // A retried one keeps its name: a worker receives it again, and is heard before or after `retried`.
        if (ENDS.has(event.kind)) this.onTheirWay.delete(event.uuid);
        return null;
    }
  }

  view(): Record<string, CeleryTaskState> {
    return recordOf(
      this.seen().map((task) => {
        const counts = recordOf(TASK_STATES.map((state, i) => [state, this.of(task, i)])) as Record<
          TaskState,
          number
        >;
        const [runtime, waiting] = [this.runtimes[task], this.waits[task]];
        const numbers = {
          ...counts,
          runtime_avg_seconds: runtime?.average() ?? null,
          runtime_max_seconds: runtime === undefined ? null : runtime.maxMs / 1000,
          waiting_avg_seconds: waiting?.average() ?? null,
          waiting_max_seconds: waiting === undefined ? null : waiting.maxMs / 1000,
        };
        return [this.names.name(task), numbers] as const;
      }),
    );
  }

  totals(): CeleryTaskTotals {
    const histograms = (of: readonly (Measured | undefined)[]) =>
      recordOf(
        of.flatMap((one, task) =>
          one === undefined ? [] : [[this.names.name(task), one.histogram.view()] as const],
        ),
      );
    return {
      tasks: this.seen().flatMap((task) =>
        TASK_STATES.map((state, i) => ({ task: this.names.name(task), state, count: this.of(task, i) })),
      ),
      runtime: histograms(this.runtimes),
      waiting: histograms(this.waits),
    };
  }

  private started(event: TaskEvent, known: OnItsWay | undefined, task: number): void {
    if (known === undefined || known.receivedAt === null || event.at === null) return;
    // Both by the same worker's clock. What is not due yet does not wait.
    measured(this.waits, task, Math.max(0, event.at - Math.max(known.receivedAt, known.eta ?? 0)));
    known.receivedAt = null;
  }

  private remember(event: TaskEvent, entry: OnItsWay): void {
    // Anew at the end: the oldest are the first to be forgotten.
    this.onTheirWay.delete(event.uuid);
    if (this.onTheirWay.size >= TASKS_REMEMBERED) {
      const [oldest] = this.onTheirWay.keys();
      if (oldest !== undefined) this.onTheirWay.delete(oldest);
      this.forgotten += 1;
    }
    this.onTheirWay.set(event.uuid, entry);
  }

  /** Indexes of the names that any event was counted under. */
  private seen(): number[] {
    const found: number[] = [];
    for (let task = 0; task < this.names.size; task++) {
      if (TASK_STATES.some((_, state) => this.of(task, state) > 0)) found.push(task);
    }
    return found;
  }

  private of(task: number, state: number): number {
    return this.counts[task * TASK_STATES.length + state] as number;
  }
}

/** A histogram with what it cannot say: the exact maximum. */
class Measured {
  readonly histogram = new SecondsHistogram(TASK_BOUNDS);
  maxMs = 0;
  private sumMs = 0;
  private count = 0;

  record(ms: number): void {
    this.histogram.record(ms, null, 0);
    this.maxMs = Math.max(this.maxMs, ms);
    this.sumMs += ms;
    this.count += 1;
  }

  average(): number {
    return this.sumMs / this.count / 1000;
  }
}

function measured(all: (Measured | undefined)[], task: number, ms: number): void {
  const known = all[task] ?? new Measured();
  all[task] = known;
  known.record(ms);
}

function unseen(task: number): OnItsWay {
  return { task, receivedAt: null, eta: null, sentSeen: null, receivedSeen: null, queue: null };
}
