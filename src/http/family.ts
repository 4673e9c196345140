/** Short ways to say a metric family; a sample whose value is null or undefined does not exist. */
import type { Family, Labels, Sample } from './exposition.js';

export type Value = number | null | undefined;

/** One unlabelled sample. */
export function single(type: 'counter' | 'gauge', name: string, help: string, value: Value): Family {
  return many(type, name, help, [[{}, value]]);
}

export function many(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  values: Iterable<readonly [Labels, Value]>,
): Family {
  const samples: Sample[] = [];
  for (const [labels, value] of values) {
    if (value !== null && value !== undefined) samples.push({ labels, value });
  }
  return { name, help, type, samples };
}

/** 1 for the state that holds, 0 for the others: the usual way to show a state as a metric. */
export function states<S extends string>(
  name: string,
  help: string,
  label: string,
  all: readonly S[],
  current: S | null,
): Family {
  return many(
    'gauge',
    name,
    help,
    all.map((state) => [{ [label]: state }, state === current ? 1 : 0] as const),
  );
}

export const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1_000);
