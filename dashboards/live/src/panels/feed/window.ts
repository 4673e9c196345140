/** Which rows of a long list are in the document: the DOM stays the same size however long the list gets. Pure. */

export interface Scrolled {
  readonly count: number;
  /** Pixels, as the next two. */
  readonly top: number;
  readonly height: number;
  readonly row: number;
}

/** Rows kept beyond either edge, so that a quick scroll meets no blank. */
const BEYOND = 8;
/** However high the box claims to be. */
const MOST = 200;

/** Half-open. */
export interface Rendered {
  readonly from: number;
  readonly to: number;
}

export function renderedRows({ count, top, height, row }: Scrolled): Rendered {
  const first = Math.max(0, Math.min(Math.floor(top / row), count - 1));
  const from = Math.max(0, first - BEYOND);
  const shown = Math.ceil(height / row) + 1;
  return { from, to: Math.min(count, from + MOST, first + shown + BEYOND) };
}

/** The scroll position closest to the present one in which a row is seen whole. */
export function scrollTo(index: number, { top, height, row }: Omit<Scrolled, 'count'>): number {
  const start = index * row;
  if (start < top) return start;
  return start + row > top + height ? start + row - height : top;
}

/** Where a key leads in a list; null: it leads nowhere. */
export function moved(key: string, at: number, count: number, page: number): number | null {
  if (count === 0) return null;
  const within = (index: number): number => Math.max(0, Math.min(count - 1, index));
  switch (key) {
    case 'ArrowDown':
      return within(at + 1);
    case 'ArrowUp':
      return within(at - 1);
    case 'PageDown':
      return within(at + page);
    case 'PageUp':
      return within(at - page);
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}
