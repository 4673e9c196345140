/** Notices, and the ids that stay the same however often one is decided on. */
import type { Observation, Reason, Rule, RuleState, Transition } from './alert.js';
import { detailOf, type Measured } from './rules-measure.js';

/** What is to be said of a rule that was just measured. */
export function noticeOf(
  rule: Rule,
  state: RuleState,
  kind: Transition['kind'],
  measured: Measured,
  seen: Observation,
): Transition {
  const { startsAt, at } = timesOf(state, seen.now);
  return {
    id: idOf(rule.name, startsAt, kind, state.reminders),
    rule: rule.name,
    severity: rule.severity,
    kind,
    at,
    startsAt,
    endsAt: kind === 'resolved' ? at : null,
    value: measured.value,
    peak: state.peak,
    threshold: kind === 'resolved' ? state.threshold : measured.line,
    reason: measured.side as Reason,
    detail: detailOf(rule, seen),
  };
}

/** The end of an alert whose rule does not exist any more. */
export function removedNotice(name: string, state: RuleState, now: number): Transition {
  const { startsAt, at } = timesOf(state, now);
  return {
    ...{ id: idOf(name, startsAt, 'resolved', 0), rule: name, severity: state.severity, kind: 'resolved' },
    ...{ at, startsAt, endsAt: at, value: state.value, peak: state.peak, threshold: state.threshold },
    ...{ reason: 'rule_removed', detail: null },
  };
}

function idOf(rule: string, startsAt: number, kind: Transition['kind'], reminders: number): string {
  return kind === 'reminder' ? `${rule}:${startsAt}:reminder:${reminders}` : `${rule}:${startsAt}:${kind}`;
}

/** Whole milliseconds; an alert never ends before it starts, whatever the clock does. */
function timesOf(state: RuleState, now: number): { startsAt: number; at: number } {
  const startsAt = state.startsAt ?? Math.floor(now);
  return { startsAt, at: Math.max(Math.floor(now), startsAt) };
}
