/** What an alert's value is of, and how it is written. Pure. */
import type { AlertWire, RuleWire } from '../../../../../streams/alerts-view.js';
import type { Format } from '../../format.js';
import type { RuleName } from '../../i18n/en/alerts.js';
import { bareTitle } from '../../status.js';

export type Unit = 'percent' | 'ms' | 'seconds' | 'minutes' | 'times' | 'count' | 'flag';

/** Of the standard rules, whose measures no file can change (src/alerts/rules-file-rule.ts). */
const UNITS: Readonly<Record<string, Unit>> = {
  high_error_rate: 'percent',
  realtime_error_rate: 'percent',
  slow_response: 'ms',
  failed_operations_spike: 'count',
  queue_overflow: 'count',
  pending_operations: 'count',
  api_unavailable: 'flag',
  database_connection: 'percent',
  redis_unavailable: 'flag',
  celery_workers_down: 'flag',
  disk_space: 'percent',
  batch_failure: 'count',
  no_activity: 'minutes',
  slo_fast_burn: 'times',
  slo_slow_burn: 'times',
  blast_radius: 'count',
  monitor_degraded: 'seconds',
};

/** Null: a rule of somebody's own, whose number is shown as it is. */
export function unitOf(rule: string): Unit | null {
  return Object.hasOwn(UNITS, rule) ? (UNITS[rule] ?? null) : null;
}

/** What its rule measures now: an alert itself keeps what it was told with. Null: not known. */
export function valueNow(
  { rule }: Pick<AlertWire, 'rule'>,
  rules: readonly Pick<RuleWire, 'name' | 'state' | 'value'>[],
): number | null {
  const found = rules.find(({ name }) => name === rule);
  return found?.state === 'firing' ? found.value : null;
}

/** Null where there is no number to be shown: something works or does not. */
export function quantity(
  value: number | null,
  unit: Unit | null,
  format: Pick<Format, 'number' | 'percent' | 'millis' | 'span'>,
): string | null {
  if (value === null) return null;
  switch (unit) {
    case 'flag':
      return null;
    case 'percent':
      return format.percent(value);
    case 'ms':
      return format.millis(value);
    case 'seconds':
      return format.span(value);
    case 'minutes':
      return format.span(value * 60);
    case 'times':
      return `${format.number(value)}×`;
    case 'count':
    case null:
      return format.number(value);
  }
}

/** What an alert is called: its rule in the viewer's language, or its title where the rule is somebody's own. */
export function nameOf(
  { rule, value, title }: { readonly rule: string; readonly value: number | null; readonly title: string },
  rules: Readonly<Record<string, RuleName>>,
): string {
  const known = Object.hasOwn(rules, rule) ? rules[rule] : undefined;
  if (known === undefined) return bareTitle(title);
  return value === null ? (known.down ?? known.name) : known.name;
}
