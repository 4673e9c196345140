/** Metric families about alerts, their delivery and the service level objective. */
import { SLO_WINDOWS } from '../../streams/alert.js';
import type { AlertsView } from '../../streams/alerts-view.js';
import type { Family } from './exposition.js';
import { many, single } from './family.js';

/** Without alerts none has a sample; a rule has one as long as this process decides. */
export function alertFamilies(alerts: AlertsView | undefined): readonly Family[] {
  const slo = alerts?.slo();
  return [
    many(
      'gauge',
      'sync_alert_firing',
      '1 while the alert of this rule fires, else 0.',
      (alerts?.rules() ?? []).map(
        ({ name, severity, state }) => [{ rule: name, severity }, state === 'firing' ? 1 : 0] as const,
      ),
    ),
    many(
      'counter',
      'sync_webhook_deliveries_total',
      'Notices to webhooks that ended, and attempts that failed, by outcome.',
      Object.entries(alerts?.deliveries() ?? {}).map(([outcome, n]) => [{ outcome }, n] as const),
    ),
    single(
      'gauge',
      'sync_slo_error_budget_remaining_ratio',
      'Error budget of the SLO that is left: 1 all of it, below 0 overdrawn.',
      slo?.budgetLeft,
    ),
    many(
      'gauge',
      'sync_slo_burn_rate',
      'Speed at which the error budget goes: 1 uses it up in exactly the SLO window.',
      SLO_WINDOWS.map((window) => [{ window }, slo?.burnRates[window]] as const),
    ),
  ];
}
