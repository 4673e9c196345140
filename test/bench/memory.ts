/**
 * Bench `memory`: the resident set of a process that folds 10 and 100 million rows over 24 hours of event time, a tick
 * and a snapshot each 5 seconds of it. One child process per size, because a peak belongs to a process.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { MemoryReport } from './memory-child.js';
import type { BenchOptions, BenchResult } from './result.js';

export const name = 'memory';

const TARGET_MB = 300;
const TARGET_GROWTH = 1.1;

export async function run(options: BenchOptions = {}): Promise<BenchResult> {
  const [less, more] = options.quick === true ? [3_000_000, 9_000_000] : [10_000_000, 100_000_000];
  const small = await measure(less);
  const large = await measure(more);
  const growth = large.peakMb / small.peakMb;
  return {
    name,
    target: `at most ${TARGET_MB} MB with either, and the second at most 10 % above the first`,
    pass: small.peakMb <= TARGET_MB && large.peakMb <= TARGET_MB && growth <= TARGET_GROWTH,
    ratio: growth,
    lines: [
      ...[small, large].map(
        (report) =>
          `${report.rows.toLocaleString('en')} rows: peak ${report.peakMb.toFixed(0)} MB, before the first row ${report.emptyMb.toFixed(0)} MB, ${report.customers.toLocaleString('en')} customers in 24 h, ${report.seconds.toFixed(0)} s`,
      ),
      `growth ${growth.toFixed(3)}`,
    ],
    data: { small, large, growth },
  };
}

async function measure(rows: number): Promise<MemoryReport> {
  // The child is this file's neighbour, compiled or not, under the same loader as the parent.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const path = fileURLToPath(new URL(`./memory-child.${extension}`, import.meta.url));
  return new Promise((resolve, reject) => {
    let report: MemoryReport | null = null;
    const child = fork(path, [String(rows)]);
    child.on('message', (message) => {
      report = message as MemoryReport;
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (report !== null && code === 0) resolve(report);
      else reject(new Error(`the child for ${rows} rows ended with ${signal ?? code} and no report`));
    });
  });
}
