/** The details of one row: its fields, and everything of the same correlation id in order of time. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Value } from '../../parts/value.js';
import { changeView, format, messages, view } from '../../state.js';
import { NO_FILTER } from '../../view.js';
import { details, feed } from './feed-state.js';
import type { FeedRow } from './list.js';
import { Status, summaryOf } from './row.js';
import { Timeline } from './timeline.js';

function close(): void {
  if (view.peek().open !== null) changeView({ open: null });
}

/** Always in the document: a dialog that is taken out while it is open does not give the focus back. */
export function DetailsDialog() {
  const m = messages.value.feed.details;
  const box = useRef<HTMLDialogElement>(null);
  const id = view.value.open;
  useEffect(() => {
    if (id === null) box.current?.close();
    else if (!box.current?.open) box.current?.showModal();
    else box.current.scrollTop = 0;
  }, [id]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc does the same
    <dialog
      ref={box}
      class="details"
      aria-labelledby="details-title"
      onClose={close}
      onClick={({ target, currentTarget }) => {
        // Of the dialog itself only its backdrop can be hit.
        if (target === currentTarget) close();
      }}
    >
      <div class="sheet">
        <header>
          <h2 id="details-title">{id === null ? '' : m.title(id)}</h2>
          <button type="button" onClick={close}>
            {m.close}
          </button>
        </header>
        {id !== null && <Content id={id} />}
      </div>
    </dialog>
  );
}

function Content({ id }: { readonly id: string }) {
  const m = messages.value;
  const found = details.value.value;
  const failure = details.failure.value;
  // At hand already, until the table has answered.
  const row = found === null ? feed.list.peek().rows.find((one) => String(one.id) === id) : found.row;
  return (
    <>
      {failure !== null && (
        <p class="notice" role="alert">
          {m.feed.failed} <span lang="en">{failure.message}</span>
        </p>
      )}
      {row === null && <p>{m.feed.details.absent}</p>}
      {row === undefined && failure === null && <p class="quiet">{m.feed.reading}</p>}
      {row && <Fields row={row} />}
      {row && found !== null && <Timeline of={row} found={found} />}
    </>
  );
}

function Fields({ row }: { readonly row: FeedRow }) {
  const m = messages.value;
  const { labels } = m.feed.details;
  const { exact, millis } = format.value;
  const plain = (value: string | number | null) => <Value of={value === '' ? null : value} as={String} />;
  return (
    <dl class="fields" aria-label={m.feed.details.fields}>
      <Line name={labels.created_at}>
        <Value of={row.created_at} as={(at) => exact(Date.parse(at))} />
      </Line>
      <Line name={labels.operation_type}>
        {m.types[row.operation_type] ?? row.operation_type} <code>{row.operation_type}</code>
      </Line>
      <Line name={labels.status}>
        <Status of={row} />
        {row.previous_status !== undefined && (
          <span class="quiet"> {m.feed.was(m.statuses[row.previous_status] ?? row.previous_status)}</span>
        )}
      </Line>
      <Line name={labels.error_message}>{plain(row.error_message)}</Line>
      <Line name={labels.duration_ms}>
        <Value of={row.duration_ms} as={millis} />
      </Line>
      <Line name={labels.customer_id}>
        {plain(row.customer_id)}
        {row.customer_id !== null && (
          <Only label={m.feed.details.onlyCustomer} filter={{ customer: String(row.customer_id) }} />
        )}
      </Line>
      <Line name={labels.customer_email}>{plain(row.customer_email)}</Line>
      <Line name={labels.onec_id}>{plain(row.onec_id)}</Line>
      <Line name={labels.correlation_id}>
        {plain(row.correlation_id)}
        {row.correlation_id !== null && row.correlation_id !== '' && (
          <Only label={m.feed.details.onlyCorrelation} filter={{ correlation: row.correlation_id }} />
        )}
      </Line>
      <Line name={labels.conflict_source}>{plain(row.conflict_source)}</Line>
      <Line name={labels.identification_method}>{plain(row.identification_method)}</Line>
      <Line name={labels.batch}>
        {plain(row.batch === null ? null : summaryOf({ ...row, error_message: null }))}
      </Line>
    </dl>
  );
}

function Line({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Only({
  label,
  filter,
}: {
  readonly label: string;
  readonly filter: { readonly customer: string } | { readonly correlation: string };
}) {
  return (
    <button
      type="button"
      onClick={() => changeView({ feed: { ...NO_FILTER, ...filter }, open: null }, 'step')}
    >
      {label}
    </button>
  );
}
