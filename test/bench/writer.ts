/** What the watching costs the writer. */
import { type Arena, openArena, type Rival, startMonitorProcess, startUsual } from './arena.js';
import { type BenchOptions, type BenchResult, spread } from './result.js';

export const name = 'writer';

const WAYS = ['none', 'idle', 'live', 'usual'] as const;
type Way = (typeof WAYS)[number];
const WRITERS = [1, 8, 32] as const;
const TITLES: Record<Way, string> = {
  none: 'no trigger',
  idle: 'ours, no monitor',
  live: 'ours, monitor live',
  usual: 'pg_notify per row, listened to',
};

export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const rounds = quick ? 1 : 5;
  const seconds = quick ? 1 : 5;
  const arena = await openArena();
  const figures = new Map<string, number[]>();
  const note = (key: string, value: number) => {
    figures.set(key, [...(figures.get(key) ?? []), value]);
  };
  try {
    // Once, so that the trigger's schema is there for the runs without a monitor.
    await (await startMonitorProcess(arena.url)).stop();
    await arena.write(8, 1);
    for (let round = 0; round < rounds; round++) {
      for (const writers of WRITERS) {
        // Another way goes first each round: what drifts meets all of them.
        for (let i = 0; i < WAYS.length; i++) {
          const way = WAYS[(i + round) % WAYS.length] as Way;
          await withWay(arena, way, async () =>
            note(`${way} ${writers}`, await arena.write(writers, seconds)),
          );
        }
      }
      for (let i = 0; i < WAYS.length; i++) {
        const way = WAYS[(i + round) % WAYS.length] as Way;
        await withWay(arena, way, async () => note(`${way} bulk`, await bulk(arena)));
      }
    }
  } finally {
    await arena.end();
  }
  const lines = [`rows/s, median of ${rounds} (range); ratio to no trigger in the same round, median`];
  const ratios: Record<string, number> = {};
  for (const load of [...WRITERS.map(String), 'bulk']) {
    for (const way of WAYS) {
      const values = figures.get(`${way} ${load}`) ?? [];
      const base = figures.get(`none ${load}`) ?? [];
      const { median, min, max } = spread(values);
      const ratio = spread(values.map((value, i) => value / (base[i] as number))).median;
      ratios[`${way} ${load}`] = ratio;
      const what = load === 'bulk' ? 'INSERT of 100,000' : `${load} writers`;
      lines.push(
        `${what.padEnd(18)} ${TITLES[way].padEnd(31)} ${Math.round(median).toString().padStart(8)} (${Math.round(min)} to ${Math.round(max)})  ${ratio.toFixed(2)}`,
      );
    }
  }
  const idle = Math.min(...[...WRITERS.map(String), 'bulk'].map((load) => ratios[`idle ${load}`] as number));
  const live = ratios['live 32'] as number;
  return {
    name,
    target: 'no monitor at least 0.95 of no trigger everywhere; live at least 0.85 at 32 writers',
    pass: idle >= 0.95 && live >= 0.85,
    ratio: live,
    lines,
    data: { ratios, figures: Object.fromEntries(figures) },
  };
}

/** Rows per second of an INSERT of 100,000: the best of three, since a single statement meets every hiccup of the disk. */
async function bulk(arena: Arena): Promise<number> {
  let seconds = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) seconds = Math.min(seconds, await arena.bulk(100_000));
  return 100_000 / seconds;
}

async function withWay(arena: Arena, way: Way, work: () => Promise<void>): Promise<void> {
  await arena.clean();
  let rival: Rival | undefined;
  if (way === 'usual') rival = await startUsual(arena, false);
  // The monitor installs its bell; without one the trigger stays behind and finds its key free.
  if (way === 'idle' || way === 'live') rival = await startMonitorProcess(arena.url);
  if (way === 'idle') {
    await rival?.stop();
    rival = undefined;
  }
  try {
    await work();
  } finally {
    await rival?.stop();
  }
}
