import type { FeedRow } from '../../dashboards/live/src/panels/feed/list.js';
import type { BigId } from '../../streams/event.js';

/** A row of the feed of which only the id matters, or what is given. */
export function row(id: BigId, more: Partial<FeedRow> = {}): FeedRow {
  return {
    id,
    operation_type: 'export_to_1c',
    status: 'success',
    customer_id: null,
    customer_email: null,
    onec_id: null,
    duration_ms: 120,
    correlation_id: null,
    created_at: '2026-01-31T12:00:00.000Z',
    error_message: null,
    conflict_source: null,
    identification_method: null,
    batch: null,
    ...more,
  };
}
