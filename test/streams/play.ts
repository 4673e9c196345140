/**
 * Truth tables of a rule: each line is one moment, what was measured, and what has to come of it. State goes through JSON
 * between any two lines, as it does over a restart.
 */
import { expect } from 'vitest';
import type { AlertLimits, Observation, Reason, Rule, RuleState, Transition } from '../../streams/alert.js';
import { step } from '../../streams/rules.js';
import { blind, observe, rate } from './observations.js';

export type Line = readonly [
  second: number,
  /** Error rate in percent of 100 operations; `blind`: likewise, but rows cannot be measured; null: no operations. */
  seen: number | { readonly blind: number } | Observation | null,
  phase: RuleState['phase'],
  reason: Reason,
  notice?: Transition['kind'],
];

/** Plays the lines to one rule; gives the notices. */
export function play(rule: Rule, limits: AlertLimits, lines: readonly Line[]): Transition[] {
  let state: Readonly<Record<string, RuleState>> = {};
  const notices: Transition[] = [];
  lines.forEach(([second, seen, phase, reason, notice], i) => {
    const stepped = step([rule], state, observationOf(second, seen), limits);
    const actual = {
      phase: stepped.state[rule.name]?.phase ?? 'inactive',
      reason: stepped.reasons[rule.name],
      notice: stepped.transitions.map(({ kind }) => kind).join(),
    };
    expect(actual, `line ${i + 1}, second ${second}`).toEqual({ phase, reason, notice: notice ?? '' });
    notices.push(...stepped.transitions);
    state = JSON.parse(JSON.stringify(stepped.state)) as typeof state;
  });
  return notices;
}

function observationOf(second: number, seen: Line[1]): Observation {
  if (seen === null) return observe(second, {});
  if (typeof seen === 'number') return rate(second, seen);
  return 'blind' in seen ? blind(second, seen.blind) : seen;
}
