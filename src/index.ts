/** The package's public API. */

export {
  type ComponentHealth,
  CustomerSyncMonitor,
  type HourNumbers,
  type MonitorConfig,
  NotReadyError,
  type RealTimeMetrics,
  type SystemHealth,
  startMonitor,
} from './monitor.js';
export type { SourceLog as MonitorLog } from './source/source.js';
export { TableError } from './source/table.js';
