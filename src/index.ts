/** The package's public API. */

export type { DayNumbers, HourNumbers } from '../streams/breakdown.js';
export type { CeleryState, CeleryView } from '../streams/celery.js';
export type { RealTimeMetrics } from '../streams/snapshot.js';
export type { ComponentHealth, SystemHealth } from '../streams/system-health.js';
export type { EventPage, EventRequest } from './history/events-query.js';
export { CustomerSyncMonitor, startMonitor } from './monitor.js';
export { type MonitorConfig, NotReadyError } from './monitor-types.js';
export type { SourceLog as MonitorLog } from './source/journal.js';
export { TableError } from './source/table.js';
