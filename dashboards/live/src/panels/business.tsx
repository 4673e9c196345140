/** What the synchronisation did for the business in the period. */
import type { ComponentChildren } from 'preact';
import { Panel } from '../parts/panel.js';
import { Value } from '../parts/value.js';
import { format, messages, view } from '../state.js';
import { Bars } from './business/bars.js';
import { failure, numbers } from './business/state.js';

export function Business() {
  const m = messages.value.business;
  const { count, percent } = format.value;
  const now = numbers.value;
  return (
    <Panel id="business" title={messages.value.panels.business} aside={<PeriodName />}>
      {failure.value !== null && (
        <p class="notice" role="alert">
          {m.failed} <span lang="en">{failure.value.message}</span>
        </p>
      )}
      <dl class="figures">
        <Figure name={m.customers}>
          <Value of={now?.synced_customers_count} as={count} />
        </Figure>
        <Figure name={m.registrations}>
          <Value of={now?.new_registrations} as={count} />
        </Figure>
        <Figure name={m.imports}>
          <Value of={now?.imports_from_1c} as={count} />
        </Figure>
        <Figure name={m.mails}>
          <Value of={now?.admin_notifications_sent} as={count} />
        </Figure>
        <Figure name={m.conflicts}>
          <Value of={now?.total_conflicts} as={count} />
        </Figure>
        <Figure name={m.resolved}>
          <Value of={now?.total_conflicts_resolved} as={count} />
        </Figure>
        <Figure name={m.autoResolution}>
          <Value of={now?.auto_resolution_rate} as={percent} />
        </Figure>
      </dl>
      <Savings />
      <Bars
        title={m.bySource}
        counts={now?.conflicts_resolved ?? null}
        names={m.sources}
        nothing={m.noConflicts}
        more={m.more}
      />
      <Bars
        title={m.byMethod}
        counts={now?.identification_methods ?? null}
        names={m.methods}
        nothing={m.noIdentifications}
        more={m.more}
      />
    </Panel>
  );
}

function Savings() {
  const m = messages.value.business;
  const { number } = format.value;
  const now = numbers.value;
  return (
    <>
      <h3>{m.automation}</h3>
      <dl class="figures">
        <Figure name={m.time}>
          <Value of={now?.automation_hours_saved} as={(hours) => m.hours(number(hours))} />
        </Figure>
        <Figure name={m.money}>
          {now !== null && now.automation_money_saved === undefined ? (
            <span class="quiet">{m.moneyOff}</span>
          ) : (
            <Value of={now?.automation_money_saved} as={number} />
          )}
        </Figure>
      </dl>
    </>
  );
}

function Figure({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
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
