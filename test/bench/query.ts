/** `/operations/` of any period out of the rollups, against the statements of the earlier system. */
import pg from 'pg';
import { type CustomerSyncMonitor, startMonitor } from '../../src/monitor.js';
import { type Arena, openArena } from './arena.js';
import { type BenchOptions, type BenchResult, spread } from './result.js';
import { earlierStatements, historyReady, seed } from './seed.js';

export const name = 'query';

const DAY = 86_400_000;
const REPEATS = 7;

export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const sizes = quick ? ([20_000, 60_000] as const) : ([1_000_000, 10_000_000] as const);
  const [small, large] = sizes;
  const first = await measure(small, quick ? 5_000 : 365_000);
  const second = await measure(large, 0);
  const faster = first.earlier / first.day;
  const growth = second.day / first.day;
  const year = first.year / first.day;
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  return {
    name,
    target:
      'a day at least 50 times faster than the seven statements at 1 million rows; ours at 10 million at most 1.2 times ours at 1 million; a ragged year at most 10 times a ragged day',
    pass: faster >= 50 && growth <= 1.2 && year <= 10,
    ratio: faster,
    lines: [
      `24 h with ${small} rows: ours ${ms(first.day)}, the seven statements ${ms(first.earlier)}: ${faster.toFixed(0)} times faster`,
      `24 h with ${large} rows: ours ${ms(second.day)} (${growth.toFixed(2)} of that with ${small}), the seven statements ${ms(second.earlier)}`,
      `a ragged year: ours ${ms(first.year)}, ${year.toFixed(1)} times the day`,
    ],
    data: { sizes, first, second, faster, growth, year },
  };
}

/** `rows` in the last day and `older` in the year before; medians, ms. */
async function measure(rows: number, older: number): Promise<{ day: number; year: number; earlier: number }> {
  const arena = await openArena();
  try {
    if (older > 0) await seed(arena.client, { rows: older, hours: 24 * 364, note: 10 });
    await seed(arena.client, { rows, hours: 25, note: 10 });
    await arena.client.query('VACUUM ANALYZE customer_sync_logs');
    const monitor = await startMonitor({ databaseUrl: arena.url, backfillRowsPerSecond: 10_000_000 });
    try {
      await historyReady(monitor, arena.client);
      return await compare(arena, monitor);
    } finally {
      await monitor.stop();
    }
  } finally {
    await arena.end();
  }
}

async function compare(arena: Arena, monitor: CustomerSyncMonitor) {
  const day: number[] = [];
  const year: number[] = [];
  const earlier: number[] = [];
  const client = new pg.Client(arena.url);
  await client.connect();
  for (let i = 0; i < REPEATS; i++) {
    // Ragged, and another one each time.
    const end = Date.now() - 61_234 - i * 777;
    const start = end - DAY;
    const rows = { ours: 0, earlier: 0 };
    day.push(
      await timed(async () => {
        rows.ours = (await monitor.getOperationMetrics(new Date(start), new Date(end))).total_operations;
      }),
    );
    year.push(await timed(() => monitor.getOperationMetrics(new Date(end - 364 * DAY), new Date(end))));
    earlier.push(
      await timed(async () => {
        for (const text of earlierStatements('customer_sync_logs')) {
          const result = await client.query({ text, values: [new Date(start), new Date(end)] });
          if (text.startsWith('SELECT count(*) FROM') && !text.includes('status'))
            rows.earlier = Number(result.rows[0].count);
        }
      }),
    );
    if (rows.ours !== rows.earlier) throw new Error(`ours says ${rows.ours} rows, the table ${rows.earlier}`);
  }
  await client.end();
  return { day: spread(day).median, year: spread(year).median, earlier: spread(earlier).median };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}
