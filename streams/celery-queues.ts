/**
 * How many tasks wait in each queue, and how long tasks lay there. A message says not when it was put into its queue, so
 * the newest one is looked at with each reading: what was the newest then waits at least since then, and has waited until
 * a worker says that it received it. Where the portal announces what it sends, that is exact and is used instead.
 */
import type { Fetched } from './celery-tasks.js';
import { OTHER, recordOf } from './names.js';
import { SecondsHistogram, type SecondsHistogramView } from './seconds.js';

/** Tasks whose waiting is being measured. */
export const SAMPLES_KEPT = 1_000;
export const QUEUE_BOUNDS = [
  0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600,
] as const;
/** How long after a queue was seen empty a worker may still say what it took out of it, ms. */
const LATE_MS = 10_000;

/** One list of a queue as read: Redis has one for each priority. */
export interface ListReading {
  /** Names the list among all that are read. */
  readonly key: string;
  readonly queue: string;
  /** 0 for the queue's own list. */
  readonly priority: number;
  readonly length: number;
  /** Of the message that was put in last; null where there is none, or it could not be read. */
  readonly newest: string | null;
}

export interface CeleryQueueState {
  readonly length: number;
  /** By priority, empty ones left out. */
  readonly by_priority: Readonly<Record<string, number>>;
  /** ISO 8601 UTC: the queue was not seen empty since; null: it is empty. */
  readonly backlog_since: string | null;
  /** Measured so far: a sample of the tasks, unless the portal sends `task-sent`. */
  readonly waited_count: number;
  readonly waited_avg_seconds: number | null;
  readonly waited_max_seconds: number | null;
}

interface Sample {
  readonly list: string;
  readonly queue: string;
  readonly at: number;
  /** When its list was first seen empty after it. */
  goneAt: number | null;
}

interface Queue {
  length: number;
  byPriority: Record<string, number>;
  backlogSince: number | null;
  readonly waited: SecondsHistogram;
  sumMs: number;
  maxMs: number;
  count: number;
}

export class CeleryQueues {
  /** Tasks whose waiting was not measured because too many were. */
  thinned = 0;
  private readonly queues: ReadonlyMap<string, Queue>;
  private readonly other = fresh();
  private readonly samples = new Map<string, Sample>();
  /** By list: the newest message at the last reading. */
  private readonly newest = new Map<string, string>();
  private known = false;

  constructor(names: readonly string[]) {
    this.queues = new Map(names.map((name) => [name, fresh()]));
  }

  /**
   * Takes one reading of all lists over.
   * @param askedAt when the question was sent, `now` when the answer was there
   * @param receivedSeen when a worker was heard to receive a task; what came between is not waiting any more
   */
  read(
    lists: readonly ListReading[],
    { askedAt, now }: { readonly askedAt: number; readonly now: number },
    receivedSeen: (uuid: string) => number | null,
  ): void {
    this.known = true;
    const empty = new Set<string>();
    for (const queue of this.queues.values()) [queue.length, queue.byPriority] = [0, {}];
    for (const { key: list, queue: name, priority, length, newest } of lists) {
      const queue = this.queues.get(name);
      if (queue === undefined) continue;
      if (length === 0) {
        empty.add(list);
        this.newest.delete(list);
        continue;
      }
      queue.length += length;
      queue.byPriority[priority] = (queue.byPriority[priority] ?? 0) + length;
      if (newest === null || this.newest.get(list) === newest) continue;
      this.newest.set(list, newest);
      if ((receivedSeen(newest) ?? Number.NEGATIVE_INFINITY) < askedAt) {
        this.sample(newest, { list, queue: name, at: askedAt, goneAt: null });
      }
    }
    for (const queue of this.queues.values()) {
      queue.backlogSince = queue.length === 0 ? null : (queue.backlogSince ?? now);
    }
    this.forgetGone(empty, now);
  }

  /** The queues cannot be read: what is in them now is not known. */
  lost(): void {
    this.known = false;
    this.newest.clear();
  }

  /** A worker received a task. */
  fetched({ uuid, queue, waitedMs }: Fetched, now: number): void {
    const sample = this.samples.get(uuid);
    this.samples.delete(uuid);
    if (waitedMs !== null) record(this.queues.get(queue ?? '') ?? this.other, waitedMs);
    else if (sample !== undefined) record(this.queues.get(sample.queue) ?? this.other, now - sample.at);
    if (sample === undefined) return;
    // First in, first out: what lay there longer was taken before, and its event was lost.
    for (const [other, { list, at }] of this.samples) {
      if (list === sample.list && at < sample.at - LATE_MS) this.samples.delete(other);
    }
  }

  /** Null while the queues cannot be read. */
  get total(): number | null {
    if (!this.known) return null;
    let total = 0;
    for (const { length } of this.queues.values()) total += length;
    return total;
  }

  /** Null while the queues cannot be read. */
  view(): Record<string, CeleryQueueState> | null {
    if (!this.known) return null;
    return recordOf(
      [...this.queues].map(([name, queue]) => [
        name,
        {
          length: queue.length,
          by_priority: queue.byPriority,
          backlog_since: queue.backlogSince === null ? null : new Date(queue.backlogSince).toISOString(),
          waited_count: queue.count,
          waited_avg_seconds: queue.count === 0 ? null : queue.sumMs / queue.count / 1000,
          waited_max_seconds: queue.count === 0 ? null : queue.maxMs / 1000,
        },
      ]),
    );
  }

  /** By queue; `other`: queues that are not watched. */
  waited(): Record<string, SecondsHistogramView> {
    const all = [...this.queues].map(([name, { waited }]) => [name, waited.view()] as const);
    return recordOf(this.other.count === 0 ? all : [...all, [OTHER, this.other.waited.view()]]);
  }

  private sample(uuid: string, sample: Sample): void {
    if (this.samples.has(uuid)) return;
    if (this.samples.size >= SAMPLES_KEPT) {
      // Every second one: what is left stays spread over the whole of the waiting.
      let odd = false;
      for (const known of this.samples.keys()) {
        odd = !odd;
        if (odd) this.samples.delete(known);
      }
      this.thinned += SAMPLES_KEPT - this.samples.size;
    }
    this.samples.set(uuid, sample);
  }

  /** Those of lists that were seen empty since: purged, or taken by a worker that was not heard. */
  private forgetGone(empty: ReadonlySet<string>, now: number): void {
    for (const [uuid, sample] of this.samples) {
      if (sample.goneAt === null) {
        if (empty.has(sample.list)) sample.goneAt = now;
      } else if (now - sample.goneAt > LATE_MS) this.samples.delete(uuid);
    }
  }
}

function fresh(): Queue {
  return {
    ...{ length: 0, byPriority: {}, backlogSince: null, sumMs: 0, maxMs: 0, count: 0 },
    waited: new SecondsHistogram(QUEUE_BOUNDS),
  };
}

function record(queue: Queue, ms: number): void {
  queue.waited.record(ms, null, 0);
  queue.sumMs += ms;
  queue.maxMs = Math.max(queue.maxMs, ms);
  queue.count += 1;
}
