import { describe, expect, it } from 'vitest';
import { formatOf } from '../../dashboards/live/src/format.js';
import { MESSAGES } from '../../dashboards/live/src/i18n/index.js';
import { nameOf, quantity, unitOf, valueNow } from '../../dashboards/live/src/panels/alerts/quantity.js';
import {
  endOf,
  refusalOf,
  SILENCE_SPANS,
  silenceOf,
} from '../../dashboards/live/src/panels/alerts/silencing.js';
import { unitOf as unitOfMeasure } from '../../src/alerts/message.js';
import type { SilenceWire } from '../../streams/alerts-view.js';
import { defaultRules } from '../../streams/rules.js';

const RULES = defaultRules({
  ...{ ALERT_ERROR_RATE_THRESHOLD: 1, REALTIME_ERROR_RATE_THRESHOLD: 1 },
  ...{ ALERT_RESPONSE_TIME_P95_THRESHOLD: 1, ALERT_FAILED_OPERATIONS_THRESHOLD: 1 },
  ...{ ALERT_QUEUE_SIZE_THRESHOLD: 1, REALTIME_PENDING_THRESHOLD: 1, HEALTH_CHECK_DISK_THRESHOLD: 1 },
  ...{ ALERT_NO_ACTIVITY_MINUTES: 1, ALERT_CUSTOMERS_AFFECTED: 1 },
}).map(({ name, measure }) => ({ name, measure }));

describe('a standard rule', () => {
  it.each(RULES)('$name has the unit of its notices, and a name in every language', ({ name, measure }) => {
    expect(unitOf(name)).toBe(unitOfMeasure(measure));
    for (const { alerts } of Object.values(MESSAGES)) expect(alerts.rules[name]?.name).toMatch(/\S/);
  });

  it('is one of the monitor', () => {
    const known = RULES.map(({ name }) => name).sort();
    for (const { alerts } of Object.values(MESSAGES)) expect(Object.keys(alerts.rules).sort()).toEqual(known);
  });
});

describe('the value of an alert', () => {
  const en = formatOf('en', 'UTC');
  it.each([
    ['high_error_rate', 12.5, '12.5%'],
    ['high_error_rate', 0, '0%'],
    ['slow_response', 2_345, '2.35s'],
    ['failed_operations_spike', 1_234, '1,234'],
    ['no_activity', 90, '1.5h'],
    ['slo_fast_burn', 14.4, '14.4×'],
    ['monitor_degraded', 21, '21s'],
    ['api_unavailable', 1, null],
    ['one_of_their_own', 0.25, '0.25'],
    ['constructor', 3, '3'],
    ['high_error_rate', null, null],
  ])('of %s %s is written %s', (rule, value, text) => {
    expect(quantity(value, unitOf(rule), en)).toBe(text);
  });

  it('is what its rule measures now, not what the alert began with', () => {
    const rule = { name: 'a', state: 'firing', value: 7 } as const;
    expect(valueNow({ rule: 'a' }, [{ ...rule, name: 'b', value: 3 }, rule])).toBe(7);
    expect(valueNow({ rule: 'a' }, [{ ...rule, value: 0 }])).toBe(0);
    expect(valueNow({ rule: 'a' }, [{ ...rule, state: 'inactive' }])).toBeNull();
    expect(valueNow({ rule: 'a' }, [])).toBeNull();
  });

  it('decides what the alert is called', () => {
    const { rules } = MESSAGES.en.alerts;
    const alert = { rule: 'database_connection', title: '[CRITICAL] x', value: 95 };
    expect(nameOf(alert, rules)).toBe('Database connections used');
    expect(nameOf({ ...alert, value: null }, rules)).toBe('Database cannot be reached');
    expect(nameOf({ ...alert, rule: 'their_own', title: '[WARNING] Too few: 3' }, rules)).toBe('Too few: 3');
    expect(nameOf({ ...alert, rule: 'toString' }, rules)).toBe('x');
  });
});

describe('silences', () => {
  const now = Date.UTC(2026, 0, 1, 3);
  const silence = (rule: string, from: number, to: number): SilenceWire => ({
    ...{ id: to, rule, reason: 'planned', created_by: null, active: true },
    starts_at: new Date(now + from).toISOString(),
    ends_at: new Date(now + to).toISOString(),
    created_at: new Date(now + from).toISOString(),
  });

  it.each([
    ['none', [], null],
    ['of another rule', [silence('b', -1, 9)], null],
    ['of this one', [silence('a', -1, 9)], 9],
    ['of all', [silence('*', -1, 9)], 9],
    ['that begins now', [silence('a', 0, 9)], 9],
    ['that is to come', [silence('a', 1, 9)], null],
    ['that ends now', [silence('a', -1, 0)], null],
    ['more than one: the longest', [silence('a', -1, 5), silence('*', -1, 7), silence('a', -1, 6)], 7],
  ])('%s', (_name, silences, until) => {
    expect(silenceOf('a', silences, now)?.id ?? null).toBe(until);
  });

  it('last as long as their names say, and no longer than the server allows', () => {
    expect(SILENCE_SPANS.map((span) => (endOf(span, now) - now) / 60_000)).toEqual([
      30, 60, 240, 1_440, 10_080,
    ]);
  });
});

it.each([
  [401, 'denied'],
  [403, 'denied'],
  [404, 'gone'],
  [0, 'unreachable'],
  [400, 'invalid'],
  [413, 'invalid'],
  [503, 'unavailable'],
])('an action that is answered with %d is %s', (status, refusal) => {
  expect(refusalOf(status)).toBe(refusal);
});
