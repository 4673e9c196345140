/**
 * How long the queue was over the last thirty days, as far as this process saw it: the table does not say later how many
 * rows once waited. Takes at most some 5,000 entries, the finer ones of the last hours only.
 */
import type { SeriesStep } from './period-series.js';
import type { Queue } from './snapshot.js';

export interface QueueMost {
  readonly pending: number;
  readonly exports: number;
}

interface Level {
  readonly stepMs: number;
  readonly size: number;
}

/** A quarter of an hour, a day and an hour, and thirty-one days. */
const LEVELS: readonly Level[] = [
  { stepMs: 10_000, size: 90 },
  { stepMs: 60_000, size: 1_500 },
  { stepMs: 900_000, size: 2_976 },
];

export class QueueLog {
  // In the order of time, as they were put in.
  private readonly kept = LEVELS.map((level) => ({ ...level, most: new Map<number, QueueMost>() }));

  /** As it was at `at`, ms; what is older than the newest step of a level is left out of it. */
  add(at: number, { pending_operations: pending, export_queue: exports }: Queue): void {
    for (const { stepMs, size, most } of this.kept) {
      const step = Math.floor(at / stepMs);
      const known = most.get(step);
      if (known && known.pending >= pending && known.exports >= exports) continue;
      most.set(step, {
        pending: Math.max(pending, known?.pending ?? 0),
        exports: Math.max(exports, known?.exports ?? 0),
      });
      for (const old of most.keys()) {
        if (old > step - size) break;
        most.delete(old);
      }
    }
  }

  /** The most at once in the step that begins at `start` (ms, a multiple of it); null where nothing was seen. */
  mostIn(start: number, step: SeriesStep): QueueMost | null {
    const length = step * 1_000;
    const level = this.kept.findLast(({ stepMs }) => stepMs <= length);
    if (!level) return null;
    let [pending, exports, seen] = [0, 0, false];
    const first = start / level.stepMs;
    for (let i = first; i < first + length / level.stepMs; i++) {
      const one = level.most.get(i);
      if (!one) continue;
      seen = true;
      pending = Math.max(pending, one.pending);
      exports = Math.max(exports, one.exports);
    }
    return seen ? { pending, exports } : null;
  }
}
