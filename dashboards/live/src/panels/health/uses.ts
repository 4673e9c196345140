/** What is used of the machines, now and at most during an import, as rows of a table. Pure. */
import type { ImportRun, ResourcesState } from '../../../../../streams/import-runs.js';
import type { Resources, ResourceUse } from '../../../../../streams/resources.js';

/** An amount in the unit of its row; null: not known. */
export interface UseRow {
  readonly name: 'memory' | 'cpu' | 'disk' | 'connections' | 'notifications';
  readonly unit: 'bytes' | 'ratio' | 'count';
  readonly now: number | null;
  readonly peak: number | null;
  /** The most that there is, in the same unit; null where the amount is a ratio, or it is not known. */
  readonly most: number | null;
  /** Of the most, 0..1; null: not known. */
  readonly part: number | null;
}

export function useRows(now: Resources, peak: ResourceUse | null): readonly UseRow[] {
  const row = (
    name: UseRow['name'],
    unit: UseRow['unit'],
    key: keyof ResourceUse,
    most: number | null = null,
  ): UseRow => {
    const used = now[key];
    const of = unit === 'ratio' ? 1 : most;
    const part = used === null || of === null || of === 0 ? null : Math.min(1, used / of);
    return { ...{ name, unit, most, part }, now: used, peak: peak?.[key] ?? null };
  };
  return [
    row('memory', 'bytes', 'memory_used_bytes', now.memory_total_bytes),
    row('cpu', 'ratio', 'cpu_used_ratio'),
    row('disk', 'ratio', 'disk_used_ratio'),
    row('connections', 'count', 'db_connections_used', now.db_connections_max),
    row('notifications', 'ratio', 'notification_queue_ratio'),
  ];
}

/** The newest one that runs, else the newest that has ended. */
export function newestImport({ imports }: ResourcesState): ImportRun | null {
  return imports.running[0] ?? imports.finished[0] ?? null;
}
