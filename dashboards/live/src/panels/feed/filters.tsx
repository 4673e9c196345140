/** What of the feed is shown; all of it is in the address. */
import { useSignal } from '@preact/signals';
import { useEffect, useId, useRef } from 'preact/hooks';
import { messages, snapshot, view } from '../../state.js';
import { NO_FILTER } from '../../view.js';
import { changeFilter } from './feed-state.js';
import { isFiltered, toggled } from './filter.js';

/** After the last key, ms. */
const TYPED = 350;

export function Filters() {
  const m = messages.value;
  const { types, statuses, correlation, customer, text } = view.value.feed;
  // Of names beyond those that are counted singly the page knows only that they are there.
  const named = Object.keys(m.types).filter((name) => name !== 'other');
  const seen = Object.keys(snapshot.value?.windows['24h'].operations_by_type ?? {});
  return (
    // biome-ignore lint/a11y/useSemanticElements: <search> is newer than the browsers that this is built for
    <div class="controls filters" role="search" aria-label={m.feed.filters}>
      <Choice
        label={m.feed.type}
        names={unique(named, seen, types)}
        words={m.types}
        chosen={types}
        onChange={(chosen) => changeFilter({ types: chosen })}
      />
      <Choice
        label={m.feed.status}
        names={unique(Object.keys(m.statuses), statuses)}
        words={m.statuses}
        chosen={statuses}
        onChange={(chosen) => changeFilter({ statuses: chosen })}
      />
      <Field label={m.feed.text} value={text} onCommit={(typed) => changeFilter({ text: typed })} />
      <Field
        label={m.feed.correlation}
        value={correlation}
        onCommit={(typed) => changeFilter({ correlation: typed })}
      />
      <Field
        label={m.feed.customer}
        value={customer}
        allowed={/^(-?\d{1,18})?$/}
        fault={m.feed.digits}
        onCommit={(typed) => changeFilter({ customer: typed })}
      />
      {isFiltered(view.value.feed) && (
        <button type="button" onClick={() => changeFilter(NO_FILTER)}>
          {m.feed.clear}
        </button>
      )}
    </div>
  );
}

function unique(...lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())].filter((name) => name !== 'other');
}

interface ChoiceProps {
  readonly label: string;
  readonly names: readonly string[];
  readonly words: Readonly<Record<string, string>>;
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
}

/** Several of a list; none chosen is as good as all. */
function Choice({ label, names, words, chosen, onChange }: ChoiceProps) {
  const m = messages.value.feed;
  const box = useRef<HTMLDetailsElement>(null);
  const [only] = chosen;
  const said =
    only === undefined
      ? m.any
      : chosen.length === 1
        ? (words[only] ?? only)
        : m.chosen(String(chosen.length));
  const close = (): void => {
    if (box.current !== null) box.current.open = false;
  };
  return (
    <details
      ref={box}
      class="choice"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !box.current?.open) return;
        close();
        box.current.querySelector('summary')?.focus();
      }}
      onFocusOut={({ relatedTarget }) => {
        if (relatedTarget instanceof Node && !box.current?.contains(relatedTarget)) close();
      }}
    >
      <summary data-chosen={chosen.length > 0}>
        {label}: <b>{said}</b>
      </summary>
      <fieldset>
        <legend class="unseen">{label}</legend>
        {names.map((name) => (
          <label key={name}>
            <input
              type="checkbox"
              checked={chosen.includes(name)}
              onChange={() => onChange(toggled(chosen, name))}
            />
            {words[name] ?? name}
          </label>
        ))}
      </fieldset>
    </details>
  );
}

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly allowed?: RegExp;
  /** Said of what is not allowed. */
  readonly fault?: string;
  readonly onCommit: (text: string) => void;
}

/** Acts when the viewer has stopped typing. */
function Field({ label, value, allowed, fault, onCommit }: FieldProps) {
  const id = useId();
  const draft = useSignal(value);
  const timer = useRef(0);
  // Changed elsewhere: by "back", or by clearing all. What is being typed stays as it is.
  useEffect(() => {
    if (draft.peek().trim() !== value) draft.value = value;
  }, [value, draft]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const wrong = allowed !== undefined && !allowed.test(draft.value.trim());
  const commit = (): void => {
    clearTimeout(timer.current);
    const text = draft.peek().trim();
    if (text !== value && (allowed === undefined || allowed.test(text))) onCommit(text);
  };
  return (
    <span class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="search"
        autocomplete="off"
        spellcheck={false}
        maxLength={200}
        value={draft.value}
        aria-invalid={wrong}
        aria-describedby={wrong ? `${id}-fault` : undefined}
        onInput={({ currentTarget }) => {
          draft.value = currentTarget.value;
          clearTimeout(timer.current);
          timer.current = window.setTimeout(commit, TYPED);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') commit();
        }}
        onBlur={commit}
      />
      {wrong && (
        <span id={`${id}-fault`} class="fault">
          {fault}
        </span>
      )}
    </span>
  );
}
