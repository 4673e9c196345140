/** What a notice shows for itself: what failed, whom it touched, and how to look further. Personal data masked. */
import type { Evidence, Rule, Transition } from '../../streams/alert.js';
import type { EvidenceWire } from '../../streams/alerts-view.js';
import { maskText } from '../../streams/mask.js';
import { tailCommand } from './tail-command.js';

/** The hour up to the notice, and the same one a week before. */
export type HoursCompared = NonNullable<EvidenceWire['compared']>;
export type HourNumbers = HoursCompared['this_hour'];

/** What the caller knows at the moment of a transition; null: not known, or of no matter for this rule. */
export interface Known {
  readonly evidence: Evidence | null;
  readonly compared: HoursCompared | null;
  /** For rules of the service level objective: how it is doing, a sentence in each language. */
  readonly sloWords?: { readonly en: string; readonly ru: string } | null;
}

export interface EvidenceOptions {
  /** Address of the dashboard, with its path; null where it is not known. */
  readonly publicUrl: string | null;
}

const TOP_ERRORS = 5;
const SAMPLE_IDS = 5;
const BATCHES = 5;
const SHOWN_ERROR = 200;
const SHOWN_NAME = 100;

/** An alert over all its notices. Of `[a-z0-9_-]`, so that it fits into an address. */
export function alertId({ rule, startsAt }: Pick<Transition, 'rule' | 'startsAt'>): string {
  return `${rule}-${startsAt}`;
}

/**
 * Masks everything again, whatever was done before: here is the last door.
 * @param rule undefined where the rule was removed
 */
export function evidenceOf(
  transition: Transition,
  rule: Rule | undefined,
  { evidence, compared }: Known,
  { publicUrl }: EvidenceOptions,
): EvidenceWire {
  return {
    window: evidence?.window ?? null,
    errors: evidence?.errors ?? null,
    top_errors: (evidence?.top_errors ?? [])
      .slice(0, TOP_ERRORS)
      .map(({ message, operation_type, count }) => ({
        message: message === null ? null : maskText(message, SHOWN_ERROR),
        operation_type: maskText(operation_type, SHOWN_NAME),
        count,
      })),
    other_errors: evidence?.other_errors ?? 0,
    affected_customers_count: evidence?.affected_customers ?? null,
    affected_customers_at_least: evidence?.affected_customers_at_least ?? false,
    sample_correlation_ids: (evidence?.correlation_ids ?? [])
      .slice(0, SAMPLE_IDS)
      .map((id) => maskText(id, SHOWN_NAME)),
    failed_batches: (evidence?.failed_batches ?? [])
      .slice(0, BATCHES)
      .map(({ operation_name, total, error_count }) => ({
        operation_name: operation_name === null ? null : maskText(operation_name, SHOWN_NAME),
        total,
        error_count,
      })),
    compared,
    link: publicUrl === null ? null : linkTo(publicUrl, alertId(transition)),
    tail_command: tailCommand(transition, rule, evidence?.window ?? null, publicUrl),
  };
}

function linkTo(publicUrl: string, id: string): string {
  const url = new URL(publicUrl);
  url.username = '';
  url.password = '';
  url.hash = `alert=${encodeURIComponent(id)}`;
  return url.href;
}
