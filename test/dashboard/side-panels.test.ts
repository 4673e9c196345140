/** The pure parts of the panels business and system health. */
import { describe, expect, it } from 'vitest';
import { MESSAGES } from '../../dashboards/live/src/i18n/index.js';
import { sharesOf } from '../../dashboards/live/src/panels/business/shares.js';
import {
  inOrder,
  levelOfStatus,
  taskRows,
  workerRows,
} from '../../dashboards/live/src/panels/health/order.js';
import { newestImport, useRows } from '../../dashboards/live/src/panels/health/uses.js';
import type { CeleryTaskState } from '../../streams/celery-tasks.js';
import type { ImportRun } from '../../streams/import-runs.js';
import type { Resources } from '../../streams/resources.js';
import { COMPONENTS, type ComponentHealth } from '../../streams/system-health.js';

describe('shares', () => {
  it('are of all, the largest first, and as long as they are large', () => {
    const { shown, rest } = sharesOf({ email: 25, none: 0, tax_id: 50, onec_id: 25 });
    expect(shown).toEqual([
      { name: 'tax_id', count: 50, percent: 50, length: 1 },
      { name: 'email', count: 25, percent: 25, length: 0.5 },
      { name: 'onec_id', count: 25, percent: 25, length: 0.5 },
    ]);
    expect(rest).toBeNull();
  });

  it('of nothing are none', () => {
    expect(sharesOf({})).toEqual({ shown: [], rest: null });
    expect(sharesOf({ email: 0 })).toEqual({ shown: [], rest: null });
  });

  it('are bounded, and say how much they leave out', () => {
    const counts = Object.fromEntries(Array.from({ length: 34 }, (_, i) => [`n${i}`, 100 - i]));
    const { shown, rest } = sharesOf(counts, 8);
    expect(shown.map(({ name }) => name)).toEqual(['n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7']);
    expect(rest?.names).toBe(26);
    const sum = (rest?.count ?? 0) + shown.reduce((all, { count }) => all + count, 0);
    expect(sum).toBe(Object.values(counts).reduce((all, n) => all + n, 0));
    expect(sharesOf({ a: 3, b: 2, c: 1 }, 2).rest).toBeNull();
  });
});

describe('components', () => {
  const component = (name: string, status: ComponentHealth['status'], minute = 0): ComponentHealth => ({
    ...{
      component: name,
      status,
      available: true,
      message: '',
      response_time_ms: 1,
      consecutive_failures: 0,
    },
    since: new Date(Date.UTC(2026, 0, 1, 3, minute)).toISOString(),
  });

  it('stand with the critical ones first, what lasts longest before the rest', () => {
    const told = [
      component('database', 'healthy', 9),
      component('redis', 'degraded', 5),
      component('onec_api', 'not_configured'),
      component('listener', 'unhealthy', 8),
      component('disk', 'degraded', 4),
      component('memory', 'healthy', 1),
    ];
    expect(inOrder(told).map((one) => one.component)).toEqual([
      ...['listener', 'disk', 'redis', 'database', 'memory', 'onec_api'],
    ]);
    expect(told[0]?.component).toBe('database');
  });

  it('that are not configured are neither well nor not', () => {
    expect(levelOfStatus('not_configured')).toBe('unknown');
    expect(['healthy', 'degraded', 'unhealthy'].map((one) => levelOfStatus(one as 'healthy'))).toEqual([
      ...['good', 'warn', 'bad'],
    ]);
  });

  it.each(Object.entries(MESSAGES))('all have a name in %s', (_language, { components }) => {
    expect(Object.keys(components).sort()).toEqual([...COMPONENTS].sort());
  });
});

describe('Celery', () => {
  const task = (change: Partial<CeleryTaskState>): CeleryTaskState => ({
    ...{ sent: 0, received: 0, started: 0, succeeded: 0, failed: 0, retried: 0, revoked: 0, rejected: 0 },
    ...{ cancelled: 0, runtime_avg_seconds: null, runtime_max_seconds: null },
    ...{ waiting_avg_seconds: null, waiting_max_seconds: null },
    ...change,
  });

  it('shows first what fails, then what is done most', () => {
    const rows = taskRows({
      quiet: task({ received: 2, revoked: 1 }),
      busy: task({ succeeded: 90, runtime_avg_seconds: 0.5, runtime_max_seconds: 2 }),
      broken: task({ succeeded: 1, failed: 3, retried: 2 }),
    });
    expect(rows.map(({ name }) => name)).toEqual(['broken', 'busy', 'quiet']);
    expect(rows[1]).toMatchObject({ runtimeAvgSeconds: 0.5, runtimeMaxSeconds: 2, others: [] });
    expect(rows[2]).toMatchObject({
      runtimeAvgSeconds: null,
      others: [
        ['received', 2],
        ['revoked', 1],
      ],
    });
  });

  it('shows first the workers that are away', () => {
    const worker = (name: string, online: boolean) =>
      ({ name, online, seen_by: 'heartbeat', since: '2026-01-01T00:00:00.000Z', active: 0 }) as const;
    const rows = workerRows([worker('b', true), worker('c', false), worker('a', true)]);
    expect(rows.map(({ name }) => name)).toEqual(['c', 'a', 'b']);
  });
});

describe('resources', () => {
  const now: Resources = {
    ...{ memory_used_bytes: 6, memory_total_bytes: 8, cpu_used_ratio: 0.25, disk_used_ratio: null },
    ...{ db_connections_used: 0, db_connections_max: 100, db_connections: { idle: 0 } },
    notification_queue_ratio: 0,
  };
  const run = (rows: number, running: boolean): ImportRun => ({
    ...{ correlation_id: null, running, rows, errors: 0 },
    ...{ started_at: '2026-01-01T00:00:00.000Z', last_row_at: '2026-01-01T00:01:00.000Z' },
    peak: {
      ...{ memory_used_bytes: 7, cpu_used_ratio: 1, disk_used_ratio: null, db_connections_used: null },
      notification_queue_ratio: 0,
    },
  });
  const state = (running: ImportRun[], finished: ImportRun[]) => ({
    ...{ timestamp: '2026-01-01T00:02:00.000Z', now },
    imports: { running, finished, rows_not_followed: 0 },
  });

  it('tell nothing from zero', () => {
    expect(useRows(now, null)).toEqual([
      { name: 'memory', unit: 'bytes', now: 6, most: 8, part: 0.75, peak: null },
      { name: 'cpu', unit: 'ratio', now: 0.25, most: null, part: 0.25, peak: null },
      { name: 'disk', unit: 'ratio', now: null, most: null, part: null, peak: null },
      { name: 'connections', unit: 'count', now: 0, most: 100, part: 0, peak: null },
      { name: 'notifications', unit: 'ratio', now: 0, most: null, part: 0, peak: null },
    ]);
  });

  it('have their peak in the newest import', () => {
    expect(newestImport(state([], []))).toBeNull();
    expect(newestImport(state([], [run(2, false), run(1, false)]))?.rows).toBe(2);
    const newest = newestImport(state([run(4, true), run(3, true)], [run(2, false)]));
    expect(newest?.rows).toBe(4);
    expect(useRows(now, newest?.peak ?? null).map(({ peak }) => peak)).toEqual([7, 1, null, null, 0]);
  });
});
