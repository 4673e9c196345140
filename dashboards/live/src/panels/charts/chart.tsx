/** One chart with its legend: seen as curves, read out as a slider through time. */
import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Value } from '../../parts/value.js';
import { format, messages } from '../../state.js';
import { colourIn, scheme } from './colours.js';
import type { ChartOf, Curve } from './curves.js';
import { bands, drawn } from './data.js';
import { Plot } from './plot.js';
import { pointed, pressed, selected, told, zoomInto, zoomOut } from './selection.js';
import { timeAxis } from './time-axis.js';
import { words } from './words.js';

export function Chart({ chart }: { readonly chart: ChartOf }) {
  const data = drawn.value;
  const point = told.value;
  const values = chart.curves.map((curve) => (point && data ? curve.of(point, data.stepMs) : null));
  const spoken = chart.curves
    .map(({ name }, i) => {
      const value = values[i] ?? null;
      return `${name}: ${value === null ? messages.value.noData : chart.write(value)}`;
    })
    .join(', ');
  const { time, moment } = format.value;
  const last = (data?.points.length ?? 0) - 1;
  const now = data?.points.findIndex(({ start }) => start === point?.start) ?? -1;
  const when =
    point && data ? (data.stepMs < 60_000 ? time(point.start) : moment(point.start, data.now)) : '';
  return (
    <figure class={`chart chart-${chart.id}`}>
      <figcaption>
        <h3 id={`chart-${chart.id}`}>{chart.title}</h3>
        <ul class="legend" aria-hidden="true">
          {chart.curves.map((curve, i) => (
            <li key={curve.name}>
              <Swatch curve={curve} filled={chart.stacked} />
              {chart.curves.length > 1 && curve.name} <Value of={values[i]} as={chart.write} />
            </li>
          ))}
        </ul>
      </figcaption>
      {data !== null && last >= 0 ? (
        <div
          class="plot"
          role="slider"
          tabIndex={0}
          aria-label={`${chart.title}. ${words.value.newest}: ${spoken}`}
          aria-describedby="charts-hint"
          aria-valuemin={0}
          aria-valuemax={last}
          aria-valuenow={Math.max(0, now)}
          aria-valuetext={`${when}: ${spoken}`}
          onKeyDown={(event) => {
            if (event.ctrlKey || event.altKey || event.metaKey) return;
            if (pressed(event.key, event.shiftKey)) event.preventDefault();
          }}
          onFocus={(event) => {
            // Else it would be read out anew each second.
            if (event.currentTarget.matches(':focus-visible')) pointed.value ??= point?.start ?? null;
          }}
          onBlur={() => {
            pointed.value = null;
            selected.value = null;
          }}
        >
          <Canvas chart={chart} />
        </div>
      ) : (
        <div class="plot empty" />
      )}
    </figure>
  );
}

/** Lives as long as its chart is the same one in the same language. */
function Canvas({ chart }: { readonly chart: ChartOf }) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const { locale } = format.value;
  const colours = scheme.value;
  // Colours are read out of the page: `colours` says when they are others.
  useEffect(() => {
    const element = host.current;
    const data = drawn.peek();
    if (element === null || data === null) return;
    const style = {
      colour: colourIn(element),
      fontSize: Math.round(Number.parseFloat(getComputedStyle(element).fontSize)),
      moments: timeAxis(locale),
      axis: axisOf(chart, locale),
    };
    const events = {
      point: (start: number | null) => {
        pointed.value = start;
      },
      zoom: zoomInto,
      zoomOut,
    };
    const made = new Plot(element, chart, data, style, events);
    made.show(data, bands.peek());
    plot.current = made;
    const watch = new ResizeObserver(() => made.resize(element.clientWidth, element.clientHeight));
    watch.observe(element);
    return () => {
      watch.disconnect();
      plot.current = null;
      made.destroy();
    };
  }, [chart, locale, colours]);
  useSignalEffect(() => {
    if (drawn.value !== null) plot.current?.show(drawn.value, bands.value);
  });
  useSignalEffect(() => plot.current?.point(pointed.value));
  useSignalEffect(() => plot.current?.select(selected.value));
  return <div class="canvas" ref={host} />;
}

/** Shorter than in a legend, and durations in units that powers of ten are whole in. */
function axisOf({ scale, write }: ChartOf, locale: string): (value: number) => string {
  if (scale === 'percent') return write;
  const numbers = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat(locale, options);
  const compact = numbers({ notation: 'compact', maximumFractionDigits: 1 });
  if (scale === 'count') return (value) => compact.format(value);
  const unit = (name: string) =>
    numbers({ style: 'unit', unit: name, unitDisplay: 'narrow', maximumFractionDigits: 1 });
  const [ms, seconds] = [unit('millisecond'), unit('second')];
  return (value) => (value < 1_000 ? ms.format(value) : seconds.format(value / 1_000));
}

function Swatch({ curve, filled }: { readonly curve: Curve; readonly filled: boolean }) {
  const style = { '--of': `var(--${curve.colour})` };
  return (
    <svg class="swatch" viewBox="0 0 14 10" style={style} aria-hidden="true">
      {filled ? (
        <rect x="2" y="0" width="10" height="10" rx="2" />
      ) : (
        <line x1="0" y1="5" x2="14" y2="5" stroke-dasharray={curve.dash?.join(' ')} />
      )}
    </svg>
  );
}
