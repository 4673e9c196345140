import { describe, expect, it } from 'vitest';
import type { Batch, SyncRow } from '../../streams/event.js';
import { ImportRuns } from '../../streams/import-runs.js';
import { peakOf, type ResourceUse, resourcesOf } from '../../streams/resources.js';
import type { ComponentHealth } from '../../streams/system-health.js';
import { row } from '../http/view.js';

const T = Date.parse('2026-03-10T12:00:00Z');

const imported = (correlationId: string | null, part: Partial<SyncRow> = {}) =>
  row({ operationType: 'import_from_1c', correlationId, ...part });

function batch(rows: readonly SyncRow[], now = T, more: Partial<Batch> = {}): Batch {
  return { origin: 'live', rows, updates: [], removals: [], now, ...more };
}

const use = (part: Partial<ResourceUse>): ResourceUse => ({
  ...{ memory_used_bytes: null, cpu_used_ratio: null, db_connections_used: null },
  ...{ notification_queue_ratio: null, disk_used_ratio: null },
  ...part,
});

describe('imports', () => {
  it('are runs of rows with one correlation id', () => {
    const runs = new ImportRuns();
    runs.apply(batch([imported('a'), row(), imported('b', { status: 'failed' }), imported('a')]));
    runs.apply(batch([imported('a', { status: 'error' }), imported(null)], T + 1_000));
    expect(runs.view().running.map((run) => [run.correlation_id, run.rows, run.errors])).toEqual([
      [null, 1, 0],
      ['b', 1, 1],
      ['a', 3, 1],
    ]);
    expect(runs.view().running[2]).toMatchObject({
      started_at: '2026-03-10T12:00:00.000Z',
      last_row_at: '2026-03-10T12:00:01.000Z',
      running: true,
    });
  });

  it('are not made of what was there before, nor of other operations', () => {
    const runs = new ImportRuns();
    for (const origin of ['start', 'window', 'refold'] as const)
      runs.apply(batch([imported('a')], T, { origin }));
    runs.apply(batch([row()]));
    expect(runs.active).toBe(false);
  });

  it('count a pending row that fails', () => {
    const runs = new ImportRuns();
    const before = imported('a', { status: 'pending' });
    runs.apply(batch([before]));
    const updates = [{ row: { ...before, status: 'failed' }, previous: before }];
    runs.apply(batch([], T + 1, { updates }));
    expect(runs.view().running[0]).toMatchObject({ rows: 1, errors: 1 });
  });

  it('know the most that was used while they ran, and not after', () => {
    const runs = new ImportRuns();
    runs.apply(batch([imported('a')]));
    runs.measured(use({ memory_used_bytes: 5, cpu_used_ratio: 0.5 }));
    runs.apply(batch([imported('b')], T + 50_000));
    runs.measured(use({ memory_used_bytes: 3, db_connections_used: 7 }));
    runs.advance(T + 60_000);
    runs.measured(use({ memory_used_bytes: 9 }));
    const { running, finished } = runs.view();
    expect(finished.map(({ correlation_id, peak }) => [correlation_id, peak])).toEqual([
      ['a', use({ memory_used_bytes: 5, cpu_used_ratio: 0.5, db_connections_used: 7 })],
    ]);
    expect(running.map(({ correlation_id, peak }) => [correlation_id, peak])).toEqual([
      ['b', use({ memory_used_bytes: 9, db_connections_used: 7 })],
    ]);
  });

  it('end after a minute without rows, and begin anew', () => {
    const runs = new ImportRuns();
    runs.apply(batch([imported('a')]));
    runs.advance(T + 59_999);
    expect(runs.active).toBe(true);
    runs.advance(T + 60_000);
    expect(runs.active).toBe(false);
    expect(runs.view().finished).toMatchObject([{ correlation_id: 'a', running: false }]);
    runs.apply(batch([imported('a')], T + 70_000));
    expect([runs.view().running.length, runs.view().finished.length]).toEqual([1, 1]);
  });

  it('are bounded where every row has an id of its own', () => {
    const runs = new ImportRuns();
    runs.apply(batch(Array.from({ length: 100 }, (_, n) => imported(`id-${n}`))));
    expect(runs.view().running).toHaveLength(32);
    expect(runs.view().rows_not_followed).toBe(68);
    for (let n = 1; n <= 5; n++)
      runs.apply(
        batch(
          Array.from({ length: 40 }, (_, i) => imported(`${n}-${i}`)),
          T + n * 60_000,
        ),
      );
    const { running, finished, rows_not_followed } = runs.view();
    expect([running.length, finished.length, rows_not_followed]).toEqual([32, 50, 68 + 5 * 8]);
    expect(finished[0]?.correlation_id).toMatch(/^4-/);
  });
});

describe('resources', () => {
  const part = (component: string, details: Record<string, unknown>): ComponentHealth => ({
    ...{ component, available: true, status: 'healthy', message: '', response_time_ms: null },
    ...{ since: null, consecutive_failures: 0, details },
  });

  it('are what the components say', () => {
    const connections = { active: 3, idle: 4 };
    expect(
      resourcesOf({
        memory: part('memory', { used_bytes: 5, total_bytes: 10 }),
        cpu: part('cpu', { used_ratio: 0.25 }),
        database: part('database', { connections, connections_used: 7, connections_max: 100 }),
        disk: part('disk', { used_percent: 42.5 }),
        notification_queue: part('notification_queue', { used_ratio: 0 }),
      }),
    ).toEqual({
      ...{ memory_used_bytes: 5, memory_total_bytes: 10, cpu_used_ratio: 0.25, disk_used_ratio: 0.425 },
      ...{ db_connections: connections, db_connections_used: 7, db_connections_max: 100 },
      notification_queue_ratio: 0,
    });
  });

  it('are null where nothing, or nonsense, is known', () => {
    const nothing = resourcesOf({});
    expect(new Set(Object.values(nothing))).toEqual(new Set([null]));
    expect(
      resourcesOf({
        cpu: part('cpu', { used_ratio: null }),
        memory: part('memory', { used_bytes: Number.NaN }),
        database: part('database', { connections: 'many', connections_max: '100' }),
      }),
    ).toEqual(nothing);
  });

  it('have the greater of two, whichever is known', () => {
    expect(
      peakOf(
        use({ memory_used_bytes: 1, disk_used_ratio: 0 }),
        use({ memory_used_bytes: 2, cpu_used_ratio: 0 }),
      ),
    ).toEqual(use({ memory_used_bytes: 2, disk_used_ratio: 0, cpu_used_ratio: 0 }));
  });
});
