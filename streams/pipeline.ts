/**
 * How rows become what is shown: one fold, one feed, one set of totals, shared by all who watch.
 * A batch is folded in the very call in which it arrives; nothing here waits, and nothing here knows the time.
 */
import { connectable, defer, filter, map, merge, type Observable, Subject, type Subscription } from 'rxjs';
import { startWith } from 'rxjs/operators';
import type { Batch, FeedEvent, Tick } from './event.js';
import { Feed, type FeedReplay } from './feed.js';
import { Fold, type FoldOptions, type FoldStats } from './fold.js';
import type { Snapshot } from './snapshot.js';
import { Totals, type TotalsView } from './totals.js';

/** Between snapshots that a batch asks for, by the time of the batches: at most four a second. */
const SNAPSHOT_INTERVAL_MS = 250;

export interface PipelineInput {
  readonly batches$: Observable<Batch>;
  readonly ticks$: Observable<Tick>;
  /** Names the numbering of the feed; another one for each process. */
  readonly epoch: string;
  readonly options?: FoldOptions;
}

export interface Pipeline {
  /** Starts the one subscription to the input; ends it when unsubscribed. What was folded stays readable. */
  connect(): Subscription;
  /** One for each tick, and one after a batch when the last is older than 250 ms; the newest at once on subscription. */
  readonly snapshots$: Observable<Snapshot>;
  /** Null before the first. */
  latest(): Snapshot | null;
  /** Live rows in fold order, one array for each batch that has any. */
  readonly events$: Observable<readonly FeedEvent[]>;
  readonly epoch: string;
  /** Number of the newest event, 0 before the first: who wants no events needs no subscription to know where they are. */
  lastSeq(): number;
  replay(since: { readonly epoch: string; readonly seq: number }): FeedReplay;
  totals(): TotalsView;
  /** What had to be left out of the numbers. */
  stats(): FoldStats;
}

/** What one input made of the state. */
interface Step {
  readonly snapshot: Snapshot | null;
  readonly events: (() => readonly FeedEvent[]) | null;
}

/**
 * Nothing flows before `connect()`. A watcher that throws disturbs neither the fold nor the others: RxJS reports its
 * error through `config.onUnhandledError` (which by default throws it from a timer, and that ends a process that has no
 * handler of its own). An error of the input ends everything.
 */
export function pipeline(input: PipelineInput): Pipeline {
  const { batches$, ticks$, epoch, options } = input;
  let state = new State(epoch, options);
  const steps$ = connectable(
    defer(() => {
      state = new State(epoch, options); // the seed is made inside: who connects again starts from nothing
      const seeded = state;
      return merge(
        batches$.pipe(map((batch) => seeded.fold(batch))), // folded synchronously, so the reader sees it done
        ticks$.pipe(map((tick) => seeded.slide(tick))), // windows slide while no row arrives
      );
    }),
    { connector: () => new Subject<Step>(), resetOnDisconnect: true }, // hot: one fold, however many watch
  );
  const snapshots$ = defer(() => {
    const newest$ = steps$.pipe(
      map((step) => step.snapshot),
      filter((snapshot) => snapshot !== null), // a batch soon after a snapshot makes none
    );
    const latest = state.latest;
    return latest === null ? newest$ : newest$.pipe(startWith(latest)); // who comes late starts from the newest
  });
  const events$ = steps$.pipe(
    map((step) => step.events),
    filter((events) => events !== null), // ticks and rows read at start make no events
    map((events) => events()), // masked here, once for all who watch, and not at all when nobody does
  );
  return {
    connect: () => steps$.connect(),
    snapshots$,
    latest: () => state.latest,
    events$,
    epoch,
    lastSeq: () => state.feed.lastSeq,
    replay: (since) => state.feed.since(since),
    totals: () => state.totals.view(),
    stats: () => state.core.stats(),
  };
}

class State {
  readonly core: Fold;
  readonly feed: Feed;
  readonly totals: Totals;
  latest: Snapshot | null = null;
  private latestNow = Number.NEGATIVE_INFINITY;

  constructor(epoch: string, options: FoldOptions = {}) {
    this.core = new Fold(options);
    this.feed = new Feed(epoch);
    this.totals = new Totals(options);
  }

  fold(batch: Batch): Step {
    this.core.apply(batch);
    this.totals.apply(batch);
    const events = this.feed.apply(batch);
    if (batch.reset === true) this.latestNow = Number.NEGATIVE_INFINITY;
    const due = batch.now - this.latestNow >= SNAPSHOT_INTERVAL_MS;
    return { snapshot: due ? this.take(batch.now) : null, events };
  }

  slide(tick: Tick): Step {
    this.core.advance(tick);
    return { snapshot: this.take(tick.now), events: null };
  }

  private take(now: number): Snapshot {
    this.latest = this.core.snapshot();
    this.latestNow = now;
    return this.latest;
  }
}
