/**
 * Counts of a few of the cells of a histogram (histogram.ts), mostly recorded one at a time and asked for once.
 */

import { NumberLog } from './number-log.js';

/** A log up to here is never sorted before it is asked for. */
const FREE_LOG = 512;
const NO_CELLS = new Int32Array(0);
const NO_COUNTS = new Float64Array(0);
const NOTHING: Cells = { cells: NO_CELLS, counts: NO_COUNTS };

export interface Cells {
  /** Those that are not empty, ascending. */
  readonly cells: Int32Array;
  /** By place in `cells`. */
  readonly counts: Float64Array;
}

export class CellCounts {
  private readonly log = new NumberLog();
  private sums = NOTHING;

  add(cell: number): void {
    this.log.add(cell);
    if (this.log.size > FREE_LOG && this.log.size > this.sums.cells.length) this.sort();
  }

  merge(other: Cells): void {
    this.sums = sum(this.sums, other);
  }

  /** All of them; what is answered is never changed any more. */
  values(): Cells {
    this.sort();
    return this.sums;
  }

  private sort(): void {
    if (this.log.size === 0) return;
    const { ascending, size } = this.log.take();
    let distinct = 1;
    for (let i = 1; i < size; i++) if (ascending[i] !== ascending[i - 1]) distinct += 1;
    const cells = new Int32Array(distinct);
    const counts = new Float64Array(distinct);
    let at = -1;
    for (let i = 0; i < size; i++) {
      if (i === 0 || ascending[i] !== ascending[i - 1]) cells[++at] = ascending[i] as number;
      counts[at] = (counts[at] as number) + 1;
    }
    this.sums = sum(this.sums, { cells, counts });
  }
}

function sum(a: Cells, b: Cells): Cells {
  if (b.cells.length === 0) return a;
  if (a.cells.length === 0) return b;
  const cells = new Int32Array(a.cells.length + b.cells.length);
  const counts = new Float64Array(cells.length);
  let size = 0;
  let inA = 0;
  let inB = 0;
  while (inA < a.cells.length || inB < b.cells.length) {
    const fromA = a.cells[inA] ?? Number.POSITIVE_INFINITY;
    const fromB = b.cells[inB] ?? Number.POSITIVE_INFINITY;
    cells[size] = Math.min(fromA, fromB);
    if (fromA <= fromB) {
      counts[size] = a.counts[inA] as number;
      inA += 1;
    }
    if (fromB <= fromA) {
      counts[size] = (counts[size] as number) + (b.counts[inB] as number);
      inB += 1;
    }
    size += 1;
  }
  return { cells: cells.slice(0, size), counts: counts.slice(0, size) };
}
