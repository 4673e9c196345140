/**
 * What the HTTP side needs of alerts, and their form on the wire. Structural: src/alert-service.ts gives it without
 * knowing who asks. Times on the wire are ISO 8601 UTC.
 */
import type { Observable } from 'rxjs';
import type {
  ErrorGroup,
  FailedBatch,
  Reason,
  RuleState,
  Severity,
  SloReading,
  Transition,
} from './alert.js';
import { isoOf } from './iso.js';

interface HourWire {
  readonly operations: number;
  readonly errors: number;
  /** Percent; null without operations. */
  readonly error_rate: number | null;
}

/** What an alert shows for itself; personal data masked. */
export interface EvidenceWire {
  /** Null: this alert is not about a window. */
  readonly window: '5m' | '1h' | null;
  readonly errors: number | null;
  /** The most frequent first. */
  readonly top_errors: readonly ErrorGroup[];
  readonly other_errors: number;
  readonly affected_customers_count: number | null;
  /** There may be more. */
  readonly affected_customers_at_least: boolean;
  readonly sample_correlation_ids: readonly string[];
  readonly failed_batches: readonly FailedBatch[];
  /** The hour up to the alert, and the same one a week before. */
  readonly compared: { readonly this_hour: HourWire; readonly last_week: HourWire } | null;
  readonly link: string | null;
  readonly tail_command: string;
}

export interface AckWire {
  readonly at: string;
  readonly by: string | null;
  readonly note: string | null;
}

/** An alert over all its notices. */
export interface AlertWire {
  /** Of `[a-z0-9_-]`. */
  readonly id: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly state: 'firing' | 'resolved';
  readonly title: string;
  readonly message: string;
  readonly starts_at: string;
  /** Null while it fires. */
  readonly ends_at: string | null;
  readonly duration_seconds: number;
  /** In the unit of its measure, as `threshold`; null where there is none. */
  readonly value: number | null;
  readonly peak: number | null;
  readonly threshold: number;
  readonly reason: string;
  readonly evidence: EvidenceWire | null;
  /** Null: nobody has it in hand. */
  readonly ack: AckWire | null;
}

/** The `alert` message of the WebSocket: one for each transition. */
export interface AlertMessage extends Omit<AlertWire, 'duration_seconds' | 'ack' | 'reason'> {
  readonly type: 'alert';
  readonly kind: Transition['kind'];
  /** When it was decided on. */
  readonly at: string;
  readonly reason: Reason;
}

/** What a transition does not know of its alert. */
export type AlertWords = Pick<AlertWire, 'id' | 'title' | 'message' | 'evidence'>;

export interface SilenceWire {
  readonly id: number;
  /** A rule's name, or `*` for all of them. */
  readonly rule: string;
  readonly starts_at: string;
  readonly ends_at: string;
  readonly reason: string;
  readonly created_by: string | null;
  readonly created_at: string;
  readonly active: boolean;
}

/** Times are ms of the Unix epoch. */
export interface SilenceRequest {
  readonly rule: string;
  /** Undefined: from now on. */
  readonly startsAt: number | undefined;
  readonly endsAt: number;
  readonly reason: string;
  readonly createdBy: string | null;
}

/** How a rule is doing. */
export interface RuleWire {
  readonly name: string;
  readonly severity: Severity;
  readonly state: RuleState['phase'];
  /** Null before its first step. */
  readonly reason: Reason | null;
  /** Last measured while pending or firing. */
  readonly value: number | null;
  readonly threshold: number;
  /** When it came into this state; null: it was never in another. */
  readonly since: string | null;
}

export interface AlertQuery {
  readonly state: 'active' | 'past' | 'all';
  readonly rule?: string | undefined;
  /** Only alerts that began before, ms. */
  readonly before?: number | undefined;
  /** At most 500. */
  readonly limit: number;
}

/**
 * The alerts of one monitor. One object for its whole life, whether it leads or not, so that nobody who listens misses
 * the first transition. A promise that fails because the database cannot be asked carries a `code` as the failures of
 * MonitorView do (`database_unavailable`, `standby`, `starting`).
 */
export interface AlertsView {
  /** Never completes, never fails. */
  readonly transitions$: Observable<AlertMessage>;
  /** Every rule, in its order; none where this process does not decide (a standby, a start). */
  rules(): readonly RuleWire[];
  /** Newest first; of those that began at the same time by id. */
  list(query: AlertQuery): Promise<readonly AlertWire[]>;
  /** The first acknowledgement stays. Null: there is no such alert. */
  acknowledge(id: string, ack: Pick<AckWire, 'by' | 'note'>): Promise<AlertWire | null>;
  /** Those that have not ended, with `past` also those that have. */
  silences(past: boolean): Promise<readonly SilenceWire[]>;
  /** Fails with the code `invalid_silence` and a message for the caller where it cannot be. */
  silence(request: SilenceRequest): Promise<SilenceWire>;
  /** Null: there is none of this id that has not ended. */
  endSilence(id: number): Promise<SilenceWire | null>;
  /** Null: not known yet. */
  slo(): SloReading | null;
  /** Failed attempts and ended notices since the start, by outcome; every outcome is there. */
  deliveries(): Readonly<Record<string, number>>;
}

/** @throws RangeError for a transition at no time */
export function alertMessage(transition: Transition, words: AlertWords): AlertMessage {
  const { rule, severity, kind, value, peak, threshold, reason } = transition;
  return {
    type: 'alert',
    ...{ id: words.id, rule, severity, kind, state: kind === 'resolved' ? 'resolved' : 'firing' },
    ...{ at: wireTime(transition.at), starts_at: wireTime(transition.startsAt) },
    ends_at: transition.endsAt === null ? null : wireTime(transition.endsAt),
    ...{ title: words.title, message: words.message },
    ...{ value, peak, threshold, reason, evidence: words.evidence },
  };
}

function wireTime(ms: number): string {
  const iso = isoOf(ms);
  if (iso === null) throw new RangeError(`${ms} ms is no time`);
  return iso;
}
