/**
 * How far the writers' clock is ahead of the database's: the median over the newest live rows, because one row with
 * an odd created_at (an import of old data, a typing error) is no clock.
 */
import type { SyncRow } from './event.js';

const ROWS = 101;

export class ClockSkew {
  private readonly values = new Float64Array(ROWS);
  private seen = 0;

  /** Rows that were read at `now` by the database's clock, ms. */
  observe(rows: readonly SyncRow[], now: number): void {
    for (let i = Math.max(0, rows.length - ROWS); i < rows.length; i++) {
      const ahead = (rows[i] as SyncRow).createdAt - now;
      if (!Number.isFinite(ahead)) continue;
      this.values[this.seen % ROWS] = ahead;
      this.seen += 1;
    }
  }

  /** Ahead is positive, ms; behind includes the time from INSERT to reading. Null before the first live row. */
  get ms(): number | null {
    if (this.seen === 0) return null;
    const sorted = this.values.slice(0, Math.min(this.seen, ROWS)).sort();
    return sorted[sorted.length >> 1] ?? null;
  }
}
