/**
 * The answers of the API as zod schemas: the source of /openapi.json, and what the tests hold real answers against.
 * Strict objects, so that a key that is not described here fails a test instead of becoming an undocumented feature.
 */
import { z } from '@hono/zod-openapi';
import type {
  BusinessMetrics,
  OperationMetrics,
  OperationNumbers,
  RealTimeMetrics,
} from '../../streams/snapshot.js';
import type { ErrorBody } from './errors.js';
import type { EventPage } from './view.js';

/** zod's optional keys may be undefined; its exactOptional would be described as required in the document. */
type Loose<T, K extends keyof T> = Omit<T, K> & { readonly [Key in K]?: T[Key] | undefined };

export const count = z.number().int().min(0);
/** A bigint of Postgres: digits where a JSON number would not be exact. */
export const bigId = z.union([z.number().int(), z.string().regex(/^-?\d+$/)]);
export const percent = z
  .number()
  .min(0)
  .max(100)
  .nullable()
  .openapi({ description: 'Percent; null when there was nothing.' });
export const millis = z
  .number()
  .min(0)
  .nullable()
  .openapi({ description: 'Milliseconds; null when there was nothing.' });
export const instant = z.iso.datetime().openapi({ description: 'ISO 8601, UTC.' });
const counts = z.record(z.string(), count);

const numbers = {
  total_operations: count,
  success_count: count,
  error_count: count.openapi({ description: 'Rows with the status error or failed.' }),
  warning_count: count,
  skipped_count: count,
  pending_count: count,
  by_status: counts.openapi({ description: 'Every status under its own name, absent ones left out.' }),
  success_rate: percent,
  error_rate: percent,
  duration_count: count.openapi({ description: 'Rows with a duration.' }),
  duration_negative_count: count.openapi({
    description: 'Rows with a duration below 0, left out of the durations.',
  }),
  duration_avg_ms: millis,
  duration_min_ms: millis,
  duration_max_ms: millis,
  duration_p50_ms: millis,
  duration_p95_ms: millis,
  duration_p99_ms: millis,
  throughput_per_minute: z.number().min(0),
};

export const operationNumbers = z
  .strictObject(numbers)
  .openapi('OperationNumbers') satisfies z.ZodType<OperationNumbers>;

export const operationMetricsShape = {
  ...numbers,
  operations_by_type: counts,
  by_type: z.record(z.string(), operationNumbers),
  period_start: instant.openapi({ description: 'Inclusive.' }),
  period_end: instant.openapi({ description: 'Exclusive.' }),
};

export const operationMetrics = z
  .strictObject(operationMetricsShape)
  .openapi('OperationMetrics') satisfies z.ZodType<OperationMetrics>;

export const businessMetrics = z
  .strictObject({
    synced_customers_count: count.openapi({ description: 'Distinct customers over successful rows.' }),
    conflicts_resolved: counts.openapi({ description: 'Resolved conflicts by their source.' }),
    total_conflicts: count,
    total_conflicts_resolved: count,
    identification_methods: counts.openapi({ description: 'Successful identifications by their method.' }),
    total_identifications: count,
    new_registrations: count,
    imports_from_1c: count,
    admin_notifications_sent: count,
    auto_resolution_rate: percent,
    automation_hours_saved: z.number().min(0),
    automation_money_saved: z
      .number()
      .min(0)
      .optional()
      .openapi({ description: 'Only where HOUR_COST is set.' }),
    period_start: instant,
    period_end: instant,
  })
  .openapi('BusinessMetrics') satisfies z.ZodType<Loose<BusinessMetrics, 'automation_money_saved'>>;

export const completeness = z
  .strictObject({
    state: z.enum(['complete', 'catching_up', 'incomplete', 'unknown']),
    ratio: z.number().min(0).max(1).nullable(),
    reasons: z.array(z.string()).readonly(),
  })
  .openapi('Completeness');

export const lagMs = z.number().min(0).nullable().openapi({
  description: 'Milliseconds since the monitor last had all that was committed; null while it cannot know.',
});

export const realTimeMetrics = z
  .strictObject({
    operations_last_5min: count,
    errors_last_5min: count,
    current_error_rate: percent,
    pending_operations: count,
    throughput_per_minute: z.number().min(0),
    duration_p95_ms: millis,
    duration_p99_ms: millis,
    timestamp: instant,
    lag_ms: lagMs,
    completeness,
  })
  .openapi('RealTimeMetrics') satisfies z.ZodType<RealTimeMetrics>;

const text = z.string().nullable();

export const eventShape = {
  id: bigId,
  operation_type: z.string(),
  status: z.string(),
  customer_id: bigId.nullable(),
  customer_email: text,
  onec_id: text,
  duration_ms: z.number().int().nullable(),
  correlation_id: text,
  created_at: instant.nullable(),
  error_message: text,
  conflict_source: text,
  identification_method: text,
  batch: z
    .strictObject({
      operation_name: text,
      total: z.number().nullable(),
      success: z.number().nullable(),
      error: z.number().nullable(),
    })
    .nullable(),
};

export const eventPage = z
  .strictObject({
    events: z.array(z.strictObject(eventShape).openapi('Event')).readonly(),
    next_before_id: bigId.nullable().openapi({
      description: 'Ask with before_id set to it for the next page; null: there is none.',
    }),
    complete: z.boolean().openapi({
      description: 'False: the search stopped at its bound of rows or time; go on from next_before_id.',
    }),
  })
  .openapi('EventPage') satisfies z.ZodType<EventPage>;

export const errorAnswer = z
  .strictObject({
    error: z
      .looseObject({
        code: z.string().openapi({ example: 'invalid_date' }),
        message: z.string().openapi({ description: 'What is wrong and what would be right.' }),
      })
      .openapi({ description: 'Some codes add details, such as the name of the parameter.' }),
  })
  .openapi('Error') satisfies z.ZodType<ErrorBody>;

export const healthAnswer = z.strictObject({ status: z.literal('healthy') }).openapi('Healthy');
export const aliveAnswer = z.strictObject({ status: z.literal('alive') }).openapi('Alive');
export const readyAnswer = z.strictObject({ status: z.literal('ready') }).openapi('Ready');

/** A 503 of the health paths: the state and, in the error form, its reason. */
export const notReadyAnswer = z
  .strictObject({ status: z.enum(['unhealthy', 'not_ready']), error: errorAnswer.shape.error })
  .openapi('NotReady');
