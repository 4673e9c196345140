/** The two tables of `top`: the windows, and the operation types of one of them. Pure. */
import { type OperationNumbers, type Snapshot, WINDOW_NAMES } from '../../streams/snapshot.js';
import { age, count, DASH, millis, padded, percent, perMinute, plain, sparkline } from './top-format.js';
import { TREND_STEPS, type Trend, trendOf } from './top-model.js';
import type { ColumnName, Words } from './top-text.js';
import { SORT_KEYS, type SortKey, type View } from './top-view.js';

export type Style = 'bold' | 'dim' | 'good' | 'warn' | 'bad' | 'head' | 'chosen';

export interface Span {
  readonly text: string;
  readonly style?: Style | undefined;
}

export type Line = readonly Span[];

interface Row {
  readonly name: string;
  /** Null: nothing is known; undefined: there was none of it. */
  readonly numbers: OperationNumbers | null | undefined;
  readonly pending: number | null;
  readonly oldest: number | null;
  readonly trend: readonly (number | null)[];
}

interface Column {
  readonly width: number;
  readonly text: (row: Row, words: Words) => string;
}

const number = (of: (numbers: OperationNumbers) => number | null) => (row: Row) =>
  row.numbers ? of(row.numbers) : null;
const total = ({ numbers }: Row) => (numbers === undefined ? 0 : (numbers?.total_operations ?? null));

/** What a type is sorted by. */
const VALUES: Readonly<Record<Exclude<SortKey, 'type'>, (row: Row) => number | null>> = {
  operations: total,
  error_rate: number((n) => n.error_rate),
  pending: ({ pending }) => pending,
  p50: number((n) => n.duration_p50_ms),
  p95: number((n) => n.duration_p95_ms),
  p99: number((n) => n.duration_p99_ms),
  throughput: number((n) => n.throughput_per_minute),
};

const ms = (of: (numbers: OperationNumbers) => number | null): Column => ({
  width: 7,
  text: (row, words) => millis(number(of)(row), words),
});
const counted = (of: (row: Row) => number | null): Column => ({
  width: 9,
  text: (row, words) => count(of(row), words),
});

const COLUMNS: Readonly<Record<Exclude<ColumnName, 'type' | 'trend'>, Column>> = {
  operations: counted(total),
  success_rate: { width: 6, text: (row, words) => percent(number((n) => n.success_rate)(row), words) },
  errors: counted(number((n) => n.error_count)),
  error_rate: { width: 6, text: (row, words) => percent(VALUES.error_rate(row), words) },
  warnings: counted(number((n) => n.warning_count)),
  skipped: counted(number((n) => n.skipped_count)),
  pending: counted(VALUES.pending),
  oldest: { width: 11, text: ({ oldest }, words) => age(oldest, words) },
  min: ms((n) => n.duration_min_ms),
  avg: ms((n) => n.duration_avg_ms),
  p50: ms((n) => n.duration_p50_ms),
  p95: ms((n) => n.duration_p95_ms),
  p99: ms((n) => n.duration_p99_ms),
  max: ms((n) => n.duration_max_ms),
  throughput: { width: 8, text: (row, words) => perMinute(VALUES.throughput(row), words) },
};
type NumberColumn = keyof typeof COLUMNS;

/** As they stand from left to right. */
const ORDER = Object.keys(COLUMNS) as readonly NumberColumn[];
/** Which get room first. */
const WANTED: readonly NumberColumn[] = [
  ...(['operations', 'error_rate', 'p95', 'throughput', 'p99', 'p50', 'pending', 'oldest'] as const),
  ...(['success_rate', 'errors', 'avg', 'max', 'warnings', 'skipped', 'min'] as const),
];
const TREND = { least: 6, most: TREND_STEPS };
/** Characters of a type's name where there is room, and below so many columns of the terminal. */
const NAME = { most: 32, mostWhenNarrow: 20, narrow: 100 };

/** Header and a line for each window; the chosen one is marked. */
export function windowLines(snapshot: Snapshot | null, view: View, words: Words, width: number): Line[] {
  const rows = WINDOW_NAMES.map((name): Row => {
    const numbers = snapshot?.windows[name] ?? null;
    return { name, numbers, pending: numbers?.pending_count ?? null, oldest: null, trend: [] };
  });
  const nameWidth = Math.max(words.window.length, 5);
  const columns = chosenColumns(width - nameWidth - 2, words, { without: ['oldest'] });
  const head: Line = [
    { text: `  ${padded(words.window, nameWidth)}`, style: 'head' },
    ...columns.map((name) => ({ text: headOf(name, words), style: 'head' as const })),
  ];
  return [
    head,
    ...rows.map((row): Line => {
      const chosen = row.name === view.window;
      const name = `${chosen ? '>' : ' '} ${padded(row.name, nameWidth)}`;
      return [{ text: name, style: chosen ? 'bold' : undefined }, ...cells(row, columns, words)];
    }),
  ];
}

/** Header and as many types as fit into `height`, from `view.scroll` on, which is given back as far as it can be. */
export function typeLines(
  { snapshot, trend }: { readonly snapshot: Snapshot | null; readonly trend: Trend },
  view: View,
  words: Words,
  { width, height }: { readonly width: number; readonly height: number },
): { readonly lines: Line[]; readonly scroll: number } {
  const rows = snapshot === null ? [] : sortedRows(rowsOf(snapshot, trend, view), view);
  const longest = Math.max(words.columns.type.length + 1, ...rows.map(({ name }) => [...name].length));
  const nameWidth = Math.min(longest, width < NAME.narrow ? NAME.mostWhenNarrow : NAME.most);
  const room = width - nameWidth;
  const columns = chosenColumns(room - TREND.least - 1, words, { first: view.sort });
  const used = columns.reduce((sum, name) => sum + widthOf(name, words), 0);
  const trendWidth = Math.min(TREND.most, room - used - 1);
  const name = view.sort === 'type' ? words.columns.type + markOf(view) : words.columns.type;
  const styleOf = (key: string) => (key === view.sort ? 'chosen' : 'head');
  const head: Line = [
    { text: padded(name, nameWidth), style: styleOf('type') },
    ...columns.map((key) => ({ text: headOf(key, words, view), style: styleOf(key) as Style })),
    ...(trendWidth < TREND.least
      ? []
      : [{ text: ` ${padded(words.columns.trend, trendWidth)}`, style: 'head' as const }]),
  ];
  const all = rows.map((row): Line => {
    const bars = trendWidth < TREND.least ? '' : ` ${sparkline(row.trend, trendWidth)}`;
    return [
      { text: padded(row.name, nameWidth) },
      ...cells(row, columns, words),
      { text: bars, style: 'dim' },
    ];
  });
  if (all.length === 0)
    return { lines: [head, [{ text: snapshot ? words.noTypes : DASH, style: 'dim' }]], scroll: 0 };
  return cut(head, all, view.scroll, height, words);
}

/** The last line says how many are not shown. */
function cut(head: Line, all: readonly Line[], wanted: number, height: number, words: Words) {
  const room = Math.max(1, height - 1);
  if (all.length <= room) return { lines: [head, ...all], scroll: 0 };
  const shown = Math.max(1, room - 1);
  const scroll = Math.min(wanted, all.length - shown);
  const rest: Line = [{ text: `… ${words.more(all.length - shown)}`, style: 'dim' }];
  return { lines: [head, ...all.slice(scroll, scroll + shown), rest], scroll };
}

/** Types of the window, and those of which rows wait although they are older. */
function rowsOf({ windows, queue }: Snapshot, trend: Trend, view: View): Row[] {
  // Maps, for a type may be called `constructor`.
  const byType = new Map(Object.entries(windows[view.window].by_type));
  const queued = new Map(Object.entries(queue.by_type).filter(([, { pending }]) => pending > 0));
  return [...new Set([...byType.keys(), ...queued.keys()])].map((name) => ({
    name: plain(name),
    numbers: byType.get(name),
    pending: queued.get(name)?.pending ?? 0,
    oldest: queued.get(name)?.oldest_age_seconds ?? null,
    trend: trendOf(trend, name),
  }));
}

/** What is not known comes last either way; equal ones by name, so that lines do not jump. */
function sortedRows(rows: readonly Row[], { sort, descending }: View): Row[] {
  const sign = descending ? -1 : 1;
  const byName = (one: Row, other: Row) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0);
  if (sort === 'type') return [...rows].sort((one, other) => sign * byName(one, other));
  const of = VALUES[sort];
  return [...rows].sort((one, other) => {
    const [a, b] = [of(one), of(other)];
    if (a === null || b === null) return Number(a === null) - Number(b === null) || byName(one, other);
    return sign * (a - b) || byName(one, other);
  });
}

function chosenColumns(
  width: number,
  words: Words,
  { first, without = [] }: { readonly first?: SortKey; readonly without?: readonly NumberColumn[] },
): NumberColumn[] {
  const wanted = first === undefined || first === 'type' ? WANTED : [first, ...WANTED];
  const taken = new Set<NumberColumn>();
  let room = width;
  for (const name of wanted) {
    if (taken.has(name) || without.includes(name)) continue;
    if (widthOf(name, words) > room) break;
    room -= widthOf(name, words);
    taken.add(name);
  }
  return ORDER.filter((name) => taken.has(name));
}

/** With the gap before it, and room for the mark of the sorted column. */
function widthOf(name: NumberColumn, words: Words): number {
  const mark = (SORT_KEYS as readonly string[]).includes(name) ? 1 : 0;
  return 1 + Math.max(COLUMNS[name].width, words.columns[name].length + mark);
}

function headOf(name: NumberColumn, words: Words, view?: View): string {
  const mark = view?.sort === name ? markOf(view) : '';
  return ` ${padded(words.columns[name] + mark, widthOf(name, words) - 1, true)}`;
}

const markOf = ({ descending }: View) => (descending ? '▼' : '▲');

function cells(row: Row, columns: readonly NumberColumn[], words: Words): Span[] {
  const failing = (row.numbers?.error_count ?? 0) > 0;
  return columns.map((name) => ({
    text: ` ${padded(COLUMNS[name].text(row, words), widthOf(name, words) - 1, true)}`,
    style: failing && (name === 'errors' || name === 'error_rate') ? 'warn' : undefined,
  }));
}
