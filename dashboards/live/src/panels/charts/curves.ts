/** What each chart shows: its curves, in which colour, and how a value of them is written. */
import type { Format } from '../../format.js';
import { BANDS, type Point, perMinute } from './points.js';

/** A custom property of styles/charts.css, without its dashes. */
export type ColourName = `curve-${string}`;

export interface Curve {
  readonly name: string;
  readonly colour: ColourName;
  /** Lengths of strokes and gaps, CSS px; told apart without colour too. */
  readonly dash?: readonly number[];
  readonly of: (point: Point, stepMs: number) => number | null;
}

export type ScaleKind = 'count' | 'percent' | 'log';

export interface ChartOf {
  readonly id: 'throughput' | 'errors' | 'durations' | 'queue';
  readonly title: string;
  /** Stacked bars: the first curve at the bottom. */
  readonly stacked: boolean;
  /** The value of a step holds for all of it. */
  readonly stepped: boolean;
  readonly scale: ScaleKind;
  readonly curves: readonly Curve[];
  readonly write: (value: number) => string;
}

interface Words {
  readonly throughput: string;
  readonly errorRate: string;
  readonly durations: string;
  readonly queue: string;
  readonly pending: string;
  readonly exports: string;
  readonly statuses: Readonly<Record<string, string>>;
}

export function chartsOf(words: Words, format: Format): readonly ChartOf[] {
  return [
    {
      id: 'throughput',
      title: words.throughput,
      stacked: true,
      stepped: false,
      scale: 'count',
      write: format.number,
      curves: BANDS.map((band) => ({
        name: words.statuses[band] ?? band,
        colour: `curve-${band}` as const,
        of: ({ bands }, stepMs) => perMinute(bands[band], stepMs),
      })),
    },
    {
      ...{ id: 'errors', title: words.errorRate, stacked: false, stepped: false, scale: 'percent' },
      write: format.percent,
      curves: [{ name: words.errorRate, colour: 'curve-error', of: ({ errorRate }) => errorRate }],
    },
    {
      ...{ id: 'durations', title: words.durations, stacked: false, stepped: false, scale: 'log' },
      write: format.millis,
      curves: [
        { name: 'p50', colour: 'curve-p50', of: ({ p50 }) => p50 },
        { name: 'p95', colour: 'curve-p95', dash: [6, 3], of: ({ p95 }) => p95 },
        { name: 'p99', colour: 'curve-p99', dash: [2, 2], of: ({ p99 }) => p99 },
      ],
    },
    {
      ...{ id: 'queue', title: words.queue, stacked: false, stepped: true, scale: 'count' },
      write: format.count,
      curves: [
        { name: words.pending, colour: 'curve-pending', of: ({ pending }) => pending },
        { name: words.exports, colour: 'curve-exports', dash: [6, 3], of: ({ exports }) => exports },
      ],
    },
  ];
}

/** Columns for the plot: the middle of each step, and a value of each curve or null. A stack is drawn from its top. */
export function columnsOf(
  chart: Pick<ChartOf, 'stacked' | 'curves' | 'scale'>,
  points: readonly Point[],
  stepMs: number,
): [number[], ...(number | null)[][]] {
  const middles = points.map(({ start }) => start + stepMs / 2);
  if (chart.stacked) {
    const sums = points.map(() => 0);
    const columns = chart.curves.map((curve) =>
      points.map((point, i) => {
        const value = curve.of(point, stepMs) ?? 0;
        sums[i] = (sums[i] ?? 0) + value;
        // Nothing of this status: its top would lie on that of another.
        return value === 0 ? null : (sums[i] ?? null);
      }),
    );
    return [middles, ...columns.reverse()];
  }
  // A logarithmic axis has no 0; what took less than a millisecond lies on its floor.
  const put = (value: number | null): number | null =>
    value !== null && chart.scale === 'log' ? Math.max(1, value) : value;
  return [middles, ...chart.curves.map((curve) => points.map((point) => put(curve.of(point, stepMs))))];
}

/** From where to where the vertical axis goes. */
export function rangeOf(kind: ScaleKind, min: number | null, max: number | null): [number, number] {
  if (kind === 'log') {
    if (min === null || max === null) return [1, 1_000];
    const low = 10 ** Math.floor(Math.log10(Math.max(1, min)));
    const high = 10 ** Math.ceil(Math.log10(Math.max(1, max)));
    return [low, high > low ? high : low * 10];
  }
  // A whole at least: below it the labels of counts would be fractions.
  const top = Math.max(max ?? 0, 1) * 1.08;
  return [0, kind === 'percent' ? Math.min(100, top) : top];
}
