/** What fires and what can be done about it, what fired before, and the service level. */
import { Mark } from '../parts/mark.js';
import { Panel } from '../parts/panel.js';
import { alerts, format, messages } from '../state.js';
import { Firing } from './alerts/firing.js';
import { Asking } from './alerts/forms.js';
import { Delivery, Past, Rules, Silences } from './alerts/lists.js';
import { Slo } from './alerts/slo.js';
import { denied, done } from './alerts/state.js';

export function Alerts() {
  const m = messages.value.alerts;
  return (
    <>
      <Panel id="alerts" title={messages.value.panels.alerts} aside={<Count />}>
        <Firing />
        {denied.value && <p class="quiet">{m.denied}</p>}
        <p role="status" class={done.value ? 'quiet' : 'unseen'}>
          {done.value ? m.form.saved : ''}
        </p>
        <Silences />
        <Past />
        <Rules />
        <Delivery />
        <Asking />
      </Panel>
      <Slo />
    </>
  );
}

function Count() {
  const list = alerts.value.value?.alerts;
  if (list === undefined) return null;
  const level =
    list.length === 0 ? 'good' : list.some(({ severity }) => severity === 'critical') ? 'bad' : 'warn';
  return (
    <span class="state" data-level={level}>
      <Mark level={level} />
      {messages.value.alerts.firing(format.value.count(list.length))}
    </span>
  );
}
