/** What the monitor says of itself, in the realtime answer and in health; as strict as in schemas.ts. */
import { z } from '@hono/zod-openapi';
import type { AuditState } from '../../streams/audit-state.js';
import type { HistoryState } from '../../streams/history-state.js';
import type { ResourcesState } from '../../streams/import-runs.js';
import { USES } from '../../streams/resources.js';
import { OUTCOMES, type ScheduleState } from '../../streams/schedules.js';
import type { SystemHealth } from '../../streams/system-health.js';
import { count, instant, realTimeMetrics } from './schemas.js';

const historyState = z
  .strictObject({
    state: z.enum(['off', 'backfilling', 'ready']),
    reason: z.string().openapi({ description: 'Why it is so, one sentence.' }),
    backfill: z
      .strictObject({
        percent: z.number().min(0).max(100).nullable(),
        rows_per_second: z.number().min(0).nullable(),
        seconds_left: z.number().min(0).nullable(),
      })
      .nullable()
      .openapi({ description: 'Null: nothing is left to be read from before the first start.' }),
    last_flush_at: instant.nullable(),
    last_flush_ms: z.number().min(0).nullable(),
    flushed_rows: count,
    flush_failures: count,
    failing_since: instant.nullable().openapi({ description: 'Null while flushes succeed.' }),
    unflushed_rows: count,
  })
  .openapi('HistoryState') satisfies z.ZodType<HistoryState>;

const auditSummary = z
  .strictObject({
    last_at: instant.nullable().openapi({ description: 'When something was compared last.' }),
    rounds: z
      .record(z.string(), count)
      .openapi({ description: 'Rounds finished, by how old the rows are that they compare.' }),
    finds: count.openapi({ description: 'Minutes of an operation type that differed from the table.' }),
    last_find: z
      .strictObject({
        found_at: instant,
        start: instant,
        minutes: z.number().int(),
        operation_type: z.string(),
        kind: z.string(),
        what: z.string(),
      })
      .nullable(),
    completeness_ratio: z.number().min(0).max(1).nullable().openapi({
      description: 'Rows on which history and the table agree, of all; null before the first look.',
    }),
  })
  .openapi('Audit');

export const realTimeAnswer = z
  .strictObject({
    ...realTimeMetrics.shape,
    history: historyState.optional(),
    audit: auditSummary.optional().openapi({ description: 'Absent where no history is kept.' }),
  })
  .openapi('RealTimeAnswer');

/** What the realtime answer says of the audit; health says all. */
export function summaryOf(audit: AuditState): z.infer<typeof auditSummary> {
  return {
    last_at: audit.last_step_at,
    rounds: Object.fromEntries(Object.entries(audit.rounds).map(([part, { finished }]) => [part, finished])),
    finds: audit.finds,
    last_find: audit.last_finds[0] ?? null,
    completeness_ratio: audit.completeness_ratio,
  };
}

const details = z.record(z.string(), z.unknown());

export const healthStatus = z.enum(['healthy', 'degraded', 'unhealthy']);
export const componentStatus = z.enum(['healthy', 'degraded', 'unhealthy', 'not_configured']);

export const systemHealth = z
  .strictObject({
    is_healthy: z.boolean(),
    status: healthStatus,
    components: z.record(
      z.string(),
      z
        .strictObject({
          component: z.string(),
          available: z.boolean(),
          status: componentStatus,
          message: z.string(),
          response_time_ms: z.number().min(0).nullable(),
          since: instant.nullable().openapi({ description: 'When it came into its status.' }),
          consecutive_failures: count.openapi({ description: 'Checks in a row that found it wanting.' }),
          details: details.optional().openapi({ description: 'All that is known of it.' }),
        })
        .openapi('ComponentHealth'),
    ),
    critical_issues: z
      .array(z.strictObject({ component: z.string(), message: z.string(), details }))
      .readonly(),
    timestamp: instant,
  })
  .openapi('SystemHealth') satisfies z.ZodType<Answer>;

/** zod's optional keys may be undefined. */
type Answer = Omit<SystemHealth, 'components'> & { readonly components: Readonly<Record<string, object>> };

const schedule = z
  .strictObject({
    name: z.string(),
    every_seconds: z.number().positive().nullable().openapi({ description: 'From start to start.' }),
    cron: z.string().nullable().openapi({ description: "Times of the day, by this host's clock." }),
    running: z.boolean(),
    last_run_at: instant.nullable().openapi({ description: 'When the last run began.' }),
    last_duration_ms: z.number().min(0).nullable(),
    last_outcome: z.enum(OUTCOMES).nullable(),
    last_message: z.string().nullable().openapi({ description: 'Why it failed or was skipped.' }),
    next_run_at: instant.nullable().openapi({ description: 'After a failure: when it is tried again.' }),
    runs: count,
    failures: count,
    consecutive_failures: count,
  })
  .openapi('Schedule') satisfies z.ZodType<ScheduleState>;

export const schedulesAnswer = z.strictObject({ schedules: z.array(schedule) }).openapi('Schedules');

const amount = z.number().min(0).nullable();
const use = { ...Object.fromEntries(USES.map((key) => [key, amount])) } as Record<
  (typeof USES)[number],
  typeof amount
>;

const importRun = z
  .strictObject({
    correlation_id: z.string().nullable(),
    started_at: instant,
    last_row_at: instant,
    running: z.boolean(),
    rows: count,
    errors: count,
    peak: z.strictObject(use).openapi({ description: 'The most that was used while it ran, by whomever.' }),
  })
  .openapi('ImportRun');

export const resourcesAnswer = z
  .strictObject({
    timestamp: instant,
    now: z.strictObject({
      ...use,
      memory_total_bytes: amount,
      db_connections_max: amount,
      db_connections: z.record(z.string(), count).nullable(),
    }),
    imports: z.strictObject({
      running: z.array(importRun).readonly(),
      finished: z.array(importRun).readonly(),
      rows_not_followed: count,
    }),
  })
  .openapi('Resources') satisfies z.ZodType<ResourcesState>;
