/** The rules of SPEC section 6 that look at components and at the monitor itself. */
import { describe, expect, test } from 'vitest';
import type { ComponentReading, Observation } from '../../streams/alert.js';
import type { Completeness } from '../../streams/event.js';
import { defaultRules, step } from '../../streams/rules.js';
import { firing, LIMITS, observed, THRESHOLDS } from './observations.js';
import { NOON, row } from './rows.js';

describe('components', () => {
  const is = (status: ComponentReading['status'], details?: Record<string, unknown>): ComponentReading => ({
    ...{ status, since: NOON, message: 'as its check says' },
    ...(details === undefined ? {} : { details }),
  });
  const health = (components: Observation['components']): string[] => firing(observed([], { components }));

  test.each([
    ['redis', 'redis_unavailable'],
    ['celery_workers', 'celery_workers_down'],
  ])('%s', (name, rule) => {
    expect(health({ [name]: is('healthy') })).toEqual([]);
    expect(health({ [name]: is('not_configured') })).toEqual([]);
    expect(health({ [name]: is('degraded') })).toEqual([rule]);
    expect(health({ [name]: is('unhealthy') })).toEqual([rule]);
  });

  test('api_unavailable: failing for a minute', () => {
    const rules = defaultRules(THRESHOLDS);
    const at = (seconds: number): Observation =>
      observed([], { now: NOON + seconds * 1000, components: { onec_api: is('degraded') } });
    const first = step(rules, {}, at(0), LIMITS);
    const almost = step(rules, first.state, at(59), LIMITS);
    const then = step(rules, almost.state, at(60), LIMITS);
    expect([first, almost].flatMap(({ transitions }) => transitions)).toEqual([]);
    expect(then.transitions).toMatchObject([{ rule: 'api_unavailable', kind: 'firing' }]);
  });

  test('database_connection: unreachable, or more than 90 % of the connections in use', () => {
    const uses = (used: unknown): ComponentReading =>
      is('healthy', { connections_used: used, connections_max: 200 });
    expect(health({ database: uses(180) })).toEqual([]);
    expect(health({ database: uses(181) })).toEqual(['database_connection']);
    expect(health({ database: uses('181') })).toEqual([]);
    expect(health({ database: is('degraded') })).toEqual([]);
    expect(health({ database: is('unhealthy') })).toEqual(['database_connection']);
  });

  test('disk_space: fuller than 90 %', () => {
    expect(health({ disk: is('healthy', { used_percent: 90 }) })).toEqual([]);
    expect(health({ disk: is('degraded', { used_percent: 90.1 }) })).toEqual(['disk_space']);
    // The path is not there: no number, but not well either.
    expect(health({ disk: is('degraded') })).toEqual(['disk_space']);
    expect(health({ disk: is('not_configured') })).toEqual([]);
  });

  test('they are watched while rows cannot be measured', () => {
    const errors = Array.from({ length: 100 }, (_, id) => row(id, { status: 'error' }));
    const blind = { measurable: false, unmeasurableSince: NOON, snapshot: null };
    const components = { database: is('unhealthy'), redis: is('unhealthy') };
    expect(firing(observed(errors, { ...blind, components }))).toEqual([
      'database_connection',
      'redis_unavailable',
    ]);
  });

  describe('monitor_degraded', () => {
    const with_ = (completeness: Completeness, fields: Partial<Observation> = {}): string[] => {
      const seen = observed([]);
      if (seen.snapshot === null) throw new Error('there is one');
      return firing({ ...seen, snapshot: { ...seen.snapshot, completeness }, ...fields });
    };

    test('incomplete: at once', () => {
      expect(with_({ state: 'incomplete', ratio: 0.9, reasons: ['Ids were given up.'] })).toEqual([
        'monitor_degraded',
      ]);
    });

    test('behind, or without a database: when that lasts longer than 15 s', () => {
      for (const state of ['catching_up', 'unknown'] as const) {
        const since = (seconds: number): string[] =>
          with_(
            { state, ratio: null, reasons: ['A backlog is being read.'] },
            { measurable: false, unmeasurableSince: NOON - seconds * 1000 },
          );
        expect(since(0)).toEqual([]);
        expect(since(15)).toEqual([]);
        expect(since(15.001)).toEqual(['monitor_degraded']);
      }
    });

    test('a first start that gets on: after a quarter of an hour; but incomplete, or without a bell: at once', () => {
      const starting = (seconds: number, state: Completeness['state'], fields: Partial<Observation> = {}) =>
        with_(
          { state, ratio: null, reasons: ['The windows are being filled from the table.'] },
          { measurable: false, unmeasurableSince: NOON - seconds * 1000, starting: true, ...fields },
        );
      expect(starting(16, 'catching_up')).toEqual([]);
      expect(starting(900, 'catching_up')).toEqual([]);
      expect(starting(900.001, 'catching_up')).toEqual(['monitor_degraded']);
      expect(starting(1, 'incomplete')).toEqual(['monitor_degraded']);
      expect(starting(1, 'catching_up', { components: { listener: is('degraded') } })).toEqual([
        'monitor_degraded',
      ]);
    });

    test('the bell is dead: at once; switched off: never', () => {
      expect(health({ listener: is('healthy') })).toEqual([]);
      expect(health({ listener: is('not_configured') })).toEqual([]);
      expect(health({ listener: is('degraded') })).toEqual(['monitor_degraded']);
    });
  });
});
