/** From sending the INSERT to the WebSocket client. */
import pg from 'pg';
import { WebSocket } from 'ws';
import { type Arena, openArena, type Rival, startMonitorProcess, startUsual } from './arena.js';
import { type BenchOptions, type BenchResult, spread } from './result.js';

export const name = 'freshness';

const CADENCE_MS = 15;

export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const rounds = quick ? 1 : 5;
  const arena = await openArena();
  const quiet: Record<'ours' | 'relay', { p50: number[]; p99: number[] }> = {
    ours: { p50: [], p99: [] },
    relay: { p50: [], p99: [] },
  };
  const loaded: Record<number, { p50: number[]; p99: number[]; rate: number[] }> = {};
  try {
    await arena.write(8, 1);
    for (let round = 0; round < rounds; round++) {
      for (const who of round % 2 === 0 ? (['ours', 'relay'] as const) : (['relay', 'ours'] as const)) {
        await arena.clean();
        const rival = who === 'ours' ? await startMonitorProcess(arena.url) : await startUsual(arena, true);
        const waits = await oneByOne(arena, rival, who === 'ours', quick ? 40 : 200);
        await rival.stop();
        quiet[who].p50.push(percentile(waits, 0.5));
        quiet[who].p99.push(percentile(waits, 0.99));
      }
      for (const rate of [5_000, 15_000]) {
        await arena.clean();
        const rival = await startMonitorProcess(arena.url);
        const { waits, written } = await underLoad(arena, rival, rate, quick ? 2 : 6);
        await rival.stop();
        loaded[rate] ??= { p50: [], p99: [], rate: [] };
        loaded[rate].p50.push(percentile(waits, 0.5));
        loaded[rate].p99.push(percentile(waits, 0.99));
        loaded[rate].rate.push(written);
      }
    }
  } finally {
    await arena.end();
  }
  const median = (values: number[]) => spread(values).median;
  const p50 = median(quiet.ours.p50) / median(quiet.relay.p50);
  const p99 = median(quiet.ours.p99) / median(quiet.relay.p99);
  const tail = Math.max(...Object.values(loaded).map((one) => median(one.p99)));
  const range = (values: number[]) => `${spread(values).min.toFixed(2)} to ${spread(values).max.toFixed(2)}`;
  return {
    name,
    target: `quiet: p50 at most 1.6 and p99 at most 2 times the least relay; 5,000 and 15,000 rows/s: p99 at most ${4 * CADENCE_MS} ms`,
    pass: p50 <= 1.6 && p99 <= 2 && tail <= 4 * CADENCE_MS,
    ratio: p50,
    lines: [
      ...(['relay', 'ours'] as const).map(
        (who) =>
          `20 rows/s, ${who}: p50 ${median(quiet[who].p50).toFixed(2)} ms (${range(quiet[who].p50)}), p99 ${median(quiet[who].p99).toFixed(2)} ms (${range(quiet[who].p99)})`,
      ),
      `ratio: p50 ${p50.toFixed(2)}, p99 ${p99.toFixed(2)}`,
      ...Object.entries(loaded).map(
        ([rate, one]) =>
          `${rate} rows/s asked, ${Math.round(median(one.rate))} written: p50 ${median(one.p50).toFixed(1)} ms, p99 ${median(one.p99).toFixed(1)} ms (${range(one.p99)})`,
      ),
    ],
    data: { quiet, loaded },
  };
}

/** Single rows at 20 a second from this process; each wait from before the INSERT to its message. */
async function oneByOne(arena: Arena, rival: Rival, ours: boolean, rows: number): Promise<number[]> {
  const socket = await connect(rival, ours);
  const writer = new pg.Client(arena.url);
  await writer.connect();
  const waits: number[] = [];
  let arrived: (() => void) | undefined;
  let mark = '';
  socket.on('message', (data: Buffer) => {
    if (mark !== '' && data.includes(mark)) arrived?.();
  });
  for (let i = -10; i < rows; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    mark = `mark-${process.pid}-${i}-end`;
    const message = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const before = performance.now();
    await Promise.all([
      message,
      writer.query({
        name: 'row',
        text: `INSERT INTO customer_sync_logs (operation_type, status, customer_id, correlation_id, duration_ms, details)
               VALUES ('sync_changes', 'success', $1, $2, 120, '{"conflict_source": "data_import", "note": "${'x'.repeat(400)}"}')`,
        values: [i + 100, mark],
      }),
      message.then(() => {
        if (i >= 0) waits.push(performance.now() - before); // the first ten warm both up
      }),
    ]);
  }
  await writer.end();
  socket.terminate();
  return waits;
}

/** Rows at a rate from pgbench; each wait from the row's created_at (this host's clock too) to its message. */
async function underLoad(arena: Arena, rival: Rival, rate: number, seconds: number) {
  const socket = await connect(rival, true);
  const waits: number[] = [];
  let from = Number.POSITIVE_INFINITY;
  let frames = 0;
  socket.on('message', (data: Buffer) => {
    const now = performance.timeOrigin + performance.now();
    if (now < from || !data.subarray(0, 20).includes('"events"')) return;
    // Every fourth frame: parsing all of them would take the processor from those that are measured.
    if (frames++ % 4 !== 0) return;
    const message = JSON.parse(data.toString()) as { events: { created_at: string }[] };
    for (const event of message.events) waits.push(now - Date.parse(event.created_at));
  });
  setTimeout(() => {
    from = performance.timeOrigin + performance.now();
  }, 1_000);
  // A server that flushes to a disk may not commit 15,000 times a second: then INSERTs of three rows, 5,000 a second.
  const rows = rate > 5_000 ? 3 : 1;
  const written = rows * (await arena.write(16, seconds, rate / rows, rows));
  socket.terminate();
  return { waits, written };
}

async function connect(rival: Rival, ours: boolean): Promise<WebSocket> {
  const socket = new WebSocket(rival.address, { perMessageDeflate: false });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  if (ours) socket.send('{"type":"subscribe","topics":["events"]}');
  // The subscription has arrived once the hub answers anything after it; its hello comes before.
  await new Promise((resolve) => setTimeout(resolve, 500));
  return socket;
}

function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN;
}
