/** What is wrong, out of all that the page knows, the cause before its consequences. Pure. */
import type { AlertWire } from '../../../streams/alerts-view.js';
import type { Completeness } from '../../../streams/event.js';
import type { SystemHealth } from '../../../streams/system-health.js';
import type { ConnectionState } from './reconnect.js';

export type Level = 'good' | 'warn' | 'bad' | 'unknown';

const RANK: Readonly<Record<Level, number>> = { good: 0, unknown: 1, warn: 2, bad: 3 };

export function worseOf(one: Level, other: Level): Level {
  return RANK[one] >= RANK[other] ? one : other;
}

export interface Issue {
  readonly level: 'warn' | 'bad';
  readonly kind: 'connection' | 'component' | 'completeness' | 'alert';
  /** Of a component or an alert's rule; empty for the others. */
  readonly name: string;
  /** The monitor's own sentence; null where the kind says it all. */
  readonly message: string | null;
  /** ISO 8601; null: not known. */
  readonly since: string | null;
}

export interface Known {
  readonly connection: { readonly state: ConnectionState; readonly since: string };
  /** Null: not known yet, as the next two. */
  readonly health: SystemHealth | null;
  readonly completeness: Completeness | null;
  readonly alerts: readonly AlertWire[] | null;
}

const KINDS = ['connection', 'component', 'completeness', 'alert'] as const;

/** The worst first; of the same level the cause before its consequences, then what lasts longest. */
export function issuesOf({ connection, health, completeness, alerts }: Known): readonly Issue[] {
  const issues: Issue[] = [];
  if (connection.state === 'lost') {
    issues.push({ level: 'bad', kind: 'connection', name: '', message: null, since: connection.since });
  }
  for (const { component, status, message, since } of Object.values(health?.components ?? {})) {
    // The snapshot says it sooner.
    if (component === 'completeness' || status === 'healthy' || status === 'not_configured') continue;
    const level = status === 'unhealthy' ? 'bad' : 'warn';
    issues.push({ level, kind: 'component', name: component, message, since });
  }
  if (completeness !== null && completeness.state !== 'complete') {
    const since = health?.components.completeness?.since ?? null;
    const message = completeness.reasons.join(' ') || null;
    issues.push({ level: 'warn', kind: 'completeness', name: completeness.state, message, since });
  }
  for (const { rule, severity, state, title, starts_at } of alerts ?? []) {
    if (state !== 'firing') continue;
    const level = severity === 'critical' ? 'bad' : 'warn';
    issues.push({ level, kind: 'alert', name: rule, message: bareTitle(title), since: starts_at });
  }
  const rank = ({ level, kind }: Issue): number => (level === 'bad' ? 0 : KINDS.length) + KINDS.indexOf(kind);
  return issues.sort(
    (one, other) => rank(one) - rank(other) || (one.since ?? '').localeCompare(other.since ?? ''),
  );
}

/** Without the "[WARNING] " of notices, where nothing else would say it. */
export function bareTitle(title: string): string {
  return title.replace(/^\[[^\]]*\]\s*/, '');
}

/** All in one word; `unknown` until something is known. */
export function levelOf(known: Known, issues: readonly Issue[]): Level {
  if (issues.some(({ level }) => level === 'bad')) return 'bad';
  if (known.health === null || known.completeness === null) return 'unknown';
  return issues.length > 0 ? 'warn' : 'good';
}

/** How bad it is that one of these rules fires; `good` where none does. */
export function levelOfRules(alerts: readonly AlertWire[] | null, rules: readonly string[]): Level {
  const firing = (alerts ?? []).filter(({ state, rule }) => state === 'firing' && rules.includes(rule));
  if (firing.length === 0) return 'good';
  return firing.some(({ severity }) => severity === 'critical') ? 'bad' : 'warn';
}
