/**
 * The newest live events in fold order, for those who come late or come back. Rows are masked when somebody reads them
 * (a catch-up passes faster than anybody reads), except where keeping the clear text would take much memory.
 */
import type { Batch, FeedEvent, SyncEvent, SyncRow } from './event.js';
import { toEvent } from './mask.js';

/** What a client may ask for; every absent or empty part lets everything pass. */
export interface EventFilter {
  readonly operation_types?: readonly string[] | undefined;
  readonly statuses?: readonly string[] | undefined;
  readonly correlation_id?: string | undefined;
  readonly customer_id?: number | string | undefined;
}

/** The events after a position, or the range of them that this feed no longer has. */
export type FeedReplay =
  | { readonly events: readonly FeedEvent[] }
  | { readonly gap: { readonly from_seq: number; readonly to_seq: number } };

export const FEED_SIZE = 10_000;
// A clear row may take more memory than its event (whose texts are at most 200 characters); up to here it may not.
const KEPT_IN_CLEAR = 500;

/** A place in the feed: the row until somebody reads it, then the event. */
class Entry {
  private readonly seq: number;
  private readonly previousStatus: string | null;
  private held: SyncRow | FeedEvent;

  constructor(seq: number, row: SyncRow, previousStatus: string | null) {
    this.seq = seq;
    this.held = row;
    this.previousStatus = previousStatus;
  }

  event(): FeedEvent {
    if ('seq' in this.held) return this.held;
    this.held = numbered(toEvent(this.held), this.seq, this.previousStatus);
    return this.held;
  }
}

/** Key by key: spreading an event takes longer than making it. */
function numbered(event: SyncEvent, seq: number, previousStatus: string | null): FeedEvent {
  const inserted: FeedEvent = {
    id: event.id,
    operation_type: event.operation_type,
    status: event.status,
    customer_id: event.customer_id,
    customer_email: event.customer_email,
    onec_id: event.onec_id,
    duration_ms: event.duration_ms,
    correlation_id: event.correlation_id,
    created_at: event.created_at,
    error_message: event.error_message,
    conflict_source: event.conflict_source,
    identification_method: event.identification_method,
    batch: event.batch,
    seq,
    change: 'insert',
  };
  return previousStatus === null
    ? inserted
    : { ...inserted, change: 'update', previous_status: previousStatus };
}

export class Feed {
  /** Names this numbering; another process numbers anew. */
  readonly epoch: string;
  private readonly size: number;
  private readonly ring: Entry[] = [];
  private seq = 0;

  constructor(epoch: string, size = FEED_SIZE) {
    this.epoch = epoch;
    this.size = size;
  }

  /** Number of the newest event; 0 before the first. */
  get lastSeq(): number {
    return this.seq;
  }

  /** Takes the live rows of a batch; what it answers reads them as events. Null where there are none. */
  apply(batch: Batch): (() => readonly FeedEvent[]) | null {
    if (batch.origin !== 'live' || batch.rows.length + batch.updates.length === 0) return null;
    const added: Entry[] = [];
    for (const row of batch.rows) added.push(this.append(row, null));
    for (const { row, previous } of batch.updates) added.push(this.append(row, previous.status));
    return () => added.map((entry) => entry.event());
  }

  /** The events after `seq` of this epoch, oldest first, or what is missing up to now. */
  since(position: { readonly epoch: string; readonly seq: number }): FeedReplay {
    const oldest = this.seq - this.ring.length + 1;
    if (position.epoch !== this.epoch) return { gap: { from_seq: 1, to_seq: this.seq } };
    if (position.seq + 1 < oldest) return { gap: { from_seq: position.seq + 1, to_seq: this.seq } };
    const events: FeedEvent[] = [];
    for (let seq = Math.max(oldest, position.seq + 1); seq <= this.seq; seq++) events.push(this.at(seq));
    return { events };
  }

  private at(seq: number): FeedEvent {
    return (this.ring[(seq - 1) % this.size] as Entry).event();
  }

  private append(row: SyncRow, previousStatus: string | null): Entry {
    this.seq += 1;
    const entry = new Entry(this.seq, row, previousStatus);
    if (textOf(row) > KEPT_IN_CLEAR) entry.event();
    this.ring[(this.seq - 1) % this.size] = entry;
    return entry;
  }
}

/** True when an event passes; a filter applies to the new state of an update. */
export function passes(event: SyncEvent, filter: EventFilter): boolean {
  return (
    allows(filter.operation_types, event.operation_type) &&
    allows(filter.statuses, event.status) &&
    (filter.correlation_id === undefined || filter.correlation_id === event.correlation_id) &&
    (filter.customer_id === undefined || String(filter.customer_id) === String(event.customer_id))
  );
}

function allows(allowed: readonly string[] | undefined, value: string): boolean {
  return allowed === undefined || allowed.length === 0 || allowed.includes(value);
}

function textOf(row: SyncRow): number {
  const length = (text: string | null | undefined): number => text?.length ?? 0;
  return (
    length(row.errorMessage) +
    length(row.correlationId) +
    length(row.onecId) +
    length(row.customerEmail) +
    length(row.conflictSource) +
    length(row.identificationMethod) +
    length(row.batch?.operation_name) +
    row.operationType.length +
    row.status.length
  );
}
