import { describe, expect, it } from 'vitest';
import { bareTitle, issuesOf, type Known, levelOf, levelOfRules } from '../../dashboards/live/src/status.js';
import type { AlertWire } from '../../streams/alerts-view.js';
import type { ComponentHealth, SystemHealth } from '../../streams/system-health.js';

const at = (minute: number): string => new Date(Date.UTC(2026, 0, 1, 3, minute)).toISOString();

function component(name: string, status: ComponentHealth['status'], since: string | null = at(0)) {
  const message = `${name} is ${status}`;
  const more = { available: status === 'healthy', response_time_ms: null, consecutive_failures: 0 };
  return { component: name, status, message, since, ...more };
}

function healthOf(...components: ComponentHealth[]): SystemHealth {
  return {
    is_healthy: true,
    status: 'healthy',
    components: Object.fromEntries(components.map((one) => [one.component, one])),
    critical_issues: [],
    timestamp: at(9),
  };
}

function alert(rule: string, severity: AlertWire['severity'], starts_at = at(1)): AlertWire {
  return {
    ...{ id: rule, rule, severity, state: 'firing', title: `[X] ${rule}`, message: '', reason: 'over' },
    ...{ starts_at, ends_at: null, duration_seconds: 1, value: 2, peak: 2, threshold: 1 },
    ...{ evidence: null, ack: null },
  };
}

const WELL: Known = {
  connection: { state: 'open', since: at(0) },
  health: healthOf(component('database', 'healthy'), component('redis', 'not_configured')),
  completeness: { state: 'complete', ratio: 1, reasons: [] },
  alerts: [],
};
const judged = (known: Partial<Known>) => {
  const all = { ...WELL, ...known };
  const issues = issuesOf(all);
  return {
    level: levelOf(all, issues),
    issues: issues.map(({ level, kind, name }) => `${level} ${kind} ${name}`),
  };
};

describe('the status line', () => {
  it('is well where nothing is wrong, what is not configured included', () => {
    expect(judged({})).toEqual({ level: 'good', issues: [] });
  });

  it.each([
    ['health', { health: null }],
    ['completeness', { completeness: null }],
    ['anything', { health: null, completeness: null, alerts: null }],
  ] as const)('does not claim to be well before it knows %s', (_name, known) => {
    expect(judged(known)).toEqual({ level: 'unknown', issues: [] });
  });

  it('says that it is not connected, whatever was known', () => {
    const connection = { state: 'lost', since: at(5) } as const;
    expect(judged({ connection, health: null })).toEqual({ level: 'bad', issues: ['bad connection '] });
    expect(judged({ connection: { state: 'connecting', since: at(5) } }).level).toBe('good');
  });

  it('tells the cause before its consequences, and the worst before all', () => {
    const known = {
      connection: { state: 'lost', since: at(5) },
      health: healthOf(
        component('completeness', 'degraded'),
        component('redis', 'degraded', at(4)),
        component('disk', 'degraded', at(3)),
        component('database', 'unhealthy', at(6)),
      ),
      completeness: { state: 'unknown', ratio: null, reasons: ['No database.'] },
      alerts: [alert('slow_response', 'warning'), alert('database_connection', 'critical', at(7))],
    } as const;
    expect(judged(known)).toEqual({
      level: 'bad',
      issues: [
        'bad connection ',
        'bad component database',
        'bad alert database_connection',
        'warn component disk',
        'warn component redis',
        'warn completeness unknown',
        'warn alert slow_response',
      ],
    });
  });

  it('says since when, and what the monitor says', () => {
    const health = healthOf(component('completeness', 'degraded', at(2)));
    const completeness = { state: 'incomplete', ratio: 0.5, reasons: ['One.', 'Two.'] } as const;
    expect(issuesOf({ ...WELL, health, completeness, alerts: [alert('a', 'warning')] })).toEqual([
      { level: 'warn', kind: 'completeness', name: 'incomplete', message: 'One. Two.', since: at(2) },
      { level: 'warn', kind: 'alert', name: 'a', message: 'a', since: at(1) },
    ]);
  });

  it('is silent about alerts that are over', () => {
    const over: AlertWire = { ...alert('a', 'critical'), state: 'resolved', ends_at: at(8) };
    expect(judged({ alerts: [over] })).toEqual({ level: 'good', issues: [] });
    expect(levelOfRules([over], ['a'])).toBe('good');
  });
});

it('gives a number the level of the worst alert about it', () => {
  const alerts = [alert('a', 'warning'), alert('b', 'critical')];
  expect(levelOfRules(alerts, ['a'])).toBe('warn');
  expect(levelOfRules(alerts, ['a', 'b'])).toBe('bad');
  expect(levelOfRules(alerts, ['c'])).toBe('good');
  expect(levelOfRules(null, ['a'])).toBe('good');
});

it('leaves out of a title what its sign says', () => {
  expect(bareTitle('[WARNING] Queue: 5 [of 3]')).toBe('Queue: 5 [of 3]');
  expect(bareTitle('Queue')).toBe('Queue');
});
