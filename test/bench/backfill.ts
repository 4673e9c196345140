/** The first start on a full table: a million rows folded into history, against a bare COPY of the same columns. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startMonitor } from '../../src/monitor.js';
import { Link } from '../../src/source/connection.js';
import { selectList } from '../../src/source/statements.js';
import { discoverTable } from '../../src/source/table.js';
import { openArena } from './arena.js';
import { type BenchOptions, type BenchResult, spread } from './result.js';
import { seed } from './seed.js';

export const name = 'backfill';

export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const rows = quick ? 50_000 : 1_000_000;
  const arena = await openArena();
  const ours: number[] = [];
  const copied: number[] = [];
  try {
    await seed(arena.client, { rows, hours: 24 * 14 });
    await arena.client.query('VACUUM ANALYZE customer_sync_logs');
    for (let round = 0; round < (quick ? 1 : 5); round++) {
      copied.push(await copy(arena.url));
      ours.push(await fold(arena.url));
      const [kept] = (
        await arena.client.query(
          'SELECT sum(success + error + failed + warning + skipped)::int AS rows FROM sync_monitor.rollup WHERE level = 0',
        )
      ).rows;
      if (kept.rows !== rows) throw new Error(`${kept.rows} of ${rows} rows are in history`);
      await arena.client.query('DROP SCHEMA sync_monitor CASCADE');
    }
  } finally {
    await arena.end();
  }
  const ratio = spread(ours.map((seconds, i) => seconds / (copied[i] as number))).median;
  const line = (what: string, seconds: number[]) => {
    const { median, min, max } = spread(seconds);
    return `${what.padEnd(26)} ${median.toFixed(2)} s (${min.toFixed(2)} to ${max.toFixed(2)}), ${Math.round(rows / median)} rows/s`;
  };
  return {
    name,
    target: `${rows} rows folded and flushed in at most 2 times a bare COPY of the same columns`,
    pass: ratio <= 2,
    ratio,
    lines: [line('bare COPY', copied), line('read, folded, flushed', ours), `ratio ${ratio.toFixed(2)}`],
    data: { rows, ours, copied },
  };
}

async function copy(url: string): Promise<number> {
  const link = new Link('setup', { url });
  await link.connect();
  const table = await discoverTable(link, 'customer_sync_logs');
  link.close();
  const sql = `COPY (SELECT ${selectList(table.columns, 't')} FROM ${table.qualified} t ORDER BY t.id) TO STDOUT`;
  const before = performance.now();
  const child = spawn('psql', ['-X', '-q', '-c', sql, url], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`psql ended with ${String(code)}`);
  return (performance.now() - before) / 1000;
}

/** From the first round to the flush of the last page. */
async function fold(url: string): Promise<number> {
  const monitor = await startMonitor({ databaseUrl: url, backfillRowsPerSecond: 10_000_000 });
  const before = performance.now();
  for (;;) {
    const { state, reason, unflushed_rows } = monitor.history();
    if (state === 'off') throw new Error(`history is off: ${reason}`);
    if (state === 'ready' && unflushed_rows === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const seconds = (performance.now() - before) / 1000;
  await monitor.stop();
  return seconds;
}
