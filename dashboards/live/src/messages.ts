/** Protocol 1 of the WebSocket as the page reads it; test/dashboard/wire.test.ts holds it against the server's. */
import type { AlertMessage } from '../../../streams/alerts-view.js';
import type { CelerySummary } from '../../../streams/celery-summary.js';
import type { Completeness, FeedEvent } from '../../../streams/event.js';
import type { Snapshot } from '../../../streams/snapshot.js';

export interface Hello {
  readonly type: 'hello';
  readonly protocol: number;
  readonly epoch: string;
  readonly server_time: string;
  readonly heartbeat_ms: number;
}

export interface SnapshotMessage extends Snapshot {
  readonly type: 'snapshot';
  readonly seq: number;
  /** Absent: there is no Celery to be shown. */
  readonly celery?: CelerySummary;
}

export interface EventsMessage {
  readonly type: 'events';
  readonly epoch: string;
  readonly events: readonly FeedEvent[];
  /** Lost since the last message, because this client read too slowly. */
  readonly dropped: number;
}

export interface GapMessage {
  readonly type: 'gap';
  readonly from_seq: number;
  readonly to_seq: number;
}

export interface HealthMessage {
  readonly type: 'health';
  readonly at: string;
  readonly connected: boolean;
  readonly role: 'starting' | 'leader' | 'standby' | 'stopped';
  readonly bell: { readonly mode: 'armed' | 'disarmed' | 'off' | 'dead'; readonly reason: string };
  readonly listener_proven: boolean;
  readonly completeness: Completeness;
}

export interface Heartbeat {
  readonly type: 'heartbeat';
  readonly at: string;
}

export interface ErrorMessage {
  readonly type: 'error';
  readonly code: string;
  readonly message: string;
}

export type ServerMessage =
  | Hello
  | SnapshotMessage
  | EventsMessage
  | GapMessage
  | AlertMessage
  | HealthMessage
  | Heartbeat
  | ErrorMessage;

/** Of the server's: all conditions must hold, of a list any one. */
export interface SubscribeFilter {
  readonly operation_types?: readonly string[];
  readonly statuses?: readonly string[];
  readonly correlation_id?: string;
  readonly customer_id?: string;
}

export interface Subscribe {
  readonly type: 'subscribe';
  readonly topics: readonly ('snapshot' | 'events' | 'alerts' | 'health')[];
  readonly filter?: SubscribeFilter;
  readonly since?: { readonly epoch: string; readonly seq: number };
}
