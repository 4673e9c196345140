/** A month of rows through the fold and the rules on virtual time. */
import { run as runCommand } from '../../src/main.js';
import { openArena } from './arena.js';
import { type BenchOptions, type BenchResult, spread } from './result.js';
import { seed } from './seed.js';

export const name = 'replay';

const TARGET_SECONDS = 10;

export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const rows = quick ? 50_000 : 1_000_000;
  const arena = await openArena();
  const seconds: number[] = [];
  let alerts = 0;
  try {
    await seed(arena.client, { rows, hours: 30 * 24 });
    await arena.client.query('VACUUM ANALYZE customer_sync_logs');
    for (let round = 0; round < (quick ? 1 : 3); round++) {
      const before = performance.now();
      const found = await replayed(arena.url);
      seconds.push((performance.now() - before) / 1000);
      if (found.rows < rows * 0.999) throw new Error(`${found.rows} of ${rows} rows were replayed`);
      alerts = found.alerts.length;
    }
  } finally {
    await arena.end();
  }
  const { median, min, max } = spread(seconds);
  const peak = Math.round(process.resourceUsage().maxRSS / 1024);
  return {
    name,
    target: `a month of ${rows} rows in at most ${TARGET_SECONDS} s`,
    pass: median <= TARGET_SECONDS,
    ratio: median / TARGET_SECONDS,
    lines: [
      `${rows} rows, ${alerts} alerts`.padEnd(34) +
        ` ${median.toFixed(1)} s (${min.toFixed(1)} to ${max.toFixed(1)}), at most ${peak} MB of memory`,
    ],
    data: { rows, seconds, alerts, peak },
  };
}

async function replayed(url: string): Promise<{ rows: number; alerts: unknown[] }> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await runCommand(['replay', '--since', '30d', '--json'], {
    print: (line) => void out.push(line),
    note: (line) => void err.push(line),
    signal: new AbortController().signal,
    colours: false,
    env: { DATABASE_URL: url },
    folder: '/nonexistent',
  });
  if (code !== 0) throw new Error(err.join('\n'));
  return JSON.parse(out.join('\n'));
}
