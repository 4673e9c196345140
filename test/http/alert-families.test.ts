import { expect, it } from 'vitest';
import { alertFamilies } from '../../src/http/alert-families.js';
import { expose } from '../../src/http/exposition.js';
import { HandDrivenAlerts, slo } from './alerts-view.js';

const samples = (alerts: HandDrivenAlerts | undefined): string[] =>
  expose(alertFamilies(alerts), 'prometheus')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

it('has 0 or 1 for every rule, a count for every outcome, and the SLO', () => {
  expect(samples(new HandDrivenAlerts())).toEqual([
    'sync_alert_firing{rule="high_error_rate",severity="critical"} 1',
    'sync_alert_firing{rule="slow_response",severity="warning"} 0',
    'sync_alert_firing{rule="queue_overflow",severity="critical"} 0',
    'sync_webhook_deliveries_total{outcome="delivered"} 3',
    'sync_webhook_deliveries_total{outcome="retry"} 1',
    'sync_webhook_deliveries_total{outcome="gone"} 0',
    'sync_slo_error_budget_remaining_ratio -1',
    ...['5m', '30m', '1h', '6h', '3d'].map((window) => `sync_slo_burn_rate{window="${window}"} 2`),
  ]);
});

it('has no sample for what is not known of the SLO', () => {
  const alerts = new HandDrivenAlerts();
  const found = () => samples(alerts).filter((line) => line.startsWith('sync_slo'));
  alerts.reading = slo(['5m']);
  expect(found()).toEqual(['sync_slo_burn_rate{window="5m"} 2']);
  alerts.reading = null;
  expect(found()).toEqual([]);
});

it('has none at all where there are no alerts', () => {
  expect(samples(undefined)).toEqual([]);
});
