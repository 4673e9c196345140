/** The numbers of the period by operation type, the most frequent first. */
import { Panel } from '../parts/panel.js';
import { Value } from '../parts/value.js';
import { format, messages, operations, operationsFailure, view } from '../state.js';
import { TypesCsv } from './charts/types-csv.js';

export function TypesTable() {
  const m = messages.value.table;
  const metrics = operations.value;
  const failure = operationsFailure.value;
  return (
    <Panel id="types" title={m.title} aside={<Aside />}>
      {failure !== null && (
        <p class="notice" role="alert">
          {m.failed} <span lang="en">{failure.message}</span>
        </p>
      )}
      {metrics !== null && metrics.total_operations === 0 ? (
        <p class="quiet">{m.nothing}</p>
      ) : (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset is for what a form sends
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
        <div class="scroll" role="group" tabIndex={0} aria-label={m.title}>
          <table>
            <thead>
              <tr>
                <th scope="col">{m.type}</th>
                {[m.operations, m.errors, m.errorRate, m.pending, m.p50, m.p95, m.p99].map((name) => (
                  <th key={name} scope="col" class="number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              <Rows />
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function Aside() {
  return (
    <span class="aside">
      <PeriodName />
      <TypesCsv />
    </span>
  );
}

function PeriodName() {
  const { range, zoom } = view.value;
  return (
    <span class="quiet">
      {zoom === null ? messages.value.lastRange[range] : format.value.period(zoom.from, zoom.to)}
    </span>
  );
}

function Rows() {
  const { count, percent, millis } = format.value;
  const { types } = messages.value;
  const metrics = operations.value;
  if (metrics === null) return null;
  const most = Math.max(...Object.values(metrics.operations_by_type));
  const rows = Object.entries(metrics.by_type).sort(
    ([a, one], [b, other]) => other.total_operations - one.total_operations || a.localeCompare(b),
  );
  return (
    <>
      {rows.map(([type, numbers]) => (
        <tr key={type}>
          <th scope="row">
            {types[type] ?? type}
            {types[type] !== undefined && <code>{type}</code>}
          </th>
          <td class="number share" style={{ '--share': numbers.total_operations / most }}>
            {count(numbers.total_operations)}
          </td>
          <td class="number" data-level={numbers.error_count > 0 ? 'bad' : undefined}>
            {count(numbers.error_count)}
          </td>
          <td class="number">
            <Value of={numbers.error_rate} as={percent} />
          </td>
          <td class="number">{count(numbers.pending_count)}</td>
          <td class="number">
            <Value of={numbers.duration_p50_ms} as={millis} />
          </td>
          <td class="number">
            <Value of={numbers.duration_p95_ms} as={millis} />
          </td>
          <td class="number">
            <Value of={numbers.duration_p99_ms} as={millis} />
          </td>
        </tr>
      ))}
    </>
  );
}
