/** Active and past alerts, acknowledge and silence. To come. */
import { Panel } from '../parts/panel.js';
import { messages } from '../state.js';

export function Alerts() {
  return <Panel id="alerts" title={messages.value.panels.alerts} />;
}
