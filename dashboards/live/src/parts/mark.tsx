import type { Level } from '../status.js';

/** Each level has a shape of its own: colour alone says nothing to one in twelve men. */
const SHAPES: Readonly<Record<Level, string>> = {
  good: 'M3.5 8.5 6.5 11.5 12.5 4.5',
  warn: 'M8 4v5M8 12v.01',
  bad: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  unknown: 'M4 8h.01M8 8h.01M12 8h.01',
};

/** A sign beside words that say the same; hidden from screen readers. */
export function Mark({ level }: { readonly level: Level }) {
  return (
    <svg class="mark" data-level={level} viewBox="0 0 16 16" aria-hidden="true">
      <circle cx="8" cy="8" r="8" />
      <path d={SHAPES[level]} />
    </svg>
  );
}
