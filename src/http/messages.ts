/**
 * Protocol 1 of the WebSocket (SPEC section 4): what may be said in either direction, as zod schemas.
 * The hub writes frames as text for speed; the tests hold what it wrote against these.
 */
import { z } from '@hono/zod-openapi';
import type { AlertMessage } from '../../streams/alerts-view.js';
import { WINDOW_NAMES } from '../../streams/snapshot.js';
import { alertShape, reason } from './alert-schemas.js';
import { celerySummarySchema } from './celery-schemas.js';
import { componentStatus, healthStatus } from './health-schemas.js';
import {
  bigId,
  businessMetrics,
  completeness,
  eventShape,
  instant,
  lagMs,
  operationMetricsShape,
} from './schemas.js';

export const PROTOCOL = 1;
export const TOPICS = ['snapshot', 'events', 'alerts', 'health'] as const;
export type Topic = (typeof TOPICS)[number];

const count = z.number().int().min(0);
const seq = z.number().int().min(0);

const names = z.array(z.string().max(200)).min(1).max(100);

export const eventFilter = z.strictObject({
  operation_types: names.optional(),
  statuses: names.optional(),
  correlation_id: z.string().max(200).optional(),
  customer_id: bigId.optional(),
});
export type EventFilterMessage = z.infer<typeof eventFilter>;

export const subscribeMessage = z
  .strictObject({
    type: z.literal('subscribe'),
    topics: z.array(z.enum(TOPICS)).max(16),
    filter: eventFilter.optional(),
    since: z.strictObject({ epoch: z.string().max(200), seq }).optional(),
  })
  .refine((message) => message.since === undefined || message.topics.includes('events'), {
    path: ['since'],
    error: '"since" asks for past events, so "topics" must contain "events"',
  });
export type SubscribeMessage = z.infer<typeof subscribeMessage>;

export const syncEvent = z
  .strictObject({
    seq,
    change: z.enum(['insert', 'update']),
    previous_status: z.string().optional(),
    ...eventShape,
  })
  .openapi('FeedEvent');

const windowSnapshot = z
  .strictObject({ ...operationMetricsShape, business: businessMetrics })
  .openapi('WindowNumbers');
const age = z.number().min(0).nullable();

const queue = z
  .strictObject({
    pending_operations: count,
    export_queue: count,
    oldest_age_seconds: age,
    by_type: z.record(
      z.string(),
      z.strictObject({ pending: count, oldest_created_at: instant.nullable(), oldest_age_seconds: age }),
    ),
  })
  .openapi('Queue');

export const helloMessage = z
  .strictObject({
    type: z.literal('hello'),
    protocol: z.literal(PROTOCOL),
    epoch: z.string(),
    server_time: instant,
    heartbeat_ms: z.number().int().positive(),
  })
  .openapi('HelloMessage');

export const snapshotMessage = z
  .strictObject({
    type: z.literal('snapshot'),
    seq,
    at: instant,
    windows: z.record(z.enum(WINDOW_NAMES), windowSnapshot),
    queue,
    business: businessMetrics,
    throughput: z.strictObject({
      step_seconds: z.number().positive(),
      start: instant,
      total: z.array(count),
      success: z.array(count),
      errors: z.array(count),
    }),
    completeness,
    lag_ms: lagMs,
    clock_skew_ms: z.number().nullable(),
    future_rows: count,
    other_types: count,
    other_statuses: count,
    celery: celerySummarySchema
      .optional()
      .openapi({ description: 'Absent where Celery is not watched, or not there.' }),
  })
  .openapi('SnapshotMessage');

export const eventsMessage = z
  .strictObject({
    type: z.literal('events'),
    epoch: z.string(),
    events: z.array(syncEvent),
    /** Lost by this client since its last `events` message, because it read too slowly. */
    dropped: count,
  })
  .openapi('EventsMessage');

export const gapMessage = z
  .strictObject({ type: z.literal('gap'), from_seq: seq, to_seq: seq })
  .openapi('GapMessage');

const { duration_seconds: _duration, ack: _ack, ...ofAlert } = alertShape;

export const alertMessage = z
  .strictObject({
    type: z.literal('alert'),
    ...ofAlert,
    kind: z.enum(['firing', 'resolved', 'reminder']),
    at: instant.openapi({ description: 'When it was decided on.' }),
    reason,
  })
  .openapi('AlertMessage') satisfies z.ZodType<AlertMessage>;

export const healthMessage = z
  .strictObject({
    type: z.literal('health'),
    at: instant,
    connected: z.boolean(),
    role: z.enum(['starting', 'leader', 'standby', 'stopped']),
    bell: z.strictObject({ mode: z.enum(['armed', 'disarmed', 'off', 'dead']), reason: z.string() }),
    listener_proven: z.boolean(),
    completeness,
    status: healthStatus,
    components: z.record(
      z.string(),
      z.strictObject({
        available: z.boolean(),
        status: componentStatus,
        message: z.string().openapi({ description: 'As it was when something changed.' }),
        since: instant.nullable(),
      }),
    ),
  })
  .openapi('HealthMessage');

export const heartbeatMessage = z
  .strictObject({ type: z.literal('heartbeat'), at: instant })
  .openapi('HeartbeatMessage');

export const errorMessage = z
  .strictObject({
    type: z.literal('error'),
    code: z.string(),
    message: z.string(),
  })
  .openapi('ErrorMessage');

export const serverMessage = z.discriminatedUnion('type', [
  helloMessage,
  snapshotMessage,
  eventsMessage,
  gapMessage,
  alertMessage,
  healthMessage,
  heartbeatMessage,
  errorMessage,
]);
export type ServerMessage = z.infer<typeof serverMessage>;
