/** What goes into the monitor and what comes out, as the package's public API names it. */
import type { AlertsConfig } from './alert-settings.js';
import type { CeleryConfig } from './celery-service.js';
import type { HealthConfig } from './health-settings.js';
import type { AuditPace } from './history/audit.js';
import type { SourceLog } from './source/journal.js';

export interface MonitorConfig {
  /** postgres:// URL of the database, a direct connection (no transaction pooler). */
  readonly databaseUrl: string;
  /** The log table, schema-qualified or not, quoted where SQL would need it. Default public.customer_sync_logs. */
  readonly table?: string;
  /** How to learn of new rows: DESIGN.md. Default auto. */
  readonly bell?: 'auto' | 'always' | 'off';
  /** Minutes that a human would take for one conflict. Default 10. */
  readonly manualResolutionMinutes?: number;
  /** Money for an hour of that human; without it no money is computed. */
  readonly hourCost?: number | undefined;
  /** Longest period that may be asked for, days. Default 400. */
  readonly retentionDays?: number;
  /** Keep minutes and a checkpoint in the schema sync_monitor, where this role may write there. Default auto. */
  readonly history?: 'auto' | 'off';
  /** Speed at which the rows from before the first start are read into history. Default 20,000. */
  readonly backfillRowsPerSecond?: number;
  /** Between two writes of history, seconds. Default 3. */
  readonly flushSeconds?: number;
  /** How often history is compared with the table (src/history/audit.ts); null: never. */
  readonly auditPace?: Partial<AuditPace> | null;
  /** Decide on alerts, keep them, and tell the receivers. Without it there are none. */
  readonly alerts?: AlertsConfig;
  /** Check what is around the monitor. Without it health tells only what the monitor knows of itself. */
  readonly health?: HealthConfig;
  /** Listen to Celery. Without it there is none. */
  readonly celery?: CeleryConfig | undefined;
  /** Install schema and bell where this role may. Default true. */
  readonly migrate?: boolean;
  readonly log?: SourceLog;
}

/** The monitor has no numbers to give at this moment; `code` says why. */
export class NotReadyError extends Error {
  readonly code: 'starting' | 'standby' | 'database_unavailable';
  constructor(code: NotReadyError['code'], message: string) {
    super(message);
    this.name = 'NotReadyError';
    this.code = code;
  }
}
