/** Throughput by status, error rate, durations and queue of the period. */
import { computed } from '@preact/signals';
import { Panel } from '../../parts/panel.js';
import { format, messages } from '../../state.js';
import { Chart } from './chart.js';
import { chartsOf } from './curves.js';
import { bands, drawn, series } from './data.js';
import { PointsTable, SeriesCsv } from './points-table.js';
import { told } from './selection.js';
import { words } from './words.js';

const charts = computed(() => chartsOf({ ...words.value, statuses: messages.value.statuses }, format.value));

export function Charts() {
  const { hint, zoomHint, failed, loading, unseen } = words.value;
  const { value, failure } = series;
  const points = value.value?.points;
  return (
    <Panel id="charts" title={messages.value.panels.charts} aside={<Told />}>
      {failure.value !== null && (
        <p class="notice" role="alert">
          {failed} <span lang="en">{failure.value.message}</span>
        </p>
      )}
      {points === undefined && failure.value === null && <p class="quiet">{loading}</p>}
      <div class="charts-grid">
        {charts.value.map((chart) => (
          <Chart key={chart.id} chart={chart} />
        ))}
      </div>
      <p id="charts-hint" class="unseen">
        {hint}
      </p>
      <div class="charts-foot quiet">
        <span class="drag-hint">{zoomHint}</span>
        {bands.value.length > 0 && <AlertKey />}
        {points?.some(({ pending }) => pending === null) && <span>{unseen}</span>}
      </div>
      <PointsTable charts={charts.value} />
    </Panel>
  );
}

/** Of when the values in the legends are. */
function Told() {
  const data = drawn.value;
  const point = told.value;
  const { time, moment } = format.value;
  const { soFar, step, steps } = words.value;
  return (
    <span class="quiet charts-told">
      {data !== null && point !== null && (
        <>
          <span>
            {data.stepMs < 60_000 ? time(point.start) : moment(point.start, data.now)}
            {point.partial && `, ${soFar}`}
          </span>
          <span>{step(steps[(data.stepMs / 1_000) as keyof typeof steps])}</span>
        </>
      )}
      <SeriesCsv />
    </span>
  );
}

function AlertKey() {
  const { fired } = words.value;
  const severities = (['critical', 'warning'] as const).filter((severity) =>
    bands.value.some((band) => band.severity === severity),
  );
  return (
    <>
      {severities.map((severity) => (
        <span key={severity} class="alert-key" data-severity={severity}>
          {fired[severity]}
        </span>
      ))}
    </>
  );
}
