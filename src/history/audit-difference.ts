import type { FindKind } from '../../streams/audit-state.js';

/** What is compared of one period and operation type. */
export interface Sums {
  /** By name, never `pending`. */
  readonly statuses: Map<string, number>;
  durations: number;
  durationSum: number;
  negative: number;
  /** Distinct customers of successful rows: how many, and the sum of their ids. */
  customers: number;
  customerSum: bigint;
  /** Rows that are pending and were folded as settled ones; only of the table. */
  reopened: number;
}

export function noSums(): Sums {
  return {
    statuses: new Map(),
    durations: 0,
    durationSum: 0,
    negative: 0,
    customers: 0,
    customerSum: 0n,
    reopened: 0,
  };
}

export function rowsOf({ statuses }: Sums): number {
  let rows = 0;
  for (const count of statuses.values()) rows += count;
  return rows;
}

/** Rows that both have, status by status, of all that either has. */
export function agreement(history: Sums, table: Sums): { readonly agreeing: number; readonly all: number } {
  let agreeing = 0;
  let all = 0;
  for (const status of new Set([...history.statuses.keys(), ...table.statuses.keys()])) {
    const [a, b] = [history.statuses.get(status) ?? 0, table.statuses.get(status) ?? 0];
    agreeing += Math.min(a, b);
    all += Math.max(a, b);
  }
  return { agreeing, all };
}

export interface Differing {
  readonly kind: Exclude<FindKind, 'truncated'>;
  readonly what: string;
  /** Rows are missing from the table, and nothing else is to be seen: it may be retention at work. */
  readonly onlyGone: boolean;
}

/** Null where the two are equal. */
export function differing(history: Sums, table: Sums): Differing | null {
  const changes: string[] = [];
  let grown = false;
  const compare = (name: string, was: number | bigint, is: number | bigint, unit = '') => {
    if (was === is) return;
    changes.push(`${name} ${was}${unit} -> ${is}${unit}`);
    if (is > was) grown = true;
  };
  const names = new Set([...history.statuses.keys(), ...table.statuses.keys()]);
  for (const name of names)
    compare(name === '' ? "''" : name, history.statuses.get(name) ?? 0, table.statuses.get(name) ?? 0);
  const statuses = changes.length > 0;
  compare('durations', history.durations, table.durations);
  compare('duration sum', history.durationSum, table.durationSum, ' ms');
  compare('negative durations', history.negative, table.negative);
  const durations = changes.length > 0;
  compare('distinct customers', history.customers, table.customers);
  // A sum of ids tells people nothing.
  if (history.customers === table.customers && history.customerSum !== table.customerSum) {
    changes.push('other customers');
    grown = true;
  }
  if (changes.length === 0) return null;
  const missing = rowsOf(history) - rowsOf(table);
  return {
    kind: kindOf({ missing, statuses, durations, reopened: table.reopened }),
    what: changes.join(', '),
    onlyGone: missing > 0 && !grown && table.reopened === 0,
  };
}

function kindOf(seen: {
  readonly missing: number;
  readonly statuses: boolean;
  readonly durations: boolean;
  readonly reopened: number;
}): Differing['kind'] {
  if (seen.missing < 0) return 'late';
  if (seen.missing > 0) return seen.reopened >= seen.missing ? 'reopened' : 'deleted';
  if (seen.statuses) return 'status';
  return seen.durations ? 'duration' : 'customers';
}
