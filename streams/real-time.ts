/** The last five minutes in the few numbers that somebody looks at first. */
import type { RealTimeMetrics, Snapshot } from './snapshot.js';

export function realTimeMetrics(snapshot: Snapshot): RealTimeMetrics {
  const window = snapshot.windows['5m'];
  return {
    operations_last_5min: window.total_operations,
    errors_last_5min: window.error_count,
    current_error_rate: window.error_rate,
    pending_operations: snapshot.queue.pending_operations,
    throughput_per_minute: window.throughput_per_minute,
    duration_p95_ms: window.duration_p95_ms,
    duration_p99_ms: window.duration_p99_ms,
    timestamp: snapshot.at,
    lag_ms: snapshot.lag_ms,
    completeness: snapshot.completeness,
  };
}
