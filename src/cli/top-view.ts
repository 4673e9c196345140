/** What the viewer has chosen to see, and how keys change it. Pure. */
import { WINDOW_NAMES, type WindowName } from '../../streams/snapshot.js';

/** The columns by which operation types can be sorted, in the order of the keys `s` and `S`. */
export const SORT_KEYS = [
  'operations',
  'error_rate',
  'pending',
  'p50',
  'p95',
  'p99',
  'throughput',
  'type',
] as const;
export type SortKey = (typeof SORT_KEYS)[number];

export interface View {
  readonly window: WindowName;
  readonly sort: SortKey;
  readonly descending: boolean;
  /** Types above the first that is shown. */
  readonly scroll: number;
  readonly paused: boolean;
}

export const FIRST_VIEW: View = {
  window: '5m',
  sort: 'operations',
  descending: true,
  scroll: 0,
  paused: false,
};

/** The same keys under a Russian layout, which few switch for one letter. */
const OTHER_LAYOUT: Readonly<Record<string, string>> = {
  й: 'q',
  ы: 's',
  Ы: 'S',
  к: 'r',
  з: 'p',
  ц: 'w',
};

/**
 * The view after a key, or `quit`; the same object where the key means nothing. `key` is the character, or the name of
 * a key that has none (`up`, `left`, `ctrl-c`).
 */
export function viewAfter(view: View, key: string): View | 'quit' {
  const known = OTHER_LAYOUT[key] ?? key;
  switch (known) {
    case 'q':
    case 'ctrl-c':
    case 'ctrl-d':
      return 'quit';
    case 'p':
    case 'space':
      return { ...view, paused: !view.paused };
    case 'r':
      return { ...view, descending: !view.descending, scroll: 0 };
    case 's':
    case 'right':
      return sorted(view, 1);
    case 'S':
    case 'left':
      return sorted(view, -1);
    case 'w':
    case 'tab':
      return { ...view, window: after(WINDOW_NAMES, view.window, 1) };
    case 'down':
    case 'up':
      return { ...view, scroll: Math.max(0, view.scroll + (known === 'down' ? 1 : -1)) };
    default: {
      const window = /^[1-9]$/.test(known) ? WINDOW_NAMES[Number(known) - 1] : undefined;
      return window === undefined ? view : { ...view, window };
    }
  }
}

/** Numbers begin with the largest, names with the first. */
function sorted(view: View, by: 1 | -1): View {
  const sort = after(SORT_KEYS, view.sort, by);
  return { ...view, sort, descending: sort !== 'type', scroll: 0 };
}

function after<T>(values: readonly T[], value: T, by: number): T {
  const next = values[(values.indexOf(value) + by + values.length) % values.length];
  return next ?? value;
}
