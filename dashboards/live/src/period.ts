/** Which period the numbers on the page are of, and which earlier one stands beside them. Pure. */
import type { WindowName } from '../../../streams/snapshot.js';
import { RANGE_MS, type Range, type Span, type View } from './view.js';

const DAY_MS = 86_400_000;

export type Shown =
  /** In every snapshot. */
  | { readonly kind: 'window'; readonly window: WindowName }
  /** Up to now, asked for again and again. */
  | { readonly kind: 'range'; readonly range: Range }
  /** Zoomed into. */
  | { readonly kind: 'span'; readonly span: Span };

export function shownOf(view: Pick<View, 'range' | 'zoom'>): Shown {
  if (view.zoom !== null) return { kind: 'span', span: view.zoom };
  const { range } = view;
  return range === '7d' || range === '30d' ? { kind: 'range', range } : { kind: 'window', window: range };
}

/** @param now ms, by the database's clock */
export function spanOf(shown: Shown, now: number): Span {
  switch (shown.kind) {
    case 'span':
      return shown.span;
    case 'range':
      return { from: now - RANGE_MS[shown.range], to: now };
    case 'window':
      return { from: now - (shown.window === '1m' ? 60_000 : RANGE_MS[shown.window]), to: now };
  }
}

/** Whole days back to the same time of an earlier day: yesterday, or as many as the period itself is long. */
export function daysBack({ from, to }: Span): number {
  return Math.max(1, Math.ceil((to - from) / DAY_MS));
}

export function earlier(span: Span, days: number): Span {
  return { from: span.from - days * DAY_MS, to: span.to - days * DAY_MS };
}

/** How often the earlier period is asked for anew, ms: it moves a hundredth of itself, at most each five minutes. */
export function refreshMs({ from, to }: Span): number {
  return Math.min(300_000, Math.max(10_000, (to - from) / 100));
}
