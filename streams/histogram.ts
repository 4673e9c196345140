/**
 * Durations in the cells of an HDR histogram (1 ms to 2^31-1 ms, 3 significant digits), for many types at once.
 * The layout is hdr-histogram-js's own, cell for cell (a test compares), so that what is kept here can be encoded
 * by it. The sums are plain arrays with a sub-total per block, because a snapshot asks for three percentiles of up to
 * 45 types in four windows four times a second: it reads sub-totals up to the last percentile instead of 22,528 cells.
 */

export const MAX_DURATION_MS = 2 ** 31 - 1;
export const SIGNIFICANT_DIGITS = 3;
/** Cells of one type: 2048 of 1 ms, then 1024 for each doubling up to 2^31. */
export const CELLS = 22_528;

const SUB_BUCKET_MASK = 2047;
const HALF_BITS = 10;
const BLOCK_BITS = 5;
/** Cells of a block. */
export const BLOCK_CELLS = 1 << BLOCK_BITS;
/** Blocks of one type. */
export const BLOCKS = CELLS >> BLOCK_BITS;

/** The cell of a duration from 0 to MAX_DURATION_MS (fractions are cut). */
export function cellOf(durationMs: number): number {
  const value = durationMs | 0;
  const shift = 21 - Math.clz32(value | SUB_BUCKET_MASK);
  return (shift << HALF_BITS) + (value >>> shift);
}

/** The smallest duration of a cell, ms. */
export function cellLow(cell: number): number {
  if (cell <= SUB_BUCKET_MASK) return cell;
  return ((cell & 1023) + 1024) << cellShift(cell);
}

/** The middle of a cell, ms: at most 0.05 % away from every duration in it; exact below 2048 ms. */
export function cellMiddle(cell: number): number {
  if (cell <= SUB_BUCKET_MASK) return cell;
  return cellLow(cell) + ((1 << cellShift(cell)) >>> 1);
}

function cellShift(cell: number): number {
  return (cell >> HALF_BITS) - 1;
}

/** The nearest rank of a percentile, computed as PostgreSQL's percentile_disc does (orderedsetaggs.c). */
export function rankOf(percentile: number, count: number): number {
  return Math.max(1, Math.ceil(percentile * count));
}

/** Running counts per (type, cell), and over all types together. Row 0 is all of them, row type + 1 is one. */
export class Durations {
  private cells: Uint32Array;
  private blocks: Uint32Array;

  /** `types`: room for that many; it grows on demand. */
  constructor(types: number) {
    this.cells = new Uint32Array((types + 1) * CELLS);
    this.blocks = new Uint32Array((types + 1) * BLOCKS);
  }

  reserve(types: number): void {
    const cells = new Uint32Array((types + 1) * CELLS);
    cells.set(this.cells);
    const blocks = new Uint32Array((types + 1) * BLOCKS);
    blocks.set(this.blocks);
    this.cells = cells;
    this.blocks = blocks;
  }

  /** `key` is type * CELLS + cell; `by` may be negative, as long as so many were added before. */
  add(key: number, by: number): void {
    this.bump(key + CELLS, by);
    this.bump(key % CELLS, by);
  }

  /** Adds the keys from one place to another (exclusive); those below 0 are none. */
  addAll(keys: Int32Array, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const key = keys[i] as number;
      if (key >= 0) this.add(key, 1);
    }
  }

  /** Adds counts (by place) to cells of a type. */
  addCells(type: number, cells: Int32Array, counts: Float64Array): void {
    for (let i = 0; i < cells.length; i++) this.add(type * CELLS + (cells[i] as number), counts[i] as number);
  }

  clear(): void {
    this.cells.fill(0);
    this.blocks.fill(0);
  }

  /** The sub-total of a block; 0 where there is no room for its row. */
  inBlock(row: number, block: number): number {
    return this.blocks[row * BLOCKS + block] ?? 0;
  }

  /** Adds the cells of a block; nothing where there is no room for its row. */
  addCellsTo(sums: Uint32Array, row: number, block: number): void {
    const { cells } = this;
    const first = row * CELLS + block * BLOCK_CELLS;
    if (first >= cells.length) return;
    for (let i = 0; i < BLOCK_CELLS; i++) sums[i] = (sums[i] as number) + (cells[first + i] as number);
  }

  private bump(at: number, by: number): void {
    const { cells, blocks } = this;
    // Blocks do not straddle rows, because CELLS is a multiple of a block.
    const block = at >> BLOCK_BITS;
    cells[at] = (cells[at] as number) + by;
    blocks[block] = (blocks[block] as number) + by;
  }
}
