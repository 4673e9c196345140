/**
 * The four live windows; all end at the same moment, so they are nested, and each row is kept once: in the segment
 * between two of their starts, in one bucket of the ring that serves it. A bucket that time takes out of a ring is
 * merged into a coarser one:
 *
 *     start of 24h        start of 1h        start of 5m  1m   end
 *          |  5 min buckets    |   10 s buckets   |  1 s buckets |
 *
 * A row that comes late goes where its created_at belongs by now.
 */
import { NOTHING_SEEN, type SeenWindow } from './alert.js';
import { Bucket } from './bucket.js';
import { businessMetrics, type Savings } from './business.js';
import { Customers } from './customers.js';
import type { Facts } from './facts.js';
import { CELLS } from './histogram.js';
import { isoOf } from './iso.js';
import { TYPES_AT_MOST } from './numbers.js';
import { operationMetrics, type Period, type Wanted, wantedNumbers } from './operations.js';
import { PendingBudget } from './pending-durations.js';
import { Reading } from './reading.js';
import { Ring } from './ring.js';
import type { RollupFacts } from './rollup-facts.js';
import { Segment } from './segment.js';
import { WINDOW_NAMES, type WindowName, type WindowSnapshot } from './snapshot.js';
import { SparseScratch } from './sparse.js';
import type { Vocabulary } from './vocabulary.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

// By window, shortest first. A window is exact to its stated bounds, and up to one step shorter than its name says.
const SIZES = [MINUTE, 5 * MINUTE, HOUR, 24 * HOUR] as const;
const STEPS = [SECOND, SECOND, 10 * SECOND, 5 * MINUTE] as const;
const WINDOWS = WINDOW_NAMES.length;
/** No window has a bucket across a multiple of this. */
export const LARGEST_STEP_MS = STEPS[3];
const NONE = -1;

const NOT_WANTED: SeenWindow = { ...NOTHING_SEEN, by_type: {} };

export interface PeriodsOptions {
  /** Distinct durations of pending rows that are kept apart. */
  readonly pendingDurations: number;
  /** Distinct customers. */
  readonly customers: number;
  /** The windows that are kept; the others have no rows. */
  readonly windows: readonly WindowName[];
}

/** Of each window, shortest first; null: not wanted, and given empty. */
export type WantedWindows = readonly (Wanted | null)[];

export class Periods {
  /** Rows that could not be taken back because they were not there. */
  mismatches = 0;
  readonly customers: Customers;
  readonly pendingBudget: PendingBudget;
  /** What lies between the start of a window and that of the next shorter one (of the shortest: the end). */
  private readonly segments = WINDOW_NAMES.map(() => new Segment());
  /** By window; 1m and 5m share one. */
  private readonly rings: Ring<Bucket>[] = [];
  private readonly kept: readonly boolean[];
  // Kept, because making it anew for each snapshot would keep the garbage collector busy.
  private readonly reading = new Reading();
  private starts: number[] = WINDOW_NAMES.map(() => Number.NEGATIVE_INFINITY);
  private end = Number.NEGATIVE_INFINITY;

  constructor(options: PeriodsOptions) {
    this.kept = WINDOW_NAMES.map((name) => options.windows.includes(name));
    this.pendingBudget = new PendingBudget(options.pendingDurations);
    this.customers = new Customers({
      windowSeconds: SIZES.map((ms) => ms / SECOND),
      limit: options.customers,
    });
    const shared = {
      scratch: new SparseScratch(TYPES_AT_MOST * CELLS),
      pendingBudget: this.pendingBudget,
      released: [],
    };
    const ringOf = (stepMs: number, sizeMs: number): Ring<Bucket> =>
      new Ring({ stepMs, size: sizeMs / stepMs, empty: () => Bucket.take(shared) });
    const seconds = ringOf(STEPS[1], SIZES[1]);
    this.rings = [seconds, seconds, ringOf(STEPS[2], SIZES[2]), ringOf(STEPS[3], SIZES[3])];
  }

  /** Slides to `end` (exclusive, ms, a whole second), which never goes back. */
  advance(end: number): void {
    const before = this.starts;
    const endBefore = this.end;
    this.end = end;
    this.starts = this.startsAt(end);
    // Coarsest first: a ring must have let go of what is old before it is given what leaves a finer one.
    for (let window = WINDOWS - 1; window > 0; window--) {
      if (window > 1 && !at(this.kept, window)) continue;
      const start = at(this.starts, window);
      // What a ring serves ends where the next finer one begins.
      const until = window === 1 ? end : at(this.starts, window - 1);
      at(this.rings, window).advance(start, until, (bucket, time) => {
        const from = window > 1 || time < at(before, 0) ? window : 0;
        this.move(bucket, time, from);
      });
    }
    if (at(this.kept, 0)) {
      for (const bucket of at(this.rings, 0).between(at(before, 0), at(this.starts, 0))) {
        bucket.seal();
        at(this.segments, 0).pass(bucket, at(this.segments, 1));
      }
    }
    at(this.rings, 0)
      .peek(endBefore - SECOND)
      ?.seal();
    this.customers.advance(
      end / SECOND,
      this.starts.map((start) => start / SECOND),
    );
  }

  /** Rows with created_at before the end; those older than every window are ignored. */
  add(facts: Facts): void {
    const { createdAt, size } = facts;
    for (let from = 0, to = 0; from < size; from = to) {
      const segment = this.segmentOf(createdAt[from] as number);
      to = from + 1;
      if (segment === NONE) continue;
      const ring = at(this.rings, segment);
      const bucket = ring.locate(createdAt[from] as number);
      if (bucket === null) continue;
      // Rows come mostly in order of time: what goes to one bucket goes in one piece.
      while (to < size && ring.holds(createdAt[to] as number)) to += 1;
      bucket.add(facts, from, to);
      at(this.segments, segment).add(facts, from, to);
      this.customers.record(facts, from, to);
    }
  }

  /**
   * Adds the rows of a minute that begins before the end, as if all had come at its start: right for the windows that
   * hold all of it or nothing, which the 24 hours do with any minute at any time.
   */
  addMinute(start: number, facts: RollupFacts): void {
    const segment = this.segmentOf(start);
    if (segment === NONE) return;
    at(this.rings, segment).locate(start)?.addRollup(facts);
    at(this.segments, segment).addRollup(facts);
    this.customers.recordAll(facts.rollup.customers, start / SECOND);
  }

  /** Empties the windows from `from` to `to` (exclusive), multiples of the largest step. */
  forget(from: number, to: number): void {
    for (let i = 0; i < WINDOWS; i++) {
      const start = Math.max(from, at(this.starts, i));
      const until = Math.min(to, i === 0 ? this.end : at(this.starts, i - 1));
      at(this.rings, i).takeOut(start, until, (bucket) => {
        at(this.segments, i).pass(bucket, null);
        bucket.release();
      });
    }
    this.customers.forget(from / SECOND, to / SECOND);
  }

  /** Takes of the only row of these facts, which is before the end, that its customer succeeded; nothing else. */
  witness(facts: Facts): void {
    if (this.segmentOf(facts.createdAt[0] as number) !== NONE) this.customers.record(facts, 0, 1);
  }

  /** Takes back the only row of these facts, a pending one. False where it is in no window. */
  remove(facts: Facts): boolean {
    const time = facts.createdAt[0] as number;
    const segment = this.segmentOf(time);
    if (segment === NONE) return false;
    const bucket = at(this.rings, segment).peek(time);
    if (bucket?.has(facts, 0) !== true) {
      this.mismatches += 1;
      return false;
    }
    bucket.remove(facts, 0);
    at(this.segments, segment).remove(facts, 0);
    return true;
  }

  snapshot(words: Vocabulary, savings: Savings): Record<WindowName, WindowSnapshot> {
    const { reading } = this;
    reading.clear();
    const windows = WINDOW_NAMES.map((name, i): [WindowName, WindowSnapshot] => {
      this.include(reading, i);
      return [name, this.read(reading, i, words, savings)];
    });
    // One for each of WINDOW_NAMES.
    return Object.fromEntries(windows) as Record<WindowName, WindowSnapshot>;
  }

  seen(words: Vocabulary, wanted: WantedWindows): Record<WindowName, SeenWindow> {
    const { reading } = this;
    const { types, statuses } = words;
    reading.clear();
    let pending = wanted.filter((of) => of !== null).length;
    const windows = WINDOW_NAMES.map((name, i): [WindowName, SeenWindow] => {
      const of = wanted[i] ?? null;
      if (pending > 0 && at(this.kept, i))
        reading.includeCounts(at(this.segments, i), types.size, statuses.size);
      if (of === null) return [name, NOT_WANTED];
      pending -= 1;
      const period = { minutes: (this.end - at(this.starts, i)) / MINUTE };
      return [
        name,
        wantedNumbers({ reading, types, statuses, period, findExtremes: () => this.findExtremes(i) }, of),
      ];
    });
    // One for each of WINDOW_NAMES.
    return Object.fromEntries(windows) as Record<WindowName, SeenWindow>;
  }

  /** A window that is not kept has nothing that the next shorter one has not. */
  private startsAt(end: number): number[] {
    let start = end;
    return this.kept.map((kept, i) => {
      if (kept) start = Math.ceil(end / at(STEPS, i)) * at(STEPS, i) - at(SIZES, i);
      return start;
    });
  }

  private include(reading: Reading, i: number): void {
    reading.include(at(this.segments, i), this.extremesOf(i));
  }

  /** Those of a window, into its reading. */
  private findExtremes(window: number): void {
    for (let i = 0; i <= window; i++) this.reading.spread(at(this.segments, i), this.extremesOf(i));
  }

  private extremesOf(i: number): Float64Array {
    const start = at(this.starts, i);
    const until = i === 0 ? this.end : at(this.starts, i - 1);
    return at(this.segments, i).minAndMax(() => at(this.rings, i).between(start, until));
  }

  private read(reading: Reading, window: number, words: Vocabulary, savings: Savings): WindowSnapshot {
    const start = at(this.starts, window);
    const period: Period = {
      start: isoOf(start) ?? '',
      end: isoOf(this.end) ?? '',
      minutes: (this.end - start) / MINUTE,
    };
    const { types, statuses } = words;
    return {
      ...operationMetrics({ reading, types, statuses, period }),
      business: businessMetrics(reading.numbers, this.customers.count(window), words, period, savings),
    };
  }

  /** A bucket left the ring of a segment: it goes where its time belongs now, or nowhere. */
  private move(bucket: Bucket, time: number, from: number): void {
    bucket.seal();
    const to = this.segmentOf(time);
    at(this.segments, from).pass(bucket, to === NONE ? null : at(this.segments, to));
    if (to !== NONE) at(this.rings, to).locate(time)?.merge(bucket);
    bucket.release();
  }

  /** The segment that a time belongs to; NONE where it is older than all. */
  private segmentOf(time: number): number {
    for (let i = 0; i < WINDOWS; i++) if (time >= at(this.starts, i)) return i;
    return NONE;
  }
}

/** An element of one of the lists that have one for each window. */
function at<T>(list: readonly T[], index: number): T {
  return list[index] as T;
}
