/** What a replay has to look at so that its rules can be judged. */
import type { Evidence, Rule } from '../../streams/alert.js';
import type { WantedWindows } from '../../streams/periods.js';
import { windowMeasure } from '../../streams/rules-measure.js';
import { WINDOW_NAMES } from '../../streams/snapshot.js';

export function wantedBy(rules: readonly Rule[]): WantedWindows {
  return WINDOW_NAMES.map((name) => {
    const of = rules.filter((rule) => windowMeasure(rule.measure)?.window === name);
    const types = of.flatMap(({ operationType }) => (operationType === undefined ? [] : [operationType]));
    const durations = of.some((rule) => rule.measure.startsWith('duration'));
    return of.length === 0 ? null : { types: [...new Set(types)], durations };
  });
}

/** The window whose errors tell what an alert was about; null where it is not about errors. */
export function evidenceWindow({ measure: of }: Rule): Evidence['window'] | null {
  if (of.startsWith('slo_')) return '1h';
  if (of === 'batch_failures' || of === 'customers_affected_5m') return '5m';
  if (!of.startsWith('error')) return null;
  return /_(1m|5m)$/.test(of) ? '5m' : '1h';
}
