import pg from 'pg';
import type { RefoldSpan } from '../../streams/checkpoint.js';
import { type Batch, type BigId, PENDING, type SyncRow } from '../../streams/event.js';
import type { Reading } from './reading.js';

/** The windows' widest step: what lies within one is read and folded at once. ms. */
const STEP_MS = 300_000;
/** Customers whose other successes are looked for in one statement. */
const CUSTOMERS = 1_000;
const QUERY_CANCELED = '57014';

/** Five minutes to be read again. */
interface Piece {
  readonly from: number;
  idMin: number | null;
  idMax: number | null;
  readonly lost: Set<BigId>;
}

/** The piece that is being read, page by page. */
interface Collected extends Piece {
  readonly rows: Map<BigId, SyncRow>;
  /** Folded meanwhile: what was folded is as new as what a page says, and is what history has. */
  readonly touched: Set<BigId>;
  place: { createdAt: number; id: number } | undefined;
  readonly customers: BigId[];
  readonly witnesses: SyncRow[];
}

/**
 * Reads parts of the windows again that the audit has found to differ from the table. A page a round, so that live rows
 * flow between; what is folded of the same minutes meanwhile is taken into account, and the fold gets all of it at once.
 */
export class Refolds {
  readonly #reading: Reading;
  readonly #historyMs: number;
  readonly #queue = new Map<number, Piece>();
  #current: Collected | undefined;
  #unwitnessed = 0;

  constructor(reading: Reading, historyMs: number) {
    this.#reading = reading;
    this.#historyMs = historyMs;
    reading.folded.watch = (batch) => this.#saw(batch);
  }

  /** Pieces of five minutes that are still to be read. */
  get waiting(): number {
    return this.#queue.size + (this.#current ? 1 : 0);
  }

  /** Customers that may be missing from the windows: their other rows could not be found in time. */
  get unwitnessed(): number {
    return this.#unwitnessed;
  }

  /** Asks for parts to be read again. One that is being read right now will be read once more. */
  add(spans: readonly RefoldSpan[]): void {
    for (const span of spans)
      for (let from = Math.floor(span.from / STEP_MS) * STEP_MS; from < span.to; from += STEP_MS) {
        const piece = this.#queue.get(from) ?? { from, idMin: null, idMax: null, lost: new Set<BigId>() };
        piece.idMin = least(piece.idMin, span.idMin);
        piece.idMax = least(piece.idMax, span.idMax, -1);
        for (const customer of span.lostCustomers) piece.lost.add(customer);
        this.#queue.set(from, piece);
      }
  }

  /** The windows are filled anew: nothing of this is needed any more. */
  clear(): void {
    this.#queue.clear();
    this.#current = undefined;
    this.#unwitnessed = 0;
  }

  /** Reads a page, or the witnesses of some customers; after the last of them folds the piece. */
  async step(): Promise<void> {
    this.#current ??= this.#next();
    const piece = this.#current;
    if (!piece) return;
    if (piece.place) {
      piece.place = await this.#readPage(piece, piece.place);
      if (piece.place) return;
      piece.customers.push(...onlyAhead(piece.rows.values(), this.#reading.clock.now()));
    }
    if (piece.customers.length > 0) await this.#readWitnesses(piece, piece.customers.splice(0, CUSTOMERS));
    if (piece.customers.length > 0) return;
    this.#current = undefined;
    this.#fold(piece);
  }

  #next(): Collected | undefined {
    const [piece] = this.#queue.values();
    if (!piece) return undefined;
    this.#queue.delete(piece.from);
    // Where no index leads with created_at, there is nothing to be read but what history knows the ids of.
    const byTime = { createdAt: piece.from, id: Number.MIN_SAFE_INTEGER };
    const byId = piece.idMin === null ? undefined : { createdAt: piece.from, id: piece.idMin - 1 };
    const place = this.#reading.table.createdAtIndexed ? byTime : byId;
    return {
      ...piece,
      rows: new Map(),
      touched: new Set(),
      place,
      customers: [...piece.lost],
      witnesses: [],
    };
  }

  /** @returns where the next page begins, undefined after the last */
  async #readPage(
    piece: Collected,
    place: { createdAt: number; id: number },
  ): Promise<{ createdAt: number; id: number } | undefined> {
    const { statements, table, pageRows } = this.#reading;
    const to = piece.from + STEP_MS;
    const rows = table.createdAtIndexed
      ? await this.#reading.planned(() =>
          this.#reading.rows(statements.span, [
            piece.from / 1000,
            to / 1000,
            place.createdAt / 1000,
            place.id,
            pageRows,
          ]),
        )
      : await this.#reading.rows(statements.page, [place.id, piece.idMax, pageRows], 'csm_page');
    for (const row of rows)
      if (row.createdAt >= piece.from && row.createdAt < to && !piece.touched.has(row.id))
        piece.rows.set(row.id, row);
    const last = rows.at(-1);
    return last && rows.length >= pageRows ? { createdAt: last.createdAt, id: last.id as number } : undefined;
  }

  async #readWitnesses(piece: Collected, customers: readonly BigId[]): Promise<void> {
    const { statements, clock } = this.#reading;
    const now = clock.now();
    const span = [piece.from / 1000, (piece.from + STEP_MS) / 1000];
    try {
      const rows = await this.#reading.planned(() =>
        this.#reading.rows(statements.witnesses, [
          customers,
          (now - this.#historyMs) / 1000,
          Math.ceil(now / 1000), // rows of the future come to the windows by themselves
          ...span,
        ]),
      );
      for (const row of rows) piece.witnesses.push(row);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.code !== QUERY_CANCELED) throw error;
      this.#unwitnessed += customers.length;
    }
  }

  #fold(piece: Collected): void {
    const { folded } = this.#reading;
    const span = { from: piece.from, to: piece.from + STEP_MS };
    const rows: SyncRow[] = [];
    for (const row of piece.rows.values()) {
      if (!folded.holds(row.id) || folded.pending.get(row.id)) continue;
      // It was settled and is not any more: to be followed from here on.
      if (row.status === PENDING) folded.pending.add([row]);
      if (!folded.pending.get(row.id)) rows.push(row);
    }
    for (const row of folded.pending.rows())
      if (row.createdAt >= span.from && row.createdAt < span.to) rows.push(row);
    folded.refold({ span, rows, witnesses: piece.witnesses.filter(({ id }) => folded.holds(id)) });
  }

  #saw(batch: Batch): void {
    const piece = this.#current;
    if (!piece || batch.origin === 'refold') return;
    const put = (row: SyncRow, there: boolean) => {
      const within = row.createdAt >= piece.from && row.createdAt < piece.from + STEP_MS;
      if (!within && !piece.rows.has(row.id)) return;
      piece.touched.add(row.id);
      if (there && within) piece.rows.set(row.id, row);
      else piece.rows.delete(row.id);
    };
    for (const row of batch.rows) put(row, true);
    for (const { row } of batch.updates) put(row, true);
    for (const row of batch.removals) put(row, false);
  }
}

/** Customers whose only successes here are yet to come: as long as that, their older ones count. */
function onlyAhead(rows: Iterable<SyncRow>, now: number): Iterable<BigId> {
  const ahead = new Set<BigId>();
  const here = new Set<BigId>();
  for (const { status, customerId, createdAt } of rows)
    if (status === 'success' && customerId !== null) (createdAt > now ? ahead : here).add(customerId);
  for (const customer of here) ahead.delete(customer);
  return ahead;
}

/** Of what is known. */
function least(a: number | null, b: number | null, sign = 1): number | null {
  if (a === null || b === null) return a ?? b;
  return sign * Math.min(sign * a, sign * b);
}
