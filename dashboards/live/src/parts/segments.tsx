export interface SegmentsProps<T extends string> {
  /** What is chosen here, for screen readers. */
  readonly label: string;
  readonly options: readonly {
    readonly value: T;
    readonly label: string;
    /** More than the label says. */
    readonly title?: string;
    /** In place of a label that is no word. */
    readonly name?: string;
  }[];
  /** Null: none of them. */
  readonly chosen: T | null;
  readonly onChoose: (value: T) => void;
}

/** A row of buttons of which one is pressed. */
export function Segments<T extends string>({ label, options, chosen, onChoose }: SegmentsProps<T>) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for what a form sends; this acts at once
    <div class="segments" role="group" aria-label={label}>
      {options.map(({ value, label: text, title, name }) => (
        <button
          key={value}
          type="button"
          aria-pressed={value === chosen}
          title={title ?? name}
          aria-label={name}
          onClick={() => onChoose(value)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}
