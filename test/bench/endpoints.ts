/** Every endpoint over 100,000 rows, each asked first by a process that has just started. */
import pg from 'pg';
import { type Arena, openArena, startMonitorProcess } from './arena.js';
import { type BenchOptions, type BenchResult, spread } from './result.js';
import { earlierStatements, seed } from './seed.js';

export const name = 'endpoints';

const LIMIT_MS = 500;
const DAY = 86_400_000;

export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const rows = quick ? 10_000 : 100_000;
  const starts = quick ? 2 : 20;
  const arena = await openArena();
  const taken = new Map<string, number[]>();
  const earlier: number[] = [];
  try {
    await seed(arena.client, { rows, hours: 24 * 30 });
    await arena.client.query('VACUUM ANALYZE customer_sync_logs');
    // The first start folds the table; those that are measured come after it.
    await ask(arena, new Map());
    for (let i = 0; i < starts; i++) {
      await ask(arena, taken, i);
      earlier.push(await sql(arena.url, i));
    }
  } finally {
    await arena.end();
  }
  const p95 = (values: readonly number[]) =>
    [...values].sort((a, b) => a - b)[Math.ceil(0.95 * values.length) - 1] ?? Number.NaN;
  const worst = Math.max(...[...taken.values()].map(p95));
  return {
    name,
    target: `p95 of every endpoint below ${LIMIT_MS} ms, first request of a process, ${rows} rows`,
    pass: worst < LIMIT_MS,
    ratio: worst / p95(earlier),
    lines: [
      ...[...taken].map(
        ([path, values]) =>
          `${path.padEnd(34)} p95 ${p95(values).toFixed(1)} ms, median ${spread(values).median.toFixed(1)} ms`,
      ),
      `${'the earlier statements (7 days)'.padEnd(34)} p95 ${p95(earlier).toFixed(1)} ms, median ${spread(earlier).median.toFixed(1)} ms`,
    ],
    data: { rows, starts, taken: Object.fromEntries(taken), earlier },
  };
}

/** A ragged week, another one each time. */
function period(i: number): { start: Date; end: Date } {
  const end = Date.now() - DAY * (i % 10) - 61_234 - i * 777;
  return { start: new Date(end - 7 * DAY), end: new Date(end) };
}

async function ask(arena: Arena, taken: Map<string, number[]>, i = 0): Promise<void> {
  const process = await startMonitorProcess(arena.url, { BACKFILL_MAX_ROWS_PER_SECOND: '1000000' });
  const http = process.address.replace('ws:', 'http:').replace(/\/ws$/, '');
  const { start, end } = period(i);
  const bounds = `?start_date=${start.toISOString()}&end_date=${end.toISOString()}`;
  const paths = [
    '/api/monitoring/operations/',
    `/api/monitoring/operations/${bounds}`,
    `/api/monitoring/operations/${bounds}&compare=day,week`,
    `/api/monitoring/business/${bounds}`,
    `/api/monitoring/hourly/${bounds}&tz=Europe/Berlin`,
    `/api/monitoring/daily/${bounds}&tz=Europe/Berlin`,
    '/api/monitoring/realtime/',
    '/api/monitoring/health/',
    '/api/events/',
    '/api/health/',
    '/metrics',
    '/openapi.json',
    '/',
  ];
  try {
    for (;;) {
      const answer = await fetch(`${http}/api/monitoring/realtime/`);
      const { completeness } = (await answer.json()) as { completeness?: { state: string } };
      if (completeness?.state === 'complete') break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (const path of paths) {
      const before = performance.now();
      const answer = await fetch(http + path);
      await answer.arrayBuffer();
      const name = path.replace(
        /\?.*?(&tz.*|&compare.*)?$/,
        (_, rest: string | undefined) => `?7 days${rest ?? ''}`,
      );
      taken.set(name, [...(taken.get(name) ?? []), performance.now() - before]);
      if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
    }
  } finally {
    await process.stop();
  }
}

async function sql(url: string, i: number): Promise<number> {
  const { start, end } = period(i);
  const client = new pg.Client(url);
  await client.connect();
  const before = performance.now();
  for (const text of earlierStatements('customer_sync_logs')) await client.query(text, [start, end]);
  const ms = performance.now() - before;
  await client.end();
  return ms;
}
