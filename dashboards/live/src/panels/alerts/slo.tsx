/** The service level: what is left of the error budget, and how fast it goes. */

import type { SloAnswer, SloBurnAnswer } from '../../answers.js';
import { Mark } from '../../parts/mark.js';
import { Panel } from '../../parts/panel.js';
import { Value } from '../../parts/value.js';
import { format, language, messages, slo } from '../../state.js';
import { Table } from '../health/table.js';

export function Slo() {
  const m = messages.value.slo;
  const answer = slo.value.value;
  const failure = slo.failure.value;
  const { number, percent } = format.value;
  return (
    <Panel
      id="slo"
      title={m.title}
      aside={
        answer !== null && (
          <span class="quiet">{m.target(percent(answer.target_percent), number(answer.window_days))}</span>
        )
      }
    >
      {failure !== null && (
        <p class="quiet">
          {failure.code === 'alerts_off'
            ? messages.value.alerts.off
            : failure.code === 'slo_unknown'
              ? m.notYet
              : m.failed}{' '}
          {failure.code !== 'slo_unknown' && <span lang="en">{failure.message}</span>}
        </p>
      )}
      {answer === null && failure === null && <p class="quiet">{messages.value.noData}</p>}
      {answer !== null && (
        <>
          <p>{answer.summary[language.value]}</p>
          <Budget of={answer} />
          <BurnRates of={answer} />
        </>
      )}
    </Panel>
  );
}

interface Of {
  readonly of: SloAnswer;
}

function Budget({ of: { error_budget_remaining_ratio: left, error_count, total_operations } }: Of) {
  const m = messages.value.slo;
  const { count, percent } = format.value;
  return (
    <div class="budget" data-level={left !== null && left <= 0 ? 'bad' : 'good'}>
      <p>
        <span>{m.left}</span>{' '}
        <b>
          <Value of={left} as={(ratio) => percent(ratio * 100)} />
        </b>
      </p>
      {left !== null && (
        <div class="bar" style={{ '--length': Math.min(1, Math.max(0, left)) }} aria-hidden="true" />
      )}
      {error_count !== null && total_operations !== null && (
        <p class="quiet">{m.used(count(error_count), count(total_operations))}</p>
      )}
    </div>
  );
}

function BurnRates({ of: { burn_rates, conditions } }: Of) {
  const m = messages.value.slo;
  const { number } = format.value;
  const times = (rate: number): string => `${number(rate)}×`;
  return (
    <>
      <h3>{m.burn}</h3>
      <dl class="rates">
        {Object.entries(burn_rates).map(([window, rate]) => (
          <div key={window}>
            <dt>{m.windows[window] ?? window}</dt>
            <dd>
              <Value of={rate} as={times} />
            </dd>
          </div>
        ))}
      </dl>
      <p class="quiet">{m.burnMeaning}</p>
      <Table title={m.condition} heads={[m.condition, [m.rate], [m.line]]}>
        {(['fast', 'slow', 'steady'] as const).map((name) => (
          <Condition key={name} name={name} of={conditions[name]} />
        ))}
      </Table>
    </>
  );
}

function Condition({ name, of }: { readonly name: 'fast' | 'slow' | 'steady'; readonly of: SloBurnAnswer }) {
  const m = messages.value.slo;
  const { number } = format.value;
  const times = (rate: number): string => `${number(rate)}×`;
  const window = (key: string): string => m.windows[key] ?? key;
  const level = of.burning ? (name === 'fast' ? 'bad' : 'warn') : of.enough_events ? 'good' : 'unknown';
  return (
    <tr>
      <th scope="row">
        <span class="condition">
          <Mark level={level} />
          <span>
            {m.conditions[name]}: {of.burning ? m.burning : of.enough_events ? m.calm : m.tooFew}
            <br />
            <span class="quiet">{m.both(window(of.long_window), window(of.short_window))}</span>
          </span>
        </span>
      </th>
      <td class="number">
        <Value of={of.burn_rate} as={times} />
      </td>
      <td class="number">{times(of.threshold)}</td>
    </tr>
  );
}
