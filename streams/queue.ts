/**
 * Rows that are pending now, whatever their age: how many of each type, and since when the oldest waits.
 */
import type { BigId } from './event.js';
import { TimeHeap } from './heap.js';
import { isoOf } from './iso.js';
import { EXPORT_TYPE } from './kinds.js';
import { type Names, recordOf } from './names.js';
import type { Queue, QueueOfType } from './snapshot.js';

interface Waiting {
  readonly time: number;
  readonly type: number;
  /** False when the row has left; the heap forgets it when it comes to the top. */
  waits: boolean;
}

interface Line {
  pending: number;
  readonly oldest: TimeHeap<Waiting>;
  gone: number;
}

export class PendingQueue {
  private readonly limit: number;
  private readonly rows = new Map<BigId, Waiting>();
  private readonly lines: Line[] = [];
  private total = 0;

  /** `limit`: rows whose age is tracked; further ones are only counted. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Pending rows that are counted without their age. */
  get untracked(): number {
    return this.total - this.rows.size;
  }

  /** A row that is tracked already is one row still, where it says now. */
  add(id: BigId, type: number, createdAt: number): void {
    const before = this.rows.get(id);
    if (before !== undefined) this.remove(id, before.type);
    const line = this.line(type);
    line.pending += 1;
    this.total += 1;
    if (this.rows.size >= this.limit) return;
    const waiting: Waiting = { time: createdAt, type, waits: true };
    this.rows.set(id, waiting);
    // Postgres' infinities have no age.
    if (Number.isFinite(createdAt)) line.oldest.push(waiting);
  }

  remove(id: BigId, type: number): void {
    const line = this.line(type);
    if (line.pending === 0) return;
    line.pending -= 1;
    this.total -= 1;
    const waiting = this.rows.get(id);
    if (waiting === undefined) return;
    this.rows.delete(id);
    waiting.waits = false;
    if (!Number.isFinite(waiting.time)) return;
    line.gone += 1;
    if (line.gone > 64 && line.gone * 2 > line.oldest.size) {
      line.oldest.keep((row) => row.waits);
      line.gone = 0;
    }
  }

  /** Forgets the tracked rows from `from` to `to` (exclusive), ms. */
  forget(from: number, to: number): void {
    for (const [id, { time, type }] of this.rows) if (time >= from && time < to) this.remove(id, type);
  }

  /** Ages are counted from `now`, ms. */
  snapshot(now: number, types: Names): Queue {
    const byType: [string, QueueOfType][] = [];
    let exports = 0;
    let oldest = Number.POSITIVE_INFINITY;
    this.lines.forEach((line, type) => {
      if (line.pending === 0) return;
      const time = this.oldestOf(line);
      if (time !== null && time < oldest) oldest = time;
      if (type === EXPORT_TYPE) exports = line.pending;
      byType.push([
        types.name(type),
        {
          pending: line.pending,
          oldest_created_at: time === null ? null : isoOf(time),
          oldest_age_seconds: ageSeconds(now, time),
        },
      ]);
    });
    return {
      pending_operations: this.total,
      export_queue: exports,
      oldest_age_seconds: ageSeconds(now, oldest === Number.POSITIVE_INFINITY ? null : oldest),
      by_type: recordOf(byType),
    };
  }

  private oldestOf(line: Line): number | null {
    for (let top = line.oldest.top(); top !== null; top = line.oldest.top()) {
      if (top.waits) return top.time;
      line.oldest.pop();
      line.gone -= 1;
    }
    return null;
  }

  private line(type: number): Line {
    while (this.lines.length <= type) this.lines.push({ pending: 0, oldest: new TimeHeap(), gone: 0 });
    return this.lines[type] as Line;
  }
}

function ageSeconds(now: number, time: number | null): number | null {
  return time === null ? null : Math.max(0, now - time) / 1000;
}
