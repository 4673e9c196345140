/** The answers about alerts as zod schemas, as those of schemas.ts. */
import { z } from '@hono/zod-openapi';
import { type Reason, SLO_WINDOWS, type SloBurn, type SloReading } from '../../streams/alert.js';
import type { AlertWire, EvidenceWire, RuleWire, SilenceWire } from '../../streams/alerts-view.js';
import { count, instant, percent } from './schemas.js';

const REASONS = [
  ...['below', 'no_data', 'too_few_events', 'waiting_for', 'over', 'waiting_to_resolve'],
  ...['rate_limited', 'frozen', 'unknown', 'rule_removed'],
] as const satisfies readonly Reason[];

const text = z.string().nullable();
const number = z.number().nullable();

export const severity = z.enum(['critical', 'warning']);
export const reason = z.enum(REASONS).openapi({ description: 'Why the rule is in its state.' });

const hour = z.strictObject({ operations: count, errors: count, error_rate: percent });

const evidence = z
  .strictObject({
    window: z.enum(['5m', '1h']).nullable(),
    errors: count.nullable(),
    top_errors: z
      .array(z.strictObject({ message: text, operation_type: z.string(), count }))
      .readonly()
      .openapi({ description: 'The most frequent first, personal data masked.' }),
    other_errors: count,
    affected_customers_count: count.nullable(),
    affected_customers_at_least: z.boolean().openapi({ description: 'True: there may be more.' }),
    sample_correlation_ids: z.array(z.string()).readonly(),
    failed_batches: z
      .array(z.strictObject({ operation_name: text, total: number, error_count: number }))
      .readonly(),
    compared: z
      .strictObject({ this_hour: hour, last_week: hour })
      .nullable()
      .openapi({ description: 'The hour up to the alert, and the same one a week before.' }),
    link: text,
    tail_command: z.string(),
  })
  .openapi('AlertEvidence') satisfies z.ZodType<EvidenceWire>;

const ack = z
  .strictObject({ at: instant, by: text, note: text })
  .nullable()
  .openapi({ description: 'Who has it in hand; null: nobody said so.' });

export const alertShape = {
  id: z.string(),
  rule: z.string(),
  severity,
  state: z.enum(['firing', 'resolved']),
  title: z.string(),
  message: z.string(),
  starts_at: instant,
  ends_at: instant.nullable().openapi({ description: 'Null while it fires.' }),
  duration_seconds: z.number().min(0),
  value: number.openapi({ description: 'In the unit of the threshold; null where there is none.' }),
  peak: number.openapi({ description: 'Furthest over the threshold so far.' }),
  threshold: z.number(),
  reason: z.string(),
  evidence: evidence.nullable(),
  ack,
};

export const alert = z.strictObject(alertShape).openapi('Alert') satisfies z.ZodType<AlertWire>;

const rule = z
  .strictObject({
    name: z.string(),
    severity,
    state: z.enum(['inactive', 'pending', 'firing']),
    reason: reason.nullable(),
    value: number,
    threshold: z.number(),
    since: instant.nullable(),
  })
  .openapi('AlertRule') satisfies z.ZodType<RuleWire>;

export const alertsAnswer = z
  .strictObject({
    alerts: z.array(alert).readonly(),
    next_before: instant
      .nullable()
      .openapi({ description: 'Ask with before set to it for the next page; null: there is none.' }),
    rules: z
      .array(rule)
      .readonly()
      .openapi({ description: 'Every rule now; none where this process does not decide.' }),
    deliveries: z.record(z.string(), count).openapi({
      description: 'Notices that ended and attempts that failed since the start of this process, by outcome.',
    }),
  })
  .openapi('AlertsAnswer');

export const silence = z
  .strictObject({
    id: z.number().int(),
    rule: z.string().openapi({ description: 'A rule, or * for all of them.' }),
    starts_at: instant,
    ends_at: instant,
    reason: z.string(),
    created_by: text,
    created_at: instant,
    active: z.boolean(),
  })
  .openapi('Silence') satisfies z.ZodType<SilenceWire>;

export const silencesAnswer = z
  .strictObject({ silences: z.array(silence).readonly() })
  .openapi('SilencesAnswer');

const window = z.enum(SLO_WINDOWS);
const burnRate = z
  .number()
  .min(0)
  .nullable()
  .openapi({ description: '1 uses the budget up in exactly the window; null without operations.' });
const burn = z
  .strictObject({
    long_window: window,
    short_window: window,
    threshold: z.number(),
    burn_rate: burnRate,
    enough_events: z.boolean(),
    burning: z.boolean(),
  })
  .openapi('SloBurn');

export const sloAnswer = z
  .strictObject({
    target_percent: z.number(),
    window_days: z.number(),
    total_operations: count.nullable().openapi({ description: 'Of the window; null while it is not known.' }),
    error_count: count.nullable(),
    error_budget_remaining_ratio: z
      .number()
      .max(1)
      .nullable()
      .openapi({ description: '1: nothing used up, below 0: overdrawn; null without operations.' }),
    burn_rates: z.strictObject(
      Object.fromEntries(SLO_WINDOWS.map((name) => [name, burnRate])) as Record<
        (typeof SLO_WINDOWS)[number],
        typeof burnRate
      >,
    ),
    conditions: z.strictObject({ fast: burn, slow: burn, steady: burn }),
    budget_gone_in_seconds: z.number().min(0).nullable().openapi({
      description: 'At the speed of the last hour; 0: it is gone; null: not known, or it lasts.',
    }),
    summary: z.strictObject({ en: z.string(), ru: z.string() }),
  })
  .openapi('Slo');

function burnAnswer({ long, short, line, rate, enough }: SloBurn): z.infer<typeof burn> {
  return {
    ...{ long_window: long, short_window: short, threshold: line, burn_rate: rate, enough_events: enough },
    burning: enough && rate !== null && rate > line,
  };
}

/** A reading in the form of the wire. */
export function sloAnswerOf(reading: SloReading): z.infer<typeof sloAnswer> {
  const { target, windowDays, counts, budgetLeft, burnRates, fast, slow, steady, goneInSeconds, words } =
    reading;
  return {
    ...{ target_percent: target, window_days: windowDays },
    ...{ total_operations: counts?.total ?? null, error_count: counts?.errors ?? null },
    error_budget_remaining_ratio: budgetLeft,
    burn_rates: burnRates,
    conditions: { fast: burnAnswer(fast), slow: burnAnswer(slow), steady: burnAnswer(steady) },
    budget_gone_in_seconds: goneInSeconds,
    summary: words,
  };
}
