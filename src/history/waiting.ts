/** What was applied and is not known to be in the database: one part that a flush writes, and one that fills meanwhile. */
import { Changes } from '../../streams/changes.js';
import type { CursorState } from '../../streams/checkpoint.js';
import type { Batch } from '../../streams/event.js';
import type { Vocabulary } from '../../streams/vocabulary.js';

/** A cell is a minute and operation type. */
export interface WaitingLimits {
  /** Above these it is written at once; while that goes on, as much again may come. */
  readonly muchCells: number;
  readonly muchRows: number;
  /** Above these the backfill pauses. */
  readonly fullCells: number;
  readonly fullRows: number;
  /** Above these everything that waits is dropped, and has to be read from the table again. */
  readonly mostCells: number;
  readonly mostRows: number;
}

/** A cell takes about 1 kB with a few rows in it, and 8 bytes for each distinct customer beyond. */
export const WAITING_LIMITS: WaitingLimits = {
  muchCells: 10_000,
  muchRows: 100_000,
  fullCells: 40_000,
  fullRows: 2_000_000,
  mostCells: 100_000,
  mostRows: 20_000_000,
};

export interface Generation {
  /** The flush that brings it: it is in the database where the checkpoint has this number, or a higher one. */
  readonly flushNo: number;
  readonly changes: Changes;
  /** Counts the times that history was loaded: generations of different lives hold the same rows. */
  readonly life: number;
}

export interface Captured extends Generation {
  /** What the cursor stood at, in the same moment. */
  readonly state: CursorState;
  /** COMMIT was sent: it may have arrived, whatever was heard. */
  sent: boolean;
}

export class Waiting {
  readonly words: Vocabulary;
  readonly #limits: WaitingLimits;
  readonly #life: number;
  #flushNo: number;
  #current: Changes;
  #captured: Captured | undefined;

  /** @param flushNo that of the last flush */
  constructor(words: Vocabulary, flushNo: number, life: number, limits: WaitingLimits) {
    this.words = words;
    this.#flushNo = flushNo;
    this.#life = life;
    this.#limits = limits;
    this.#current = new Changes(words);
  }

  /** That of the last flush that is known to have arrived. */
  get flushNo(): number {
    return this.#flushNo;
  }

  get captured(): Captured | undefined {
    return this.#captured;
  }

  get rows(): number {
    return this.#current.rows + (this.#captured?.changes.rows ?? 0);
  }

  get cells(): number {
    return this.#current.size + (this.#captured?.changes.size ?? 0);
  }

  get much(): boolean {
    return this.cells >= this.#limits.muchCells || this.rows >= this.#limits.muchRows;
  }

  get full(): boolean {
    return this.cells >= this.#limits.fullCells || this.rows >= this.#limits.fullRows;
  }

  get tooMuch(): boolean {
    return this.cells > this.#limits.mostCells || this.rows > this.#limits.mostRows;
  }

  /** Nothing came since the last capture. */
  get quiet(): boolean {
    return this.#current.rows === 0;
  }

  apply(batch: Batch): void {
    this.#current.apply(batch);
  }

  /** There must not be a captured part. */
  capture(state: CursorState): void {
    const generation = { flushNo: this.#flushNo + 1, life: this.#life, changes: this.#current };
    this.#captured = { ...generation, state, sent: false };
    this.#current = new Changes(this.words);
  }

  /** The captured part is in the database. */
  arrived(): void {
    this.#flushNo += 1;
    this.#captured = undefined;
  }

  /** Oldest first. */
  generations(): Generation[] {
    const flushNo = this.#flushNo + (this.#captured ? 2 : 1);
    const current = { flushNo, life: this.#life, changes: this.#current };
    return this.#captured ? [this.#captured, current] : [current];
  }
}
