/**
 * A window in the moment of reading: the segments from its end back to its start, added up.
 * The shortest window is read first, and each longer one by including one segment more.
 */
import { clearExtremes, newExtremes, spreadExtremes } from './extremes.js';
import { BLOCK_CELLS, BLOCKS, type Durations, rankOf } from './histogram.js';
import { mergeCounts, mergeNumbers, newNumbers, TYPES_AT_MOST } from './numbers.js';
import type { Segment } from './segment.js';

export class Reading {
  readonly numbers = newNumbers(TYPES_AT_MOST);
  /** Minimum and maximum of each type, in pairs. */
  readonly extremes = newExtremes(TYPES_AT_MOST);
  private included: Durations[] = [];
  private readonly cells = new Uint32Array(BLOCK_CELLS);

  /** Begins anew with nothing. */
  clear(): void {
    this.numbers.fill(0);
    clearExtremes(this.extremes);
    this.included = [];
  }

  include(segment: Segment, extremes: Float64Array): void {
    mergeNumbers(this.numbers, segment.numbers, 1);
    this.included.push(segment.durations);
    this.spread(segment, extremes);
  }

  /** Takes in the extremes of a segment. */
  spread(segment: Segment, extremes: Float64Array): void {
    for (let type = 0; type < segment.types; type++) {
      spreadExtremes(this.extremes, type, extremes[2 * type] as number, extremes[2 * type + 1] as number);
    }
  }

  /**
   * What is counted by so many types and statuses; without minima and maxima, which a segment may have to look for.
   */
  includeCounts(segment: Segment, types: number, statuses: number): void {
    mergeCounts(this.numbers, segment.numbers, types, statuses);
    this.included.push(segment.durations);
  }

  /**
   * The cells of percentiles (ascending) of the `count` durations of a type, or of all of them (null), in one pass.
   * What it costs depends on where they lie, not on how many durations there are.
   */
  percentiles(type: number | null, count: number, percentiles: readonly number[]): number[] {
    const found: number[] = [];
    if (count === 0) return found;
    const { included } = this;
    const ranks = percentiles.map((percentile) => rankOf(percentile, count));
    const row = type === null ? 0 : type + 1;
    let below = 0;
    for (let block = 0; block < BLOCKS && found.length < ranks.length; block++) {
      let upTo = below;
      for (let i = 0; i < included.length; i++) upTo += (included[i] as Durations).inBlock(row, block);
      if (upTo >= (ranks[found.length] as number)) this.findIn(row, block, ranks, below, found);
      below = upTo;
    }
    return found;
  }

  private findIn(row: number, block: number, ranks: readonly number[], below: number, found: number[]): void {
    const { cells } = this;
    cells.fill(0);
    for (const durations of this.included) durations.addCellsTo(cells, row, block);
    let upTo = below;
    for (let i = 0; i < BLOCK_CELLS; i++) {
      upTo += cells[i] as number;
      while (found.length < ranks.length && upTo >= (ranks[found.length] as number)) {
        found.push(block * BLOCK_CELLS + i);
      }
    }
  }
}
