import type { ComponentChildren } from 'preact';

export interface PanelProps {
  /** Unique on the page; the name of its place in the layout as well. */
  readonly id: string;
  readonly title: string;
  /** Beside the title: what it is of, or what can be done with it. */
  readonly aside?: ComponentChildren;
  readonly children?: ComponentChildren;
}

/** A titled part of the page. */
export function Panel({ id, title, aside, children }: PanelProps) {
  return (
    <section class={`panel ${id}`} aria-labelledby={`${id}-title`}>
      <header>
        <h2 id={`${id}-title`}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}
