/** The numbers of the charts as a table, for those who do not see curves, and as a file. */
import { signal } from '@preact/signals';
import { type Cell, csvOf } from '../../csv.js';
import { download } from '../../download.js';
import { Value } from '../../parts/value.js';
import { format } from '../../state.js';
import type { ChartOf } from './curves.js';
import { drawn, series } from './data.js';
import { fileTime } from './file-time.js';
import { BANDS, type Points } from './points.js';
import { words } from './words.js';

const open = signal(false);

/** Its rows are made only while it is open. */
export function PointsTable({ charts }: { readonly charts: readonly ChartOf[] }) {
  return (
    <details
      class="points"
      open={open.value}
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary>{words.value.table}</summary>
      {open.value && <Rows charts={charts} />}
    </details>
  );
}

function Rows({ charts }: { readonly charts: readonly ChartOf[] }) {
  const { moment, time } = format.value;
  // As the server said it last: a row that changes each second cannot be read.
  const known = series.value.value;
  if (known === null) return null;
  const { stepMs, points } = known;
  const now = drawn.peek()?.now ?? Date.now();
  const curves = charts.flatMap((chart) => chart.curves.map((curve) => ({ chart, curve })));
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for what a form sends
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <div class="scroll" role="group" tabIndex={0} aria-label={words.value.tableName}>
      <table>
        <thead>
          <tr>
            <td />
            {charts.map(({ id, title, curves: { length } }) => (
              <th key={id} scope="colgroup" colSpan={length}>
                {title}
              </th>
            ))}
          </tr>
          <tr>
            <th scope="col">{words.value.from}</th>
            {curves.map(({ chart, curve }) => (
              <th key={`${chart.id} ${curve.name}`} scope="col" class="number">
                {curve.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {points.map((point) => (
            <tr key={point.start}>
              <th scope="row">
                {stepMs < 60_000 ? time(point.start) : moment(point.start, now)}
                {point.partial && ` (${words.value.soFar})`}
              </th>
              {curves.map(({ chart, curve }) => (
                <td key={`${chart.id} ${curve.name}`} class="number">
                  <Value of={curve.of(point, stepMs)} as={chart.write} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const COLUMNS = [
  ...['start', 'end', 'partial', 'total_operations', ...BANDS.map((band) => `${band}_count`), 'error_rate'],
  ...['duration_p50_ms', 'duration_p95_ms', 'duration_p99_ms', 'pending_max', 'export_queue_max'],
];

/** Names as in the API, times in UTC: a file is read by programs too. */
export function seriesCsv({ stepMs, points }: Points): string {
  const rows = points.map((point): Cell[] => [
    new Date(point.start).toISOString(),
    new Date(point.start + stepMs).toISOString(),
    String(point.partial),
    point.total,
    ...BANDS.map((band) => point.bands[band]),
    ...[point.errorRate, point.p50, point.p95, point.p99, point.pending, point.exports],
  ]);
  return csvOf(COLUMNS, rows);
}

export function SeriesCsv() {
  const known = series.value.value;
  const { csv, csvSeries } = words.value;
  return (
    <button
      type="button"
      class="csv"
      disabled={known === null}
      aria-label={csvSeries}
      title={csvSeries}
      onClick={() => {
        const first = known?.points[0]?.start;
        if (known && first !== undefined) download(`series-${fileTime(first)}.csv`, seriesCsv(known));
      }}
    >
      {csv}
    </button>
  );
}
