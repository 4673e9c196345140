/** Until when a silence lasts, and which one keeps a rule quiet. Pure. */
import type { SilenceWire } from '../../../../../streams/alerts-view.js';

const HOUR = 3_600_000;

export const SILENCE_SPANS = ['30m', '1h', '4h', '1d', '7d'] as const;
export type SilenceSpan = (typeof SILENCE_SPANS)[number];
const SPAN_MS: Readonly<Record<SilenceSpan, number>> = {
  '30m': HOUR / 2,
  '1h': HOUR,
  '4h': 4 * HOUR,
  '1d': 24 * HOUR,
  '7d': 168 * HOUR,
};

/** @param now ms, as the result */
export function endOf(span: SilenceSpan, now: number): number {
  return now + SPAN_MS[span];
}

/** Of those that keep this rule quiet at `now`, ms, the one that does so longest; null: it is not silenced. */
export function silenceOf(rule: string, silences: readonly SilenceWire[], now: number): SilenceWire | null {
  let longest: SilenceWire | null = null;
  for (const silence of silences) {
    if (silence.rule !== '*' && silence.rule !== rule) continue;
    if (Date.parse(silence.starts_at) > now || Date.parse(silence.ends_at) <= now) continue;
    if (longest === null || silence.ends_at > longest.ends_at) longest = silence;
  }
  return longest;
}

export type Refusal = 'denied' | 'gone' | 'unreachable' | 'unavailable' | 'invalid';

/** What a failed action means to the viewer. @param status of the answer; 0: there was none */
export function refusalOf(status: number): Refusal {
  if (status === 401 || status === 403) return 'denied';
  if (status === 404) return 'gone';
  if (status === 0) return 'unreachable';
  return status >= 500 ? 'unavailable' : 'invalid';
}
