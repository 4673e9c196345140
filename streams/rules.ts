/**
 * Rules and what becomes of them: the table of SPEC section 6, and one step of time. The same function for live, replay
 * and tests; time is what the observation says.
 *
 *     inactive ──over──▶ pending ──for──▶ firing ──back for resolve_for──▶ inactive
 *                           └──back──▶ inactive
 */
import type {
  AlertLimits,
  Measure,
  Observation,
  Reason,
  Rule,
  RuleState,
  Severity,
  Transition,
} from './alert.js';
import { type Measured, measure } from './rules-measure.js';
import { noticeOf, removedNotice } from './rules-notice.js';

/** The settings of the rules, by the names of their variables (src/config-table.ts); null: the rule is off. */
export interface Thresholds {
  readonly ALERT_ERROR_RATE_THRESHOLD: number;
  readonly REALTIME_ERROR_RATE_THRESHOLD: number;
  readonly ALERT_RESPONSE_TIME_P95_THRESHOLD: number;
  readonly ALERT_FAILED_OPERATIONS_THRESHOLD: number;
  readonly ALERT_QUEUE_SIZE_THRESHOLD: number;
  readonly REALTIME_PENDING_THRESHOLD: number;
  readonly HEALTH_CHECK_DISK_THRESHOLD: number;
  readonly ALERT_NO_ACTIVITY_MINUTES: number | null;
  readonly ALERT_CUSTOMERS_AFFECTED: number | null;
}

export interface Stepped {
  /** The very object that was given, where nothing changed. */
  readonly state: Readonly<Record<string, RuleState>>;
  /** In the order of the rules; at most one for each. */
  readonly transitions: readonly Transition[];
  /** Of every rule. */
  readonly reasons: Readonly<Record<string, Reason>>;
}

/** Seconds for which a rule has to be back on the good side before it is resolved, where it says nothing else. */
export const RESOLVE_FOR_SECONDS = 60;
const CONNECTIONS_PERCENT = 90;
/** Catching up for longer than this is being behind. Seconds. */
const BEHIND_SECONDS = 15;

/** The rules of SPEC section 6, without those that are off. */
export function defaultRules(thresholds: Thresholds): Rule[] {
  const { ALERT_NO_ACTIVITY_MINUTES: silent, ALERT_CUSTOMERS_AFFECTED: affected } = thresholds;
  const t = thresholds;
  const rules = [
    rows('high_error_rate', 'critical', 'error_rate_1h', t.ALERT_ERROR_RATE_THRESHOLD, { minimumCount: 20 }),
    rows('realtime_error_rate', 'critical', 'error_rate_5m', t.REALTIME_ERROR_RATE_THRESHOLD, {
      minimumCount: 10,
    }),
    rows('slow_response', 'warning', 'duration_p95_1h', t.ALERT_RESPONSE_TIME_P95_THRESHOLD),
    rows('failed_operations_spike', 'warning', 'errors_1h', t.ALERT_FAILED_OPERATIONS_THRESHOLD),
    rows('queue_overflow', 'critical', 'export_queue', t.ALERT_QUEUE_SIZE_THRESHOLD),
    rows('pending_operations', 'warning', 'pending', t.REALTIME_PENDING_THRESHOLD),
    health('api_unavailable', 'critical', 'component:onec_api', 0, { forSeconds: 60 }),
    health('database_connection', 'critical', 'connections_percent', CONNECTIONS_PERCENT),
    health('redis_unavailable', 'critical', 'component:redis', 0),
    health('celery_workers_down', 'critical', 'component:celery_workers', 0),
    health('disk_space', 'warning', 'disk_used_percent', t.HEALTH_CHECK_DISK_THRESHOLD),
    rows('batch_failure', 'warning', 'batch_failures', 0),
    rows('slo_fast_burn', 'critical', 'slo_fast_burn', 14.4),
    rows('slo_slow_burn', 'warning', 'slo_slow_burn', 6),
    health('monitor_degraded', 'warning', 'monitor_degraded', BEHIND_SECONDS),
  ];
  if (silent !== null) {
    rules.push(rows('no_activity', 'critical', 'minutes_without_rows', silent, { comparison: 'at_least' }));
  }
  if (affected !== null) rules.push(rows('blast_radius', 'critical', 'customers_affected_5m', affected));
  return rules;
}

function rows(
  name: string,
  severity: Severity,
  looksAt: Measure,
  threshold: number,
  more: Partial<Rule> = {},
): Rule {
  return {
    name,
    severity,
    measure: looksAt,
    comparison: 'above',
    threshold,
    minimumCount: 0,
    forSeconds: 0,
    resolveForSeconds: RESOLVE_FOR_SECONDS,
    over: 'rows',
    ...more,
  };
}

function health(
  name: string,
  severity: Severity,
  looksAt: Measure,
  threshold: number,
  more: Partial<Rule> = {},
): Rule {
  return rows(name, severity, looksAt, threshold, { over: 'health', ...more });
}

/**
 * Lets every rule see one observation. Pure; the state is plain JSON, and going on from a copy of it is going on.
 * Elapsed time is only ever counted forward: where `now` lies before an earlier one, counting begins again from there.
 */
export function step(
  rules: readonly Rule[],
  state: Readonly<Record<string, RuleState>>,
  seen: Observation,
  limits: AlertLimits,
): Stepped {
  const transitions: Transition[] = [];
  const reasons: Record<string, Reason> = {};
  let next = state;
  let changed: Record<string, RuleState> | null = null;
  for (const rule of rules) {
    const before = Object.hasOwn(state, rule.name) ? state[rule.name] : undefined;
    const after = advance(rule, before, seen, limits);
    reasons[rule.name] = after.reason;
    if (after.notice !== null) transitions.push(after.notice);
    if (after.state === before || after.state === undefined) continue;
    changed ??= { ...state };
    changed[rule.name] = after.state;
    next = changed;
  }
  for (const name of Object.keys(state)) {
    if (Object.hasOwn(reasons, name)) continue;
    const orphan = state[name] as RuleState;
    // A receiver must not wait for ever for the end of an alert whose rule was removed.
    if (orphan.phase === 'firing' && orphan.noticed) transitions.push(removedNotice(name, orphan, seen.now));
    changed ??= { ...state };
    delete changed[name];
    next = changed;
  }
  return { state: next, transitions, reasons };
}

interface Advanced {
  readonly state: RuleState | undefined;
  readonly reason: Reason;
  readonly notice: Transition | null;
}

function advance(
  rule: Rule,
  before: RuleState | undefined,
  seen: Observation,
  limits: AlertLimits,
): Advanced {
  const { now } = seen;
  const was = before === undefined ? undefined : rewound(before, now);
  if (rule.over === 'rows' && !seen.measurable) {
    return { state: stopped(was, now), reason: 'frozen', notice: null };
  }
  const measured = measure(rule, seen);
  if (measured.side === 'unknown') return { state: stopped(was, now), reason: 'unknown', notice: null };
  const state = thawed(was, now);
  if (measured.side !== 'over') return goodSide(rule, state, measured, seen);
  const risen = rise(rule, state, measured, now);
  if (risen.phase === 'pending') return { state: risen, reason: 'waiting_for', notice: null };
  return remind(rule, risen, measured, seen, limits);
}

/** Over its line: pending, and firing when that lasted. */
function rise(rule: Rule, was: RuleState | undefined, measured: Measured, now: number): RuleState {
  const { value } = measured;
  if (was?.phase === 'firing') {
    const peak = further(rule, was.peak, value);
    if (was.countedFrom === null && was.value === value && was.peak === peak) return was;
    return { ...was, value, peak, countedFrom: null };
  }
  const pending: RuleState =
    was?.phase === 'pending'
      ? { ...was, value, peak: further(rule, was.peak, value) }
      : {
          phase: 'pending',
          since: now,
          value,
          peak: value,
          startsAt: was?.startsAt ?? null,
          countedFrom: now,
          frozenAt: null,
          lastNoticeAt: was?.lastNoticeAt ?? null,
          noticed: false,
          reminders: 0,
          severity: rule.severity,
          threshold: measured.line,
        };
  if (now - (pending.countedFrom ?? now) < rule.forSeconds * 1000) return pending;
  // Later than the last time in any case: the ids of notices are made of it, and a clock can stand still.
  const startsAt = Math.max(Math.floor(now), (pending.startsAt ?? Number.NEGATIVE_INFINITY) + 1);
  return { ...pending, phase: 'firing', since: now, startsAt, countedFrom: null };
}

/** Fires and is over its line now: whether to say so. */
function remind(
  rule: Rule,
  state: RuleState,
  measured: Measured,
  seen: Observation,
  limits: AlertLimits,
): Advanced {
  const { now } = seen;
  const rateLimit = limits.rateLimitSeconds * 1000;
  const quiet = state.lastNoticeAt === null ? Number.POSITIVE_INFINITY : now - state.lastNoticeAt;
  const said = { lastNoticeAt: now, noticed: true, severity: rule.severity, threshold: measured.line };
  if (!state.noticed) {
    if (quiet < rateLimit) return { state, reason: 'rate_limited', notice: null };
    const fired = { ...state, ...said };
    return { state: fired, reason: 'over', notice: noticeOf(rule, fired, 'firing', measured, seen) };
  }
  const reminder = limits.reminderSeconds * 1000;
  if (reminder <= 0 || quiet < Math.max(reminder, rateLimit)) return { state, reason: 'over', notice: null };
  const reminded = { ...state, ...said, reminders: state.reminders + 1 };
  return { state: reminded, reason: 'over', notice: noticeOf(rule, reminded, 'reminder', measured, seen) };
}

/** Not over its line: nothing, or on the way to being resolved. */
function goodSide(rule: Rule, was: RuleState | undefined, measured: Measured, seen: Observation): Advanced {
  const { now } = seen;
  const reason = measured.side as Reason;
  if (was === undefined || was.phase === 'inactive') return { state: was, reason, notice: null };
  const inactive: RuleState = {
    ...was,
    ...{ phase: 'inactive', since: now, value: null, peak: null, countedFrom: null, frozenAt: null },
    ...{ noticed: false, reminders: 0 },
  };
  if (was.phase === 'pending') return { state: inactive, reason, notice: null };
  const countedFrom = was.countedFrom ?? now;
  const { value } = measured;
  if (now - countedFrom < rule.resolveForSeconds * 1000) {
    const same = was.countedFrom === countedFrom && was.value === value;
    return { state: same ? was : { ...was, value, countedFrom }, reason: 'waiting_to_resolve', notice: null };
  }
  // Nobody was told that it fires: nobody needs to be told that it does not.
  if (!was.noticed) return { state: inactive, reason, notice: null };
  const notice = noticeOf(rule, was, 'resolved', measured, seen);
  return { state: { ...inactive, lastNoticeAt: now }, reason, notice };
}

/** Nothing can be measured: what is being counted stands still. */
function stopped(was: RuleState | undefined, now: number): RuleState | undefined {
  if (was === undefined || was.countedFrom === null || was.frozenAt !== null) return was;
  return { ...was, frozenAt: now };
}

function thawed(was: RuleState | undefined, now: number): RuleState | undefined {
  if (was === undefined || was.frozenAt === null) return was;
  const countedFrom = was.countedFrom === null ? null : was.countedFrom + (now - was.frozenAt);
  return { ...was, countedFrom, frozenAt: null };
}

/** Where the clock went back, what was counted from a time that has not come yet is counted from now. */
function rewound(was: RuleState, now: number): RuleState {
  const { countedFrom, frozenAt, lastNoticeAt } = was;
  if ((countedFrom ?? now) <= now && (frozenAt ?? now) <= now && (lastNoticeAt ?? now) <= now) return was;
  const past = (time: number | null): number | null => (time === null ? null : Math.min(time, now));
  return {
    ...was,
    countedFrom: past(countedFrom),
    frozenAt: past(frozenAt),
    lastNoticeAt: past(lastNoticeAt),
  };
}

function further(rule: Rule, peak: number | null, value: number | null): number | null {
  if (peak === null || value === null) return peak ?? value;
  return rule.comparison === 'below' ? Math.min(peak, value) : Math.max(peak, value);
}
