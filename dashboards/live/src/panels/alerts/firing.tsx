/** The alerts that fire. */
import type { AlertWire } from '../../../../../streams/alerts-view.js';
import { Mark } from '../../parts/mark.js';
import { Value } from '../../parts/value.js';
import { alerts, clock, format, messages } from '../../state.js';
import { Evidence, EvidenceInShort } from './evidence.js';
import { nameOf, quantity, unitOf, valueNow } from './quantity.js';
import { silenceOf } from './silencing.js';
import { denied, doing, silences } from './state.js';

export function Firing() {
  const m = messages.value.alerts;
  const answer = alerts.value.value;
  const failure = alerts.failure.value;
  if (failure?.status === 404) {
    return (
      <p class="quiet">
        {m.off} <span lang="en">{failure.message}</span>
      </p>
    );
  }
  return (
    <>
      {failure !== null && (
        <p class="notice" role="alert">
          {m.failed} <span lang="en">{failure.message}</span>
        </p>
      )}
      {answer === null ? (
        failure === null && <p class="quiet">{messages.value.noData}</p>
      ) : answer.alerts.length === 0 ? (
        <p class="quiet">{answer.rules.length === 0 ? m.undecided : m.nothing}</p>
      ) : (
        <ul class="firing">
          {worstFirst(answer.alerts).map((alert) => (
            <Alert key={alert.id} of={alert} />
          ))}
        </ul>
      )}
      {answer !== null && answer.next_before !== null && <p class="quiet">{m.more}</p>}
    </>
  );
}

function worstFirst(list: readonly AlertWire[]): readonly AlertWire[] {
  const rank = ({ severity }: AlertWire): number => (severity === 'critical' ? 0 : 1);
  return [...list].sort((one, other) => rank(one) - rank(other));
}

function Alert({ of }: { readonly of: AlertWire }) {
  const m = messages.value.alerts;
  const { moment, span } = format.value;
  const from = Date.parse(of.starts_at);
  const title = `alert-${of.id}`;
  return (
    <li data-severity={of.severity}>
      <article aria-labelledby={title}>
        <h3 id={title}>
          <Mark level={of.severity === 'critical' ? 'bad' : 'warn'} />
          <span>
            <span class="severity">{m.severities[of.severity]}</span> {nameOf(of, m.rules)}
          </span>
        </h3>
        <div class="told">
          <Amounts of={of} />
          <time class="quiet" dateTime={of.starts_at}>
            {m.since(moment(from, clock.value), span((clock.value - from) / 1_000))}
          </time>
        </div>
        <p>{of.message}</p>
        {of.evidence !== null && <EvidenceInShort of={of.evidence} />}
        <Handled of={of} />
        {!denied.value && <Actions of={of} />}
        {of.evidence !== null && <Evidence of={of.evidence} />}
      </article>
    </li>
  );
}

function Amounts({ of: alert }: { readonly of: AlertWire }) {
  const m = messages.value.alerts;
  const unit = unitOf(alert.rule);
  if (unit === 'flag') return null;
  const of = (amount: number | null) => quantity(amount, unit, format.value);
  const now = of(valueNow(alert, alerts.value.value?.rules ?? []));
  const began = of(alert.value);
  const amounts = [
    [m.value, now] as const,
    [m.threshold, of(alert.threshold)] as const,
    ...(began === now ? [] : [[m.began, began] as const]),
  ];
  return (
    <dl class="amounts">
      {amounts.map(([name, amount]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <Value of={amount} as={(text) => text} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Handled({ of: { ack, rule } }: { readonly of: AlertWire }) {
  const m = messages.value.alerts;
  const { moment } = format.value;
  const at = (iso: string): string => moment(Date.parse(iso), clock.value);
  const silence = silenceOf(rule, silences.value.value?.silences ?? [], clock.value);
  return (
    <>
      {ack !== null && (
        <p class="handled">
          {ack.by === null ? m.ackedByNobody(at(ack.at)) : m.ackedBy(ack.by, at(ack.at))}
          {ack.note !== null && (
            <>
              {' '}
              <q>{ack.note}</q>
            </>
          )}
        </p>
      )}
      {silence !== null && (
        <p class="handled">
          {m.silencedUntil(at(silence.ends_at))} <q>{silence.reason}</q>
        </p>
      )}
    </>
  );
}

function Actions({ of }: { readonly of: AlertWire }) {
  const m = messages.value.alerts;
  const name = nameOf(of, m.rules);
  return (
    <p class="actions">
      {of.ack === null && (
        <button
          type="button"
          aria-label={`${m.ack}: ${name}`}
          onClick={() => {
            doing.value = { what: 'ack', alert: of };
          }}
        >
          {m.ack}
        </button>
      )}
      <button
        type="button"
        aria-label={`${m.silence}: ${name}`}
        onClick={() => {
          doing.value = { what: 'silence', rule: of.rule };
        }}
      >
        {m.silence}
      </button>
    </p>
  );
}
