/** Metric families about the components and what is used of the machines. */
import type { Resources } from '../../streams/resources.js';
import type { SystemHealth } from '../../streams/system-health.js';
import type { Family } from './exposition.js';
import { many, seconds, single } from './family.js';

/** What is not configured has no sample: there is nothing to be up. */
export function componentFamilies(components: SystemHealth['components']): readonly Family[] {
  const configured = Object.values(components).filter(({ status }) => status !== 'not_configured');
  return [
    many(
      'gauge',
      'sync_component_up',
      '1 while the component does what it is there for, else 0.',
      configured.map(({ component, available }) => [{ component }, available ? 1 : 0] as const),
    ),
    many(
      'gauge',
      'sync_component_response_seconds',
      'How long the component took to answer its last check; none where it did not.',
      configured.map(
        ({ component, response_time_ms }) => [{ component }, seconds(response_time_ms)] as const,
      ),
    ),
  ];
}

export function resourceFamilies(now: Resources): readonly Family[] {
  return [
    single(
      'gauge',
      'sync_disk_used_ratio',
      'Use of the disk of HEALTH_CHECK_DISK_PATH, 0 to 1.',
      now.disk_used_ratio,
    ),
    many(
      'gauge',
      'sync_db_connections',
      'Connections to the database server, by state.',
      Object.entries(now.db_connections ?? {}).map(([state, n]) => [{ state }, n] as const),
    ),
    single(
      'gauge',
      'sync_db_connections_max',
      'Connections that the database server lets in.',
      now.db_connections_max,
    ),
    single(
      'gauge',
      'sync_host_memory_used_bytes',
      'Memory in use on the host, or in the container where that has a limit.',
      now.memory_used_bytes,
    ),
    single(
      'gauge',
      'sync_host_cpu_ratio',
      'CPU in use on the host, or in the container where that has a limit, 0 to 1.',
      now.cpu_used_ratio,
    ),
  ];
}
