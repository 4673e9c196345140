/**
 * The four live windows over their three rings, and the customers in them; all end at the same moment.
 */
import { Bucket } from './bucket.js';
import { businessMetrics, type Savings } from './business.js';
import { Customers } from './customers.js';
import type { Fact, Vocabulary } from './fact.js';
import { CELLS } from './histogram.js';
import { isoOf } from './iso.js';
import { TYPES_AT_MOST } from './numbers.js';
import { operationMetrics, type Period } from './operations.js';
import { PendingBudget } from './pending-durations.js';
import { Ring } from './ring.js';
import { WINDOW_NAMES, type WindowName, type WindowSnapshot } from './snapshot.js';
import { SparseScratch } from './sparse.js';
import { Window } from './window.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

// A window is exact to its stated bounds, and up to one step shorter than its name says.
const LAYOUT: Readonly<Record<WindowName, { readonly sizeMs: number; readonly stepMs: number }>> = {
  '1m': { sizeMs: MINUTE, stepMs: SECOND },
  '5m': { sizeMs: 5 * MINUTE, stepMs: SECOND },
  '1h': { sizeMs: HOUR, stepMs: 10 * SECOND },
  '24h': { sizeMs: 24 * HOUR, stepMs: 5 * MINUTE },
};

interface Live {
  readonly name: WindowName;
  readonly window: Window;
  readonly ring: Ring<Bucket, Window>;
}

export interface PeriodsOptions {
  readonly pendingDurations: number;
  readonly customers: number;
}

export class Periods {
  /** Rows that could not be taken back because they were not there. */
  mismatches = 0;
  readonly customers: Customers;
  readonly pendingBudget: PendingBudget;
  private readonly rings: Ring<Bucket, Window>[] = [];
  private readonly live: Live[] = [];
  private end = Number.NEGATIVE_INFINITY;

  constructor(options: PeriodsOptions) {
    this.pendingBudget = new PendingBudget(options.pendingDurations);
    this.customers = new Customers({
      windowSeconds: WINDOW_NAMES.map((name) => LAYOUT[name].sizeMs / SECOND),
      limit: options.customers,
    });
    const shared = { scratch: new SparseScratch(TYPES_AT_MOST * CELLS), pendingBudget: this.pendingBudget };
    for (const stepMs of new Set(WINDOW_NAMES.map((name) => LAYOUT[name].stepMs))) {
      const windows = WINDOW_NAMES.filter((name) => LAYOUT[name].stepMs === stepMs).map((name) => ({
        name,
        window: new Window(LAYOUT[name].sizeMs / stepMs),
      }));
      const ring = new Ring<Bucket, Window>({
        stepMs,
        size: Math.max(...windows.map(({ window }) => window.steps)),
        spans: windows.map(({ window }) => window),
        empty: () => new Bucket(shared),
      });
      this.rings.push(ring);
      for (const { name, window } of windows) this.live.push({ name, window, ring });
    }
  }

  /** Slides to `end` (exclusive, ms, a whole second), which never goes back. */
  advance(end: number): void {
    this.end = end;
    for (const ring of this.rings) ring.advance(end);
    this.customers.advance(
      end / SECOND,
      this.live.map(({ window, ring }) => ring.start(window.steps) / SECOND),
    );
  }

  /** A row with created_at before the end; windows that it is too old for ignore it. */
  add(fact: Fact): void {
    let kept = false;
    for (const ring of this.rings) {
      const bucket = ring.locate(fact.createdAt);
      if (bucket === null) continue;
      kept = true;
      bucket.add(fact);
      for (const window of ring.reached) window.add(fact);
    }
    // The longest window is the one that keeps a row where any does.
    if (kept && fact.customer !== null) {
      this.customers.record(fact.customer, Math.floor(fact.createdAt / SECOND));
    }
  }

  /** Takes back a pending row that was added. */
  remove(fact: Fact): void {
    for (const ring of this.rings) {
      const bucket = ring.locate(fact.createdAt);
      if (bucket === null) continue;
      if (!bucket.has(fact)) {
        this.mismatches += 1;
        continue;
      }
      bucket.remove(fact);
      for (const window of ring.reached) window.remove(fact);
    }
  }

  snapshot(words: Vocabulary, savings: Savings): Record<WindowName, WindowSnapshot> {
    const [minute, five, hour, day] = this.live.map((live, index) => this.read(live, index, words, savings));
    // One for each name of WINDOW_NAMES, in its order.
    return { '1m': minute, '5m': five, '1h': hour, '24h': day } as Record<WindowName, WindowSnapshot>;
  }

  private read({ window, ring }: Live, index: number, words: Vocabulary, savings: Savings): WindowSnapshot {
    const start = ring.start(window.steps);
    const period: Period = {
      start: isoOf(start) ?? '',
      end: isoOf(this.end) ?? '',
      minutes: (this.end - start) / MINUTE,
    };
    const extremes = window.minAndMax(() => ring.newest(window.steps));
    const { types, statuses } = words;
    return {
      ...operationMetrics({ window, extremes, types, statuses, period }),
      business: businessMetrics(window.numbers, this.customers.count(index), words, period, savings),
    };
  }
}
