/** Started by `memory.ts` with a number of rows: folds them over 24 hours of event time and reports the peak. */
import type { SyncRow } from '../../streams/event.js';
import { Fold } from '../../streams/fold.js';
import { Traffic } from './traffic.js';

export interface MemoryReport {
  readonly rows: number;
  /** Highest resident set, MB (10^6 bytes). */
  readonly peakMb: number;
  /** The same after a few rows and snapshots. */
  readonly emptyMb: number;
  readonly customers: number;
  readonly seconds: number;
}

const START = Date.UTC(2025, 5, 15);
const DAY_MS = 86_400_000;
const BATCH = 500;
const TICK_MS = 5000;
const COMPLETE = { state: 'complete', ratio: 1, reasons: [] } as const;

function measure(rows: number): MemoryReport {
  const began = performance.now();
  const fold = new Fold();
  // Templates: what is measured is what the fold keeps of a row, not how fast a row can be invented.
  const traffic = new Traffic({ seed: 23, customers: 1_000_000 });
  const templates = Array.from({ length: 50_000 }, () => traffic.row(0));
  let emptyMb = 0;
  let nextTick = START;
  for (let first = 0; first < rows; first += BATCH) {
    const batch: SyncRow[] = [];
    for (let i = first; i < first + BATCH; i++) {
      // Knuth's multiplicative hash: all customers come, in no order.
      const customerId = (Math.imul(i, 2_654_435_761) >>> 0) % 1_000_000;
      const template = templates[i % templates.length] as SyncRow;
      batch.push({ ...template, id: i, createdAt: START + (i / rows) * DAY_MS, customerId });
    }
    const now = START + ((first + BATCH) / rows) * DAY_MS;
    fold.apply({ origin: 'live', rows: batch, updates: [], removals: [], now });
    // In between as well, as if the rows had come slowly.
    for (; nextTick <= now; nextTick += TICK_MS) {
      fold.advance({ now: nextTick, completeness: COMPLETE, lagMs: 0 });
      fold.snapshot();
    }
    if (emptyMb === 0) emptyMb = peakMb();
  }
  return {
    rows,
    peakMb: peakMb(),
    emptyMb,
    customers: fold.snapshot().business.synced_customers_count,
    seconds: (performance.now() - began) / 1000,
  };
}

function peakMb(): number {
  // Kilobytes on Linux (getrusage, ru_maxrss).
  return (process.resourceUsage().maxRSS * 1024) / 1e6;
}

const rows = Number(process.argv[2]);
if (!Number.isInteger(rows) || rows < BATCH) {
  throw new RangeError(`rows is ${process.argv[2]}; it must be a whole number of at least ${BATCH}`);
}
process.send?.(measure(rows));
