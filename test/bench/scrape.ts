/**
 * What a scrape costs with the cache off, against prom-client's own registry that holds the same series. The registry only
 * writes what it has; ours also takes it out of the counters and the windows.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { createMetrics } from '../../src/http/metrics.js';
import type { SyncRow } from '../../streams/event.js';
import { HandDrivenView, NO_CLIENTS, START } from '../http/view.js';
import { type BenchOptions, type BenchResult, spread } from './result.js';
import { Traffic } from './traffic.js';

export const name = 'scrape';

const TYPES = [12, 32] as const;
const TARGET = 1.5;
const ROWS = 20_000;
const STATUSES = ['success', 'error', 'failed', 'warning', 'skipped', 'pending'];

export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const rounds = quick ? 5 : 300;
  const measured = [];
  for (const types of TYPES) measured.push(await measure(types, rounds));
  const worst = Math.max(...measured.map(({ ratio }) => ratio));
  return {
    name,
    target: `a scrape at most ${TARGET} times one of prom-client's registry of the same size`,
    pass: worst <= TARGET,
    ratio: worst,
    lines: measured.map(
      ({ types, series, bytes, ours, theirs, ratio }) =>
        `${types} types, ${series} series, ${(bytes / 1000).toFixed(0)} kB`.padEnd(36) +
        ` ours ${ours.toFixed(2)} ms, the registry ${theirs.toFixed(2)} ms: ${ratio.toFixed(2)}`,
    ),
    data: { measured },
  };
}

async function measure(types: number, rounds: number) {
  const view = new HandDrivenView();
  view.fold(rowsOf(types));
  view.tick();
  const metrics = createMetrics(view, {
    liveStats: () => NO_CLIENTS,
    cacheTtlMs: 0,
    version: '0',
    now: Date.now,
  });
  const { body } = await metrics.scrape(undefined);
  const registry = registryOf(body);
  const theirBody = await registry.metrics();
  const [series, theirSeries] = [seriesOf(body), seriesOf(theirBody)];
  // Those of Node differ by a few from moment to moment (kinds of active handles).
  if (Math.abs(series - theirSeries) > 30) throw new Error(`${series} series against ${theirSeries}`);
  const [ours, theirs]: [number[], number[]] = [[], []];
  const timed = async (into: number[], work: () => Promise<unknown>) => {
    const before = performance.now();
    await work();
    into.push(performance.now() - before);
  };
  // Side by side, so that both meet the same machine; the first tenth warms up.
  for (let round = 0; round < rounds * 1.1; round++) {
    await timed(ours, () => metrics.scrape(undefined));
    await timed(theirs, () => registry.metrics());
  }
  const [mine, rival] = [ours, theirs].map((all) => spread(all.slice(-rounds)).median) as [number, number];
  return { types, series, bytes: body.length, ours: mine, theirs: rival, ratio: mine / rival };
}

/** So many types, each with all statuses. */
function rowsOf(types: number): SyncRow[] {
  const traffic = new Traffic({ seed: 5, customers: 2_000 });
  return Array.from({ length: ROWS }, (_, i): SyncRow => {
    const row = traffic.row(START - (i % 3_000_000));
    const type = i % types;
    return {
      ...row,
      operationType: type < 12 ? row.operationType : `type_of_its_own_${type}`,
      status: STATUSES[Math.floor(i / types) % STATUSES.length] ?? 'success',
    };
  });
}

const isSeries = (line: string): boolean => line !== '' && !line.startsWith('#');
const seriesOf = (body: string): number => body.split('\n').filter(isSeries).length;

interface Known {
  readonly type: string;
  readonly help: string;
  readonly series: { readonly labels: Record<string, string>; readonly value: number }[];
}

/** A registry with Node's defaults and every other family of the exposition, filled with its values. */
function registryOf(body: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const [family, { type, help, series }] of familiesOf(body)) {
    if (/^(process|nodejs)_/.test(family)) continue;
    const labelNames = [...new Set(series.flatMap(({ labels }) => Object.keys(labels)))];
    const config = { name: family, help, labelNames, registers: [registry] };
    if (type === 'histogram') {
      const bounds = series.map(({ labels }) => Number(labels.le)).filter((bound) => Number.isFinite(bound));
      const buckets = [...new Set(bounds)].sort((a, b) => a - b);
      const histogram = new Histogram({
        ...config,
        labelNames: labelNames.filter((label) => label !== 'le'),
        buckets,
      });
      for (const { labels } of series) {
        const { le, ...rest } = labels;
        if (le === '+Inf') histogram.observe(rest, 1);
      }
    } else if (type === 'counter') {
      const counter = new Counter(config);
      for (const { labels, value } of series) counter.inc(labels, value);
    } else {
      const gauge = new Gauge(config);
      for (const { labels, value } of series) gauge.set(labels, value);
    }
  }
  return registry;
}

function familiesOf(body: string): ReadonlyMap<string, Known> {
  const families = new Map<string, Known>();
  let current: Known | undefined;
  let help = '';
  for (const line of body.split('\n')) {
    const [, word, family = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (word === 'HELP') help = rest;
    if (word === 'TYPE') {
      current = { type: rest, help, series: [] };
      families.set(family, current);
    }
    if (!isSeries(line) || current === undefined) continue;
    const labels = Object.fromEntries(
      [...line.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', value = '']) => [key, value]),
    );
    current.series.push({ labels, value: Number(line.slice(line.lastIndexOf(' ') + 1)) });
  }
  return families;
}
