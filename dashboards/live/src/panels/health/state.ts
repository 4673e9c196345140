/** What is asked of the monitor for this panel alone; it changes slowly, so rarely. */
import type { ResourcesState } from '../../../../../streams/import-runs.js';
import type { ScheduleState } from '../../../../../streams/schedules.js';
import { ask } from '../../api.js';
import { onReconnect } from '../../on-reconnect.js';
import { resource } from '../../resource.js';

const now = () => 'now';

export const resources = resource<string, ResourcesState>({
  key: now,
  ask: (_key, signal) => ask('api/monitoring/resources/', { signal }),
  everyMs: () => 15_000,
});

export const schedules = resource<string, { readonly schedules: readonly ScheduleState[] }>({
  key: now,
  ask: (_key, signal) => ask('api/monitoring/schedules/', { signal }),
  everyMs: () => 60_000,
});

onReconnect(() => {
  resources.reload();
  schedules.reload();
});
