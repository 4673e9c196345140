/** Sample transitions and evidence; hostile texts that no format may take for markup. */
import { evidenceOf, type Known } from '../../src/alerts/evidence.js';
import { type Locale, type Message, messageOf } from '../../src/alerts/message.js';
import type { Notice, NoticeKind } from '../../src/alerts/notice.js';
import type { TemplateBook } from '../../src/alerts/texts.js';
import type { Evidence, Rule, Transition } from '../../streams/alert.js';
import type { EvidenceWire } from '../../streams/alerts-view.js';

export const STARTED = Date.parse('2026-03-01T12:00:00Z');

export const RULE: Rule = {
  name: 'high_error_rate',
  severity: 'critical',
  measure: 'error_rate_1h',
  comparison: 'above',
  threshold: 10,
  minimumCount: 20,
  forSeconds: 0,
  resolveForSeconds: 60,
  over: 'rows',
};

export function transitionOf(changes: Partial<Transition> = {}): Transition {
  const { rule = 'high_error_rate', kind = 'firing', startsAt = STARTED } = changes;
  return {
    id: `${rule}:${startsAt}:${kind}`,
    rule,
    severity: 'critical',
    kind,
    at: kind === 'firing' ? startsAt : startsAt + 725_000,
    startsAt,
    endsAt: kind === 'resolved' ? startsAt + 725_000 : null,
    value: kind === 'resolved' ? 2.5 : 25.13,
    peak: kind === 'firing' ? 25.13 : 43.2,
    threshold: 10,
    reason: kind === 'resolved' ? 'below' : 'over',
    detail: null,
    ...changes,
  };
}

export const EVIDENCE: Evidence = {
  window: '1h',
  errors: 1_234,
  top_errors: [
    { message: 'Timeout of 1C after 30 s', operation_type: 'export_to_1c', count: 1_200 },
    { message: null, operation_type: 'sync_changes', count: 3 },
  ],
  other_errors: 31,
  affected_customers: 87,
  affected_customers_at_least: true,
  correlation_ids: ['8d0c7f4e-0000-4000-8000-123456789012'],
  failed_batches: [{ operation_name: 'nightly', total: 500, error_count: 12 }],
};

export const COMPARED = {
  this_hour: { operations: 4_912, errors: 1_234, error_rate: 25.12 },
  last_week: { operations: 5_003, errors: 12, error_rate: 0.24 },
};

export const KNOWN: Known = { evidence: EVIDENCE, compared: COMPARED };
export const PUBLIC_URL = 'https://monitor.example.com/sync/';

/** Markup of every receiver, quotes of every shell and language, control characters. */
export const HOSTILE = [
  '<!channel> <@U0123> <https://evil.example|click>',
  '</b><script>alert(1)</script>&lt;',
  '*bold* _under_ ~gone~ `code` ```block``` **md** [link](https://evil.example) ![i](x)',
  '@everyone @admin #tag /command https://evil.example t.me/evil',
  '{{DATE(2017-02-14T06:08:39Z,SHORT)}} <at>All</at> {title} {value} $& $1',
  `'; rm -rf / #' "quoted" $(reboot) \`reboot\` \\ %s`,
  'a\u0000b\u001b[31mred\u202egnp.exe\r\nsecond line: Ошибка 💥',
];

export const PERSONAL = [
  'Ivan.Petrov+1@mail.example.com',
  '+7 (912) 345-67-89',
  '89123456789',
  '7707083893',
  '770708389312',
];
/** Finds any of them, however it was quoted. */
export const ANY_PERSONAL = /petrov|mail\.example|912.{0,3}345|89123456789|7707083893/i;

export function hostileEvidence(texts: readonly string[]): Evidence {
  return {
    ...EVIDENCE,
    top_errors: texts.map((text, i) => ({ message: text, operation_type: text, count: i + 1 })),
    correlation_ids: texts,
    failed_batches: texts.map((text) => ({ operation_name: text, total: 1, error_count: null })),
  };
}

export function evidenceFor(transition: Transition, known: Known = KNOWN, rule: Rule = RULE): EvidenceWire {
  return evidenceOf(transition, rule, known, { publicUrl: PUBLIC_URL });
}

export function sample(
  transition = transitionOf(),
  options: { known?: Known; rule?: Rule; locale?: Locale; templates?: TemplateBook } = {},
): Message {
  const { known = KNOWN, rule = RULE, locale = 'en', templates = {} } = options;
  return messageOf(transition, rule, evidenceFor(transition, known, rule), { locale, templates });
}

/** A notice that waits for its first attempt. */
export function noticeOf(id: string, kind: NoticeKind, changes: Partial<Notice> = {}): Notice {
  return {
    ...{ id, transitionId: id, alertId: 'a', rule: 'r', kind, receiver: 'ops', body: '' },
    ...{ decidedAt: 0, dueFrom: 0, attempts: 0, nextAt: 0, outcome: 'pending', reason: null },
    ...{ doneAt: null, held: null, ...changes },
  };
}
