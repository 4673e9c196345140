/** The state of a Celery, folded out of its workers' events, answers to pings and queue lengths. Pure; time is given in. */
import { isTaskEvent, type ParsedEvents } from './celery-event.js';
import { type CeleryQueueState, CeleryQueues, type ListReading } from './celery-queues.js';
import { type CeleryTaskState, CeleryTasks, type CeleryTaskTotals } from './celery-tasks.js';
import { type CeleryWorkerState, CeleryWorkers } from './celery-workers.js';
import type { SecondsHistogramView } from './seconds.js';

/** Shown; all of them are counted. */
const WORKERS_SHOWN = 100;
/** Workers come back to a broker that was away with pauses of up to 32 s between their tries (kombu's default). ms */
const COME_BACK_MS = 40_000;
/** Those that are there are heard at once: five heartbeats of Celery's standard interval. ms */
const FIRST_HEARD_MS = 10_000;

export interface CeleryOptions {
  /** CELERY_QUEUES */
  readonly queues: readonly string[];
  /** CELERY_MONITOR_WORKERS and CELERY_MONITOR_QUEUE_LENGTH */
  readonly watchWorkers: boolean;
  readonly watchQueues: boolean;
  /** Somebody said that Celery is there; else it is taken for absent until there is a trace of it. */
  readonly certain: boolean;
}

/** As shown in the snapshot; counts are since the monitor began to listen. */
export interface CeleryState {
  readonly watches_workers: boolean;
  readonly watches_queues: boolean;
  /** False: this may be a Redis that Celery does not use, and nothing is known of workers and queues. */
  readonly found: boolean;
  /** Whether the broker answers now, since when (ISO 8601 UTC) that is so, and why. */
  readonly connected: boolean;
  readonly since: string;
  readonly reason: string | null;
  /** Null: not known, because the broker does not answer or workers had no time yet to be heard. */
  readonly workers_online: number | null;
  /**
   * What is to be thought of it: a broker that was away for a moment takes nobody's workers away, so what was known
   * before holds until they had time to come back. Null: nothing is known yet.
   */
  readonly workers_up: boolean | null;
  /** At most 100, those online first. */
  readonly workers: readonly CeleryWorkerState[];
  readonly tasks: Readonly<Record<string, CeleryTaskState>>;
  /** Succeeded and failed tasks of all names. */
  readonly tasks_succeeded: number;
  readonly tasks_failed: number;
  /** Null: the queues cannot be read. */
  readonly queues: Readonly<Record<string, CeleryQueueState>> | null;
  readonly queue_length: number | null;
  /** Why the queues cannot be read, or only in part. */
  readonly queues_reason: string | null;
  readonly heard: CeleryHeard;
}

/** How well was heard. Pub/sub forgets: what was published while there was no connection is in no count. */
export interface CeleryHeard {
  readonly events: number;
  readonly tasks_heard: boolean;
  /** What the broker refuses, or did not answer when it was asked last. */
  readonly problems: readonly string[];
  /** Messages that could not be read, and events that were none of ours. */
  readonly unreadable: number;
  readonly ignored: number;
  /** Times without a connection after the first, and their sum. */
  readonly interruptions: number;
  readonly deaf_seconds: number;
  readonly tasks_on_their_way: number;
  /** Tasks whose name had to be forgotten, events counted as `other`, workers not kept, waits not measured. */
  readonly names_forgotten: number;
  readonly other_tasks: number;
  readonly workers_not_kept: number;
  readonly waits_not_measured: number;
}

export interface CeleryTotals extends CeleryTaskTotals {
  /** By queue: from being put in to being received by a worker. */
  readonly queueWaiting: Readonly<Record<string, SecondsHistogramView>>;
}

/** What consumers see of it. */
export interface CeleryView {
  state(): CeleryState;
  totals(): CeleryTotals;
}

export class Celery implements CeleryView {
  private readonly options: CeleryOptions;
  private readonly workers = new CeleryWorkers();
  private readonly tasks = new CeleryTasks();
  private readonly queues: CeleryQueues;
  private connected = false;
  private everConnected = false;
  private traced: boolean;
  private since: number;
  private now: number;
  private reason: string | null = null;
  private queuesReason: string | null = null;
  private readonly problems = new Map<string, string>();
  /** A worker was heard in this connection. */
  private heardWorker = false;
  private up: boolean | null = null;
  private events = 0;
  private taskEvents = 0;
  private unreadable = 0;
  private ignored = 0;
  private interruptions = 0;
  private deafMs = 0;

  constructor(options: CeleryOptions, now: number) {
    this.options = options;
    this.queues = new CeleryQueues(options.queues);
    this.traced = options.certain;
    this.since = now;
    this.now = now;
  }

  /** Events are heard from now on. */
  listening(now: number): void {
    if (this.connected) return;
    if (this.everConnected) this.deafMs += now - this.since;
    this.set(true, null, now);
    this.everConnected = true;
    this.heardWorker = false;
    this.workers.restart(now);
  }

  /** Nothing is heard from now on. */
  deaf(reason: string, now: number): void {
    if (this.connected) {
      if (this.everConnected) this.interruptions += 1;
      this.set(false, reason, now);
      this.queues.lost();
    }
    this.reason = reason;
    this.advance(now);
  }

  /** Lets time pass; to be called about once a second. */
  advance(now: number): void {
    this.now = now;
    if (this.connected) this.workers.advance(now);
    this.up = this.judge();
  }

  /** One message; null: it could not be read. */
  heard(message: ParsedEvents | null, now: number): void {
    if (message === null) {
      this.unreadable += 1;
      return;
    }
    this.ignored += message.ignored;
    if (message.events.length > 0) this.traced = true;
    for (const event of message.events) {
      this.events += 1;
      if (isTaskEvent(event)) {
        this.taskEvents += 1;
        const fetched = this.tasks.apply(event, now);
        if (fetched !== null) this.queues.fetched(fetched, now);
      } else {
        this.workers.apply(event, now);
        if (event.kind !== 'offline') this.heardWorker = true;
      }
    }
    this.up = this.judge();
  }

  /** Workers that are known by their answers alone: a round they miss is asked again before it counts. */
  pingedOnly(): readonly string[] {
    return this.workers.pingedOnly();
  }

  pinged(answered: ReadonlySet<string>, now: number): void {
    if (answered.size > 0) [this.heardWorker, this.traced] = [true, true];
    this.workers.pinged(answered, now);
    this.up = this.judge();
  }

  read(lists: readonly ListReading[], times: { readonly askedAt: number; readonly now: number }): void {
    // An answer that comes after the connection is gone says nothing of now.
    if (!this.connected) return;
    if (lists.some(({ length }) => length > 0)) this.traced = true;
    this.queues.read(lists, times, (uuid) => this.tasks.receivedSeen(uuid));
  }

  /** Something that only Celery leaves behind was found. */
  trace(): void {
    this.traced = true;
  }

  get found(): boolean {
    return this.traced;
  }

  /** Null: they can be read again. `whole`: none of them can. */
  unreadableQueues(reason: string | null, whole: boolean): void {
    this.queuesReason = reason;
    if (whole) this.queues.lost();
  }

  /** Something besides the numbers does not work; null: it does. */
  problem(what: string, reason: string | null): void {
    if (reason === null) this.problems.delete(what);
    else this.problems.set(what, `${what}: ${reason}`);
  }

  state(): CeleryState {
    const tasks = this.tasks.view();
    const sum = (state: 'succeeded' | 'failed') =>
      Object.values(tasks).reduce((total, task) => total + task[state], 0);
    const { watchWorkers, watchQueues } = this.options;
    const found = this.traced;
    return {
      watches_workers: watchWorkers,
      watches_queues: watchQueues,
      found,
      connected: this.connected,
      since: new Date(this.since).toISOString(),
      reason: this.reason,
      workers_online: found && watchWorkers && this.connected && this.hadTime() ? this.workers.online : null,
      workers_up: found && watchWorkers ? this.up : null,
      workers: this.workers.view(WORKERS_SHOWN),
      tasks,
      tasks_succeeded: sum('succeeded'),
      tasks_failed: sum('failed'),
      queues: found && watchQueues ? this.queues.view() : null,
      queue_length: found && watchQueues ? this.queues.total : null,
      queues_reason: this.queuesReason,
      heard: {
        events: this.events,
        tasks_heard: this.taskEvents > 0,
        problems: [...this.problems.values()],
        unreadable: this.unreadable,
        ignored: this.ignored,
        interruptions: this.interruptions,
        deaf_seconds: this.deafMs / 1000,
        tasks_on_their_way: this.tasks.remembered,
        names_forgotten: this.tasks.forgotten,
        other_tasks: this.tasks.other,
        workers_not_kept: this.workers.notKept,
        waits_not_measured: this.queues.thinned,
      },
    };
  }

  totals(): CeleryTotals {
    return { ...this.tasks.totals(), queueWaiting: this.queues.waited() };
  }

  private set(connected: boolean, reason: string | null, now: number): void {
    this.connected = connected;
    this.reason = reason;
    this.since = now;
    this.now = now;
  }

  /** Whether workers that are there would have been heard in this connection. */
  private hadTime(): boolean {
    return (
      this.heardWorker || this.now - this.since >= (this.interruptions > 0 ? COME_BACK_MS : FIRST_HEARD_MS)
    );
  }

  private judge(): boolean | null {
    if (!this.connected) return this.now - this.since >= COME_BACK_MS ? false : this.up;
    if (this.workers.online > 0) return true;
    return this.hadTime() ? false : this.up;
  }
}
