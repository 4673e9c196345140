/** What a panel shows, as a value; panel-builders.ts makes Grafana's JSON of it. */
import type { Words } from './words.js';

export interface Query {
  /** PromQL; `$I` stands for the matcher of the chosen monitors. */
  readonly expr: string;
  /** Grafana's legend format; absent: the title. A word in braces is a label. */
  readonly legend?: string | Words;
  /** Show exemplars beside the series. */
  readonly exemplar?: boolean;
}

export type Kind = 'stat' | 'lines' | 'stacked' | 'heatmap' | 'states' | 'bars' | 'pie' | 'table';

/** A value and the colour that begins there. */
export type Step = readonly [from: number | null, color: string];

export interface Column {
  readonly title: Words;
  readonly unit: string;
}

export interface PanelSpec {
  readonly kind: Kind;
  readonly title: Words;
  readonly description: Words;
  /** A unit id of Grafana. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Of 24 columns; absent: 4 for a stat, 12 for the rest. */
  readonly width?: number;
  readonly height?: number;
  readonly min?: number;
  readonly max?: number;
  readonly decimals?: number;
  readonly log?: boolean;
  /** In ascending order; the first has no value. */
  readonly steps?: readonly Step[];
  /** What the values 0 and 1 of a state are called. */
  readonly states?: Readonly<Record<string, { readonly text: Words; readonly color: string }>>;
  /** Of a table: one for each query, in their order, after the labels. */
  readonly columns?: readonly Column[];
  /** Of a table: the label in its first column. */
  readonly by?: { readonly label: string; readonly title: Words };
}

export interface RowSpec {
  readonly title: Words;
  readonly collapsed?: boolean;
  readonly panels: readonly PanelSpec[];
}

export interface DashboardSpec {
  /** Name of the file, without its extension, and of the language. */
  readonly file: string;
  readonly uid: string;
  readonly title: Words;
  readonly description: Words;
  /** The names of the variables besides data source and monitor. */
  readonly variables: readonly ('window' | 'operation_type')[];
  readonly rows: readonly RowSpec[];
}

export const GREEN = 'green';
export const YELLOW = 'yellow';
export const RED = 'red';

/** Green, and from the two values on yellow and red. */
export const rising = (warn: number, bad: number): readonly Step[] => [
  [null, GREEN],
  [warn, YELLOW],
  [bad, RED],
];

/** Red, and from the two values on yellow and green. */
export const falling = (warn: number, good: number): readonly Step[] => [
  [null, RED],
  [warn, YELLOW],
  [good, GREEN],
];
