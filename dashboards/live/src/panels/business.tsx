/** The business numbers of the period. To come. */
import { Panel } from '../parts/panel.js';
import { messages } from '../state.js';

export function Business() {
  return <Panel id="business" title={messages.value.panels.business} />;
}
