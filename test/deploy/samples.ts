/** Series of Prometheus and of an exposition in forms that can be compared. */
import { parse } from 'yaml';
import type { Expected } from './api-numbers.js';
import { readRoot } from './expressions.js';
import type { Sample } from './real-prometheus.js';

/** What a panel of recorded series asks, from where it was recorded. */
export function recorded(expr: string): string {
  const { groups } = parse(readRoot('dashboards/prometheus/rules/recording.yml'));
  const rules: { record: string; expr: string }[] = groups[0].rules;
  return rules.reduce(
    (text, rule) => text.replaceAll(new RegExp(`${rule.record}\\{[^}]*\\}`, 'g'), rule.expr),
    expr,
  );
}

const LABELS_OF_ALL = new Set(['__name__', 'instance', 'job']);
/** Fixed by the panel's expression where they occur at all, unless they tell its series apart. */
const TELLING = ['operation_type', 'type', 'status', 'method', 'source', 'rule', 'q', 'window'];

/** Values by the one label that differs between the samples. */
export function labelled(samples: readonly Sample[]): Expected {
  const differs = TELLING.find((label) => new Set(samples.map(({ labels }) => labels[label])).size > 1);
  return Object.fromEntries(
    samples.map(({ labels, value }) => [differs === undefined ? '' : (labels[differs] ?? ''), value]),
  );
}

/** One spelling for a series, whichever form it came in. */
export function keyOf(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels)
    .filter(([label]) => !LABELS_OF_ALL.has(label))
    .map(([label, value]) => `${label}=${label === 'le' && value !== '+Inf' ? Number(value) : value}`);
  return `${labels.__name__}_${parts.sort().join()}`;
}

/** The values of an exposition by series. */
export function seriesOf(exposition: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const line of exposition.split('\n')) {
    const [, name = '', inner = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === '') continue;
    const labels = Object.fromEntries(
      [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', text = '']) => [label, text]),
    );
    found.set(keyOf({ __name__: name, ...labels }), Number(value));
  }
  return found;
}
