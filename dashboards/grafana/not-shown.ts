/** The metrics that no panel shows and no rule asks about, and why. A test keeps the list true. */

const PART = 'A part of process_cpu_seconds_total, which is shown.';
const DELAY = 'The p99 of the same measurement is shown.';
const HANDLES =
  'Sockets are told by the WebSocket clients and database connections; the rest is for a debugger.';
const HEAP = 'The heap as a whole and the resident memory are shown.';
const FIXED = 'It does not change while the process runs.';

export const NOT_SHOWN: Readonly<Record<string, string>> = {
  process_cpu_user_seconds_total: PART,
  process_cpu_system_seconds_total: PART,
  process_start_time_seconds: FIXED,
  process_virtual_memory_bytes: 'Reserved addresses, which cost nothing.',
  process_heap_bytes: HEAP,
  process_open_fds: HANDLES,
  process_max_fds: FIXED,
  nodejs_eventloop_lag_seconds: DELAY,
  nodejs_eventloop_lag_min_seconds: DELAY,
  nodejs_eventloop_lag_max_seconds: DELAY,
  nodejs_eventloop_lag_mean_seconds: DELAY,
  nodejs_eventloop_lag_stddev_seconds: DELAY,
  nodejs_eventloop_lag_p50_seconds: DELAY,
  nodejs_eventloop_lag_p90_seconds: DELAY,
  nodejs_active_resources: HANDLES,
  nodejs_active_resources_total: HANDLES,
  nodejs_active_handles: HANDLES,
  nodejs_active_handles_total: HANDLES,
  nodejs_active_requests: HANDLES,
  nodejs_active_requests_total: HANDLES,
  nodejs_heap_size_total_bytes: HEAP,
  nodejs_external_memory_bytes: HEAP,
  nodejs_heap_space_size_total_bytes: HEAP,
  nodejs_heap_space_size_used_bytes: HEAP,
  nodejs_heap_space_size_available_bytes: HEAP,
  nodejs_version_info: FIXED,
  celery_events_total: 'Tasks are shown by state, and workers by their number.',
};
