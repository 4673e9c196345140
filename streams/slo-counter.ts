/**
 * Errors and operations of the windows of the service level objective, by the minute: a month does not fit into the live
 * windows, and need not be known to the second. All windows end with the minute that is now.
 */
import { SLO_WINDOWS, type SloCount, type SloWindow } from './alert.js';
import { type Batch, isError, type SyncRow } from './event.js';
import type { SloCounts } from './slo.js';

const MINUTE = 60_000;
const DAY_MINUTES = 1440;
const MINUTES: Readonly<Record<SloWindow, number>> = {
  '5m': 5,
  '30m': 30,
  '1h': 60,
  '6h': 360,
  '3d': 3 * DAY_MINUTES,
};
/** Rows that are further in the future are left out. */
const AHEAD = DAY_MINUTES;

export class SloCounter {
  /** Rows that were too far in the future. */
  dropped = 0;
  private readonly size: number;
  // One place for each minute, reused when its time has passed.
  private readonly errors: Float64Array;
  private readonly totals: Float64Array;
  private readonly windows: { readonly minutes: number; errors: number; total: number }[];
  /** The minute that is now, counted from the epoch. */
  private minute = Number.NaN;

  /** `windowDays`: of the budget. */
  constructor(windowDays: number) {
    const budget = Math.ceil(windowDays * DAY_MINUTES);
    const lengths = [...SLO_WINDOWS.map((window) => MINUTES[window]), budget];
    this.size = Math.max(...lengths) + AHEAD;
    this.errors = new Float64Array(this.size);
    this.totals = new Float64Array(this.size);
    this.windows = lengths.map((minutes) => ({ minutes, errors: 0, total: 0 }));
  }

  /** Takes a batch in; time goes on to `batch.now` first. */
  apply(batch: Batch): void {
    if (batch.reset === true) this.clear();
    this.advance(batch.now);
    if (batch.span !== undefined) this.forget(batch.span.from, batch.span.to);
    for (const { start, rollup } of batch.minutes ?? []) {
      for (const [status, count] of rollup.statuses) this.add(start, isError(status) ? count : 0, count);
    }
    for (const row of batch.rows) this.addRow(row, 1);
    for (const { row, previous } of batch.updates) {
      this.addRow(previous, -1);
      this.addRow(row, 1);
    }
    for (const row of batch.removals) this.addRow(row, -1);
  }

  /** Slides on, ms; a time before an earlier one moves nothing. */
  advance(now: number): void {
    const minute = Math.floor(now / MINUTE);
    if (!Number.isFinite(minute)) return;
    if (Number.isNaN(this.minute)) this.minute = minute;
    // After so long everything has left, and one minute after the other would take its time.
    if (minute - this.minute > 2 * this.size) {
      this.clear();
      this.minute = minute;
    }
    while (this.minute < minute) this.slide();
  }

  /** Rows of the minute of a time that were counted elsewhere (history). Older than all windows: ignored. */
  add(time: number, errors: number, total: number): void {
    const minute = Math.floor(time / MINUTE);
    if (!(minute > this.minute - (this.size - AHEAD))) return;
    if (minute > this.minute + AHEAD) {
      this.dropped += Math.max(0, total);
      return;
    }
    const place = minute % this.size;
    this.errors[place] = (this.errors[place] as number) + errors;
    this.totals[place] = (this.totals[place] as number) + total;
    if (minute > this.minute) return;
    for (const window of this.windows) {
      if (minute <= this.minute - window.minutes) continue;
      window.errors += errors;
      window.total += total;
    }
  }

  counts(): SloCounts {
    const of = (i: number): SloCount => {
      const window = this.windows[i];
      return { errors: window?.errors ?? 0, total: window?.total ?? 0 };
    };
    const windows = Object.fromEntries(SLO_WINDOWS.map((window, i) => [window, of(i)]));
    // One for each of SLO_WINDOWS; the budget comes after them.
    return { windows: windows as Record<SloWindow, SloCount>, budget: of(SLO_WINDOWS.length) };
  }

  private addRow(row: SyncRow, by: 1 | -1): void {
    if (Number.isFinite(row.createdAt)) this.add(row.createdAt, isError(row.status) ? by : 0, by);
  }

  private slide(): void {
    this.minute += 1;
    for (const window of this.windows) {
      this.include(window, this.minute, 1);
      this.include(window, this.minute - window.minutes, -1);
    }
    // The minute that is now the furthest ahead takes the place of the one that has just left.
    const place = (this.minute + AHEAD) % this.size;
    this.errors[place] = 0;
    this.totals[place] = 0;
  }

  private include(window: { errors: number; total: number }, minute: number, by: 1 | -1): void {
    const place = minute % this.size;
    window.errors += by * (this.errors[place] ?? 0);
    window.total += by * (this.totals[place] ?? 0);
  }

  /** Whole minutes. */
  private forget(from: number, to: number): void {
    const first = Math.max(Math.floor(from / MINUTE), this.minute - (this.size - AHEAD) + 1);
    const last = Math.min(Math.ceil(to / MINUTE) - 1, this.minute + AHEAD);
    for (let minute = first; minute <= last; minute++) {
      const place = minute % this.size;
      this.add(minute * MINUTE, -(this.errors[place] as number), -(this.totals[place] as number));
    }
  }

  private clear(): void {
    this.errors.fill(0);
    this.totals.fill(0);
    for (const window of this.windows) {
      window.errors = 0;
      window.total = 0;
    }
    this.minute = Number.NaN;
  }
}
