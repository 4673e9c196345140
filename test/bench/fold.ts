/**
 * Bench `fold`: decoded batches through windows and ticks on one core, and what a snapshot costs with few and with
 * many rows in the windows. Baseline in the same run: the same rows into one HDR histogram and one map of counts.
 */
import { build } from 'hdr-histogram-js';
import { STATUSES as ALL_STATUSES, type Batch, OPERATION_TYPES, type SyncRow } from '../../streams/event.js';
import { Fold } from '../../streams/fold.js';
import { type BenchOptions, type BenchResult, spread } from './result.js';
import { Traffic } from './traffic.js';

export const name = 'fold';

const TARGET_ROWS_PER_SECOND = 2_000_000;
const TARGET_SNAPSHOT_SPREAD = 0.1;
const START = Date.UTC(2025, 5, 15, 12);
/** By event time: as fast as one Postgres was seen to take single-row commits. */
const EVENTS_PER_SECOND = 15_000;
const BATCH = 500;
/** Asking for the processor time costs a microsecond; once for so many batches is nothing. */
const BATCHES_TIMED = 10;
const TICK_MS = 250;
// No pending ones: the queue is another matter.
const STATUSES = ALL_STATUSES.filter((status) => status !== 'pending');
const COMPLETE = { state: 'complete', ratio: 1, reasons: [] } as const;

export async function run(options: BenchOptions = {}): Promise<BenchResult> {
  const quick = options.quick === true;
  const { folded, baseline, ratios } = foldSpeeds(quick ? 3 : 9, quick ? 50_000 : 500_000, quick ? 1 : 12);
  const snapshots = snapshotCosts(quick);
  const speed = spread(folded);
  const base = spread(baseline);
  const ratio = spread(ratios).median;
  const fast = speed.median >= TARGET_ROWS_PER_SECOND;
  const flat = Math.abs(snapshots.ratio - 1) <= TARGET_SNAPSHOT_SPREAD;
  return {
    name,
    target: 'at least 2,000,000 rows/s; a snapshot of 10 million rows within 10 % of one of 1 thousand',
    pass: fast && flat,
    ratio,
    lines: [
      `fold: ${round(speed.median)} rows/s of one core (${round(speed.min)} to ${round(speed.max)}); ${round(EVENTS_PER_SECOND)} rows per second of event time, a tick and a snapshot each ${TICK_MS} ms of it`,
      `baseline (one histogram, one map): ${round(base.median)} rows/s (${round(base.min)} to ${round(base.max)}); ratio ${ratio.toFixed(2)}`,
      `snapshot: ${snapshots.few.median.toFixed(0)} us with 1 thousand rows, ${snapshots.many.median.toFixed(0)} us with ${round(snapshots.manyRows)} rows; ratio ${snapshots.ratio.toFixed(3)}`,
    ],
    data: { folded, baseline, ratios, snapshots },
  };
}

/**
 * Rows per second of processor time in each round: one core's worth, whoever else is on the machine, the collector's
 * threads included. Batches are made a few at a time, as a reader would decode them, and only the folding is timed; the
 * baseline takes the same ones right before or after, so that both meet the same machine.
 */
function foldSpeeds(rounds: number, rowsPerRound: number, warmUp: number) {
  const traffic = new Traffic({ seed: 7, customers: 1_000_000 });
  const ours = new TimedFold();
  const theirs = new Baseline();
  let rows = 0;
  const folded: number[] = [];
  const baseline: number[] = [];
  const ratios: number[] = [];
  // The first rounds fill the windows of up to 5 min and the table of customers, and let the compiler settle.
  for (let round = -warmUp; round < rounds; round++) {
    const spent = { ours: 0, theirs: 0 };
    for (let i = 0; i < rowsPerRound; i += BATCH * BATCHES_TIMED) {
      const batches = Array.from({ length: BATCHES_TIMED }, (_, n) => makeBatch(traffic, rows + n * BATCH));
      rows += BATCH * BATCHES_TIMED;
      const oursFirst = (rows / (BATCH * BATCHES_TIMED)) % 2 === 0;
      if (oursFirst) spent.ours += cpuMs(() => ours.take(batches));
      spent.theirs += cpuMs(() => theirs.take(batches));
      if (!oursFirst) spent.ours += cpuMs(() => ours.take(batches));
    }
    if (round < 0) continue;
    folded.push((rowsPerRound * 1000) / spent.ours);
    baseline.push((rowsPerRound * 1000) / spent.theirs);
    ratios.push(spent.theirs / spent.ours);
  }
  return { folded, baseline, ratios };
}

function makeBatch(traffic: Traffic, before: number): Batch {
  const rows = Array.from({ length: BATCH }, (_, i) =>
    traffic.row(START + ((before + i) * 1000) / EVENTS_PER_SECOND),
  );
  const now = START + ((before + BATCH) * 1000) / EVENTS_PER_SECOND;
  return { origin: 'live', rows, updates: [], removals: [], now };
}

class TimedFold {
  private readonly fold = new Fold();
  private nextTick = START;

  /** Folds batches and the ticks that are due after each. */
  take(batches: readonly Batch[]): void {
    for (const batch of batches) {
      this.fold.apply(batch);
      for (; this.nextTick <= batch.now; this.nextTick += TICK_MS) {
        this.fold.advance({ now: this.nextTick, completeness: COMPLETE, lagMs: 0 });
        this.fold.snapshot();
      }
    }
  }
}

class Baseline {
  private readonly counts = new Map<string, number>();
  private readonly histogram = build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: 2 ** 31 - 1,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  });

  take(batches: readonly Batch[]): void {
    const { counts, histogram } = this;
    for (const { rows } of batches) {
      for (const { operationType, durationMs } of rows) {
        counts.set(operationType, (counts.get(operationType) ?? 0) + 1);
        if (durationMs !== null) histogram.recordValue(durationMs);
      }
    }
  }
}

/** Microseconds of one advance and snapshot, interleaved. */
function snapshotCosts(quick: boolean) {
  const manyRows = quick ? 200_000 : 10_000_000;
  const now = START + 86_400_000;
  const few = filled(1000, now);
  const many = filled(manyRows, now);
  const each = quick ? 50 : 200;
  const costs: { few: number[]; many: number[] } = { few: [], many: [] };
  for (let round = -4; round < 21; round++) {
    const [fewFirst, manyFirst] = [measure(few, now, each), measure(many, now, each)];
    const [manySecond, fewSecond] = [measure(many, now, each), measure(few, now, each)];
    // The first rounds warm up; the order alternates so that neither has the colder cache.
    if (round < 0) continue;
    costs.few.push((fewFirst + fewSecond) / 2);
    costs.many.push((manyFirst + manySecond) / 2);
  }
  const ratio = spread(costs.many.map((cost, i) => cost / (costs.few[i] as number))).median;
  return { manyRows, few: spread(costs.few), many: spread(costs.many), ratio };
}

/**
 * A fold with so many rows over the 24 hours before `now`, most of them in the last hours. Both folds have every type
 * with every status in every window: a snapshot is to cost the same by the number of rows, not by what it has to say.
 */
function filled(rows: number, now: number): Fold {
  const traffic = new Traffic({ seed: 11, customers: 1_000_000 });
  const fold = new Fold();
  let batch: SyncRow[] = [];
  for (let i = 0; i < rows; i++) {
    const age = (1 - i / rows) ** 4 * 86_000_000;
    const operationType = OPERATION_TYPES[i % OPERATION_TYPES.length] as string;
    const status = STATUSES[Math.floor(i / OPERATION_TYPES.length) % STATUSES.length] as string;
    batch.push({ ...traffic.row(now - age), operationType, status });
    if (batch.length === 1000 || i === rows - 1) {
      fold.apply({ origin: 'start', rows: batch, updates: [], removals: [], now });
      batch = [];
    }
  }
  return fold;
}

function measure(fold: Fold, now: number, times: number): number {
  const ms = cpuMs(() => {
    for (let i = 0; i < times; i++) {
      fold.advance({ now, completeness: COMPLETE, lagMs: 0 });
      fold.snapshot();
    }
  });
  return (ms * 1000) / times;
}

/** Milliseconds of processor time, all threads of this process. */
function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const spent = process.cpuUsage(before);
  return (spent.user + spent.system) / 1000;
}

function round(value: number): string {
  return Math.round(value).toLocaleString('en');
}
