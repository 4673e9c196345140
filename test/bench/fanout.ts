/**
 * Bench `fanout`: `serve` with thousands of WebSocket clients in another process, against a bare broadcast of the same
 * bytes at the same moments by `ws` alone; then with clients that read nothing, and with all of them coming at once.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Arena, openArena, type Rival, startMonitorProcess } from './arena.js';
import type { Measured, Opened, Order } from './fanout-clients.js';
import { type BenchOptions, type BenchResult, spread } from './result.js';
import { seed } from './seed.js';

export const name = 'fanout';

const TARGET_CPU = 1.25;
const TARGET_P99 = 1.2;
const WITH_EVENTS = 100;
const DEAF = 100;
const ROWS_PER_SECOND = 1_000;
/** For the database, the page and requests beside the clients. */
const SPARE_DESCRIPTORS = 500;
/** A silent client is cut off after two pings without an answer (src/http/limits.ts), 15 s apart. */
const CUT_OFF_MS = 45_000;

interface Round {
  /** CPU microseconds for each message. */
  readonly cpu: number;
  /** Without what the same writers take of a monitor that has no clients. */
  readonly net: number;
  readonly messages: number;
  readonly megabytes: number;
  readonly cores: number;
}

export async function run({ quick = false }: BenchOptions): Promise<BenchResult> {
  const wanted = quick ? 500 : 10_000;
  const clients = Math.min(wanted, hardLimit() - SPARE_DESCRIPTORS);
  const ms = quick ? 3_000 : 15_000;
  const arena = await openArena();
  const viewers = startChild('fanout-clients');
  const ask = <T>(order: Order) => answerOf<{ answer: T }>(viewers, order).then(({ answer }) => answer);
  const ours: Round[] = [];
  const bare: Round[] = [];
  const perClientKb: number[] = [];
  let deaf: Deaf | undefined;
  let back: Opened | undefined;
  try {
    await seed(arena.client, { rows: quick ? 5_000 : 50_000, hours: 24 });
    for (let round = 0; round < (quick ? 1 : 3); round++) {
      const monitor = await startMonitorProcess(arena.url, {
        MAX_WS_CLIENTS: String(clients + DEAF),
        LOG_LEVEL: 'info',
      });
      await complete(monitor);
      const idle = await withoutClients(arena, monitor, ms / 3);
      const before = residentKb(monitor.pid);
      await ask<Opened>({ do: 'open', port: portOf(monitor), count: clients, events: WITH_EVENTS });
      perClientKb.push((residentKb(monitor.pid) - before) / clients);
      const writing = arena.write(2, Math.ceil(ms / 1000) + 2, ROWS_PER_SECOND);
      const watch = () => ask<Measured>({ do: 'measure', ms, record: true });
      const measured = await measure(monitor.pid, ms, watch, idle);
      ours.push(measured.round);
      await writing;
      if (round === 0) {
        deaf = await withDeaf(arena, monitor, { ask, ms });
        back = await ask<Opened>({ do: 'reconnect' });
      }
      await ask({ do: 'close' });
      await monitor.stop();
      bare.push(await bareRound(measured.record, { clients, ms, ask }));
      await ask({ do: 'close' });
    }
  } finally {
    viewers.disconnect();
    await arena.end();
  }
  if (!deaf || !back) throw new Error('no round was run');
  const ratioOf = (of: 'cpu' | 'net') => spread(ours.map((one, i) => one[of] / (bare[i]?.cpu ?? Number.NaN)));
  const [ratio, net] = [ratioOf('cpu'), ratioOf('net')];
  const slowed = deaf.with / deaf.without;
  const median = (rounds: readonly Round[], of: keyof Round) => spread(rounds.map((one) => one[of])).median;
  return {
    name,
    target: `${wanted} clients: CPU per message at most ${TARGET_CPU} times that of a bare broadcast; ${DEAF} that read nothing: p99 of the others at most ${TARGET_P99} times as late, they skip, then are cut off; all come back at once`,
    pass:
      clients === wanted &&
      // A bare broadcast reads no rows: what that costs without clients is no cost of messages.
      net.median <= TARGET_CPU &&
      slowed <= TARGET_P99 &&
      deaf.skipped > 0 &&
      deaf.cutOff >= DEAF &&
      deaf.lost === 0,
    ratio: net.median,
    lines: [
      ...(clients < wanted ? [`only ${clients} clients: the limit of open files is ${hardLimit()}`] : []),
      ...[['serve', ours] as const, ['bare', bare] as const].map(
        ([who, rounds]) =>
          `${who}: ${median(rounds, 'cpu').toFixed(1)} us of CPU a message, ${Math.round(median(rounds, 'messages') / (ms / 1000))} messages/s, ${median(rounds, 'megabytes').toFixed(0)} MB/s, ${median(rounds, 'cores').toFixed(2)} cores`,
      ),
      `ratio ${net.median.toFixed(2)} (${net.min.toFixed(2)} to ${net.max.toFixed(2)}) less what reading, counting and keeping ${ROWS_PER_SECOND} rows/s takes without clients; ${ratio.median.toFixed(2)} with it`,
      `memory: ${spread(perClientKb).median.toFixed(1)} KiB for each client`,
      `delivery, from the snapshot's time: p99 ${deaf.without.toFixed(0)} ms; with ${DEAF} deaf clients ${deaf.with.toFixed(0)} ms (${slowed.toFixed(2)} times); they skipped ${deaf.skipped} snapshots, ${deaf.cutOff} were cut off, ${deaf.lost} others`,
      `all ${clients} gone and back at once: ${(back.ms / 1000).toFixed(1)} s until each had a snapshot, ${back.again} attempts more`,
    ],
    data: { clients, ours, bare, perClientKb, deaf, back },
  };
}

type Ask = <T>(order: Order) => Promise<T>;

interface Deaf {
  /** p99, ms. */
  readonly with: number;
  readonly without: number;
  readonly skipped: number;
  readonly cutOff: number;
  readonly lost: number;
}

/** The others' p99 before, while and after there are clients that read nothing, under the same writers. */
async function withDeaf(
  arena: Arena,
  monitor: Rival,
  { ask, ms }: { readonly ask: Ask; readonly ms: number },
): Promise<Deaf> {
  const writing = arena.write(2, Math.ceil((3 * ms + CUT_OFF_MS) / 1000), ROWS_PER_SECOND);
  const quiet: Order = { do: 'measure', ms, record: false };
  const before = await ask<Measured>(quiet);
  const metrics = await metricsOf(monitor);
  await ask({ do: 'open deaf', port: portOf(monitor), count: DEAF });
  const during = await ask<Measured>(quiet);
  const cutOff = async () => (await metricsOf(monitor)).cutOff - metrics.cutOff;
  for (const end = performance.now() + CUT_OFF_MS; performance.now() < end && (await cutOff()) < DEAF; )
    await new Promise((resolve) => setTimeout(resolve, 500));
  const after = await ask<Measured>(quiet);
  const now = await metricsOf(monitor);
  await writing;
  return {
    with: during.p99,
    without: (before.p99 + after.p99) / 2,
    skipped: now.skipped - metrics.skipped,
    cutOff: now.cutOff - metrics.cutOff,
    lost: before.lost + during.lost + after.lost,
  };
}

/** What counting the same rows takes when nobody looks; cores. */
async function withoutClients(arena: Arena, monitor: Rival, ms: number): Promise<number> {
  const writing = arena.write(2, Math.ceil(ms / 1000) + 2, ROWS_PER_SECOND);
  // pgbench connects first.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const before = cpuSeconds(monitor.pid);
  await new Promise((resolve) => setTimeout(resolve, ms));
  const cores = ((cpuSeconds(monitor.pid) - before) * 1000) / ms;
  await writing;
  return cores;
}

async function bareRound(
  record: Measured['record'],
  { clients, ms, ask }: { readonly clients: number; readonly ms: number; readonly ask: Ask },
): Promise<Round> {
  const server = startChild('fanout-bare');
  try {
    const port = await answerOf<number>(server, record);
    await ask<Opened>({ do: 'open', port, count: clients, events: WITH_EVENTS });
    const { round } = await measure(server.pid ?? 0, ms, () => {
      server.send('play');
      return ask<Measured>({ do: 'measure', ms, record: false });
    });
    return round;
  } finally {
    server.disconnect();
  }
}

async function measure(pid: number, ms: number, work: () => Promise<Measured>, idleCores = 0) {
  const before = cpuSeconds(pid);
  const { messages, bytes, record } = await work();
  const seconds = cpuSeconds(pid) - before;
  const round: Round = {
    cpu: (seconds * 1e6) / messages,
    net: ((seconds - (idleCores * ms) / 1000) * 1e6) / messages,
    messages,
    megabytes: bytes / 1e3 / ms,
    cores: (seconds * 1000) / ms,
  };
  return { round, record };
}

function startChild(file: string): ChildProcess {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const child = fork(fileURLToPath(new URL(`./${file}.${extension}`, import.meta.url)));
  child.once('exit', (code) => {
    if (child.connected) throw new Error(`${file} ended with ${code}`);
  });
  return child;
}

async function answerOf<T>(child: ChildProcess, order: Order | Measured['record']): Promise<T> {
  const answered = once(child, 'message');
  child.send(order);
  const [answer] = await answered;
  return answer as T;
}

async function complete(monitor: Rival): Promise<void> {
  for (;;) {
    const answer = await fetch(`${httpOf(monitor)}/api/monitoring/realtime/`);
    const { completeness } = (await answer.json()) as { completeness?: { state: string } };
    if (completeness?.state === 'complete') return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function metricsOf(monitor: Rival): Promise<{ skipped: number; cutOff: number }> {
  const text = await (await fetch(`${httpOf(monitor)}/metrics`)).text();
  const sum = (family: string) =>
    [...text.matchAll(new RegExp(`^${family}(?:\\{[^}]*\\})? (\\d+)`, 'gm'))].reduce(
      (total, [, value]) => total + Number(value),
      0,
    );
  return {
    skipped: sum('sync_monitor_websocket_skipped_snapshots_total'),
    cutOff: sum('sync_monitor_websocket_cut_off_total'),
  };
}

const httpOf = (monitor: Rival) => monitor.address.replace('ws:', 'http:').replace(/\/ws$/, '');
const portOf = (monitor: Rival) => Number(new URL(monitor.address).port);

/** Node raises the soft limit to it by itself. */
function hardLimit(): number {
  const [, limit] = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return Number(limit ?? Number.POSITIVE_INFINITY);
}

function residentKb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Linux counts in hundredths of a second. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
