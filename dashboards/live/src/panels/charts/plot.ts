/** One uPlot: what it draws and how it is pointed at. It knows no signals; charts.tsx hands in what changes. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Span } from '../../view.js';
import type { AlertBand } from './alert-bands.js';
import { type ChartOf, columnsOf, rangeOf } from './curves.js';
import type { Drawn } from './data.js';
import type { TimeAxis } from './time-axis.js';

export interface PlotStyle {
  readonly colour: (name: string) => string;
  /** CSS px. */
  readonly fontSize: number;
  readonly moments: TimeAxis;
  /** Short, for the axis. */
  readonly axis: (value: number) => string;
}

export interface PlotEvents {
  /** A step is pointed at with the mouse, or none any more; ms of its start. */
  readonly point: (start: number | null) => void;
  readonly zoom: (span: Span) => void;
  readonly zoomOut: () => void;
}

/** Shorter is a click. */
const DRAG_PX = 6;

export class Plot {
  readonly #plot: uPlot;
  readonly #chart: ChartOf;
  #data: Drawn;
  #bands: readonly AlertBand[] = [];
  #hovered = false;

  constructor(host: HTMLElement, chart: ChartOf, data: Drawn, style: PlotStyle, events: PlotEvents) {
    this.#chart = chart;
    this.#data = data;
    this.#plot = new uPlot(this.#options(host, style, events), this.#columns(), host);
    const { over } = this.#plot;
    over.addEventListener('mouseenter', () => {
      this.#hovered = true;
    });
    over.addEventListener('mouseleave', () => {
      this.#hovered = false;
      events.point(null);
    });
    over.addEventListener('dblclick', events.zoomOut);
  }

  show(data: Drawn, bands: readonly AlertBand[]): void {
    this.#data = data;
    this.#bands = bands;
    this.#plot.setData(this.#columns());
  }

  resize(width: number, height: number): void {
    if (width > 0 && height > 0 && (width !== this.#plot.width || height !== this.#plot.height))
      this.#plot.setSize({ width, height });
  }

  /** Where another chart, or a key, points at. */
  point(start: number | null): void {
    const plot = this.#plot;
    if (this.#hovered) return;
    const left = start === null ? -10 : plot.valToPos(start + this.#data.stepMs / 2, 'x');
    if (plot.cursor.left !== left) plot.setCursor({ left, top: start === null ? -10 : 0 }, false);
  }

  select(span: Span | null): void {
    const plot = this.#plot;
    const left = span === null ? 0 : plot.valToPos(span.from, 'x');
    const width = span === null ? 0 : plot.valToPos(span.to, 'x') - left;
    plot.setSelect({ left, width, top: 0, height: plot.over.clientHeight }, false);
  }

  destroy(): void {
    this.#plot.destroy();
  }

  #columns(): uPlot.AlignedData {
    return columnsOf(this.#chart, this.#data.points, this.#data.stepMs);
  }

  #options(host: HTMLElement, style: PlotStyle, events: PlotEvents): uPlot.Options {
    const { colour, fontSize, moments, axis } = style;
    const { scale } = this.#chart;
    const lines = {
      stroke: () => colour('quiet'),
      font: `${fontSize}px system-ui, sans-serif`,
      grid: { stroke: () => colour('line'), width: 1 },
      ticks: { show: false },
      gap: 5,
    };
    return {
      width: host.clientWidth,
      height: host.clientHeight,
      ms: 1,
      // On the right there is room for half of a label.
      padding: [6, fontSize * 1.5, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        // The legend tells the values; a dot for each of six stacked bands would hide them.
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: DRAG_PX },
      },
      scales: {
        x: { time: true, range: () => [this.#data.span.from, this.#data.span.to] },
        y: { distr: scale === 'log' ? 3 : 1, range: (_plot, min, max) => rangeOf(scale, min, max) },
      },
      axes: [
        {
          ...lines,
          size: fontSize * 2,
          space: fontSize * 6,
          values: (_plot, splits, _axis, _space, step) => moments(splits, step),
        },
        {
          ...lines,
          size: fontSize * 4.6,
          space: fontSize * 2.4,
          ...(scale === 'log' && { grid: { ...lines.grid, filter: decades } }),
          // On a logarithmic axis those between the powers of ten are null.
          values: (_plot, splits) => splits.map((value) => (value === null ? '' : axis(value))),
        },
      ],
      series: [{}, ...this.#series(colour)],
      hooks: {
        drawClear: [(plot) => this.#shade(plot, colour)],
        draw: [(plot) => this.#mark(plot, colour)],
        setCursor: [
          ({ cursor }) => {
            // Those that are told where to point do not tell it on.
            if (this.#hovered) events.point(this.#data.points[cursor.idx ?? -1]?.start ?? null);
          },
        ],
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (width < DRAG_PX) return;
            events.zoom({ from: plot.posToVal(left, 'x'), to: plot.posToVal(left + width, 'x') });
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
      },
    };
  }

  #series(colour: (name: string) => string): uPlot.Series[] {
    const { curves, stacked, stepped } = this.#chart;
    if (stacked) {
      const paths = uPlot.paths.bars?.({ size: [0.9, Number.POSITIVE_INFINITY, 1] });
      return curves
        .map((curve): uPlot.Series => {
          const fill = () => colour(curve.colour);
          return { fill, width: 0, points: { show: false }, ...(paths && { paths }) };
        })
        .reverse();
    }
    // 1: a value holds from its moment on. Steps are drawn by their middles: half a step too late is still its own.
    const paths = stepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
    return curves.map((curve) => ({
      stroke: () => colour(curve.colour),
      width: 1.6,
      ...(curve.dash && { dash: [...curve.dash] }),
      ...(paths && { paths }),
      spanGaps: false,
      points: {
        show: false,
        size: 5,
        fill: () => colour(curve.colour),
        // A value between two that are missing is no line.
        filter: (plot, at) => lonely(plot.data[at] ?? []),
      },
    }));
  }

  /** Behind the curves: when alerts fired. */
  #shade(plot: uPlot, colour: (name: string) => string): void {
    const { ctx, bbox } = plot;
    const { from, to } = this.#data.span;
    for (const band of this.#bands) {
      const left = plot.valToPos(Math.max(band.from, from), 'x', true);
      // One of a moment is seen too.
      const width = Math.max(2, plot.valToPos(Math.min(band.to, to), 'x', true) - left);
      ctx.save();
      ctx.fillStyle = colour(band.severity === 'critical' ? 'bad' : 'warn');
      ctx.globalAlpha = 0.16;
      ctx.fillRect(left, bbox.top, width, bbox.height);
      ctx.globalAlpha = 1;
      // Told apart without colour: a critical one has a whole strip on top, a warning a broken one.
      const strip = 3 * devicePixelRatio;
      const part = band.severity === 'critical' ? width : strip * 2;
      for (let at = left; at < left + width; at += part * 2)
        ctx.fillRect(at, bbox.top, Math.min(part, left + width - at), strip);
      ctx.restore();
    }
  }

  /** Over the curves: the step that is not over, hatched; and below a stack a line as far as anything is known. */
  #mark(plot: uPlot, colour: (name: string) => string): void {
    const { ctx, bbox } = plot;
    const { points, stepMs } = this.#data;
    const [first, last] = [points[0], points.at(-1)];
    if (!first || !last) return;
    const end = plot.valToPos(last.start + stepMs, 'x', true);
    const left = plot.valToPos(last.start, 'x', true);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    if (this.#chart.stacked) {
      ctx.fillStyle = colour('edge');
      const from = plot.valToPos(first.start, 'x', true);
      ctx.fillRect(from, bbox.top + bbox.height - devicePixelRatio, end - from, devicePixelRatio);
    }
    if (last.partial) hatch(ctx, { left, right: end, top: bbox.top, bottom: bbox.top + bbox.height }, colour);
    ctx.restore();
  }
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function hatch(
  ctx: CanvasRenderingContext2D,
  { left, right, top, bottom }: Box,
  colour: (name: string) => string,
): void {
  const gap = 5 * devicePixelRatio;
  ctx.beginPath();
  ctx.rect(left, top, right - left, bottom - top);
  ctx.clip();
  ctx.strokeStyle = colour('quiet');
  ctx.globalAlpha = 0.55;
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  for (let at = left - (bottom - top); at < right; at += gap) {
    ctx.moveTo(at, bottom);
    ctx.lineTo(at + (bottom - top), top);
  }
  ctx.moveTo(left, top);
  ctx.lineTo(left, bottom);
  ctx.stroke();
}

/** Of the lines of a logarithmic axis those of the powers of ten; nine between each two of them would be a fence. */
function decades(_plot: uPlot, splits: readonly number[]): (number | null)[] {
  return splits.map((value) => (Number.isInteger(Math.log10(value)) ? value : null));
}

/** Places of values without a neighbour; null where there are none of them. */
function lonely(values: ArrayLike<number | null | undefined>): number[] | null {
  const found: number[] = [];
  for (let i = 0; i < values.length; i++)
    if (values[i] != null && values[i - 1] == null && values[i + 1] == null) found.push(i);
  return found.length === 0 ? null : found;
}
