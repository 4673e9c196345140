/**
 * What is kept of the rows of one period and one operation type, in place of the rows: counts, durations, customers.
 * Empty, add and merge; nothing is ever subtracted, because pending rows, the only ones that change, are not in it:
 * they are few and are kept one by one.
 */
import { type BigId, PENDING, type SyncRow } from './event.js';
import { cellOf, MAX_DURATION_MS } from './histogram.js';

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

const FEW = 64;

/** Adds up rows and rollups of one period and type. */
export class RollupBuilder {
  private readonly statuses = new Map<string, number>();
  private readonly sources = new Map<string, number>();
  private readonly methods = new Map<string, number>();
  private durationCount = 0;
  private durationSum = 0;
  private durationMin = Number.POSITIVE_INFINITY;
  private durationMax = Number.NEGATIVE_INFINITY;
  private durationNegative = 0;
  private adminMails = 0;
  private idMin = Number.POSITIVE_INFINITY;
  private idMax = Number.NEGATIVE_INFINITY;
  private readonly cells = new Map<number, number>();
  private customers: bigint[] = [];
  // Length at which the customers are made distinct: doubling keeps that cheap.
  private distinctAt = FEW;

  /** @throws RangeError for a pending row: it may change, and nothing here can be taken back */
  add(row: SyncRow, names: RowNames): void {
    if (row.status === PENDING) throw new RangeError(`row ${row.id} is pending and cannot be rolled up`);
    bump(this.statuses, names.status, 1);
    if (names.source !== null) bump(this.sources, names.source, 1);
    if (names.method !== null) bump(this.methods, names.method, 1);
    if (row.emailSent) this.adminMails += 1;
    this.addDuration(row.durationMs);
    if (row.status === 'success' && row.customerId !== null) this.addCustomer(row.customerId);
    if (typeof row.id !== 'number') return;
    if (row.id < this.idMin) this.idMin = row.id;
    if (row.id > this.idMax) this.idMax = row.id;
  }

  merge(other: Rollup): void {
    for (const [name, count] of other.statuses) bump(this.statuses, name, count);
    for (const [name, count] of other.sources) bump(this.sources, name, count);
    for (const [name, count] of other.methods) bump(this.methods, name, count);
    this.durationCount += other.durationCount;
    this.durationSum += other.durationSum;
    this.durationMin = Math.min(this.durationMin, other.durationMin ?? Number.POSITIVE_INFINITY);
    this.durationMax = Math.max(this.durationMax, other.durationMax ?? Number.NEGATIVE_INFINITY);
    this.durationNegative += other.durationNegative;
    this.adminMails += other.adminMails;
    this.idMin = Math.min(this.idMin, other.idMin ?? Number.POSITIVE_INFINITY);
    this.idMax = Math.max(this.idMax, other.idMax ?? Number.NEGATIVE_INFINITY);
    other.cells.forEach((cell, i) => {
      this.cells.set(cell, (this.cells.get(cell) ?? 0) + (other.cellCounts[i] as number));
    });
    for (const customer of other.customers) this.customers.push(customer);
    if (this.customers.length > this.distinctAt) this.makeDistinct();
  }

  /** What was added so far; adding may go on. */
  build(): Rollup {
    this.makeDistinct();
    const cells = Int32Array.from(this.cells.keys()).sort();
    return {
      statuses: new Map(this.statuses),
      durationCount: this.durationCount,
      durationSum: this.durationSum,
      durationMin: finite(this.durationMin),
      durationMax: finite(this.durationMax),
      durationNegative: this.durationNegative,
      cells,
      cellCounts: Float64Array.from(cells, (cell) => this.cells.get(cell) as number), // a key of the map
      customers: BigInt64Array.from(this.customers),
      sources: new Map(this.sources),
      methods: new Map(this.methods),
      adminMails: this.adminMails,
      idMin: finite(this.idMin),
      idMax: finite(this.idMax),
    };
  }

  private addDuration(durationMs: number | null): void {
    if (durationMs === null || Number.isNaN(durationMs) || durationMs > MAX_DURATION_MS) return;
    if (durationMs < 0) {
      this.durationNegative += 1;
      return;
    }
    this.durationCount += 1;
    this.durationSum += durationMs;
    if (durationMs < this.durationMin) this.durationMin = durationMs;
    if (durationMs > this.durationMax) this.durationMax = durationMs;
    const cell = cellOf(durationMs);
    this.cells.set(cell, (this.cells.get(cell) ?? 0) + 1);
  }

  private addCustomer(id: BigId): void {
    this.customers.push(BigInt(id));
    if (this.customers.length > this.distinctAt) this.makeDistinct();
  }

  private makeDistinct(): void {
    const sorted = BigInt64Array.from(this.customers).sort();
    this.customers = [...sorted.filter((id, i) => i === 0 || id !== sorted[i - 1])];
    this.distinctAt = Math.max(FEW, 2 * this.customers.length);
  }
}

function bump(tally: Map<string, number>, name: string, by: number): void {
  tally.set(name, (tally.get(name) ?? 0) + by);
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
