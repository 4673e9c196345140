/** What a notice says, in the words of a language: the one value that all formats are made from. */
import type { Measure, Rule, Severity, Transition } from '../../streams/alert.js';
import type { EvidenceWire } from '../../streams/alerts-view.js';
import { maskText } from '../../streams/mask.js';
import type { WindowName } from '../../streams/snapshot.js';
import { alertId } from './evidence.js';
import { EN } from './text.en.js';
import { RU } from './text.ru.js';
import {
  durationText,
  fill,
  type Placeholder,
  quantity,
  type RuleText,
  type TemplateBook,
  type Texts,
  timeText,
  type Unit,
} from './texts.js';

export const LOCALES = ['en', 'ru'] as const;
export type Locale = (typeof LOCALES)[number];
export const TEXTS: Readonly<Record<Locale, Texts>> = { en: EN, ru: RU };

export interface Fact {
  readonly label: string;
  readonly value: string;
}

/** A heading and its lines. Lines hold text from rows and may be anything: no format reads them as markup. */
export interface Section {
  readonly heading: string;
  readonly lines: readonly string[];
}

export interface Message {
  readonly title: string;
  readonly text: string;
  readonly facts: readonly Fact[];
  readonly sections: readonly Section[];
  readonly link: { readonly label: string; readonly url: string } | null;
  readonly command: { readonly label: string; readonly text: string };
  readonly rule: string;
  readonly severity: Severity;
  readonly state: 'firing' | 'resolved';
  readonly kind: Transition['kind'];
  readonly test: boolean;
  /** Of the transition; of the alert. */
  readonly id: string;
  readonly alertId: string;
  /** ms of the Unix epoch */
  readonly at: number;
  readonly startsAt: number;
  readonly endsAt: number | null;
  readonly value: number | null;
  readonly peak: number | null;
  readonly threshold: number;
  readonly unit: Unit;
  readonly operationType: string | null;
  readonly reason: string;
  readonly detail: string | null;
  readonly evidence: EvidenceWire;
}

export interface Wording {
  /** In the place of the transition's own detail, which is English: it goes for rules of the objective only. */
  readonly sloWords?: { readonly en: string; readonly ru: string } | null | undefined;
  readonly locale: Locale;
  /** Of the rules file. */
  readonly templates: TemplateBook;
}

const TITLE_LIMIT = 200;
const TEXT_LIMIT = 2_000;
/** The rule of `alert-test`. */
export const TEST_RULE = 'alert_test';

/** The message of a transition. @param rule undefined where the rule was removed */
export function messageOf(
  transition: Transition,
  rule: Rule | undefined,
  evidence: EvidenceWire,
  wording: Wording,
): Message {
  const texts = TEXTS[wording.locale];
  const resolved = transition.kind === 'resolved';
  const test = transition.rule === TEST_RULE;
  const values = valuesOf(transition, rule, texts, wording.sloWords?.[wording.locale] ?? null);
  const [title, text] = test
    ? [texts.titles.test, texts.messages.test]
    : templatesOf(transition, values.value !== '', texts, wording.templates);
  return {
    title: cut(fill(title, values), TITLE_LIMIT),
    text: cut(fill(text, values), TEXT_LIMIT),
    facts: test ? [] : factsOf(transition, values, texts),
    sections: sectionsOf(evidence, texts),
    link: evidence.link === null ? null : { label: texts.labels.link, url: evidence.link },
    command: { label: texts.labels.tail_command, text: evidence.tail_command },
    rule: transition.rule,
    severity: transition.severity,
    state: resolved ? 'resolved' : 'firing',
    kind: transition.kind,
    test,
    id: transition.id,
    alertId: alertId(transition),
    at: transition.at,
    startsAt: transition.startsAt,
    endsAt: transition.endsAt,
    value: transition.value,
    peak: transition.peak,
    threshold: transition.threshold,
    unit: unitOf(rule?.measure),
    operationType: rule?.operationType === undefined ? null : maskText(rule.operationType, 100),
    reason: transition.reason,
    detail: transition.detail === null ? null : maskText(transition.detail),
    evidence,
  };
}

/** The unit of what a rule looks at. */
export function unitOf(measure: Measure | undefined): Unit {
  if (measure === undefined) return 'count';
  if (measure.startsWith('component:')) return 'flag';
  if (measure.startsWith('error_rate') || measure.endsWith('_percent')) return 'percent';
  if (measure.startsWith('duration')) return 'ms';
  if (measure.startsWith('throughput')) return 'per_minute';
  if (measure.startsWith('slo_')) return 'times';
  if (measure === 'minutes_without_rows') return 'minutes';
  return measure === 'pending_age_seconds' || measure === 'monitor_degraded' ? 'seconds' : 'count';
}

function templatesOf(
  { kind, rule }: Transition,
  hasValue: boolean,
  texts: Texts,
  book: TemplateBook,
): [title: string, text: string] {
  const own = Object.hasOwn(book, rule) ? book[rule] : undefined;
  const all = Object.hasOwn(book, 'default') ? book.default : undefined;
  const { titles, messages } = texts;
  if (kind === 'resolved')
    return [
      own?.resolved_title ?? all?.resolved_title ?? titles.resolved,
      own?.resolved_message ?? all?.resolved_message ?? messages.resolved,
    ];
  const standard =
    kind === 'firing'
      ? hasValue
        ? titles.firing
        : titles.firing_without_value
      : hasValue
        ? titles.reminder
        : titles.reminder_without_value;
  return [own?.title ?? all?.title ?? standard, own?.message ?? all?.message ?? messages.firing];
}

function valuesOf(
  transition: Transition,
  rule: Rule | undefined,
  texts: Texts,
  sloWords: string | null,
): Record<Placeholder, string> {
  const unit = unitOf(rule?.measure);
  const shown = (value: number | null) =>
    value === null || unit === 'flag' ? '' : quantity(value, unit, texts);
  const { value, peak, threshold, startsAt, endsAt, at } = transition;
  const broken = unit === 'flag' || (transition.kind === 'resolved' ? peak : value) === null;
  const detail = rule?.measure.startsWith('slo_') ? sloWords : transition.detail;
  const { name, down, meaning } = ruleTextOf(transition.rule, rule, texts);
  const values: Record<Placeholder, string> = {
    name: broken ? (down ?? name) : name,
    meaning: '',
    severity: texts.severities[transition.severity],
    rule: transition.rule,
    value: shown(value),
    peak: shown(peak),
    threshold: shown(threshold),
    detail: detail === null ? '' : maskText(detail),
    starts_at: timeText(startsAt),
    ends_at: endsAt === null ? '' : timeText(endsAt),
    duration: durationText((endsAt ?? at) - startsAt, texts),
    operation_type: rule?.operationType === undefined ? '' : maskText(rule.operationType, 100),
  };
  return { ...values, meaning: fill(meaning, values) };
}

/** The words for a rule: those of the language, or made from what a rule of the rules file looks at. */
function ruleTextOf(name: string, rule: Rule | undefined, texts: Texts): RuleText {
  const known = Object.hasOwn(texts.rules, name) ? texts.rules[name] : undefined;
  if (known) return known;
  const meaning = texts.added_meaning;
  if (!rule) return { name, meaning };
  const ofType = rule.operationType === undefined ? '' : ` (${maskText(rule.operationType, 100)})`;
  return { name: `${measureName(rule.measure, texts)}${ofType}`, meaning };
}

function measureName(measure: Measure, texts: Texts): string {
  if (measure.startsWith('component:'))
    return texts.component.replace('{component}', () => measure.slice('component:'.length));
  const [, statistic = '', window = ''] = /^(.*)_(1m|5m|1h|24h)$/.exec(measure) ?? [];
  const words = texts.statistics[statistic as keyof Texts['statistics']];
  if (words !== undefined) return `${words} ${texts.windows[window as WindowName]}`;
  return texts.measures[measure as keyof Texts['measures']] ?? measure;
}

function factsOf(
  transition: Transition,
  values: Readonly<Record<Placeholder, string>>,
  { labels }: Texts,
): Fact[] {
  const resolved = transition.kind === 'resolved';
  const facts: [label: string, value: string][] = [
    [labels.severity, values.severity],
    [labels.value, values.value],
    [labels.peak, transition.kind === 'firing' ? '' : values.peak],
    [labels.threshold, values.value === '' && values.peak === '' ? '' : values.threshold],
    [labels.since, values.starts_at],
    [labels.until, values.ends_at],
    [labels.lasted, resolved ? values.duration : ''],
  ];
  return facts.filter(([, value]) => value !== '').map(([label, value]) => ({ label, value }));
}

function sectionsOf(evidence: EvidenceWire, texts: Texts): Section[] {
  const { labels } = texts;
  const n = (value: number) => quantity(value, 'count', texts);
  const sections: Section[] = [];
  const add = (heading: string, lines: readonly string[]) => {
    if (lines.length > 0) sections.push({ heading, lines });
  };
  if (evidence.window !== null && evidence.errors !== null && evidence.errors > 0) {
    const { affected_customers_count: customers, affected_customers_at_least: more } = evidence;
    const touched =
      customers === null
        ? []
        : [`${labels.affected_customers}: ${more ? `${labels.at_least} ` : ''}${n(customers)}`];
    add(`${labels.errors(evidence.window)}: ${n(evidence.errors)}`, touched);
  }
  const top = evidence.top_errors.map(
    ({ message, operation_type, count }) =>
      `${n(count)} × ${operation_type}: ${message ?? labels.without_message}`,
  );
  if (top.length > 0 && evidence.other_errors > 0)
    top.push(`${n(evidence.other_errors)} × ${labels.other_errors}`);
  add(labels.top_errors, top);
  add(
    labels.failed_batches,
    evidence.failed_batches.map(
      ({ operation_name, total, error_count }) =>
        `${operation_name ?? 'batch_operation'}: ${labels.batch(error_count === null ? null : n(error_count), total === null ? null : n(total))}`,
    ),
  );
  if (evidence.compared !== null) {
    const { this_hour, last_week } = evidence.compared;
    const hour = ({ operations, errors, error_rate }: typeof this_hour) =>
      labels.compared_hour(
        n(operations),
        n(errors),
        error_rate === null ? null : quantity(error_rate, 'percent', texts),
      );
    add(labels.compared, [
      `${labels.this_hour}: ${hour(this_hour)}`,
      `${labels.last_week}: ${hour(last_week)}`,
    ]);
  }
  add(labels.correlation_ids, evidence.sample_correlation_ids);
  return sections;
}

function cut(text: string, limit: number): string {
  const points = [...text];
  return points.length <= limit ? text : `${points.slice(0, limit - 1).join('')}…`;
}
