/** The PromQL of the dashboards as Prometheus gets it, and what metrics an expression names. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..', '..');

export const inRoot = (path: string): string => resolve(ROOT, path);
export const readRoot = (path: string): string => readFileSync(inRoot(path), 'utf8');

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly {
    readonly expr: string;
    readonly refId: string;
    readonly exemplar?: boolean;
  }[];
  readonly panels?: readonly Panel[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly panels: readonly Panel[];
  readonly links: readonly { readonly tags: readonly string[] }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr?: string }[] };
}

export const FILES = ['customer-sync-dashboard', 'customer-sync-business', 'customer-sync-health'] as const;

export const dashboard = (file: string): Dashboard => JSON.parse(readRoot(`dashboards/grafana/${file}.json`));

/** Panels in rows too, the rows themselves not. */
export function panelsOf({ panels }: Pick<Dashboard, 'panels'>): readonly Panel[] {
  return panels.flatMap((panel) => (panel.type === 'row' ? (panel.panels ?? []) : [panel]));
}

/** What the dashboards stand on when they are opened, and steps of a minute. */
const CHOSEN: Readonly<Record<string, string>> = {
  instance: '.+',
  operation_type: '.+',
  window: '1h',
  __rate_interval: '1m',
  __range: '1h',
};

export function chosen(expr: string, choices: Readonly<Record<string, string>> = {}): string {
  return expr.replace(/\$(\w+)/g, (whole, name: string) => choices[name] ?? CHOSEN[name] ?? whole);
}

/** Names of metrics in an expression: what is no word of PromQL, no label, and in no string. */
export function metricsIn(expr: string): readonly string[] {
  const bare = expr
    .replace(/"(?:[^"\\]|\\.)*"/g, '')
    .replace(/\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
    .replace(/\{[^}]*\}/g, ' ')
    .replace(/\[[^\]]*\]/g, ' ');
  const names = bare.match(/[a-zA-Z_][a-zA-Z0-9_:]*(?!\w*\s*\()/g) ?? [];
  return [...new Set(names)].filter((name) => name.includes('_') || name === 'up' || name === 'ALERTS');
}
