/**
 * Buckets in a ring, one for each step of a stretch of time; made when first needed, taken out when time has passed.
 */

export interface Aggregate {
  /** Records go to another step for now. */
  settle(): void;
}

export class Ring<B extends Aggregate> {
  readonly stepMs: number;
  /** Steps that the ring can hold. */
  readonly size: number;
  private readonly empty: () => B;
  private readonly slots: (B | null)[];
  // Start and end of what is held, ms; the start is that of a step.
  private start = Number.NEGATIVE_INFINITY;
  private end = Number.NEGATIVE_INFINITY;
  // The bucket that was located last and its times: rows come mostly in order, so it is mostly the one.
  private located: B | null = null;
  private from = Number.POSITIVE_INFINITY;
  private until = Number.NEGATIVE_INFINITY;

  constructor(options: { stepMs: number; size: number; empty: () => B }) {
    this.stepMs = options.stepMs;
    this.size = options.size;
    this.empty = options.empty;
    this.slots = new Array<B | null>(options.size).fill(null);
  }

  /**
   * Goes on to hold `start` to `end` (exclusive), ms. What lies before is taken out, oldest first.
   * @throws RangeError when that is longer than the ring, goes back, or does not begin with a step.
   */
  advance(start: number, end: number, leaves: (bucket: B, time: number) => void): void {
    if (!(start % this.stepMs === 0 && end - start <= this.size * this.stepMs && start >= this.start)) {
      throw new RangeError(
        `a ring of ${this.size} steps of ${this.stepMs} ms from ${this.start} cannot go on to ${start} - ${end}`,
      );
    }
    const last = Math.min(start, this.end);
    for (let time = this.start; time < last; time += this.stepMs) {
      const slot = this.slotOf(time);
      const bucket = this.slots[slot] ?? null;
      if (bucket === null) continue;
      this.slots[slot] = null;
      leaves(bucket, time);
    }
    this.start = start;
    this.end = end;
    this.leaveLocated();
  }

  /** Takes out the buckets of the steps that begin between two times, oldest first. `start` is that of a step. */
  takeOut(start: number, end: number, leaves: (bucket: B) => void): void {
    for (let time = Math.max(start, this.start); time < Math.min(end, this.end); time += this.stepMs) {
      const slot = this.slotOf(time);
      const bucket = this.slots[slot] ?? null;
      if (bucket === null) continue;
      this.slots[slot] = null;
      leaves(bucket);
    }
    this.leaveLocated();
  }

  /** The bucket of a time, made where there was none; null for a time that the ring does not hold. */
  locate(time: number): B | null {
    if (this.holds(time)) return this.located;
    // Written so that NaN is refused as well.
    if (!(time >= this.start && time < this.end)) return null;
    this.located?.settle();
    const from = Math.floor(time / this.stepMs) * this.stepMs;
    const slot = this.slotOf(from);
    const bucket = this.slots[slot] ?? this.empty();
    this.slots[slot] = bucket;
    this.located = bucket;
    this.from = from;
    // A step can reach beyond what is held; rows from there are not this ring's.
    this.until = Math.min(from + this.stepMs, this.end);
    return bucket;
  }

  /** Whether a time falls into the bucket that was located last. */
  holds(time: number): boolean {
    return time >= this.from && time < this.until;
  }

  /** The buckets of the steps between two times, oldest first; steps without one are left out. */
  *between(start: number, end: number): Generator<B> {
    const first = Math.floor(Math.max(start, this.start) / this.stepMs) * this.stepMs;
    for (let time = first; time < Math.min(end, this.end); time += this.stepMs) {
      const bucket = this.slots[this.slotOf(time)] ?? null;
      if (bucket !== null) yield bucket;
    }
  }

  /** The bucket of a time, or null where nothing was recorded. */
  peek(time: number): B | null {
    if (!(time >= this.start && time < this.end)) return null;
    return this.slots[this.slotOf(Math.floor(time / this.stepMs) * this.stepMs)] ?? null;
  }

  /** Puts a bucket that was computed elsewhere (from the table, from history) into the place of that of a time. */
  replace(time: number, bucket: B): B | null {
    const old = this.locate(time);
    if (old === null) return null;
    this.slots[this.slotOf(this.from)] = bucket;
    this.located = bucket;
    return old;
  }

  private leaveLocated(): void {
    this.located = null;
    this.from = Number.POSITIVE_INFINITY;
    this.until = Number.NEGATIVE_INFINITY;
  }

  private slotOf(time: number): number {
    const slot = (time / this.stepMs) % this.size;
    return slot < 0 ? slot + this.size : slot;
  }
}
