/** From the start of the process to correct windows, with a million rows in the last day and a checkpoint. */

import { startMonitor } from '../../src/monitor.js';
import { openArena, startMonitorProcess } from './arena.js';
import { type BenchOptions, type BenchResult, spread } from './result.js';
import { historyReady, seed } from './seed.js';

export const name = 'restart';

const TARGET_MS = 2_000;

export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const rows = quick ? 50_000 : 1_000_000;
  const arena = await openArena();
  const kept: number[] = [];
  const scanned: number[] = [];
  try {
    await seed(arena.client, { rows, hours: 23 });
    await arena.client.query('VACUUM ANALYZE customer_sync_logs');
    const first = await startMonitor({ databaseUrl: arena.url, backfillRowsPerSecond: 10_000_000 });
    await historyReady(first, arena.client);
    await first.stop();
    for (let round = 0; round < (quick ? 1 : 5); round++) {
      kept.push(await untilCorrect(arena.url, rows, {}));
      scanned.push(await untilCorrect(arena.url, rows, { HISTORY: 'off' }));
    }
  } finally {
    await arena.end();
  }
  const ours = spread(kept);
  const without = spread(scanned);
  const line = (what: string, of: typeof ours) =>
    `${what.padEnd(34)} ${Math.round(of.median)} ms (${Math.round(of.min)} to ${Math.round(of.max)})`;
  return {
    name,
    target: `correct windows at most ${TARGET_MS} ms after the process starts, with ${rows} rows in the last day`,
    pass: ours.median <= TARGET_MS,
    ratio: ours.median / without.median,
    lines: [line('from the checkpoint', ours), line('HISTORY=off, from the table', without)],
    data: { rows, kept, scanned },
  };
}

/** ms from before the spawn to the first complete answer, which has to be right. */
async function untilCorrect(url: string, rows: number, env: Record<string, string>): Promise<number> {
  const before = performance.now();
  const process = await startMonitorProcess(url, env);
  const http = process.address.replace('ws:', 'http:').replace(/\/ws$/, '');
  try {
    for (;;) {
      const answer = await fetch(`${http}/api/monitoring/realtime/`);
      if (answer.ok) {
        const { completeness } = (await answer.json()) as { completeness: { state: string } };
        if (completeness.state === 'complete') break;
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const after = performance.now() - before;
    const day = (await (await fetch(`${http}/api/monitoring/operations/`)).json()) as {
      total_operations: number;
    };
    if (day.total_operations !== rows) throw new Error(`${day.total_operations} of ${rows} rows are shown`);
    return after;
  } finally {
    await process.stop();
  }
}
