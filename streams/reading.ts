/**
 * A window in the moment of reading: the segments from its end back to its start, added up.
 * The shortest window is read first, and each longer one by including one segment more.
 */
import { clearExtremes, newExtremes, spreadExtremes } from './extremes.js';
import { BLOCK_CELLS, BLOCKS, CELLS, type Durations, rankOf } from './histogram.js';
import { mergeNumbers, newNumbers, TYPES_AT_MOST } from './numbers.js';
import type { Segment } from './segment.js';

export class Reading {
  readonly numbers = newNumbers(TYPES_AT_MOST);
  /** Minimum and maximum of each type, in pairs. */
  readonly extremes = newExtremes(TYPES_AT_MOST);
  private readonly blocks = new Uint32Array(TYPES_AT_MOST * BLOCKS);
  private included: Durations[] = [];
  private readonly sums = new Uint32Array(BLOCKS);
  private readonly cells = new Uint32Array(BLOCK_CELLS);

  /** Begins anew with nothing. */
  clear(): void {
    this.numbers.fill(0);
    clearExtremes(this.extremes);
    this.blocks.fill(0);
    this.included = [];
  }

  include(segment: Segment, extremes: Float64Array): void {
    mergeNumbers(this.numbers, segment.numbers, 1);
    segment.durations.addBlocksTo(this.blocks);
    this.included.push(segment.durations);
    for (let type = 0; type < segment.types; type++) {
      spreadExtremes(this.extremes, type, extremes[2 * type] as number, extremes[2 * type + 1] as number);
    }
  }

  /** The cells of percentiles (ascending) of the `count` durations of these types together, in one pass. */
  percentiles(types: readonly number[], count: number, percentiles: readonly number[]): number[] {
    const found: number[] = [];
    if (count === 0) return found;
    const ranks = percentiles.map((percentile) => rankOf(percentile, count));
    const [only] = types;
    // One type is read where it stands, and only as far as its last percentile.
    const alone = types.length === 1 && only !== undefined;
    const sums = alone ? this.blocks : this.sumOf(types);
    const first = alone ? only * BLOCKS : 0;
    let below = 0;
    for (let block = 0; block < BLOCKS && found.length < ranks.length; block++) {
      const upTo = below + (sums[first + block] as number);
      if (upTo >= (ranks[found.length] as number)) this.findIn(block, types, ranks, below, found);
      below = upTo;
    }
    return found;
  }

  private sumOf(types: readonly number[]): Uint32Array {
    const { blocks, sums } = this;
    sums.fill(0);
    for (const type of types) {
      const first = type * BLOCKS;
      for (let i = 0; i < BLOCKS; i++) sums[i] = (sums[i] as number) + (blocks[first + i] as number);
    }
    return sums;
  }

  private findIn(
    block: number,
    types: readonly number[],
    ranks: number[],
    below: number,
    found: number[],
  ): void {
    const { cells } = this;
    cells.fill(0);
    const first = block * BLOCK_CELLS;
    for (const durations of this.included) {
      for (const type of types) durations.addCellsTo(cells, type * CELLS + first);
    }
    let upTo = below;
    for (let i = 0; i < BLOCK_CELLS; i++) {
      upTo += cells[i] as number;
      while (found.length < ranks.length && upTo >= (ranks[found.length] as number)) found.push(first + i);
    }
  }
}
