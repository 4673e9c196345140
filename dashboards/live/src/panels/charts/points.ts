/** What the charts are drawn of: the answer of the server, its newer end, and what snapshots know since. Pure. */
import type { PeriodSeries, SeriesPoint } from '../../../../../streams/period-series.js';
import { stepsIn } from '../../../../../streams/period-series.js';
import type { Snapshot } from '../../../../../streams/snapshot.js';
import type { Span } from '../../view.js';

/** In the order in which they are stacked. */
export const BANDS = ['success', 'error', 'warning', 'skipped', 'pending', 'other'] as const;
export type Band = (typeof BANDS)[number];

/** A step. Counts of nothing are 0; everything else is null where there is nothing. */
export interface Point {
  /** ms, when it begins. */
  readonly start: number;
  /** It is not over yet. */
  readonly partial: boolean;
  readonly total: number;
  readonly bands: Readonly<Record<Band, number>>;
  /** Percent. */
  readonly errorRate: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly pending: number | null;
  readonly exports: number | null;
}

export interface Points {
  readonly stepMs: number;
  /** Oldest first, without a gap. */
  readonly points: readonly Point[];
}

export function pointsOf({ step_seconds, points }: PeriodSeries): Points {
  return { stepMs: step_seconds * 1_000, points: points.map(pointOf) };
}

function pointOf(point: SeriesPoint): Point {
  const { by_status, error_count, total_operations } = point;
  const of = (status: string): number => by_status[status] ?? 0;
  const known = {
    success: of('success'),
    error: error_count,
    warning: of('warning'),
    skipped: of('skipped'),
    pending: of('pending'),
  };
  const named = Object.values(known).reduce((sum, n) => sum + n, 0);
  return {
    start: Date.parse(point.start),
    partial: point.partial,
    total: total_operations,
    bands: { ...known, other: total_operations - named },
    errorRate: point.error_rate,
    p50: point.duration_p50_ms,
    p95: point.duration_p95_ms,
    p99: point.duration_p99_ms,
    pending: point.pending_max,
    exports: point.export_queue_max,
  };
}

/** The steps that are asked for again: the newest two of those known. */
export interface Tail {
  readonly from: number;
  /** With so many points at most the server takes the very same step. */
  readonly points: number;
}

export function tailOf({ stepMs, points }: Points, to: number): Tail | null {
  const from = points.at(-2)?.start;
  if (from === undefined || to <= from) return null;
  const count = stepsIn(from, to, (stepMs / 1_000) as PeriodSeries['step_seconds']);
  // A page that slept for long asks for everything.
  return count > 60 ? null : { from, points: count };
}

/** What was known, with a newer end; what is older than `from` is let go. */
export function withTail(known: Points, newer: Points, from: number): Points | null {
  const joint = newer.points[0]?.start;
  if (newer.stepMs !== known.stepMs || joint === undefined) return null;
  const kept = known.points.filter(({ start }) => start < joint && start + known.stepMs > from);
  return { stepMs: known.stepMs, points: [...kept, ...newer.points] };
}

/** The steps that a period touches, whole, ms. */
export function wholeSteps({ from, to }: Span, stepMs: number): Span {
  return { from: Math.floor(from / stepMs) * stepMs, to: Math.ceil(to / stepMs) * stepMs };
}

type Live = Pick<Snapshot, 'at' | 'throughput' | 'queue' | 'completeness'>;

/**
 * The same with the newest counts, as the snapshot has them for the last five minutes; steps that are wholly in them only.
 * @param to nothing begins after it, ms
 */
export function withLive(known: Points, live: Live | null, to: number): Points {
  const last = known.points.at(-1);
  // Before it is complete it counts what it has found so far, and the server's answer is exact.
  if (live === null || last === undefined || live.completeness.state !== 'complete') return known;
  const { stepMs } = known;
  const now = Date.parse(live.at);
  const since = Date.parse(live.throughput.start);
  const first = Math.ceil(since / stepMs) * stepMs;
  const points = known.points.filter(({ start }) => start < first);
  // A hole between what is known and what is live would look like a time without operations.
  if (first > last.start + stepMs) return known;
  const byStart = new Map(known.points.map((point) => [point.start, point]));
  for (let start = first; start < to && start <= now; start += stepMs) {
    if (start < (known.points[0]?.start ?? 0)) continue;
    const counts = countsFrom(live.throughput, since, start, stepMs);
    const partial = start + stepMs > now;
    points.push(
      overlaid(byStart.get(start) ?? nothingAt(start), counts, partial, partial ? live.queue : null),
    );
  }
  return { stepMs, points };
}

interface Counts {
  total: number;
  success: number;
  errors: number;
}

function countsFrom(of: Snapshot['throughput'], since: number, start: number, stepMs: number): Counts {
  const [unit, sums] = [of.step_seconds * 1_000, { total: 0, success: 0, errors: 0 }];
  const first = (start - since) / unit;
  for (let i = first; i < first + stepMs / unit; i++) {
    sums.total += of.total[i] ?? 0;
    sums.success += of.success[i] ?? 0;
    sums.errors += of.errors[i] ?? 0;
  }
  return sums;
}

function overlaid(
  point: Point,
  { total, success, errors }: Counts,
  partial: boolean,
  queue: Snapshot['queue'] | null,
): Point {
  const { warning, skipped } = point.bands;
  // The snapshot does not tell the rest apart: what has left it was pending, what came to it is not known by name yet.
  const rest = Math.max(0, total - success - errors - warning - skipped);
  const pending = Math.min(point.bands.pending, rest);
  const most = (known: number | null, now: number): number => Math.max(known ?? 0, now);
  return {
    ...point,
    partial,
    total,
    bands: { success, error: errors, warning, skipped, pending, other: rest - pending },
    errorRate: total === 0 ? null : Math.round((errors * 10_000) / total) / 100,
    pending: queue ? most(point.pending, queue.pending_operations) : point.pending,
    exports: queue ? most(point.exports, queue.export_queue) : point.exports,
  };
}

function nothingAt(start: number): Point {
  return {
    start,
    partial: true,
    total: 0,
    bands: { success: 0, error: 0, warning: 0, skipped: 0, pending: 0, other: 0 },
    ...{ errorRate: null, p50: null, p95: null, p99: null, pending: null, exports: null },
  };
}

/** Operations per minute of a whole step. */
export function perMinute(count: number, stepMs: number): number {
  return (count * 60_000) / stepMs;
}
