import { describe, expect, it } from 'vitest';
import { Standing } from '../../streams/standing.js';
import { type ComponentHealth, type HealthFacts, systemHealth } from '../../streams/system-health.js';
import { COMPLETE, HandDrivenView } from '../http/view.js';

const T = Date.parse('2026-03-10T12:00:00Z');
const SOURCE = new HandDrivenView().source();

function part(component: string, more: Partial<ComponentHealth> = {}): ComponentHealth {
  return {
    ...{ component, available: true, status: 'healthy', message: 'm', response_time_ms: 1 },
    ...{ since: '2026-03-10T11:00:00.000Z', consecutive_failures: 0, ...more },
  };
}

const DOWN = {
  available: false,
  status: 'degraded',
  response_time_ms: null,
  consecutive_failures: 3,
} as const;

const health = (more: Partial<HealthFacts> = {}) =>
  systemHealth({ source: SOURCE, completeness: COMPLETE, now: T, ...more });

describe('the whole', () => {
  it('is degraded by what is checked, and unhealthy by what is critical', () => {
    const checked = [part('redis', DOWN), part('disk')];
    expect(health({ checked })).toMatchObject({ status: 'degraded', critical_issues: [] });
    expect(health({ checked, critical: ['disk'] }).status).toBe('degraded');
    expect(health({ checked, critical: ['redis'] })).toMatchObject({
      ...{ status: 'unhealthy', is_healthy: false, components: { redis: { status: 'unhealthy' } } },
      critical_issues: [{ component: 'redis', message: 'm', details: {} }],
    });
  });

  it('is well with what is not configured, critical or not', () => {
    const checked = [part('redis', { available: false, status: 'not_configured' })];
    expect(health({ checked, critical: ['redis'] })).toMatchObject({
      status: 'healthy',
      critical_issues: [],
    });
  });
});

describe('the database', () => {
  const details = { connections_used: 5, connections_max: 100 };

  it('is what the reader says, with what the check adds', () => {
    expect(health().components.database).toMatchObject({ status: 'healthy', message: 'answers' });
    expect(health({ checked: [part('database', { details })] }).components.database).toMatchObject({
      ...{ status: 'healthy', response_time_ms: 1, details },
    });
    const crowded = part('database', { status: 'degraded', consecutive_failures: 1, details });
    expect(health({ checked: [crowded] })).toMatchObject({ status: 'degraded', critical_issues: [] });
  });

  it('is unhealthy as soon as either cannot ask it', () => {
    const source = { ...SOURCE, connected: false };
    // The check has not met the outage yet; its numbers are of another time.
    expect(health({ source, checked: [part('database', { details })] }).components.database).toEqual({
      ...{ component: 'database', available: false, status: 'unhealthy', message: 'does not answer' },
      ...{ response_time_ms: null, since: null, consecutive_failures: 1 },
    });
    const checked = [part('database', { ...DOWN, message: 'ECONNREFUSED' })];
    expect(health({ source, checked })).toMatchObject({
      status: 'unhealthy',
      components: { database: { message: 'does not answer: ECONNREFUSED', consecutive_failures: 3 } },
    });
    expect(health({ checked }).components.database).toMatchObject({ status: 'unhealthy', available: false });
  });
});

describe('the listener', () => {
  const bell = { ...SOURCE.bell, mode: 'dead', reason: 'why' } as const;
  const deaf = { ...SOURCE.listener, proven: false };

  it.each([
    ['a trigger that is gone degrades', { bell }, 'degraded'],
    ['a listener that does not hear is unhealthy', { bell, listener: deaf }, 'unhealthy'],
    ['an outage is the database’s', { bell, listener: deaf, connected: false }, 'degraded'],
    ['BELL=off is not configured', { bell: { ...bell, mode: 'off' } }, 'not_configured'],
  ] as const)('%s', (_, source, status) => {
    expect(health({ source: { ...SOURCE, ...source } }).components.listener?.status).toBe(status);
  });
});

it('the notification queue is told of once it was asked for, and degraded when half of it is used', () => {
  const queue = (usage: number | null) =>
    health({ source: { ...SOURCE, notificationQueueUsage: usage } }).components.notification_queue;
  expect(queue(null)).toBeUndefined();
  expect(queue(0)).toMatchObject({ status: 'healthy', message: '0 % of the notification queue is used' });
  expect(queue(0.0012)?.message).toBe('0.12 % of the notification queue is used');
  expect(queue(0.5)?.status).toBe('healthy');
  expect(queue(0.51)).toMatchObject({ available: true, status: 'degraded', details: { used_ratio: 0.51 } });
});

it('a component has its status since it changed, not since it was asked', () => {
  const standing = new Standing();
  const at = (minute: number, connected: boolean) =>
    health({ source: { ...SOURCE, connected }, standing, now: T + minute * 60_000 }).components.database
      ?.since;
  expect(at(0, true)).toBe('2026-03-10T12:00:00.000Z');
  expect(at(1, true)).toBe('2026-03-10T12:00:00.000Z');
  expect(at(2, false)).toBe('2026-03-10T12:02:00.000Z');
  expect(at(3, false)).toBe('2026-03-10T12:02:00.000Z');
  expect(at(4, true)).toBe('2026-03-10T12:04:00.000Z');
});

it('a component that says itself since when is believed', () => {
  const standing = new Standing();
  const since = '2026-03-10T11:30:00.000Z';
  const checked = [part('redis', { ...DOWN, since })];
  expect(health({ checked, standing }).components.redis?.since).toBe(since);
  // Critical or not, it is down since the same time.
  expect(health({ checked, standing, critical: ['redis'] }).components.redis?.since).toBe(since);
});
