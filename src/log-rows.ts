/** A line of the log for each row, at the level debug: what ELK searches by correlation id or customer. */
import { type Observable, Subscription } from 'rxjs';
import type { SyncEvent } from '../streams/event.js';
import type { Logger } from './log.js';

/** The fields of a line about a row, named as in the table; those without a value are left out. */
export function rowFields(event: SyncEvent): Readonly<Record<string, string | number>> {
  const { id, operation_type, status, customer_id, correlation_id, onec_id, duration_ms, error_message } =
    event;
  const all = {
    id,
    operation_type,
    status,
    customer_id,
    correlation_id,
    onec_id,
    duration_ms,
    error_message,
  };
  return Object.fromEntries(
    Object.entries(all).filter((field): field is [string, string | number] => field[1] !== null),
  );
}

/** Logs live rows until it is unsubscribed. Above the level debug it does not even subscribe: events cost their making. */
export function logRows(log: Logger, events$: Observable<readonly SyncEvent[]>): Subscription {
  if (!log.isLevelEnabled('debug')) return new Subscription();
  return events$.subscribe((events) => {
    for (const event of events) {
      log.debug(
        { event_type: 'sync_operation', ...rowFields(event) },
        `${event.operation_type} ${event.status}`,
      );
    }
  });
}
