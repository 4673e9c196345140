/** What the texts of a language consist of. Sentences are templates, so that a rules file can put its own in their place. */
import type { OtherMeasure, Severity, WindowStatistic } from '../../streams/alert.js';
import type { WindowName } from '../../streams/snapshot.js';

/** What a template may name in braces; each is text that is ready to be shown. */
export const PLACEHOLDERS = [
  'name',
  'meaning',
  'severity',
  'rule',
  'value',
  'peak',
  'threshold',
  'detail',
  'starts_at',
  'ends_at',
  'duration',
  'operation_type',
] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

/** Templates of one rule, or of all (`default`); what is absent stays as the language has it. */
export interface Templates {
  readonly title?: string | undefined;
  readonly message?: string | undefined;
  readonly resolved_title?: string | undefined;
  readonly resolved_message?: string | undefined;
}
export const TEMPLATE_KEYS = ['title', 'message', 'resolved_title', 'resolved_message'] as const;

/** By rule, or `default`. */
export type TemplateBook = Readonly<Record<string, Templates>>;

export type Unit = 'percent' | 'ms' | 'seconds' | 'minutes' | 'per_minute' | 'count' | 'times' | 'flag';

export interface Labels {
  readonly severity: string;
  readonly value: string;
  readonly peak: string;
  readonly threshold: string;
  readonly since: string;
  readonly until: string;
  readonly lasted: string;
  readonly errors: (window: '5m' | '1h') => string;
  readonly top_errors: string;
  readonly other_errors: string;
  readonly without_message: string;
  readonly affected_customers: string;
  readonly at_least: string;
  readonly correlation_ids: string;
  readonly failed_batches: string;
  readonly batch: (errors: string | null, total: string | null) => string;
  readonly compared: string;
  readonly compared_hour: (operations: string, errors: string, rate: string | null) => string;
  readonly this_hour: string;
  readonly last_week: string;
  readonly link: string;
  readonly tail_command: string;
}

export interface RuleText {
  /** What the rule looks at, as the subject of a title. */
  readonly name: string;
  /** The same where there is no value to show: something is simply broken. */
  readonly down?: string;
  /** One sentence: what it means, or where to look. */
  readonly meaning: string;
}

export interface Texts {
  readonly locale: 'en' | 'ru';
  readonly severities: Readonly<Record<Severity, string>>;
  readonly titles: {
    readonly firing: string;
    /** Of a rule that is broken or not, and has no value to show. */
    readonly firing_without_value: string;
    readonly reminder: string;
    readonly reminder_without_value: string;
    readonly resolved: string;
    readonly test: string;
  };
  readonly messages: { readonly firing: string; readonly resolved: string; readonly test: string };
  readonly rules: Readonly<Record<string, RuleText>>;
  /** For the rules that a file adds. */
  readonly statistics: Readonly<Record<WindowStatistic, string>>;
  readonly windows: Readonly<Record<WindowName, string>>;
  readonly measures: Readonly<Record<OtherMeasure, string>>;
  /** With the component's name for {component}. */
  readonly component: string;
  readonly added_meaning: string;
  readonly units: Readonly<Record<Exclude<Unit, 'count' | 'flag'>, string>>;
  /** Days, hours, minutes, seconds. */
  readonly clock: readonly [string, string, string, string];
  readonly labels: Labels;
}

/** The names in braces of a template that are none of ours. */
export function unknownPlaceholders(template: string): string[] {
  const known: readonly string[] = PLACEHOLDERS;
  return [...template.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name).filter((n) => !known.includes(n));
}

/** The template with its names in braces replaced. What is put in is never read as a template again. */
export function fill(template: string, values: Readonly<Record<Placeholder, string>>): string {
  return template
    .replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? values[name as Placeholder] : whole))
    .replace(/[ \t]{2,}/g, ' ')
    .trim();
}

/** A number with its unit. */
export function quantity(value: number, unit: Unit, texts: Texts): string {
  const number = new Intl.NumberFormat(texts.locale, { maximumFractionDigits: value < 100 ? 2 : 0 }).format(
    value,
  );
  if (unit === 'count' || unit === 'flag') return number;
  return `${number}${texts.units[unit]}`;
}

/** `1 h 5 min`: the two largest units, ms rounded to seconds. */
export function durationText(ms: number, { clock: [d, h, m, s] }: Texts): string {
  let rest = Math.max(0, Math.round(ms / 1_000));
  const parts: string[] = [];
  for (const [seconds, name] of [
    [86_400, d],
    [3_600, h],
    [60, m],
    [1, s],
  ] as const) {
    const n = Math.floor(rest / seconds);
    rest -= n * seconds;
    if (n > 0) parts.push(`${n} ${name}`);
    // No seconds beside days.
    if (parts.length > 0 && seconds === 60 && parts.length + (rest > 0 ? 1 : 0) > 2) break;
  }
  return parts.length === 0 ? `0 ${s}` : parts.slice(0, 2).join(' ');
}

/** `2026-01-31 12:00:05 UTC`. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
