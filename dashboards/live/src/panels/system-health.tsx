/** Every component, and since when it is as it is. To come. */
import { Panel } from '../parts/panel.js';
import { messages } from '../state.js';

export function SystemHealthPanel() {
  return <Panel id="health" title={messages.value.panels.health} />;
}
