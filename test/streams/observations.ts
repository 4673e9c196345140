/** Observations for the tests of rules. */
import {
  type AlertLimits,
  type IncidentsView,
  NOTHING_SEEN,
  type Observation,
  type Rule,
  type SeenNumbers,
} from '../../streams/alert.js';
import type { SyncRow } from '../../streams/event.js';
import { Fold } from '../../streams/fold.js';
import { Incidents } from '../../streams/incidents.js';
import { defaultRules, step, type Thresholds } from '../../streams/rules.js';
import { batch, COMPLETE, NOON } from './rows.js';

export const LIMITS: AlertLimits = { rateLimitSeconds: 300, reminderSeconds: 0 };

/** The defaults of SPEC section 6; the last two are off there. */
export const THRESHOLDS: Thresholds = {
  ALERT_ERROR_RATE_THRESHOLD: 10,
  REALTIME_ERROR_RATE_THRESHOLD: 20,
  ALERT_RESPONSE_TIME_P95_THRESHOLD: 2000,
  ALERT_FAILED_OPERATIONS_THRESHOLD: 50,
  ALERT_QUEUE_SIZE_THRESHOLD: 1000,
  REALTIME_PENDING_THRESHOLD: 100,
  HEALTH_CHECK_DISK_THRESHOLD: 90,
  ALERT_NO_ACTIVITY_MINUTES: null,
  ALERT_CUSTOMERS_AFFECTED: null,
};

export const NO_INCIDENTS: IncidentsView = {
  failedBatches5m: 0,
  customersAffected5m: 0,
  customersAffectedAtLeast: false,
  newestRowAt: null,
  watchedSince: null,
};

/** A rule over the error rate of the last hour: above 10, from 20 operations on. */
export function rateRule(fields: Partial<Rule> = {}): Rule {
  return {
    name: 'rate',
    severity: 'critical',
    measure: 'error_rate_1h',
    comparison: 'above',
    threshold: 10,
    minimumCount: 20,
    forSeconds: 0,
    resolveForSeconds: 60,
    over: 'rows',
    ...fields,
  };
}

/** `seconds` after noon; every window says the same. */
export function observe(
  seconds: number,
  numbers: Partial<SeenNumbers>,
  fields: Partial<Observation> = {},
): Observation {
  const window = { ...NOTHING_SEEN, ...numbers, by_type: {} };
  return {
    now: NOON + seconds * 1000,
    snapshot: {
      windows: { '1m': window, '5m': window, '1h': window, '24h': window },
      queue: { pending_operations: 0, export_queue: 0, oldest_age_seconds: null, by_type: {} },
      completeness: COMPLETE,
    },
    measurable: true,
    unmeasurableReason: null,
    unmeasurableSince: null,
    starting: false,
    components: {},
    slo: null,
    incidents: NO_INCIDENTS,
    ...fields,
  };
}

/** An error rate of so many percent, over a hundred operations. */
export function rate(seconds: number, percent: number): Observation {
  return observe(seconds, { total_operations: 100, error_count: percent, error_rate: percent });
}

/** The same while rows cannot be measured: the numbers must not matter. */
export function blind(seconds: number, percent: number): Observation {
  return {
    ...rate(seconds, percent),
    measurable: false,
    unmeasurableReason: 'Nothing can be read: connection refused.',
    unmeasurableSince: NOON + seconds * 1000,
  };
}

/** Rows that came live, then a tick; all is well otherwise. */
export function observed(
  rows: readonly SyncRow[],
  fields: Partial<Observation> = {},
  options: { batchErrors?: number; now?: number } = {},
): Observation {
  const { batchErrors = 1, now = NOON } = options;
  const fold = new Fold();
  const incidents = new Incidents({ batchErrors });
  for (const part of [[], rows]) {
    fold.apply(batch(NOON, { rows: part }));
    incidents.apply(batch(NOON, { rows: part }));
  }
  fold.advance({ now, completeness: COMPLETE, lagMs: 0 });
  incidents.advance(now);
  return {
    now,
    snapshot: fold.snapshot(),
    measurable: true,
    unmeasurableReason: null,
    unmeasurableSince: null,
    starting: false,
    components: {},
    slo: null,
    incidents: incidents.view(),
    ...fields,
  };
}

/** Names of the rules that fire on this alone. */
export function firing(seen: Observation, thresholds: Partial<Thresholds> = {}): string[] {
  const rules = defaultRules({ ...THRESHOLDS, ...thresholds });
  return step(rules, {}, seen, LIMITS).transitions.map(({ rule }) => rule);
}
