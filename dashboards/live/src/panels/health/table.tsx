/** A table that scrolls sideways where it must, and what it is folded into. */
import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { Mark } from '../../parts/mark.js';
import { format, messages } from '../../state.js';
import type { Level } from '../../status.js';

export interface TableProps {
  readonly title: string;
  /** One in a list is that of numbers. */
  readonly heads: readonly (string | readonly string[])[];
  readonly children: ComponentChildren;
  /** Whether all rows are shown; only with the next two. */
  readonly all?: Signal<boolean>;
  /** How many there are, and how many are shown unless all are. */
  readonly rows?: number;
  readonly most?: number;
}

export function Table({ title, heads, children, all, rows = 0, most = rows }: TableProps) {
  const m = messages.value.health.celery;
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for what a form sends */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
      <div class="scroll" role="group" tabIndex={0} aria-label={title}>
        <table>
          <thead>
            <tr>
              {heads.map((head) => (
                <th key={String(head)} scope="col" class={typeof head === 'string' ? undefined : 'number'}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      </div>
      {all !== undefined && rows > most && (
        <button
          type="button"
          class="all"
          aria-expanded={all.value}
          onClick={() => {
            all.value = !all.value;
          }}
        >
          {all.value ? m.fewer : m.all(format.value.count(rows))}
        </button>
      )}
    </>
  );
}

export interface FoldedProps {
  readonly title: string;
  /** What is said of it while it is folded. */
  readonly said?: ComponentChildren;
  readonly level?: Level;
  /** Whether it is open at first. */
  readonly open?: boolean;
  readonly onToggle?: (open: boolean) => void;
  readonly children: ComponentChildren;
}

export function Folded({ title, said, level, open = false, onToggle, children }: FoldedProps) {
  return (
    <details class="folded" open={open} onToggle={(event) => onToggle?.(event.currentTarget.open)}>
      <summary>
        <span>
          {level !== undefined && <Mark level={level} />}
          <b>{title}</b> {said !== undefined && <span class="quiet">{said}</span>}
        </span>
      </summary>
      {children}
    </details>
  );
}
