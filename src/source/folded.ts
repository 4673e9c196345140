import type { CursorState } from '../../streams/checkpoint.js';
import { Cursor } from '../../streams/cursor.js';
import {
  type Batch,
  type BigId,
  type MinuteOfType,
  PENDING,
  type RowUpdate,
  type SyncRow,
} from '../../streams/event.js';
import type { RangeSet } from '../../streams/ranges.js';
import { AheadRows } from './ahead.js';
import type { DatabaseClock } from './clock.js';
import { PendingRows } from './pending.js';

export interface FoldedOptions {
  /** Folds a batch before it returns: what we know moves in the same turn, so no failure can come in between. */
  readonly emit: (batch: Batch) => void;
  readonly clock: DatabaseClock;
  readonly pendingLimit?: number | undefined;
}

/** Which rows have been folded, and the one way by which rows get there. */
export class Folded {
  readonly #options: FoldedOptions;
  /** Undefined before the first start and after a reset. */
  cursor: Cursor | undefined;
  ahead = new AheadRows();
  readonly pending: PendingRows;
  /**
   * Settled rows that were counted before the backfill came to their ids: pending rows of all time are read first, and
   * some have changed since.
   */
  readonly early = new Set<number>();
  /** Ids up to here were taken before the start. */
  startUpTo = Number.NEGATIVE_INFINITY;
  /** No look has been made since the holes of a checkpoint were restored: what stands in them was there before. */
  restored = false;
  /** Ids that were read elsewhere than above the cursor, where somebody wants to know. */
  elsewhere: RangeSet | undefined;
  /** Sees each batch that is folded. */
  watch: ((batch: Batch) => void) | undefined;
  #rowsRead = 0;

  constructor(options: FoldedOptions) {
    this.#options = options;
    this.pending = new PendingRows(options.pendingLimit);
  }

  get rowsRead(): number {
    return this.#rowsRead;
  }

  clear(): void {
    this.cursor = undefined;
    this.ahead = new AheadRows();
    this.pending.clear();
    this.early.clear();
    this.startUpTo = Number.NEGATIVE_INFINITY;
    this.restored = false;
  }

  /** Void is what was folded before. */
  reset(origin: 'start' | 'window'): void {
    this.#emit({ origin, reset: true, rows: [] });
  }

  rows(rows: readonly SyncRow[], origin: 'live' | 'start' | 'window'): void {
    if (rows.length === 0) return;
    this.pending.add(rows);
    this.#rowsRead += rows.length;
    this.#emit({ origin, rows });
  }

  /** Rows with these ids were read to fill holes, or by the backfill. */
  readElsewhere(ids: readonly number[]): void {
    if (this.elsewhere) for (const id of ids) this.elsewhere.add(id, id);
  }

  minutes(minutes: readonly MinuteOfType[]): void {
    this.#emit({ origin: 'window', rows: [], minutes });
  }

  /** What became of pending rows. */
  changes(updates: readonly RowUpdate[], removals: readonly SyncRow[]): void {
    if (updates.length + removals.length === 0) return;
    const floor = this.cursor?.floor ?? null;
    for (const { row } of updates) if (row.status !== PENDING) this.settledEarly(row.id, floor);
    this.#emit({ origin: 'live', rows: [], updates, removals });
  }

  /** All that is in a span, in place of what was folded of it. */
  refold(batch: Pick<Batch, 'span' | 'rows' | 'witnesses'>): void {
    this.#emit({ origin: 'refold', ...batch });
  }

  /** A row that was pending is counted; where the backfill has yet to come by, it shall pass it over. */
  settledEarly(id: BigId, floor: number | null): void {
    if (floor !== null && typeof id === 'number' && id <= floor) this.early.add(id);
  }

  /** Whether a row with this id, if there is one, was folded, pending or not. */
  holds(id: BigId): boolean {
    if (this.ahead.has(id)) return true;
    if (typeof id === 'string') return false;
    return this.cursor?.holds(id) === true || this.early.has(id);
  }

  /** Exactly which rows are in history (streams/checkpoint.ts). */
  state(cursor: Cursor): CursorState {
    const counted = (id: BigId) => !this.pending.has(id);
    return {
      high: cursor.high,
      floor: cursor.floor,
      holes: cursor.holes(),
      pending: [...this.pending.ids()],
      ahead: [...this.ahead.ids(), ...this.early].filter(counted),
    };
  }

  /** Takes over from a checkpoint; the pending rows are still to be read. @returns the cursor, for when all is read */
  restore(state: CursorState): Cursor {
    for (const id of state.ahead) {
      if (typeof id === 'string' || id > state.high) this.ahead.add(id);
      else if (state.floor !== null && id <= state.floor) this.early.add(id);
    }
    return Cursor.restore(state);
  }

  #emit(batch: Pick<Batch, 'origin' | 'rows'> & Partial<Batch>): void {
    const whole: Batch = { updates: [], removals: [], now: this.#options.clock.now(), ...batch };
    this.watch?.(whole);
    this.#options.emit(whole);
  }
}
