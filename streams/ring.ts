/**
 * Buckets in a ring, one for each step of time that is still of interest; made when first needed.
 * Spans (the windows) cover the newest so many steps: a bucket is subtracted from a span when time takes it out, and
 * leaves the ring when it has left the longest. Which is why a window costs the same however many rows it holds.
 */

export interface Aggregate {
  /** Records go to another step for now. */
  settle(): void;
  /** The step is over; late records may still come. */
  seal(): void;
  /** The step has left the ring. */
  release(): void;
}

/** A running sum over the newest `steps` steps of a ring. */
export interface Span<B> {
  readonly steps: number;
  merge(bucket: B): void;
  subtract(bucket: B): void;
}

export class Ring<B extends Aggregate, S extends Span<B> = Span<B>> {
  readonly stepMs: number;
  readonly size: number;
  /** The spans that cover the located bucket. */
  reached: S[] = [];
  private readonly spans: readonly S[];
  private readonly empty: () => B;
  private readonly slots: (B | null)[];
  // Number of the newest step since the epoch; the ring holds head - size + 1 to head.
  private head = Number.NaN;
  // The bucket that was located last and its times: rows come mostly in order, so it is mostly the one.
  private located: B | null = null;
  private from = Number.POSITIVE_INFINITY;
  private until = Number.NEGATIVE_INFINITY;

  constructor(options: { stepMs: number; size: number; spans?: readonly S[]; empty: () => B }) {
    this.stepMs = options.stepMs;
    this.size = options.size;
    this.spans = options.spans ?? [];
    this.empty = options.empty;
    this.slots = new Array<B | null>(options.size).fill(null);
    for (const span of this.spans) {
      if (span.steps > this.size) {
        throw new RangeError(
          `a span of ${span.steps} steps is too long; this ring holds 1 to ${this.size} steps`,
        );
      }
    }
  }

  /** Start of the oldest step of a span of that many steps, ms; its end is that of the newest step. */
  start(steps: number): number {
    return (this.head + 1 - steps) * this.stepMs;
  }

  /** Slides on to `end` (exclusive, ms). Time only goes forward here; a ring that must go back is made anew. */
  advance(end: number): void {
    const head = Math.ceil(end / this.stepMs) - 1;
    const before = this.head;
    if (Number.isNaN(before)) this.head = head;
    if (!(head > before)) return;
    this.at(before)?.seal();
    for (const span of this.spans) {
      const first = before - span.steps + 1;
      const last = Math.min(head - span.steps, before);
      for (let step = first; step <= last; step++) {
        const leaving = this.at(step);
        if (leaving !== null) span.subtract(leaving);
      }
    }
    for (let step = before - this.size + 1; step <= Math.min(head - this.size, before); step++) {
      this.at(step)?.release();
      this.slots[this.slotOf(step)] = null;
    }
    this.head = head;
    this.forget();
  }

  /** The bucket of a time before `end`, made where there was none; null for a time that has left the ring. */
  locate(time: number): B | null {
    if (time >= this.from && time < this.until) return this.located;
    const step = Math.floor(time / this.stepMs);
    // Written so that NaN and -Infinity are refused as well.
    if (!(step > this.head - this.size && step <= this.head)) return null;
    this.located?.settle();
    const slot = this.slotOf(step);
    let bucket = this.slots[slot] ?? null;
    if (bucket === null) {
      bucket = this.empty();
      this.slots[slot] = bucket;
    }
    this.located = bucket;
    this.from = step * this.stepMs;
    this.until = this.from + this.stepMs;
    this.reached = this.spans.filter((span) => step > this.head - span.steps);
    return bucket;
  }

  /** Puts a bucket that was computed elsewhere (from the table, from history) into the place of that of a time. */
  replace(time: number, bucket: B): boolean {
    const old = this.locate(time);
    if (old === null) return false;
    for (const span of this.reached) {
      span.subtract(old);
      span.merge(bucket);
    }
    old.release();
    this.slots[this.slotOf(Math.floor(time / this.stepMs))] = bucket;
    this.forget();
    return true;
  }

  /** The newest `steps` buckets, oldest first; null where nothing was recorded. */
  *newest(steps: number): Generator<B | null> {
    for (let step = this.head - steps + 1; step <= this.head; step++) yield this.at(step);
  }

  private at(step: number): B | null {
    return this.slots[this.slotOf(step)] ?? null;
  }

  private slotOf(step: number): number {
    return ((step % this.size) + this.size) % this.size;
  }

  private forget(): void {
    this.located = null;
    this.from = Number.POSITIVE_INFINITY;
    this.until = Number.NEGATIVE_INFINITY;
  }
}
