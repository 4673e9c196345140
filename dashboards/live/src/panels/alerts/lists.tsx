/** Silences, past alerts, rules and how notices were delivered. */
import { useSignal } from '@preact/signals';
import type { AlertWire, RuleWire, SilenceWire } from '../../../../../streams/alerts-view.js';
import type { ApiFailure } from '../../api.js';
import { Mark } from '../../parts/mark.js';
import { Value } from '../../parts/value.js';
import { alerts, clock, format, messages } from '../../state.js';
import { Folded, Table } from '../health/table.js';
import { Refused } from './dialog.js';
import { nameOf, quantity, unitOf } from './quantity.js';
import { denied, doing, endSilence, morePast, past, pastOpen, showMorePast, silences } from './state.js';

export function Silences() {
  const m = messages.value.alerts;
  const list = silences.value.value?.silences ?? null;
  const failure = silences.failure.value;
  const refused = useSignal<ApiFailure | null>(null);
  if (alerts.failure.value?.status === 404) return null;
  return (
    <Folded title={m.silences.title} said={list === null ? undefined : format.value.count(list.length)}>
      {failure !== null && (
        <p class="quiet">
          {m.silences.failed} <span lang="en">{failure.message}</span>
        </p>
      )}
      {list !== null && list.length === 0 && <p class="quiet">{m.silences.none}</p>}
      <ul class="lines">
        {(list ?? []).map((one) => (
          <Silence
            key={one.id}
            of={one}
            onEnd={async () => {
              refused.value = await endSilence(one.id);
            }}
          />
        ))}
      </ul>
      {refused.value !== null && <Refused failure={refused.value} />}
      {!denied.value && (
        <p class="actions">
          <button
            type="button"
            onClick={() => {
              doing.value = { what: 'silence', rule: null };
            }}
          >
            {m.silenceRule}
          </button>
        </p>
      )}
    </Folded>
  );
}

function Silence({ of, onEnd }: { readonly of: SilenceWire; readonly onEnd: () => Promise<void> }) {
  const m = messages.value.alerts;
  const { moment } = format.value;
  const at = (iso: string): string => moment(Date.parse(iso), clock.value);
  const name = of.rule === '*' ? m.silences.all : (m.rules[of.rule]?.name ?? of.rule);
  const toCome = Date.parse(of.starts_at) > clock.value;
  return (
    <li>
      <p>
        <b>{name}</b>{' '}
        <span class="quiet">
          {toCome && `${m.silences.from(at(of.starts_at))} `}
          {m.silences.until(at(of.ends_at))}
          {of.created_by !== null && ` ${m.silences.by(of.created_by)}`}
        </span>
      </p>
      <p>{of.reason}</p>
      {!denied.value && (
        <p class="actions">
          <button type="button" aria-label={m.silences.endOf(name)} onClick={() => void onEnd()}>
            {m.silences.end}
          </button>
        </p>
      )}
    </li>
  );
}

export function Past() {
  const m = messages.value.alerts.past;
  const answer = past.value.value;
  const failure = past.failure.value;
  if (alerts.failure.value?.status === 404) return null;
  return (
    <Folded
      title={m.title}
      onToggle={(open) => {
        pastOpen.value = open;
      }}
    >
      {failure !== null && (
        <p class="quiet">
          {m.failed} <span lang="en">{failure.message}</span>
        </p>
      )}
      {answer !== null && answer.alerts.length === 0 && <p class="quiet">{m.none}</p>}
      <ul class="lines">
        {(answer?.alerts ?? []).map((one) => (
          <PastAlert key={one.id} of={one} />
        ))}
      </ul>
      {morePast.value && (
        <button type="button" class="all" onClick={showMorePast}>
          {m.older}
        </button>
      )}
    </Folded>
  );
}

function PastAlert({ of }: { readonly of: AlertWire }) {
  const m = messages.value.alerts;
  const { moment, span } = format.value;
  // Of one that is over, the value of its end says nothing; what it was at most does.
  const peak = quantity(of.peak, unitOf(of.rule), format.value);
  const name = nameOf({ ...of, value: of.peak }, m.rules);
  return (
    <li class="past">
      <Mark level={of.severity === 'critical' ? 'bad' : 'warn'} />
      <p>
        <span class="unseen">{m.severities[of.severity]} </span>
        {name}{' '}
        <span class="quiet">
          <time dateTime={of.starts_at}>{moment(Date.parse(of.starts_at), clock.value)}</time>,{' '}
          {m.past.lasted(span(of.duration_seconds))}
          {peak !== null && `, ${m.past.peak(peak)}`}
          {of.ack?.by != null && `, ${of.ack.by}`}
        </span>
      </p>
    </li>
  );
}

const STATE_RANK: Readonly<Record<RuleWire['state'], number>> = { firing: 0, pending: 1, inactive: 2 };

export function Rules() {
  const m = messages.value.alerts;
  const rules = alerts.value.value?.rules ?? [];
  if (rules.length === 0) return null;
  const sorted = [...rules].sort((one, other) => STATE_RANK[one.state] - STATE_RANK[other.state]);
  return (
    <Folded title={m.rulesTable.title} said={format.value.count(rules.length)}>
      <Table title={m.rulesTable.title} heads={[m.form.rule, m.rulesTable.state, [m.value], [m.threshold]]}>
        {sorted.map((rule) => (
          <Rule key={rule.name} of={rule} />
        ))}
      </Table>
    </Folded>
  );
}

function Rule({ of: { name, severity, state, reason, value, threshold } }: { readonly of: RuleWire }) {
  const m = messages.value.alerts;
  const unit = unitOf(name);
  const of = (amount: number | null) => quantity(amount, unit, format.value);
  const why = reason === null ? undefined : m.rulesTable.reasons[reason];
  const level = state === 'inactive' ? undefined : severity === 'critical' ? 'bad' : 'warn';
  return (
    <tr>
      <th scope="row">{m.rules[name]?.name ?? name}</th>
      <td class="phase" data-level={level}>
        {m.rulesTable.states[state]}
        {why !== undefined && <span class="quiet"> ({why})</span>}
      </td>
      <td class="number">
        <Value of={of(value)} as={(text) => text} />
      </td>
      <td class="number">
        <Value of={of(threshold)} as={(text) => text} />
      </td>
    </tr>
  );
}

export function Delivery() {
  const m = messages.value.alerts.delivery;
  const { count } = format.value;
  const counts = alerts.value.value?.deliveries;
  if (counts === undefined) return null;
  const met = Object.entries(counts).filter(([, n]) => n > 0);
  const nobody = met.length === 1 && met[0]?.[0] === 'no_receiver';
  return (
    <p class="quiet delivery">
      {met.length === 0
        ? m.none
        : `${m.title}: ${
            nobody
              ? m.noReceiver
              : met.map(([outcome, n]) => `${m.outcomes[outcome] ?? outcome} ${count(n)}`).join(', ')
          }`}
    </p>
  );
}
