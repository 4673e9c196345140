/**
 * What was folded and is not in the database yet: settled rows by minute and operation type. One generation of it is
 * written at a time, while the next one fills.
 */
import { type Batch, PENDING, type SyncRow } from './event.js';
import { namesOf, RollupBuilder } from './rollup.js';
import type { Vocabulary } from './vocabulary.js';

export const MINUTE_MS = 60_000;

/** The rows of one minute (`start`, ms) and operation type; the name is one of the vocabulary. */
export interface ChangesOfMinute {
  readonly start: number;
  readonly operationType: string;
  /** For `build()`: who adds to it changes what is still to be written. */
  readonly rollup: RollupBuilder;
}

type ByType = (RollupBuilder | undefined)[];

export class Changes {
  private readonly words: Vocabulary;
  private readonly minutes = new Map<number, ByType>();
  private cells = 0;
  private added = 0;
  // The minute that was added to last: rows come mostly in order of time.
  private start = Number.NaN;
  private byType: ByType = [];

  /** `words`: the names of all of history, which gets those that are new. */
  constructor(words: Vocabulary) {
    this.words = words;
  }

  /** (minute, type) pairs held. */
  get size(): number {
    return this.cells;
  }

  /** Rows added. */
  get rows(): number {
    return this.added;
  }

  /**
   * Adds what a batch settles: rows and changed pending rows that are not pending. Nothing of `window` and `refold`
   * batches, whose rows history has; nothing for removals, because pending rows are not in history.
   */
  apply(batch: Batch): void {
    if (batch.origin === 'window' || batch.origin === 'refold') return;
    for (const row of batch.rows) this.add(row);
    for (const { row } of batch.updates) this.add(row);
  }

  /** Those that were changed, by minute in no order. */
  *entries(): Generator<ChangesOfMinute> {
    for (const [start, byType] of this.minutes) {
      for (let type = 0; type < byType.length; type++) {
        const rollup = byType[type];
        if (rollup !== undefined) yield { start, operationType: this.words.types.name(type), rollup };
      }
    }
  }

  private add(row: SyncRow): void {
    // An infinite time is in no period.
    if (row.status === PENDING || !Number.isFinite(row.createdAt)) return;
    const type = this.words.types.index(row.operationType);
    this.at(Math.floor(row.createdAt / MINUTE_MS) * MINUTE_MS, type).add(row, namesOf(row, type, this.words));
    this.added += 1;
  }

  private at(start: number, type: number): RollupBuilder {
    if (start !== this.start) this.moveTo(start);
    const { byType } = this;
    let rollup = byType[type];
    if (rollup === undefined) {
      rollup = new RollupBuilder();
      byType[type] = rollup;
      this.cells += 1;
    }
    return rollup;
  }

  private moveTo(start: number): void {
    let byType = this.minutes.get(start);
    if (byType === undefined) {
      byType = [];
      this.minutes.set(start, byType);
    }
    this.start = start;
    this.byType = byType;
  }
}
