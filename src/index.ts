/** The package's public API. */

export type { EventPage, EventRequest } from './history/events-query.js';
export { CustomerSyncMonitor, startMonitor } from './monitor.js';
export {
  type ComponentHealth,
  type HourNumbers,
  type MonitorConfig,
  NotReadyError,
  type RealTimeMetrics,
  type SystemHealth,
} from './monitor-types.js';
export type { SourceLog as MonitorLog } from './source/journal.js';
export { TableError } from './source/table.js';
