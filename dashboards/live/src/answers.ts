/** Answers of the JSON API that streams/ does not name; test/dashboard/wire.test.ts holds them against the server's. */
import type { AlertWire, RuleWire } from '../../../streams/alerts-view.js';

export interface SloBurnAnswer {
  readonly long_window: string;
  readonly short_window: string;
  readonly threshold: number;
  readonly burn_rate: number | null;
  readonly enough_events: boolean;
  readonly burning: boolean;
}

export interface SloAnswer {
  readonly target_percent: number;
  readonly window_days: number;
  readonly total_operations: number | null;
  readonly error_count: number | null;
  /** 1: nothing used up, below 0: overdrawn. */
  readonly error_budget_remaining_ratio: number | null;
  readonly burn_rates: Readonly<Record<string, number | null>>;
  readonly conditions: Readonly<Record<'fast' | 'slow' | 'steady', SloBurnAnswer>>;
  /** 0: it is gone; null: not known, or it lasts. */
  readonly budget_gone_in_seconds: number | null;
  readonly summary: { readonly en: string; readonly ru: string };
}

export interface AlertsAnswer {
  readonly alerts: readonly AlertWire[];
  readonly next_before: string | null;
  readonly rules: readonly RuleWire[];
}
