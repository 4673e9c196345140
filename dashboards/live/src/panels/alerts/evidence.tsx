/** What an alert shows for itself. */
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { EvidenceWire } from '../../../../../streams/alerts-view.js';
import { Value } from '../../parts/value.js';
import { changeView, format, messages, view } from '../../state.js';
import { formatView, NO_FILTER } from '../../view.js';
import { Table } from '../health/table.js';

interface Of {
  readonly of: EvidenceWire;
}

/** The two numbers that say how much it is about. */
export function EvidenceInShort({ of }: Of) {
  const m = messages.value.alerts.evidence;
  const { count } = format.value;
  const { errors, window, affected_customers_count: customers, affected_customers_at_least: atLeast } = of;
  const parts = [
    errors !== null && window !== null && m.errors(count(errors), window),
    customers !== null && m.customers(atLeast ? m.atLeast(count(customers)) : count(customers)),
  ].filter((part) => part !== false);
  return parts.length === 0 ? null : <p>{m.began(parts.join(', '))}</p>;
}

export function Evidence({ of }: Of) {
  const m = messages.value.alerts.evidence;
  return (
    <details class="evidence">
      <summary>{m.title}</summary>
      <TopErrors of={of} />
      <Batches of={of} />
      <Correlations ids={of.sample_correlation_ids} />
      <Compared of={of} />
      <TailCommand command={of.tail_command} />
    </details>
  );
}

function TopErrors({ of: { top_errors, other_errors } }: Of) {
  const m = messages.value.alerts.evidence;
  const { types } = messages.value;
  const { count } = format.value;
  if (top_errors.length === 0) return null;
  return (
    <>
      <h4>{m.topErrors}</h4>
      <Table title={m.topErrors} heads={[m.message, m.type, [m.count]]}>
        {top_errors.map(({ message, operation_type, count: n }) => (
          <tr key={`${operation_type} ${message}`}>
            <td class="words">{message ?? <span class="quiet">{m.noMessage}</span>}</td>
            <td>{types[operation_type] ?? operation_type}</td>
            <td class="number">{count(n)}</td>
          </tr>
        ))}
      </Table>
      {other_errors > 0 && <p class="quiet">{m.otherErrors(count(other_errors))}</p>}
    </>
  );
}

function Batches({ of: { failed_batches } }: Of) {
  const m = messages.value.alerts.evidence;
  const { count } = format.value;
  if (failed_batches.length === 0) return null;
  const counted = (n: number | null): string | null => (n === null ? null : count(n));
  return (
    <>
      <h4>{m.batches}</h4>
      <ul>
        {failed_batches.map(({ operation_name, total, error_count }, at) => (
          <li key={at}>
            {operation_name ?? <span class="quiet">{m.noName}</span>}:{' '}
            {m.batch(counted(error_count), counted(total))}
          </li>
        ))}
      </ul>
    </>
  );
}

/** Each one leads to the feed that shows nothing but its rows; a link, so that it can be opened beside this page. */
function Correlations({ ids }: { readonly ids: readonly string[] }) {
  const m = messages.value.alerts.evidence;
  if (ids.length === 0) return null;
  return (
    <>
      <h4>{m.correlations}</h4>
      <ul class="ids">
        {ids.map((correlation) => {
          const feed = { ...NO_FILTER, correlation };
          return (
            <li key={correlation}>
              <a
                href={`${formatView({ ...view.value, feed })}#feed-title`}
                title={m.showEvents(correlation)}
                onClick={(event) => {
                  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
                  event.preventDefault();
                  changeView({ feed }, 'step');
                  showFeed();
                }}
              >
                <code>{correlation}</code>
              </a>
            </li>
          );
        })}
      </ul>
    </>
  );
}

function showFeed(): void {
  const title = document.getElementById('feed-title');
  if (title === null) return;
  // A heading takes the focus only when it is told that it may.
  title.tabIndex = -1;
  title.focus({ preventScroll: true });
  title.scrollIntoView({ block: 'center' });
}

function Compared({ of: { compared } }: Of) {
  const m = messages.value.alerts.evidence;
  const { count, percent } = format.value;
  if (compared === null) return null;
  const rows = [
    [m.thisHour, compared.this_hour],
    [m.lastWeek, compared.last_week],
  ] as const;
  return (
    <>
      <h4>{m.compared}</h4>
      <Table
        title={m.compared}
        heads={[messages.value.period, [m.operations], [m.errorCount], [m.errorRate]]}
      >
        {rows.map(([name, { operations, errors, error_rate }]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td class="number">{count(operations)}</td>
            <td class="number">{count(errors)}</td>
            <td class="number">
              <Value of={error_rate} as={percent} />
            </td>
          </tr>
        ))}
      </Table>
    </>
  );
}

function TailCommand({ command }: { readonly command: string }) {
  const m = messages.value.alerts.evidence;
  const code = useRef<HTMLElement>(null);
  const said = useSignal('');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(command);
      said.value = 'copied';
    } catch {
      // Over plain HTTP from another machine a page has no clipboard: it is marked, ready to be copied by hand.
      if (code.current !== null) getSelection()?.selectAllChildren(code.current);
      said.value = 'selected';
    }
  };
  return (
    <>
      <h4>{m.tail}</h4>
      <p class="command">
        <code ref={code}>{command}</code>
        <button type="button" onClick={() => void copy()}>
          {m.copy}
        </button>
        <span role="status" class="quiet">
          {said.value === 'copied' ? m.copied : said.value === 'selected' ? m.selected : ''}
        </span>
      </p>
    </>
  );
}
