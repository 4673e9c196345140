/** The notice as JSON for programs (SPEC section 6). Texts stand in it as they are: JSON has no markup to break. */
import { isoOf } from '../../streams/iso.js';
import type { Message } from './message.js';

export const SOURCE = 'customer-sync-monitor';

export function generic(message: Message): string {
  const { evidence } = message;
  return JSON.stringify({
    alert_type: message.rule,
    title: message.title,
    message: message.text,
    details: {
      kind: message.kind,
      peak: message.peak,
      unit: message.unit,
      operation_type: message.operationType,
      reason: message.reason,
      detail: message.detail,
      alert_id: message.alertId,
    },
    timestamp: isoOf(message.at),
    source: SOURCE,
    id: message.id,
    rule: message.rule,
    state: message.state,
    severity: message.severity,
    starts_at: isoOf(message.startsAt),
    ends_at: message.endsAt === null ? null : isoOf(message.endsAt),
    value: message.value,
    threshold: message.threshold,
    test: message.test,
    evidence,
  });
}
