/**
 * The business numbers of a window, read out of its running sums. Definitions: SPEC section 2.
 */
import { CONFLICT_TYPE, EXPORT_TYPE, IDENTIFICATION_TYPE, IMPORT_TYPE, SUCCESS_STATUS } from './kinds.js';
import { type Names, recordOf } from './names.js';
import { ADMIN_MAILS, countAt, METHODS_AT, SOURCES_AT } from './numbers.js';
import { type Period, percentOf } from './operations.js';
import type { BusinessMetrics } from './snapshot.js';
import type { Vocabulary } from './vocabulary.js';

/** What an automatically resolved conflict saves. */
export interface Savings {
  /** Minutes that a human would take for one conflict. */
  readonly manualResolutionMinutes: number;
  /** Money for an hour of that human, in whatever currency; absent: not computed. */
  readonly hourCost?: number | undefined;
}

export function businessMetrics(
  numbers: Float64Array,
  customers: number,
  words: Vocabulary,
  period: Period,
  savings: Savings,
): BusinessMetrics {
  const successes = (type: number): number => numbers[countAt(type, SUCCESS_STATUS)] as number;
  let conflicts = 0;
  for (let status = 0; status < words.statuses.size; status++) {
    conflicts += numbers[countAt(CONFLICT_TYPE, status)] as number;
  }
  const resolved = successes(CONFLICT_TYPE);
  const hours = (resolved * savings.manualResolutionMinutes) / 60;
  return {
    synced_customers_count: customers,
    conflicts_resolved: named(numbers, SOURCES_AT, words.sources),
    total_conflicts: conflicts,
    total_conflicts_resolved: resolved,
    identification_methods: named(numbers, METHODS_AT, words.methods),
    total_identifications: successes(IDENTIFICATION_TYPE),
    new_registrations: successes(EXPORT_TYPE),
    imports_from_1c: successes(IMPORT_TYPE),
    admin_notifications_sent: numbers[ADMIN_MAILS] as number,
    auto_resolution_rate: percentOf(resolved, conflicts),
    automation_hours_saved: hours,
    ...(savings.hourCost === undefined ? {} : { automation_money_saved: hours * savings.hourCost }),
    period_start: period.start,
    period_end: period.end,
  };
}

function named(numbers: Float64Array, at: number, names: Names): Record<string, number> {
  const found: [string, number][] = [];
  for (let i = 0; i < names.size; i++) {
    const count = numbers[at + i] as number;
    if (count > 0) found.push([names.name(i), count]);
  }
  return recordOf(found);
}
