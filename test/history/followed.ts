/**
 * Sixty days of a log with gaps, bursts and rows on every bound, and a reader that keeps history of it: the store and the
 * reads are real, only the moments at which things happen are the test's.
 */
import type pg from 'pg';
import type { HistoryInMemory, WatchedTable } from '../../src/history/moment.js';
import type { HistoryStore } from '../../src/history/store.js';
import type { Query } from '../../src/history/table-query.js';
import type { Link } from '../../src/source/connection.js';
import { decodeRow } from '../../src/source/decode.js';
import { selectList } from '../../src/source/statements.js';
import type { TableInfo } from '../../src/source/table.js';
import type { CursorState } from '../../streams/checkpoint.js';
import { type BigId, PENDING, type SyncRow } from '../../streams/event.js';
import { batch } from '../streams/rows.js';

/** Sixty days that end here have the end of daylight saving time in Europe and America, and its begin on Lord Howe. */
export const END = Date.UTC(2025, 10, 20, 12, 7, 30);
export const SINCE = Date.UTC(2025, 8, 21);
const MINUTE = 60_000;
const DAY = 86_400_000;
export const BURSTS = [
  SINCE + 3 * DAY + 17 * MINUTE,
  SINCE + 33 * DAY - MINUTE,
  END - 10 * MINUTE,
  END - DAY,
];

const literal = (time: number): string => `timestamptz '${new Date(time).toISOString()}'`;

/** One hour in eight has rows, and a few more. */
const HOUR_OF_ROWS = `${literal(SINCE)} + (floor(random() * 180) * 8 + CASE WHEN random() < 0.02 THEN 3 ELSE 0 END) * interval '1 hour'`;

/** Rows are mostly in the order of time. Two stretches of days have none. `seed`: 0 to 1. */
export function insertRows(rows: number, seed: number): string {
  return `SELECT setseed(${seed});
    INSERT INTO customer_sync_logs (operation_type, status, created_at, customer_id, duration_ms, details)
    SELECT (ARRAY['import_from_1c', 'export_to_1c', 'sync_changes', 'customer_identification', 'conflict_resolution',
                  'batch_operation', 'created', 'custom one', '__proto__', ''])[1 + floor(kind * kind * 10)],
      (ARRAY['success', 'success', 'success', 'success', 'error', 'failed', 'warning', 'skipped', 'pending', 'odd'])[1 + floor(random() * 10)],
      at,
      CASE WHEN n % 7 > 0 THEN floor(random() * 500)::int8 * (ARRAY[1, 1, 18014398509481984])[1 + n % 3] END,
      CASE WHEN n % 11 = 0 THEN NULL WHEN n % 50 = 1 THEN -1 WHEN n % 50 = 2 THEN 2147483647 ELSE exp(random() * 12)::int END,
      ('[null, {}, [], {"email_sent": true}, {"email_sent": "true"}, {"email_sent": false, "conflict_type": "data_import"},
         {"conflict_source": "portal_registration", "conflict_type": "data_import", "method": "onec_id"},
         {"conflict_source": "a new one", "search_method": "tax_id", "email_sent": true},
         {"identification_method": "email"}, {"method": "unknown"}]'::jsonb) -> floor(random() * 10)::int
    FROM (SELECT n, random() AS kind, CASE n % 10
        WHEN 0 THEN (ARRAY[${BURSTS.map(literal).join()}])[1 + floor(random() * ${BURSTS.length})] + random() * interval '3 minutes'
        WHEN 1 THEN ${HOUR_OF_ROWS}
        WHEN 2 THEN ${HOUR_OF_ROWS} + floor(random() * 4) * interval '15 minutes' - interval '1 microsecond'
        WHEN 3 THEN ${HOUR_OF_ROWS} + floor(random() * 60) * interval '1 minute'
        WHEN 4 THEN ${literal(SINCE)} + floor(random() * 60) * interval '1 day'
        ELSE ${HOUR_OF_ROWS} + random() * interval '1 hour' END AS at
      FROM generate_series(1, ${rows}) n OFFSET 0) r
    WHERE NOT (at >= ${literal(SINCE + 20 * DAY)} AND at < ${literal(SINCE + 23 * DAY)})
      AND NOT (at >= ${literal(END - 2 * DAY)} AND at < ${literal(END - 1.5 * DAY)})
    ORDER BY at + random() * interval '20 minutes'`;
}

export interface FollowedOptions {
  readonly store: HistoryStore;
  /** For the reads. */
  readonly link: Link;
  readonly table: TableInfo;
}

export class Followed {
  readonly store: HistoryStore;
  readonly #link: Link;
  readonly #columns: string;
  readonly #pending = new Map<BigId, SyncRow>();
  readonly table: WatchedTable;
  high = 0;

  constructor({ store, link, table }: FollowedOptions) {
    this.store = store;
    this.#link = link;
    this.table = table;
    this.#columns = selectList(table.columns, 't');
  }

  /** What answers are made of. */
  get memory(): HistoryInMemory {
    const { store } = this;
    return {
      get checkpointId() {
        return store.checkpointId;
      },
      get fault() {
        return store.fault;
      },
      get words() {
        return store.words;
      },
      generations: () => store.generations(),
      pending: () => this.#pending.values(),
    };
  }

  get pendingRows(): number {
    return this.#pending.size;
  }

  state(): CursorState {
    return { high: this.high, floor: null, holes: [], pending: [...this.#pending.keys()], ahead: [] };
  }

  /** Reads at most so many new rows. @returns how many */
  async read(limit = 1_000_000): Promise<number> {
    const raw = await this.#link.query(
      `SELECT ${this.#columns} FROM ${this.table.qualified} t WHERE id > $1 ORDER BY id LIMIT $2`,
      [this.high, limit],
    );
    const rows = raw.map((one) => decodeRow(one));
    for (const row of rows) {
      this.high = Math.max(this.high, Number(row.id));
      if (row.status === PENDING) this.#pending.set(row.id, row);
    }
    if (rows.length > 0) this.store.apply(batch(END, { rows }));
    return rows.length;
  }

  /** Reads pending rows again and folds what they have become. */
  async reread(): Promise<void> {
    const raw = await this.#link.query(
      `SELECT ${this.#columns} FROM ${this.table.qualified} t WHERE id = ANY ($1)`,
      [[...this.#pending.keys()]],
    );
    const found = new Map(raw.map((one) => decodeRow(one)).map((row) => [row.id, row]));
    const updates: { row: SyncRow; previous: SyncRow }[] = [];
    const removals: SyncRow[] = [];
    for (const [id, previous] of this.#pending) {
      const row = found.get(id);
      if (row?.status === PENDING) continue;
      this.#pending.delete(id);
      if (row) updates.push({ row, previous });
      else removals.push(previous);
    }
    this.store.apply(batch(END, { updates, removals }));
  }

  capture(): boolean {
    return this.store.capture(this.state());
  }

  async flush(): Promise<void> {
    this.capture();
    await this.store.flush();
  }
}

/** Settles some of the pending rows, and deletes a few. */
export async function settle(client: pg.Client, share: number): Promise<void> {
  await client.query(
    `UPDATE customer_sync_logs SET status = (ARRAY['success', 'success', 'error', 'skipped'])[1 + id % 4], duration_ms = id % 3000
     WHERE status = 'pending' AND hashint8(id + 7) % 100 BETWEEN 0 AND $1`,
    [share],
  );
  await client.query(`DELETE FROM customer_sync_logs WHERE status = 'pending' AND id % 40 = 0`);
}

/** Notes the statements that go through it. */
export function noting(query: Query, texts: string[]): Query {
  return (text, values) => {
    texts.push(text);
    return query(text, values);
  };
}

/** Rows that are written long after their time; `seed`: 0 to 1. */
export function insertLate(rows: number, seed: number): string {
  return `SELECT setseed(${seed});
    INSERT INTO customer_sync_logs (operation_type, status, created_at, customer_id, duration_ms)
    SELECT (ARRAY['import_from_1c', 'export_to_1c', 'late'])[1 + n % 3], (ARRAY['success', 'error', 'pending'])[1 + n % 3],
      ${literal(SINCE)} + random() * (${literal(END)} - ${literal(SINCE)}), 1000 + n, n
    FROM generate_series(1, ${rows}) n`;
}
