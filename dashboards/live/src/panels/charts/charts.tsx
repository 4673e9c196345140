/** Throughput by status, error rate, durations and queue of the period. To come. */
import { Panel } from '../../parts/panel.js';
import { messages } from '../../state.js';

export function Charts() {
  return <Panel id="charts" title={messages.value.panels.charts} />;
}
