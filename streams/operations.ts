/**
 * The operation numbers of a window, read out of its running sums. Definitions: SPEC section 2.
 */

import type { SeenNumbers, SeenWindow } from './alert.js';
import { cellMiddle } from './histogram.js';
import {
  ERROR_STATUS,
  FAILED_STATUS,
  PENDING_STATUS,
  SKIPPED_STATUS,
  SUCCESS_STATUS,
  WARNING_STATUS,
} from './kinds.js';
import { type Names, recordOf } from './names.js';
import { countAt, durationAt } from './numbers.js';
import type { Reading } from './reading.js';
import type { OperationMetrics, OperationNumbers } from './snapshot.js';

const PERCENTILES = [0.5, 0.95, 0.99];
/** With the cells of the extremes. */
const SEEN_PERCENTILES = [0, ...PERCENTILES, 1];

/** A share in percent, two decimals; null of nothing. */
export function percentOf(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((part * 10_000) / whole) / 100;
}

/** Bounds as ISO 8601 and the length between them. */
export interface Period {
  readonly start: string;
  readonly end: string;
  readonly minutes: number;
}

export interface NumbersSource {
  readonly reading: Reading;
  readonly types: Names;
  readonly statuses: Names;
  readonly period: Pick<Period, 'minutes'>;
}

export interface SeenSource extends NumbersSource {
  /** Completes the extremes of the reading. */
  readonly findExtremes: () => void;
}

export interface OperationSource extends NumbersSource {
  readonly period: Period;
}

export function operationMetrics(source: OperationSource): OperationMetrics {
  const present: number[] = [];
  for (let type = 0; type < source.types.size; type++) if (hasRows(source, type)) present.push(type);
  const byType = present.map((type): [string, OperationNumbers] => [
    source.types.name(type),
    operationNumbers(source, [type], type),
  ]);
  return {
    ...operationNumbers(source, present, null),
    operations_by_type: recordOf(byType.map(([name, of]) => [name, of.total_operations])),
    by_type: recordOf(byType),
    period_start: source.period.start,
    period_end: source.period.end,
  };
}

/** What is wanted of a window besides its counts; counts alone take a fraction of the time. */
export interface Wanted {
  /** Operation types that are wanted singly. */
  readonly types: readonly string[];
  readonly durations: boolean;
}

export function wantedNumbers(source: SeenSource, { types, durations }: Wanted): SeenWindow {
  const all = seenNumbers(source, 0, source.types.size, durations);
  if (types.length === 0) return { ...all, by_type: {} };
  const byType: [string, SeenNumbers][] = [];
  for (let type = 0; type < source.types.size; type++) {
    const name = source.types.name(type);
    if (types.includes(name) && hasRows(source, type))
      byType.push([name, seenNumbers(source, type, type + 1, durations)]);
  }
  return { ...all, by_type: recordOf(byType) };
}

/** Of the types from one to another (exclusive): one, or all of them. */
function seenNumbers(source: SeenSource, first: number, end: number, durations: boolean): SeenNumbers {
  const { numbers } = source.reading;
  const statuses = source.statuses.size;
  let total = 0;
  let errors = 0;
  for (let type = first; type < end; type++) {
    const at = countAt(type, 0);
    for (let status = 0; status < statuses; status++) total += numbers[at + status] as number;
    errors += (numbers[at + ERROR_STATUS] as number) + (numbers[at + FAILED_STATUS] as number);
  }
  const found = durations ? seenDurations(source, first, end) : NO_DURATIONS;
  // Key by key, as in operationNumbers.
  return {
    total_operations: total,
    error_count: errors,
    error_rate: percentOf(errors, total),
    throughput_per_minute: total / source.period.minutes,
    duration_count: found.duration_count,
    duration_p50_ms: found.duration_p50_ms,
    duration_p95_ms: found.duration_p95_ms,
    duration_p99_ms: found.duration_p99_ms,
    duration_avg_ms: found.duration_avg_ms,
  };
}

type SeenDurations = Pick<SeenNumbers, Extract<keyof SeenNumbers, `duration_${string}`>>;

const NO_DURATIONS: SeenDurations = {
  duration_count: 0,
  duration_p50_ms: null,
  duration_p95_ms: null,
  duration_p99_ms: null,
  duration_avg_ms: null,
};

/**
 * As durationNumbers. The middle of a cell lies between the extremes unless it is the cell of one of them; only then are
 * they looked for, which takes longer than all the rest.
 */
function seenDurations(source: SeenSource, first: number, end: number): SeenDurations {
  const { reading } = source;
  const only = end - first === 1 ? first : null;
  let count = 0;
  let sum = 0;
  for (let type = first; type < end; type++) {
    count += reading.numbers[durationAt(type)] as number;
    sum += reading.numbers[durationAt(type) + 1] as number;
  }
  if (count === 0) return NO_DURATIONS;
  const cells = reading.percentiles(only, count, SEEN_PERCENTILES);
  const [lowest, p50, p95, p99, highest] = cells;
  if (p50 === lowest || p99 === highest) {
    source.findExtremes();
    const types = Array.from({ length: end - first }, (_, i) => first + i);
    return durationNumbers(source, types, only);
  }
  const shown = (cell: number | undefined): number | null => (cell === undefined ? null : cellMiddle(cell));
  return {
    duration_count: count,
    duration_avg_ms: sum / count,
    duration_p50_ms: shown(p50),
    duration_p95_ms: shown(p95),
    duration_p99_ms: shown(p99),
  };
}

function hasRows({ reading, statuses }: NumbersSource, type: number): boolean {
  for (let status = 0; status < statuses.size; status++) {
    if ((reading.numbers[countAt(type, status)] as number) > 0) return true;
  }
  return false;
}

/** Of these types; `only` is the one that they are, or null where they are all. */
function operationNumbers(
  source: NumbersSource,
  types: readonly number[],
  only: number | null,
): OperationNumbers {
  const { numbers } = source.reading;
  const counts: number[] = [];
  let total = 0;
  for (let status = 0; status < source.statuses.size; status++) {
    let count = 0;
    for (const type of types) count += numbers[countAt(type, status)] as number;
    counts.push(count);
    total += count;
  }
  const of = (status: number): number => counts[status] as number;
  const success = of(SUCCESS_STATUS);
  const errors = of(ERROR_STATUS) + of(FAILED_STATUS);
  const durations = durationNumbers(source, types, only);
  const byStatus: [string, number][] = [];
  counts.forEach((count, status) => {
    if (count > 0) byStatus.push([source.statuses.name(status), count]);
  });
  return {
    total_operations: total,
    success_count: success,
    error_count: errors,
    warning_count: of(WARNING_STATUS),
    skipped_count: of(SKIPPED_STATUS),
    pending_count: of(PENDING_STATUS),
    by_status: recordOf(byStatus),
    success_rate: percentOf(success, total),
    error_rate: percentOf(errors, total),
    // Key by key: a spread in the middle costs more than all that it copies, and there are fifty of these a snapshot.
    duration_count: durations.duration_count,
    duration_negative_count: durations.duration_negative_count,
    duration_avg_ms: durations.duration_avg_ms,
    duration_min_ms: durations.duration_min_ms,
    duration_max_ms: durations.duration_max_ms,
    duration_p50_ms: durations.duration_p50_ms,
    duration_p95_ms: durations.duration_p95_ms,
    duration_p99_ms: durations.duration_p99_ms,
    throughput_per_minute: total / source.period.minutes,
  };
}

type DurationNumbers = Pick<OperationNumbers, Extract<keyof OperationNumbers, `duration_${string}`>>;

function durationNumbers(
  source: NumbersSource,
  types: readonly number[],
  only: number | null,
): DurationNumbers {
  const { numbers, extremes } = source.reading;
  let count = 0;
  let sum = 0;
  let negative = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const type of types) {
    const at = durationAt(type);
    count += numbers[at] as number;
    sum += numbers[at + 1] as number;
    negative += numbers[at + 2] as number;
    min = Math.min(min, extremes[2 * type] as number);
    max = Math.max(max, extremes[2 * type + 1] as number);
  }
  const [p50, p95, p99] = source.reading.percentiles(only, count, PERCENTILES);
  // A cell is wider than the values in it: its middle can lie beyond the extremes, which are exact.
  const shown = (cell: number | undefined): number | null =>
    cell === undefined ? null : Math.min(max, Math.max(min, cellMiddle(cell)));
  return {
    duration_count: count,
    duration_negative_count: negative,
    duration_avg_ms: count === 0 ? null : sum / count,
    duration_min_ms: count === 0 ? null : min,
    duration_max_ms: count === 0 ? null : max,
    duration_p50_ms: shown(p50),
    duration_p95_ms: shown(p95),
    duration_p99_ms: shown(p99),
  };
}
