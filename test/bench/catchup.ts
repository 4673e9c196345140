/** A backlog of a million rows read, decoded and folded, against nothing but the reading. */
import pg from 'pg';
import { type Observable, Subject } from 'rxjs';
import { DatabaseClock } from '../../src/source/clock.js';
import { Link } from '../../src/source/connection.js';
import { keysOf } from '../../src/source/keeper.js';
import { Reader } from '../../src/source/reader.js';
import { READER_SESSION } from '../../src/source/source.js';
import { selectList } from '../../src/source/statements.js';
import { discoverTable, type TableInfo } from '../../src/source/table.js';
import type { Batch } from '../../streams/event.js';
import { pipeline } from '../../streams/pipeline.js';
import { type Arena, openArena } from './arena.js';
import { type BenchOptions, type BenchResult, spread } from './result.js';

export const name = 'catchup';

const PAGE = 10_000;

export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const rows = quick ? 50_000 : 1_000_000;
  const rounds = quick ? 1 : 5;
  const arena = await openArena();
  const ours: number[] = [];
  const bare: number[] = [];
  try {
    const setup = new Link('setup', { url: arena.url });
    await setup.connect();
    const table = await discoverTable(setup, 'customer_sync_logs');
    setup.close();
    const backlog = await standStill(arena, table);
    await fill(arena, rows);
    await arena.client.query('VACUUM ANALYZE customer_sync_logs');
    for (let round = 0; round < rounds; round++) {
      bare.push(rows / (await readBare(arena, table, rows)));
      ours.push(rows / (await backlog(rows)));
    }
  } finally {
    await arena.end();
  }
  const ratio = spread(ours.map((value, i) => value / (bare[i] as number))).median;
  const line = (what: string, values: number[]) => {
    const { median, min, max } = spread(values);
    return `${what.padEnd(28)} ${Math.round(median)} rows/s (${Math.round(min)} to ${Math.round(max)})`;
  };
  return {
    name,
    target: 'read, decoded and folded at no less than 0.6 of the speed of a bare paged SELECT',
    pass: ratio >= 0.6,
    ratio,
    lines: [
      line('bare paged SELECT', bare),
      line('read, decoded, folded', ours),
      `ratio ${ratio.toFixed(2)}`,
    ],
    data: { rows, bare, ours },
  };
}

/** Readers that stand before the backlog; each call follows it with a new one, to the end. Seconds. */
async function standStill(arena: Arena, table: TableInfo): Promise<(rows: number) => Promise<number>> {
  const make = async () => {
    const batches = new Subject<Batch>();
    const folded = pipeline({
      batches$: batches,
      ticks$: new Subject<never>() as Observable<never>,
      epoch: 'bench',
    });
    folded.connect();
    const link = new Link('reader', { url: arena.url, session: READER_SESSION });
    await link.connect();
    const reader = new Reader(table, {
      link,
      keys: keysOf(table.qualified),
      clock: new DatabaseClock(),
      emit: (batch) => batches.next(batch),
      historyMs: 25 * 3_600_000,
    });
    await reader.start();
    return { reader, link, folded };
  };
  const standing = await Promise.all(Array.from({ length: 5 }, make));
  return async (rows) => {
    const one = standing.pop();
    if (!one) throw new Error('more rounds than readers');
    const before = performance.now();
    while ((await one.reader.poll()).more);
    const seconds = (performance.now() - before) / 1000;
    const seen = one.folded.latest()?.windows['24h'].total_operations;
    if (one.reader.rowsRead !== rows || seen === undefined)
      throw new Error(`${one.reader.rowsRead} of ${rows} rows were read`);
    one.link.close();
    return seconds;
  };
}

async function fill(arena: Arena, rows: number): Promise<void> {
  await arena.client.query(
    `INSERT INTO customer_sync_logs (operation_type, status, customer_id, customer_email, onec_id, correlation_id, duration_ms, details, created_at)
     SELECT (ARRAY['import_from_1c','export_to_1c','sync_changes','customer_identification','conflict_resolution','data_validation','batch_operation','created','updated','skipped','error','notification_failed'])[1 + i % 12],
       (ARRAY['success','success','success','success','success','success','success','error','warning','skipped'])[1 + i % 10],
       1 + (i::bigint * 7919) % 1000000, 'customer' || i || '@example.com', '1C-' || i, 'run-' || i / 10, (exp(4 + 2 * random()))::int,
       ('{"conflict_source": "data_import", "search_method": "tax_id", "email_sent": false, "note": "' || repeat('x', 400) || '"}')::jsonb,
       now() - interval '20 hours' + i * interval '70 milliseconds'
     FROM generate_series(1, ${rows}) i`,
  );
}

/** The same columns, page by page, thrown away. Seconds. */
async function readBare(arena: Arena, table: TableInfo, rows: number): Promise<number> {
  const client = new pg.Client(arena.url);
  await client.connect();
  const text = `SELECT ${selectList(table.columns, 't')} FROM ${table.qualified} t WHERE t.id > $1 ORDER BY t.id LIMIT ${PAGE}`;
  const types = { getTypeParser: () => (value: string) => value };
  const before = performance.now();
  let last = '0';
  let read = 0;
  for (;;) {
    const page = (
      await client.query<(string | null)[]>({ name: 'page', text, values: [last], rowMode: 'array', types })
    ).rows;
    read += page.length;
    if (page.length < PAGE) break;
    last = page.at(-1)?.[0] ?? '';
  }
  const seconds = (performance.now() - before) / 1000;
  await client.end();
  if (read !== rows) throw new Error(`${read} of ${rows} rows were read`);
  return seconds;
}
