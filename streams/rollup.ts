/**
 * What is kept of the rows of one period and one operation type, in place of the rows: counts, durations, customers.
 * Empty, add and merge; nothing is ever subtracted, because pending rows, the only ones that change, are not in it:
 * they are few and are kept one by one.
 */
import { CellCounts } from './cell-counts.js';
import { DistinctIds } from './distinct.js';
import { PENDING, type SyncRow } from './event.js';
import { cellOf, MAX_DURATION_MS } from './histogram.js';
import { CONFLICT_TYPE, IDENTIFICATION_TYPE, SUCCESS_STATUS } from './kinds.js';
import { UNKNOWN } from './numbers.js';
import type { Vocabulary } from './vocabulary.js';

const SUCCESS = 'success';
const NOTHING: Tally = new Map();

/** Rows by a name; a Map because `__proto__` is a name like any other. */
export type Tally = ReadonlyMap<string, number>;

/** Immutable. Names are those of the bounded vocabulary: at most 32 unknown ones, then `other`. */
export interface Rollup {
  /** Rows by status, never `pending`. */
  readonly statuses: Tally;
  /** Rows with a duration in range, their sum and their exact extremes, ms; null where there is none. */
  readonly durationCount: number;
  readonly durationSum: number;
  readonly durationMin: number | null;
  readonly durationMax: number | null;
  readonly durationNegative: number;
  /** Cells of an HDR histogram (histogram.ts) that are not empty, ascending, and how many durations each holds. */
  readonly cells: Int32Array;
  readonly cellCounts: Float64Array;
  /** Distinct customers of the successful rows, ascending. */
  readonly customers: BigInt64Array;
  /** Resolved conflicts by source; successful identifications by method. */
  readonly sources: Tally;
  readonly methods: Tally;
  /** Rows that say that mail was sent. */
  readonly adminMails: number;
  /** Smallest and largest id, as far as they are numbers; null where there is none. */
  readonly idMin: number | null;
  readonly idMax: number | null;
}

/** The names under which a row is kept: bounded by whoever keeps them. */
export interface RowNames {
  readonly status: string;
  /** Of a resolved conflict. */
  readonly source: string | null;
  /** Of a successful identification. */
  readonly method: string | null;
}

/** The names of a row whose operation type has this index; registers those that are new. */
export function namesOf(row: SyncRow, type: number, words: Vocabulary): RowNames {
  const { statuses, sources, methods } = words;
  const status = statuses.index(row.status);
  const successful = status === SUCCESS_STATUS;
  return {
    status: statuses.name(status),
    source:
      successful && type === CONFLICT_TYPE
        ? sources.name(sources.index(row.conflictSource ?? UNKNOWN))
        : null,
    method:
      successful && type === IDENTIFICATION_TYPE
        ? methods.name(methods.index(row.identificationMethod ?? UNKNOWN))
        : null,
  };
}

/** Adds up rows and rollups of one period and type. */
export class RollupBuilder {
  private statuses = NO_COUNTS;
  private sources = NO_COUNTS;
  private methods = NO_COUNTS;
  private durationCount = 0;
  private durationSum = 0;
  private durationMin = Number.POSITIVE_INFINITY;
  private durationMax = Number.NEGATIVE_INFINITY;
  private durationNegative = 0;
  private adminMails = 0;
  private idMin = Number.POSITIVE_INFINITY;
  private idMax = Number.NEGATIVE_INFINITY;
  private readonly cells = new CellCounts();
  private readonly customers = new DistinctIds();

  /**
   * A customer that is no 64-bit integer is left out.
   * @throws RangeError for a pending row: it may change, and nothing here can be taken back
   */
  add(row: SyncRow, names: RowNames): void {
    const { status } = names;
    if (status === PENDING) throw new RangeError(`row ${row.id} is pending and cannot be rolled up`);
    this.statuses = bumped(this.statuses, status, 1);
    if (names.source !== null) this.sources = bumped(this.sources, names.source, 1);
    if (names.method !== null) this.methods = bumped(this.methods, names.method, 1);
    if (row.emailSent) this.adminMails += 1;
    const { durationMs, customerId, id } = row;
    if (durationMs !== null) this.addDuration(durationMs);
    if (customerId !== null && status === SUCCESS) this.customers.add(customerId);
    if (typeof id !== 'number') return;
    if (id < this.idMin) this.idMin = id;
    if (id > this.idMax) this.idMax = id;
  }

  merge(other: Rollup): void {
    for (const [name, count] of other.statuses) this.statuses = bumped(this.statuses, name, count);
    for (const [name, count] of other.sources) this.sources = bumped(this.sources, name, count);
    for (const [name, count] of other.methods) this.methods = bumped(this.methods, name, count);
    this.durationCount += other.durationCount;
    this.durationSum += other.durationSum;
    this.durationMin = Math.min(this.durationMin, other.durationMin ?? Number.POSITIVE_INFINITY);
    this.durationMax = Math.max(this.durationMax, other.durationMax ?? Number.NEGATIVE_INFINITY);
    this.durationNegative += other.durationNegative;
    this.adminMails += other.adminMails;
    this.idMin = Math.min(this.idMin, other.idMin ?? Number.POSITIVE_INFINITY);
    this.idMax = Math.max(this.idMax, other.idMax ?? Number.NEGATIVE_INFINITY);
    this.cells.merge({ cells: other.cells, counts: other.cellCounts });
    this.customers.addSorted(other.customers);
  }

  /** What was added so far; adding may go on. */
  build(): Rollup {
    const { cells, counts } = this.cells.values();
    return {
      statuses: tallyOf(this.statuses),
      durationCount: this.durationCount,
      durationSum: this.durationSum,
      durationMin: finite(this.durationMin),
      durationMax: finite(this.durationMax),
      durationNegative: this.durationNegative,
      cells,
      cellCounts: counts,
      customers: this.customers.values(),
      sources: tallyOf(this.sources),
      methods: tallyOf(this.methods),
      adminMails: this.adminMails,
      idMin: finite(this.idMin),
      idMax: finite(this.idMax),
    };
  }

  private addDuration(durationMs: number): void {
    if (Number.isNaN(durationMs) || durationMs > MAX_DURATION_MS) return;
    if (durationMs < 0) {
      this.durationNegative += 1;
      return;
    }
    this.durationCount += 1;
    this.durationSum += durationMs;
    if (durationMs < this.durationMin) this.durationMin = durationMs;
    if (durationMs > this.durationMax) this.durationMax = durationMs;
    this.cells.add(cellOf(durationMs));
  }
}

/**
 * A few names, each followed by its count. The names of a vocabulary are the same strings each time, so comparing beats
 * hashing; and an array that is made anew for each new name is no longer than it has to be: hundreds of thousands wait
 * to be written.
 */
type Counts = (string | number)[];

const NO_COUNTS: Counts = [];

function bumped(counts: Counts, name: string, by: number): Counts {
  const at = counts.indexOf(name);
  if (at < 0) return [...counts, name, by];
  counts[at + 1] = (counts[at + 1] as number) + by;
  return counts;
}

function tallyOf(counts: Counts): Tally {
  if (counts.length === 0) return NOTHING;
  const tally = new Map<string, number>();
  for (let at = 0; at < counts.length; at += 2) tally.set(counts[at] as string, counts[at + 1] as number);
  return tally;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
