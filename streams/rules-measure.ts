/** What a rule looks at, read out of an observation: the number, and on which side of the line it lies. */
import {
  type Comparison,
  type ComponentReading,
  type Measure,
  NOTHING_SEEN,
  type Observation,
  type Rule,
  type SeenNumbers,
  type SeenSnapshot,
  type SloBurn,
  WINDOW_STATISTICS,
  type WindowStatistic,
} from './alert.js';
import { maskText } from './mask.js';
import { WINDOW_NAMES, type WindowName } from './snapshot.js';

export type Side = 'over' | 'below' | 'no_data' | 'too_few_events' | 'unknown';

export interface Measured {
  readonly side: Side;
  readonly value: number | null;
  /** The line that the value is compared with. */
  readonly line: number;
}

interface OfWindow {
  readonly statistic: WindowStatistic;
  readonly window: WindowName;
}

const COMPONENT = 'component:';
const MINUTE = 60_000;
const DAY_MINUTES = 1440;

// Taken apart once: a replay asks a million times.
const OF_WINDOWS: ReadonlyMap<string, OfWindow> = new Map(
  WINDOW_STATISTICS.flatMap((statistic) =>
    WINDOW_NAMES.map((window) => [`${statistic}_${window}`, { statistic, window }] as const),
  ),
);

/** Whether the value is beyond the threshold in the sense of the rule. */
export function isOver(comparison: Comparison, value: number, threshold: number): boolean {
  if (comparison === 'above') return value > threshold;
  return comparison === 'at_least' ? value >= threshold : value < threshold;
}

/** The windows and statistics of a measure; null for one that is none of a window. */
export function windowMeasure(measure: Measure): OfWindow | null {
  return OF_WINDOWS.get(measure) ?? null;
}

export function measure(rule: Rule, seen: Observation): Measured {
  const ofWindow = OF_WINDOWS.get(rule.measure);
  if (ofWindow !== undefined) return windowed(rule, ofWindow, seen.snapshot);
  if (rule.measure.startsWith(COMPONENT)) {
    return component(rule, seen.components[rule.measure.slice(COMPONENT.length)]);
  }
  switch (rule.measure) {
    case 'export_queue':
      return compared(rule, seen.snapshot?.queue.export_queue);
    case 'pending':
    case 'pending_age_seconds':
      return queued(rule, seen.snapshot);
    case 'batch_failures':
      return compared(rule, seen.incidents.failedBatches5m);
    case 'customers_affected_5m':
      return compared(rule, seen.incidents.customersAffected5m);
    case 'minutes_without_rows':
      return compared(rule, minutesWithoutRows(seen));
    case 'slo_fast_burn':
      return burning(rule.threshold, seen.slo?.fast);
    case 'slo_slow_burn': {
      const slow = burning(rule.threshold, seen.slo?.slow);
      if (slow.side === 'over') return slow;
      const steady = burning(seen.slo?.steady.line ?? rule.threshold, seen.slo?.steady);
      return steady.side === 'over' ? steady : slow;
    }
    case 'connections_percent':
      return connections(rule, seen.components.database);
    case 'disk_used_percent':
      return disk(rule, seen.components.disk);
    case 'monitor_degraded':
      return degraded(rule, seen);
    default:
      // Not reachable with a rule that was checked; the rule then does nothing, and says so.
      return { side: 'unknown', value: null, line: rule.threshold };
  }
}

/** What no number says, masked; null where numbers say it all. */
export function detailOf(rule: Rule, seen: Observation): string | null {
  const words = wordsOf(rule, seen);
  return words === null || words === '' ? null : maskText(words);
}

function wordsOf(rule: Rule, seen: Observation): string | null {
  if (rule.measure.startsWith(COMPONENT)) {
    return seen.components[rule.measure.slice(COMPONENT.length)]?.message ?? null;
  }
  if (rule.measure === 'disk_used_percent') return seen.components.disk?.message ?? null;
  if (rule.measure === 'connections_percent') return seen.components.database?.message ?? null;
  if (rule.measure === 'customers_affected_5m' && seen.incidents.customersAffectedAtLeast) {
    return 'There may be more customers: a bound was reached.';
  }
  if (rule.measure !== 'monitor_degraded') return null;
  const { listener } = seen.components;
  const reasons = seen.snapshot?.completeness.reasons ?? [];
  const sentences = reasons.length > 0 ? [...reasons] : [seen.unmeasurableReason ?? ''];
  if (listener !== undefined && isDown(listener)) sentences.push(listener.message);
  return sentences.filter((sentence) => sentence !== '').join(' ');
}

function compared(rule: Rule, value: number | null | undefined): Measured {
  if (value === undefined) return { side: 'unknown', value: null, line: rule.threshold };
  if (value === null) return { side: 'no_data', value: null, line: rule.threshold };
  const side = isOver(rule.comparison, value, rule.threshold) ? 'over' : 'below';
  return { side, value, line: rule.threshold };
}

function windowed(rule: Rule, of: OfWindow, snapshot: SeenSnapshot | null): Measured {
  if (snapshot === null) return compared(rule, undefined);
  const window = snapshot.windows[of.window];
  const numbers =
    rule.operationType === undefined ? window : (own(window.by_type, rule.operationType) ?? NOTHING_SEEN);
  const value = statisticOf(of.statistic, numbers);
  const count = of.statistic.startsWith('duration') ? numbers.duration_count : numbers.total_operations;
  if (value !== null && count < rule.minimumCount) {
    return { side: 'too_few_events', value, line: rule.threshold };
  }
  return compared(rule, value);
}

function statisticOf(statistic: WindowStatistic, numbers: SeenNumbers): number | null {
  switch (statistic) {
    case 'error_rate':
      return numbers.error_rate;
    case 'errors':
      return numbers.error_count;
    case 'operations':
      return numbers.total_operations;
    case 'throughput':
      return numbers.throughput_per_minute;
    case 'duration_p50':
      return numbers.duration_p50_ms;
    case 'duration_p95':
      return numbers.duration_p95_ms;
    case 'duration_p99':
      return numbers.duration_p99_ms;
    case 'duration_avg':
      return numbers.duration_avg_ms;
  }
}

function queued(rule: Rule, snapshot: SeenSnapshot | null): Measured {
  if (snapshot === null) return compared(rule, undefined);
  const { queue } = snapshot;
  const ofType = rule.operationType === undefined ? undefined : own(queue.by_type, rule.operationType);
  if (rule.measure === 'pending') {
    return compared(
      rule,
      rule.operationType === undefined ? queue.pending_operations : (ofType?.pending ?? 0),
    );
  }
  const age = rule.operationType === undefined ? queue.oldest_age_seconds : ofType?.oldest_age_seconds;
  return compared(rule, age ?? null);
}

/**
 * Whole and broken minutes since the newest row. Where none was seen: since we look, and a day at least where the window
 * of a day is empty.
 */
function minutesWithoutRows({ now, snapshot, incidents }: Observation): number | undefined {
  const { newestRowAt, watchedSince } = incidents;
  // A row from the future is a row of now.
  if (newestRowAt !== null) return Math.max(0, now - newestRowAt) / MINUTE;
  if (watchedSince === null) return undefined;
  const watched = Math.max(0, now - watchedSince) / MINUTE;
  return snapshot?.windows['24h'].total_operations === 0 ? Math.max(DAY_MINUTES, watched) : watched;
}

function component(rule: Rule, reading: ComponentReading | undefined): Measured {
  if (reading === undefined) return compared(rule, undefined);
  if (reading.status === 'not_configured') return compared(rule, null);
  return compared(rule, isDown(reading) ? 1 : 0);
}

function connections(rule: Rule, database: ComponentReading | undefined): Measured {
  if (database === undefined) return compared(rule, undefined);
  // Unreachable: there is no number, and none is needed.
  if (database.status === 'unhealthy') return { side: 'over', value: null, line: rule.threshold };
  const used = numberOf(database, 'connections_used');
  const max = numberOf(database, 'connections_max');
  return compared(rule, used === null || max === null || max <= 0 ? null : round2((used / max) * 100));
}

function disk(rule: Rule, reading: ComponentReading | undefined): Measured {
  if (reading === undefined) return compared(rule, undefined);
  if (reading.status === 'not_configured') return compared(rule, null);
  const used = numberOf(reading, 'used_percent');
  if (used === null && isDown(reading)) return { side: 'over', value: null, line: rule.threshold };
  return compared(rule, used);
}

/** A start may fill the windows for so long without anybody being woken, while it gets on. Seconds. */
const STARTING_SECONDS = 900;

/**
 * Seconds for which rows could not be measured. Over its line at once where rows are known to be missing or the bell is
 * dead: neither heals by waiting, as catching up does. A first start on a large table reads for minutes, which whoever
 * started it knows: then it fires when reading is stuck, or has lasted for a quarter of an hour.
 */
function degraded(rule: Rule, seen: Observation): Measured {
  const { now, unmeasurableSince, starting, components, snapshot } = seen;
  const since = unmeasurableSince ?? now;
  const value = seen.measurable ? 0 : Math.max(0, now - since) / 1000;
  const { listener } = components;
  if (snapshot?.completeness.state === 'incomplete' || (listener !== undefined && isDown(listener))) {
    return { side: 'over', value: value > rule.threshold ? value : null, line: rule.threshold };
  }
  const line = starting ? Math.max(STARTING_SECONDS, rule.threshold) : rule.threshold;
  return compared({ ...rule, threshold: line }, value);
}

function burning(line: number, burn: SloBurn | undefined): Measured {
  if (burn === undefined) return { side: 'unknown', value: null, line };
  if (burn.rate === null) return { side: 'no_data', value: null, line };
  if (!burn.enough) return { side: 'too_few_events', value: burn.rate, line };
  return { side: burn.rate > line ? 'over' : 'below', value: burn.rate, line };
}

function isDown(reading: ComponentReading): boolean {
  return reading.status === 'degraded' || reading.status === 'unhealthy';
}

function numberOf(reading: ComponentReading, key: string): number | null {
  const value = reading.details?.[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** Names come from a YAML file: `constructor` is one like any other. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
