/** The form that an action is asked for with: a modal dialog, closed by Escape, that gives the focus back. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ApiFailure } from '../../api.js';
import { messages } from '../../state.js';
import { refusalOf } from './silencing.js';
import { doing } from './state.js';

export interface DialogProps {
  readonly title: string;
  readonly meaning: string;
  readonly children: ComponentChildren;
  /** Null: it is done, and the dialog closes; undefined: what was typed is not enough yet. */
  readonly save: () => Promise<ApiFailure | null> | undefined;
}

export function Dialog({ title, meaning, children, save }: DialogProps) {
  const m = messages.value.alerts.form;
  const dialog = useRef<HTMLDialogElement>(null);
  const failure = useSignal<ApiFailure | null>(null);
  const busy = useSignal(false);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy.value) return;
    const saving = save();
    if (saving === undefined) return;
    busy.value = true;
    failure.value = await saving;
    busy.value = false;
    if (failure.value === null) dialog.current?.close();
  };
  return (
    <dialog
      ref={dialog}
      class="asking"
      aria-labelledby="asking-title"
      onClose={() => {
        doing.value = null;
      }}
    >
      <form onSubmit={(event) => void submit(event)}>
        <h3 id="asking-title">{title}</h3>
        <p class="quiet">{meaning}</p>
        {children}
        {failure.value !== null && <Refused failure={failure.value} />}
        <p class="actions">
          <button type="submit" class="main" disabled={busy.value}>
            {m.save}
          </button>
          <button type="button" onClick={() => dialog.current?.close()}>
            {m.cancel}
          </button>
        </p>
      </form>
    </dialog>
  );
}

/** Why an action did not come about, in the viewer's words; the server's where these say too little. */
export function Refused({ failure }: { readonly failure: ApiFailure }) {
  const refusal = refusalOf(failure.status);
  const detailed = refusal === 'unavailable' || refusal === 'invalid';
  return (
    <p class="notice" role="alert">
      {messages.value.alerts.refusals[refusal]} {detailed && <span lang="en">{failure.message}</span>}
    </p>
  );
}

export interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly most: number;
  readonly required?: boolean;
  readonly multiline?: boolean;
  /** What is wrong with it; absent: nothing. */
  readonly wrong?: string | undefined;
  readonly focused?: boolean;
}

export function Field({ label, value, onInput, most, required, multiline, wrong, focused }: FieldProps) {
  const id = `asking-${label}`.replace(/\s+/g, '-');
  const props = {
    ...{ id, value, maxLength: most, required: required ?? false, autofocus: focused ?? false },
    'aria-invalid': wrong !== undefined,
    'aria-describedby': wrong === undefined ? undefined : `${id}-wrong`,
  };
  return (
    <p class="answer">
      <label for={id}>{label}</label>
      {multiline ? (
        <textarea {...props} rows={2} onInput={(event) => onInput(event.currentTarget.value)} />
      ) : (
        <input
          {...props}
          type="text"
          autoComplete="off"
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
      {wrong !== undefined && (
        <span id={`${id}-wrong`} class="wrong">
          {wrong}
        </span>
      )}
    </p>
  );
}
