/** A period in steps of one length, for a chart. Keys are snake_case because this is the wire form. Pure. */
import type { OperationNumbers } from './snapshot.js';

/** Each divides the next, and all but the first are made of whole minutes. */
export const SERIES_STEPS = [10, 60, 300, 900, 3_600, 21_600, 86_400] as const;
export type SeriesStep = (typeof SERIES_STEPS)[number];

export const SERIES_POINTS_AT_MOST = 400;

/** Steps within a minute are read row by row out of the table: not for longer than this. */
const ROW_BY_ROW_MS = 10 * 60_000;

/** The numbers of a step. Counts of nothing are 0; a rate or duration of nothing is null. */
export type SeriesNumbers = Pick<
  OperationNumbers,
  | 'total_operations'
  | 'by_status'
  | 'error_count'
  | 'error_rate'
  | 'duration_p50_ms'
  | 'duration_p95_ms'
  | 'duration_p99_ms'
>;

export interface SeriesPoint extends SeriesNumbers {
  /** When the step begins, ISO 8601 UTC, a multiple of the step. */
  readonly start: string;
  /** It is not over yet. */
  readonly partial: boolean;
  /** The most that waited at once; null where this process was not there to see it. */
  readonly pending_max: number | null;
  /** Of `export_to_1c`. */
  readonly export_queue_max: number | null;
}

export interface PeriodSeries {
  readonly step_seconds: SeriesStep;
  /** Where the first point begins, and where the last one ends or will end; ISO 8601 UTC. */
  readonly period_start: string;
  readonly period_end: string;
  /** Oldest first, without a gap; none of the future. */
  readonly points: readonly SeriesPoint[];
}

export const NOTHING_IN_STEP: SeriesNumbers = {
  total_operations: 0,
  by_status: {},
  error_count: 0,
  error_rate: null,
  duration_p50_ms: null,
  duration_p95_ms: null,
  duration_p99_ms: null,
};

export function seriesNumbers(of: OperationNumbers): SeriesNumbers {
  return {
    total_operations: of.total_operations,
    by_status: of.by_status,
    error_count: of.error_count,
    error_rate: of.error_rate,
    duration_p50_ms: of.duration_p50_ms,
    duration_p95_ms: of.duration_p95_ms,
    duration_p99_ms: of.duration_p99_ms,
  };
}

/** How many steps a half-open period touches; ms, step in seconds. */
export function stepsIn(start: number, end: number, step: SeriesStep): number {
  const ms = step * 1_000;
  return Math.ceil(end / ms) - Math.floor(start / ms);
}

/** The shortest step in which the period has at most so many points; undefined: it has more in the longest one. */
export function stepFor(start: number, end: number, points: number): SeriesStep | undefined {
  return SERIES_STEPS.find(
    (step) => (step >= 60 || end - start <= ROW_BY_ROW_MS) && stepsIn(start, end, step) <= points,
  );
}

/** Where the steps begin that the period touches, and where the last one ends; ms. */
export function seriesBounds(start: number, end: number, step: SeriesStep): number[] {
  const ms = step * 1_000;
  const first = Math.floor(start / ms) * ms;
  return Array.from({ length: Math.max(0, stepsIn(start, end, step)) + 1 }, (_, i) => first + i * ms);
}
