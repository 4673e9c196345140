/** The event feed. To come. */
import { Panel } from '../../parts/panel.js';
import { messages } from '../../state.js';

export function Feed() {
  return <Panel id="feed" title={messages.value.panels.feed} />;
}
