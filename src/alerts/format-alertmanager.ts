/**
 * Alertmanager's API, `POST /api/v2/alerts`. A firing alert is sent without an end: Alertmanager gives it
 * `resolve_timeout`, which keep-alive.ts goes on renewing, as Prometheus does.
 * https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
 */
import { isoOf } from '../../streams/iso.js';
import { SOURCE } from './format-generic.js';
import { plainLines } from './format-plain.js';
import type { Message } from './message.js';

export interface PostableAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string | null;
  readonly endsAt?: string | null;
  readonly generatorURL?: string;
}

export function alertmanager(message: Message): string {
  return JSON.stringify([alertOf(message)]);
}

function alertOf(message: Message): PostableAlert {
  const { evidence } = message;
  return {
    // Labels are the alert's identity: the same when it fires and when it is resolved.
    labels: {
      alertname: message.rule,
      severity: message.severity,
      source: SOURCE,
      ...(message.operationType === null ? {} : { operation_type: message.operationType }),
    },
    annotations: {
      summary: message.title,
      description: plainLines(message).slice(1).join('\n').trim(),
      id: message.id,
      threshold: String(message.threshold),
      tail_command: evidence.tail_command,
      ...(message.value === null ? {} : { value: String(message.value) }),
    },
    startsAt: isoOf(message.startsAt),
    ...(message.endsAt === null ? {} : { endsAt: isoOf(message.endsAt) }),
    ...(evidence.link === null ? {} : { generatorURL: evidence.link }),
  };
}
