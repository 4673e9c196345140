/** Adds up many histograms of durations in the plainest way: a count for each cell there can be. */
import { BLOCK_CELLS, BLOCKS, CELLS } from '../../streams/histogram.js';
import type { DurationCells } from './packing.js';

const BLOCK_BITS = Math.log2(BLOCK_CELLS);

export class CellSums {
  readonly #counts = new Float64Array(CELLS);
  /** Blocks in which there is a count, so that taking a few cells does not cost a walk over all. */
  readonly #touched = new Uint8Array(BLOCKS);

  addOne(cell: number, count: number): void {
    this.#counts[cell] = (this.#counts[cell] ?? 0) + count;
    this.#touched[cell >> BLOCK_BITS] = 1;
  }

  /** The first `size` of these cells. */
  add(cells: Int32Array, counts: Float64Array, size: number): void {
    const sums = this.#counts;
    const touched = this.#touched;
    for (let i = 0; i < size; i++) {
      const cell = cells[i] as number; // size is at most their length, here and below
      sums[cell] = (sums[cell] as number) + (counts[i] as number);
      touched[cell >> BLOCK_BITS] = 1;
    }
  }

  /** What was added since the last time, ascending. */
  take(): DurationCells {
    const cells: number[] = [];
    const counts: number[] = [];
    for (let block = this.#touched.indexOf(1); block >= 0; block = this.#touched.indexOf(1, block + 1)) {
      for (let cell = block * BLOCK_CELLS; cell < (block + 1) * BLOCK_CELLS; cell++) {
        const count = this.#counts[cell] as number;
        if (count === 0) continue;
        cells.push(cell);
        counts.push(count);
      }
      this.#counts.fill(0, block * BLOCK_CELLS, (block + 1) * BLOCK_CELLS);
    }
    this.#touched.fill(0);
    return { cells: Int32Array.from(cells), counts: Float64Array.from(counts) };
  }
}
