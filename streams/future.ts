/**
 * Rows whose created_at no window has reached yet; they wait here, a bounded number of them.
 */
import type { BigId, SyncRow } from './event.js';
import { NAME_LENGTH_LIMIT, OTHER } from './names.js';

export class FutureRows {
  /** Rows that found no room: those farthest away. They are missing from their windows when these arrive there. */
  dropped = 0;
  private readonly limit: number;
  private readonly rows = new Map<BigId, SyncRow>();
  // What was dropped must not be taken back later; as many are remembered as may wait.
  private readonly lost = new Set<BigId>();
  // Nothing here is older; the rows are looked through only when the end has passed this.
  private nearest = Number.POSITIVE_INFINITY;

  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    this.trim(0);
    return this.rows.size;
  }

  /** Keeps the row as it is: without its texts it takes little. */
  add(row: SyncRow): void {
    this.rows.set(row.id, row);
    if (row.createdAt < this.nearest) this.nearest = row.createdAt;
    // Sorting once for many makes dropping cheap where a writer's clock is far off.
    this.trim(this.limit >> 3);
  }

  /** Whether the row was waiting (or had been dropped): then no window contains it. */
  remove(id: BigId): boolean {
    return this.rows.delete(id) || this.lost.delete(id);
  }

  /** Forgets the rows from `from` to `to` (exclusive), ms; those that come in their place are lost no more. */
  forget(from: number, to: number, instead: readonly SyncRow[]): void {
    for (const [id, row] of this.rows) if (row.createdAt >= from && row.createdAt < to) this.rows.delete(id);
    if (this.lost.size > 0) for (const { id } of instead) this.lost.delete(id);
  }

  /** Takes out the rows before `end`. */
  due(end: number): SyncRow[] {
    if (!(this.nearest < end)) return [];
    const due: SyncRow[] = [];
    this.nearest = Number.POSITIVE_INFINITY;
    for (const [id, row] of this.rows) {
      if (row.createdAt < end) {
        due.push(row);
        this.rows.delete(id);
      } else if (row.createdAt < this.nearest) {
        this.nearest = row.createdAt;
      }
    }
    return due;
  }

  private trim(slack: number): void {
    if (this.rows.size <= this.limit + slack) return;
    const byTime = [...this.rows].sort(([, a], [, b]) => (a.createdAt < b.createdAt ? -1 : 1));
    for (const [id] of byTime.slice(this.limit)) {
      this.rows.delete(id);
      this.dropped += 1;
      if (this.lost.size < this.limit) this.lost.add(id);
    }
  }
}

/** What the windows need of a row that waits for them; a hundred thousand error messages would be too much. */
export function withoutTexts(row: SyncRow, operationType: string, status: string): SyncRow {
  return {
    ...row,
    operationType,
    status,
    customerEmail: null,
    onecId: null,
    correlationId: null,
    errorMessage: null,
    conflictSource: boundedName(row.conflictSource),
    identificationMethod: boundedName(row.identificationMethod),
    batch: null,
  };
}

function boundedName(name: string | null): string | null {
  return name !== null && name.length > NAME_LENGTH_LIMIT ? OTHER : name;
}
