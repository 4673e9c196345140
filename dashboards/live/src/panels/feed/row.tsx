/** One event in one line. Whatever a row holds is put in as text. */
import { Mark } from '../../parts/mark.js';
import { Value } from '../../parts/value.js';
import { clock, format, messages } from '../../state.js';
import type { Level } from '../../status.js';
import type { FeedRow } from './list.js';

const LEVELS: Readonly<Record<string, Level>> = {
  success: 'good',
  warning: 'warn',
  error: 'bad',
  failed: 'bad',
};

/** A status with its sign. */
export function Status({ of: { status, previous_status } }: { readonly of: FeedRow }) {
  const m = messages.value;
  const level = LEVELS[status] ?? 'unknown';
  const was = previous_status === undefined ? undefined : (m.statuses[previous_status] ?? previous_status);
  return (
    <span class="status-word" data-level={level} title={was === undefined ? undefined : m.feed.was(was)}>
      <Mark level={level} />
      {m.statuses[status] ?? status}
    </span>
  );
}

/** What can be said of it beyond its fields: why it failed, or what a batch did. */
export function summaryOf({ error_message, batch }: FeedRow): string {
  if (error_message !== null && error_message !== '') return error_message;
  if (batch === null) return '';
  const { batch: words } = messages.value.feed.details;
  const { count } = format.value;
  const parts = (['total', 'success', 'error'] as const).flatMap((name) => {
    const value = batch[name];
    return value === null ? [] : [`${words[name]} ${count(value)}`];
  });
  return [batch.operation_name ?? '', parts.join(', ')].filter((part) => part !== '').join(': ');
}

interface RowButtonProps {
  readonly row: FeedRow;
  readonly tabIndex: number;
  readonly onOpen: (row: FeedRow) => void;
}

export function RowButton({ row, tabIndex, onOpen }: RowButtonProps) {
  const m = messages.value;
  const { moment, millis } = format.value;
  const { id, operation_type, created_at, duration_ms, customer_id, onec_id } = row;
  return (
    <button
      type="button"
      data-id={String(id)}
      tabIndex={tabIndex}
      aria-haspopup="dialog"
      onClick={() => onOpen(row)}
    >
      <span class="c-time">
        {/* Peeked at: the date is wanted for what was yesterday, and no row is drawn anew for it. */}
        <Value of={created_at} as={(at) => moment(Date.parse(at), clock.peek())} />
      </span>
      <span class="c-type">{m.types[operation_type] ?? operation_type}</span>
      <span class="c-status">
        <Status of={row} />
      </span>
      <span class="c-duration">
        <Value of={duration_ms} as={millis} />
      </span>
      <span class="c-customer">{customer_id === null ? (onec_id ?? '') : String(customer_id)}</span>
      <span class="c-message">{summaryOf(row)}</span>
    </button>
  );
}
