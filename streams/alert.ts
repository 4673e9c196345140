/**
 * The values of alerts: what a rule says, what it looks at, what becomes of it, and what a notice can show for it.
 * Plain JSON throughout. Times are ms of the Unix epoch by the database's clock. Who decides is in rules.ts.
 */
import type { Completeness } from './event.js';
import { type OperationNumbers, type Queue, WINDOW_NAMES, type WindowName } from './snapshot.js';

export type Severity = 'critical' | 'warning';

/** What can be asked of a window. Rates are percent, durations ms, throughput is operations per minute. */
export const WINDOW_STATISTICS = [
  'error_rate',
  'errors',
  'operations',
  'duration_p50',
  'duration_p95',
  'duration_p99',
  'duration_avg',
  'throughput',
] as const;
export type WindowStatistic = (typeof WINDOW_STATISTICS)[number];

/** Measures that are no statistic of a window; what each means: rules-measure.ts. */
export const OTHER_MEASURES = [
  'export_queue',
  'pending',
  'pending_age_seconds',
  'batch_failures',
  'customers_affected_5m',
  'minutes_without_rows',
  'slo_fast_burn',
  'slo_slow_burn',
  'connections_percent',
  'disk_used_percent',
  'monitor_degraded',
] as const;
export type OtherMeasure = (typeof OTHER_MEASURES)[number];

/** What a rule looks at; `component:<name>` is 1 while that component of health is not well, else 0. */
export type Measure = `${WindowStatistic}_${WindowName}` | OtherMeasure | `component:${string}`;

/** Every measure but those of components. */
export const MEASURES: readonly Measure[] = [
  ...WINDOW_STATISTICS.flatMap((statistic) =>
    WINDOW_NAMES.map((window): Measure => `${statistic}_${window}`),
  ),
  ...OTHER_MEASURES,
];

/** Side of the threshold on which a rule is over its line. */
export const COMPARISONS = ['above', 'at_least', 'below'] as const;
export type Comparison = (typeof COMPARISONS)[number];

export interface Rule {
  /** A letter, then `[a-z0-9_]`: it is part of the ids of notices. */
  readonly name: string;
  readonly severity: Severity;
  readonly measure: Measure;
  /** Only for measures of windows and `pending`, `pending_age_seconds`; absent: all types. */
  readonly operationType?: string | undefined;
  readonly comparison: Comparison;
  readonly threshold: number;
  /** With fewer rows (of a duration: with a duration) in the window it is not over its line; 0: any number will do. */
  readonly minimumCount: number;
  /** How long it has to be over its line before it fires. */
  readonly forSeconds: number;
  /** How long it has to be back before it is resolved. */
  readonly resolveForSeconds: number;
  /** Rules over rows freeze while rows cannot be measured. */
  readonly over: 'rows' | 'health';
  /** Absent: all receivers. */
  readonly receivers?: readonly string[] | undefined;
}

export interface ComponentReading {
  readonly status: 'healthy' | 'degraded' | 'unhealthy' | 'not_configured';
  readonly since: number;
  readonly message: string;
  /**
   * Read by rules: of `database` the numbers `connections_used` and `connections_max`, of `disk` the number
   * `used_percent`.
   */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** Errors and operations of a period. */
export interface SloCount {
  readonly errors: number;
  readonly total: number;
}

export const SLO_WINDOWS = ['5m', '30m', '1h', '6h', '3d'] as const;
export type SloWindow = (typeof SLO_WINDOWS)[number];

/** One condition on the speed at which the error budget goes: over a long window, and over a short one still. */
export interface SloBurn {
  readonly long: SloWindow;
  readonly short: SloWindow;
  /** Burn rate above which both must be. */
  readonly line: number;
  /** The smaller of the two burn rates; null where one has no operations or is not known. */
  readonly rate: number | null;
  /** Whether the long window holds enough to judge by. */
  readonly enough: boolean;
}

/** How the service level objective is doing (SPEC section 7), and a sentence about it. */
export interface SloReading extends SloNumbers {
  readonly words: { readonly en: string; readonly ru: string };
}

/** The numbers that rules look at. */
export interface SloNumbers {
  /** Percent of operations that ought not to be errors. */
  readonly target: number;
  readonly windowDays: number;
  /** Over the whole of the window; null while it is not known. */
  readonly counts: SloCount | null;
  /** 1: nothing used up, 0: gone, below 0: overdrawn; null without operations. */
  readonly budgetLeft: number | null;
  /** 1 uses the budget up in exactly the window; null without operations. */
  readonly burnRates: Readonly<Record<SloWindow, number | null>>;
  readonly fast: SloBurn;
  readonly slow: SloBurn;
  /** Slower still: also `slo_slow_burn`. */
  readonly steady: SloBurn;
  /** Until the budget is gone at the speed of the last hour; 0: it is gone; null: not known, or it lasts. */
  readonly goneInSeconds: number | null;
}

/** The numbers that rules need and windows do not have. Made by incidents.ts. */
export interface IncidentsView {
  /** `batch_operation` rows of the last 5 minutes that failed or reported errors. */
  readonly failedBatches5m: number;
  /** Distinct customers of errors in the window 5m. */
  readonly customersAffected5m: number;
  /** There may be more: a bound was reached. */
  readonly customersAffectedAtLeast: boolean;
  /** When the newest row was written or arrived; null: none was seen. */
  readonly newestRowAt: number | null;
  /** Since when rows are looked at; null: no batch and no tick yet. */
  readonly watchedSince: number | null;
}

export interface ErrorGroup {
  /** Masked, at most 200 characters, one of those that differ in numbers only; null: errors without a message. */
  readonly message: string | null;
  readonly operation_type: string;
  readonly count: number;
}

export interface FailedBatch {
  readonly operation_name: string | null;
  readonly total: number | null;
  readonly error_count: number | null;
}

/** What a message shows for an alert, as it goes over the wire; personal data masked. */
export interface Evidence {
  readonly window: '5m' | '1h';
  readonly errors: number;
  /** The most frequent first. */
  readonly top_errors: readonly ErrorGroup[];
  /** Errors whose messages found no room among the groups. */
  readonly other_errors: number;
  readonly affected_customers: number;
  /** There may be more: a bound was reached. */
  readonly affected_customers_at_least: boolean;
  /** Of the newest errors, newest first. */
  readonly correlation_ids: readonly string[];
  /** Of the last 5 minutes, newest first. */
  readonly failed_batches: readonly FailedBatch[];
}

export type SeenNumbers = Pick<
  OperationNumbers,
  | 'total_operations'
  | 'error_count'
  | 'error_rate'
  | 'throughput_per_minute'
  | 'duration_count'
  | `duration_${'p50' | 'p95' | 'p99' | 'avg'}_ms`
>;

/** The numbers of no rows. */
export const NOTHING_SEEN: SeenNumbers = {
  total_operations: 0,
  error_count: 0,
  error_rate: null,
  throughput_per_minute: 0,
  duration_count: 0,
  duration_p50_ms: null,
  duration_p95_ms: null,
  duration_p99_ms: null,
  duration_avg_ms: null,
};

export interface SeenWindow extends SeenNumbers {
  readonly by_type: Readonly<Record<string, SeenNumbers>>;
}

/** What rules look at of a Snapshot; less than all of it, because replay takes a hundred thousand of them. */
export interface SeenSnapshot {
  readonly windows: Readonly<Record<WindowName, SeenWindow>>;
  readonly queue: Queue;
  readonly completeness: Completeness;
}

/** All that rules may look at, of one moment. */
export interface Observation {
  readonly now: number;
  readonly snapshot: SeenSnapshot | null;
  /** Whether the numbers over rows can be believed; while not, rules over rows are frozen. */
  readonly measurable: boolean;
  /** One sentence; null while measurable. */
  readonly unmeasurableReason: string | null;
  /** Since when it is not measurable; null while it is. */
  readonly unmeasurableSince: number | null;
  /** Rows could not be measured yet since the start, and reading gets on: nothing is wrong with that. */
  readonly starting: boolean;
  /** By name (`database`, `listener`, `redis`, `disk`, `onec_api`, `celery_workers`, ...); an absent one was not checked yet. */
  readonly components: Readonly<Record<string, ComponentReading>>;
  readonly slo: SloNumbers | null;
  readonly incidents: IncidentsView;
}

/** Why a rule is in its state. */
export type Reason =
  /** On the good side of its line. */
  | 'below'
  /** Nothing to measure (a rate of nothing), or not configured: on the good side. */
  | 'no_data'
  | 'too_few_events'
  /** Over its line, but not for long enough yet. */
  | 'waiting_for'
  | 'over'
  /** Fires, and is back on the good side, but not for long enough yet. */
  | 'waiting_to_resolve'
  /** Fires, and its notice waits because the last one was sent not long ago. */
  | 'rate_limited'
  /** What it looks at cannot be measured now: everything stays as it is. */
  | 'frozen'
  /** What it looks at was not asked yet: likewise. */
  | 'unknown'
  /** The rule does not exist any more. */
  | 'rule_removed';

/** What is remembered of a rule from step to step, and over restarts. */
export interface RuleState {
  readonly phase: 'inactive' | 'pending' | 'firing';
  /** When it came into this phase. */
  readonly since: number;
  /** Last measured while pending or firing. */
  readonly value: number | null;
  /** Furthest over the line since it was pending. */
  readonly peak: number | null;
  /** When it began to fire; of the last time where it does not. Grows from time to time, whatever the clock does. */
  readonly startsAt: number | null;
  /** From here `for` (pending) or `resolve_for` (firing, below its line) is counted; moved on by what was frozen. */
  readonly countedFrom: number | null;
  /** Since when the count stands still. */
  readonly frozenAt: number | null;
  /** When its last notice (of any kind) was decided on. */
  readonly lastNoticeAt: number | null;
  /** Whether a notice says that it fires; false while that notice waits for the rate limit. */
  readonly noticed: boolean;
  /** Reminders since it fires. */
  readonly reminders: number;
  /** As in the last notice: for the day on which the rule is removed. */
  readonly severity: Severity;
  readonly threshold: number;
}

/** A notice to be sent. Between two of kind `firing` there is always one of kind `resolved`, of the same startsAt. */
export interface Transition {
  /** The same for the same event, however often it is decided: rule, startsAt, kind and number of the reminder. */
  readonly id: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly kind: 'firing' | 'resolved' | 'reminder';
  /** When it was decided on. */
  readonly at: number;
  readonly startsAt: number;
  /** Only of `resolved`. */
  readonly endsAt: number | null;
  /** In the unit of its measure; null where there is none. */
  readonly value: number | null;
  readonly peak: number | null;
  readonly threshold: number;
  readonly reason: Reason;
  /** What no number says (a component's message), English, masked; else null. */
  readonly detail: string | null;
}

export interface AlertLimits {
  /** Least time from a notice of a rule to its next one that says that it fires. */
  readonly rateLimitSeconds: number;
  /** 0: no reminders. */
  readonly reminderSeconds: number;
}
