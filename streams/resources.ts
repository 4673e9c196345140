/** What the machines have to give, out of what the components say: pure, and the wire form. Null is not known. */
import type { ComponentHealth } from './system-health.js';

export interface ResourceUse {
  readonly memory_used_bytes: number | null;
  /** Of the host (or container), since the reading before, 0..1. */
  readonly cpu_used_ratio: number | null;
  readonly db_connections_used: number | null;
  /** 0..1, `pg_notification_queue_usage()`. */
  readonly notification_queue_ratio: number | null;
  readonly disk_used_ratio: number | null;
}

export interface Resources extends ResourceUse {
  readonly memory_total_bytes: number | null;
  readonly db_connections_max: number | null;
  /** By state, as pg_stat_activity has it; `hidden`: of roles whose sessions ours may not see. */
  readonly db_connections: Readonly<Record<string, number>> | null;
}

export const USES = [
  'memory_used_bytes',
  'cpu_used_ratio',
  'db_connections_used',
  'notification_queue_ratio',
  'disk_used_ratio',
] as const satisfies readonly (keyof ResourceUse)[];

export function resourcesOf(components: Readonly<Record<string, ComponentHealth>>): Resources {
  const number = (component: string, key: string): number | null => {
    const value = components[component]?.details?.[key];
    return typeof value === 'number' && Number.isFinite(value) ? value : null;
  };
  const percent = number('disk', 'used_percent');
  return {
    memory_used_bytes: number('memory', 'used_bytes'),
    memory_total_bytes: number('memory', 'total_bytes'),
    cpu_used_ratio: number('cpu', 'used_ratio'),
    db_connections: counts(components.database?.details?.connections),
    db_connections_used: number('database', 'connections_used'),
    db_connections_max: number('database', 'connections_max'),
    notification_queue_ratio: number('notification_queue', 'used_ratio'),
    disk_used_ratio: percent === null ? null : percent / 100,
  };
}

/** The greater of each. */
export function peakOf(a: ResourceUse, b: ResourceUse): ResourceUse {
  const greater = (key: (typeof USES)[number]) => {
    const [one, other] = [a[key], b[key]];
    return one === null || other === null ? (one ?? other) : Math.max(one, other);
  };
  return {
    memory_used_bytes: greater('memory_used_bytes'),
    cpu_used_ratio: greater('cpu_used_ratio'),
    db_connections_used: greater('db_connections_used'),
    notification_queue_ratio: greater('notification_queue_ratio'),
    disk_used_ratio: greater('disk_used_ratio'),
  };
}

function counts(value: unknown): Record<string, number> | null {
  if (typeof value !== 'object' || value === null) return null;
  const found = Object.entries(value).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  );
  return Object.fromEntries(found);
}
