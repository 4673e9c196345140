/** Alerts for the tests of src/http: lists in memory, moved by hand. The real ones: alerts.db.test.ts. */
import { Subject } from 'rxjs';
import type { SloReading } from '../../streams/alert.js';
import {
  type AlertMessage,
  type AlertQuery,
  type AlertsView,
  type AlertWire,
  alertMessage,
  type RuleWire,
  type SilenceRequest,
  type SilenceWire,
} from '../../streams/alerts-view.js';
import { sloReading } from '../../streams/slo.js';
import { transitionOf } from '../alerts/notices.js';
import { START } from './view.js';

export const RULES: readonly RuleWire[] = [
  {
    ...{ name: 'high_error_rate', severity: 'critical', state: 'firing', reason: 'over' },
    ...{ value: 25.13, threshold: 10, since: new Date(START).toISOString() },
  },
  {
    ...{ name: 'slow_response', severity: 'warning', state: 'pending', reason: 'waiting_for' },
    ...{ value: 2_500, threshold: 2_000, since: new Date(START).toISOString() },
  },
  {
    ...{ name: 'queue_overflow', severity: 'critical', state: 'inactive', reason: 'below' },
    ...{ value: null, threshold: 1_000, since: null },
  },
];

/** Of 1,000 operations in each window that is known, 20 errors: twice as many as may be. */
export function slo(known: readonly string[] = ['5m', '30m', '1h', '6h', '3d', 'budget']): SloReading {
  const count = (name: string) => (known.includes(name) ? { errors: 20, total: 1_000 } : null);
  const windows = {
    '5m': count('5m'),
    '30m': count('30m'),
    '1h': count('1h'),
    '6h': count('6h'),
    '3d': count('3d'),
  };
  return sloReading({ windows, budget: count('budget') }, { target: 99, windowDays: 30 });
}

export function alertAt(ms: number, rule = 'high_error_rate'): AlertWire {
  return {
    ...{
      id: `${rule}-${ms}`,
      rule,
      severity: 'critical',
      state: 'firing',
      title: 'Errors',
      message: 'Many.',
    },
    ...{ starts_at: new Date(ms).toISOString(), ends_at: null, duration_seconds: 1 },
    ...{ value: 25, peak: 30, threshold: 10, reason: 'over', evidence: null, ack: null },
  };
}

export class HandDrivenAlerts implements AlertsView {
  readonly transitions$ = new Subject<AlertMessage>();
  readonly asked: AlertQuery[] = [];
  readonly made: SilenceRequest[] = [];
  alerts: AlertWire[] = [];
  reading: SloReading | null = slo();
  /** Thrown by everything that would ask the database. */
  failure: Error | null = null;

  /** A transition of this rule, with a message so long. */
  transition(rule: string, length = 10): void {
    const words = { id: `${rule}-1`, title: 'Errors', message: 'x'.repeat(length), evidence: null };
    this.transitions$.next(alertMessage(transitionOf({ rule }), words));
  }

  rules() {
    return RULES;
  }

  async list(query: AlertQuery) {
    this.asked.push(query);
    if (this.failure) throw this.failure;
    return this.alerts
      .filter(({ starts_at }) => Date.parse(starts_at) < (query.before ?? Number.POSITIVE_INFINITY))
      .slice(0, query.limit);
  }

  async acknowledge(id: string, ack: { readonly by: string | null; readonly note: string | null }) {
    const found = this.alerts.find((one) => one.id === id);
    return found ? { ...found, ack: { at: found.starts_at, ...ack } } : null;
  }

  async silences(_past: boolean) {
    return [];
  }

  async silence(request: SilenceRequest): Promise<SilenceWire> {
    this.made.push(request);
    if (this.failure) throw this.failure;
    const { rule, endsAt, reason, createdBy } = request;
    const now = new Date(START).toISOString();
    return {
      ...{ id: this.made.length, rule, starts_at: now, ends_at: new Date(endsAt).toISOString() },
      ...{ reason, created_by: createdBy, created_at: now, active: true },
    };
  }

  async endSilence(_id: number) {
    return null;
  }

  slo() {
    return this.reading;
  }

  deliveries() {
    return { delivered: 3, retry: 1, gone: 0 };
  }
}
