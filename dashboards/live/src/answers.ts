/** Answers of the JSON API that streams/ does not name; test/dashboard/wire.test.ts holds them against the server's. */
import type { AlertWire, RuleWire } from '../../../streams/alerts-view.js';
import type { BigId, SyncEvent } from '../../../streams/event.js';

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
  /** Notices that ended and attempts that failed, since the start of this process, by outcome. */
  readonly deliveries: Readonly<Record<string, number>>;
}

export interface EventPage {
  /** Newest first. */
  readonly events: readonly SyncEvent[];
  /** Where to go on; null: there are no older ones. */
  readonly next_before_id: BigId | null;
  /** False: the search ended at its bound, before the page was full. */
  readonly complete: boolean;
}
