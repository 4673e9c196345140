/**
 * Who works: by the heartbeats that workers announce, and by answers to a ping from those who announce none.
 * Time is given in, and nobody is offline before `advance` has said so: what could not be heard is not held against them.
 */
import type { WorkerEvent } from './celery-event.js';

/** Kept, whatever comes; a deployment gives each container a new name. */
export const WORKERS_KEPT = 1_000;
/** How long one that is gone is still shown, ms. */
const GONE_SHOWN_MS = 3_600_000;
/** Celery's own window (HEARTBEAT_EXPIRE_WINDOW of celery/events/state.py): two announced intervals. */
const EXPIRE_INTERVALS = 2;
/** Celery's own default where a worker announces none, seconds. */
const DEFAULT_FREQUENCY = 60;
/** Nobody looked for so long: heartbeats may lie unread, so deadlines are put off by as much. ms */
const STALLED_MS = 2_000;

export interface CeleryWorkerState {
  readonly name: string;
  readonly online: boolean;
  /** How it is known to be online: heartbeats, or answers to pings alone. */
  readonly seen_by: 'heartbeat' | 'ping';
  /** ISO 8601 UTC: since when it is as it is, and the last sign of life. */
  readonly since: string;
  readonly last_seen_at: string;
  /** Announced seconds between heartbeats; null for one that was only pinged. */
  readonly frequency_seconds: number | null;
  readonly active: number | null;
  readonly processed: number | null;
}

interface Worker {
  online: boolean;
  seenBy: 'heartbeat' | 'ping';
  since: number;
  lastSeen: number;
  /** When its silence will have lasted too long, ms; of one seen by pings: a failed round decides. */
  deadline: number;
  frequencySeconds: number | null;
  active: number | null;
  processed: number | null;
}

export class CeleryWorkers {
  /** Names that were not kept because there were too many. */
  notKept = 0;
  private readonly workers = new Map<string, Worker>();
  private advancedAt: number | null = null;

  get online(): number {
    let online = 0;
    for (const worker of this.workers.values()) if (worker.online) online += 1;
    return online;
  }

  /** Names that are online because they answered, and send no heartbeats. */
  pingedOnly(): string[] {
    return [...this.workers]
      .filter(([, { online, seenBy }]) => online && seenBy === 'ping')
      .map(([name]) => name);
  }

  apply(event: WorkerEvent, now: number): void {
    const worker = this.at(event.worker, now);
    if (worker === null) return;
    worker.lastSeen = now;
    worker.seenBy = 'heartbeat';
    worker.frequencySeconds = event.frequencySeconds ?? worker.frequencySeconds ?? DEFAULT_FREQUENCY;
    worker.active = event.kind === 'offline' ? null : event.active;
    worker.processed = event.processed ?? worker.processed;
    worker.deadline = now + EXPIRE_INTERVALS * worker.frequencySeconds * 1000;
    turn(worker, event.kind !== 'offline', now);
  }

  /** One finished round of pings: who answered lives; who is known by pings alone and did not, does not. */
  pinged(answered: ReadonlySet<string>, now: number): void {
    for (const name of answered) {
      const worker = this.at(name, now);
      if (worker === null) continue;
      // The answer of one whose heartbeats are on time says nothing new: heartbeats are the stricter promise.
      if (worker.online && worker.seenBy === 'heartbeat') continue;
      worker.seenBy = 'ping';
      worker.lastSeen = now;
      turn(worker, true, now);
    }
    for (const [name, worker] of this.workers) {
      if (worker.online && worker.seenBy === 'ping' && !answered.has(name)) turn(worker, false, now);
    }
  }

  /** After a time in which nothing could be heard: the waiting begins anew. */
  restart(now: number): void {
    this.advancedAt = now;
    for (const worker of this.workers.values()) {
      if (worker.seenBy === 'heartbeat')
        worker.deadline = now + EXPIRE_INTERVALS * (worker.frequencySeconds ?? DEFAULT_FREQUENCY) * 1000;
    }
  }

  /** Lets time pass; to be called about once a second while there is a connection. */
  advance(now: number): void {
    const slept = this.advancedAt === null ? 0 : now - this.advancedAt;
    this.advancedAt = now;
    for (const [name, worker] of this.workers) {
      if (slept > STALLED_MS) worker.deadline += slept;
      if (worker.online) {
        if (worker.seenBy === 'heartbeat' && now >= worker.deadline) turn(worker, false, now);
      } else if (now - worker.since >= GONE_SHOWN_MS) this.workers.delete(name);
    }
  }

  /** At most `limit`, those online first, then who left last. */
  view(limit: number): CeleryWorkerState[] {
    return [...this.workers]
      .sort(([a, x], [b, y]) =>
        x.online !== y.online ? (x.online ? -1 : 1) : x.online ? (a < b ? -1 : 1) : y.since - x.since,
      )
      .slice(0, limit)
      .map(([name, worker]) => ({
        name,
        online: worker.online,
        seen_by: worker.seenBy,
        since: iso(worker.since),
        last_seen_at: iso(worker.lastSeen),
        frequency_seconds: worker.frequencySeconds,
        active: worker.active,
        processed: worker.processed,
      }));
  }

  private at(name: string, now: number): Worker | null {
    const known = this.workers.get(name);
    if (known !== undefined) return known;
    if (this.workers.size >= WORKERS_KEPT && !this.forgetOne()) {
      this.notKept += 1;
      return null;
    }
    const worker: Worker = {
      ...({ online: false, seenBy: 'ping', since: now, lastSeen: now, deadline: now } as const),
      ...{ frequencySeconds: null, active: null, processed: null },
    };
    this.workers.set(name, worker);
    return worker;
  }

  /** Makes room by forgetting the one that is gone longest. */
  private forgetOne(): boolean {
    let oldest: string | null = null;
    let since = Number.POSITIVE_INFINITY;
    for (const [name, worker] of this.workers) {
      if (!worker.online && worker.since < since) [oldest, since] = [name, worker.since];
    }
    return oldest !== null && this.workers.delete(oldest);
  }
}

function turn(worker: Worker, online: boolean, now: number): void {
  if (worker.online === online) return;
  worker.online = online;
  worker.since = now;
  if (!online) worker.active = null;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
