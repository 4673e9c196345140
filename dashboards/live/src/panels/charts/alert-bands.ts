/** When alerts fired, for the shade behind the curves. Pure. */
import type { AlertWire } from '../../../../../streams/alerts-view.js';
import type { Span } from '../../view.js';

export interface AlertBand extends Span {
  readonly severity: 'critical' | 'warning';
}

type Fired = Pick<AlertWire, 'severity' | 'starts_at' | 'ends_at'>;

/** Within the period, each severity by itself without overlap: two shades on each other would look like another one. */
export function alertBands(alerts: readonly Fired[], { from, to }: Span, now: number): AlertBand[] {
  return (['warning', 'critical'] as const).flatMap((severity) => {
    const spans = alerts
      .filter((alert) => alert.severity === severity)
      .map(({ starts_at, ends_at }) => ({
        from: Math.max(from, Date.parse(starts_at)),
        to: Math.min(to, ends_at === null ? now : Date.parse(ends_at)),
      }))
      .filter((span) => span.from < span.to)
      .sort((a, b) => a.from - b.from);
    const merged: { from: number; to: number }[] = [];
    for (const span of spans) {
      const last = merged.at(-1);
      if (last && span.from <= last.to) last.to = Math.max(last.to, span.to);
      else merged.push({ ...span });
    }
    return merged.map((span) => ({ ...span, severity }));
  });
}
