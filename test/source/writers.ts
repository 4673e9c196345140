/** Concurrent writers of every kind that a portal may have, seeded; each counts what it committed. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { OPERATION_TYPES, STATUSES } from '../../streams/event.js';

/** mulberry32: a small generator whose whole state is the seed that a failing run prints. */
export function randomOf(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface WriterOptions {
  readonly url: string;
  readonly seed: number;
  readonly table?: string;
  /** Rows of one bulk import. */
  readonly bulkRows?: number;
  /** How long a long transaction stays open, at most, ms. */
  readonly longMs?: number;
  /** Kinds of work by weight; all by default. */
  readonly weights?: Partial<Record<Kind, number>>;
  /** The table has only the required columns. */
  readonly bare?: boolean;
  /** The table's correlation_id is a uuid. */
  readonly uuid?: boolean;
}

const KINDS = [
  'single',
  'transaction',
  'long',
  'aborted',
  'conflict',
  'savepoint',
  'copy',
  'bulk',
  'pending',
  'merge',
  'ahead',
] as const;
export type Kind = (typeof KINDS)[number];
const WEIGHTS: Record<Kind, number> = {
  single: 120,
  transaction: 30,
  long: 0.5,
  aborted: 15,
  conflict: 10,
  savepoint: 10,
  copy: 4,
  bulk: 0,
  pending: 15,
  merge: 6,
  ahead: 1,
};

const COLUMNS = [
  'operation_type',
  'status',
  'customer_id',
  'correlation_id',
  'duration_ms',
  'details',
  'created_at',
];
/** Those of them, counted from 1, that every watched table has. */
const BARE = [1, 2, 7];

export class Writer {
  /** The first failure; a writer of a watched table must never have one. */
  error: Error | undefined;
  statements = 0;
  slowestMs = 0;
  readonly #options: WriterOptions;
  readonly #random: () => number;
  readonly #client: pg.Client;
  readonly #table: string;
  #stopped = false;
  #done: Promise<void> | undefined;
  #pending: string[] = [];
  /** Names of the columns that are written, and of their values in `#row`. */
  readonly #columns: string;
  readonly #values: string;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#random = randomOf(options.seed);
    this.#table = options.table ?? 'customer_sync_logs';
    const written = options.bare === true ? BARE : COLUMNS.map((_, i) => i + 1);
    this.#columns = written.map((n) => COLUMNS[n - 1]).join(', ');
    this.#values = written.map((n) => `r.c${n}`).join(', ');
    this.#client = new pg.Client({ connectionString: options.url, application_name: 'portal' });
  }

  async start(): Promise<void> {
    await this.#client.connect();
    this.#client.on('error', (error) => {
      this.error ??= error;
    });
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
    await this.#client.end();
  }

  async #run(): Promise<void> {
    const weights = { ...WEIGHTS, ...this.#options.weights };
    const total = KINDS.reduce((sum, kind) => sum + weights[kind], 0);
    while (!this.#stopped && !this.error) {
      let at = this.#random() * total;
      const kind = KINDS.find((one) => {
        at -= weights[one];
        return at < 0;
      });
      try {
        await this.work(kind ?? 'single');
      } catch (error) {
        this.error ??= new Error(`${String(kind)}: ${(error as Error).message}`, { cause: error });
      }
    }
  }

  async work(kind: Kind): Promise<void> {
    const random = this.#random;
    const table = this.#table;
    switch (kind) {
      case 'single':
        return void (await this.#insert(1));
      case 'transaction':
        await this.#sql('BEGIN');
        for (let i = 1 + Math.floor(random() * 5); i > 0; i--) {
          await this.#insert(1 + Math.floor(random() * 4));
          if (random() < 0.3) await sleep(random() * 30);
        }
        return this.#sql(random() < 0.85 ? 'COMMIT' : 'ROLLBACK');
      case 'long':
        await this.#sql('BEGIN');
        await this.#insert(5);
        await sleep(random() * (this.#options.longMs ?? 3_000));
        await this.#insert(5);
        return this.#sql(random() < 0.7 ? 'COMMIT' : 'ROLLBACK');
      case 'aborted':
        await this.#sql('BEGIN');
        await this.#insert(1 + Math.floor(random() * 20));
        return this.#sql('ROLLBACK');
      case 'conflict':
        // The id is taken from the sequence, then the row is not inserted: a hole without a rollback.
        return this.#sql(
          `INSERT INTO ${table} (id, operation_type, status)
           SELECT id, operation_type, 'success' FROM (SELECT id, operation_type FROM ${table} ORDER BY id LIMIT 1) t
           UNION ALL SELECT nextval(pg_get_serial_sequence('${table.replaceAll("'", "''")}', 'id')), 'sync_changes', 'success'
           ON CONFLICT DO NOTHING`,
        );
      case 'savepoint':
        await this.#sql('BEGIN');
        await this.#insert(2);
        await this.#sql('SAVEPOINT a');
        await this.#insert(3);
        await this.#sql('ROLLBACK TO a');
        await this.#insert(2);
        return this.#sql('COMMIT');
      case 'copy':
        return this.#sql(
          `COPY ${table} (operation_type, status${this.#duration(', duration_ms')}) FROM PROGRAM 'yes "import_from_1c\tsuccess${this.#duration(`\t${Math.floor(random() * 5000)}`)}" | head -n 300'`,
        );
      case 'bulk':
        await this.#sql('BEGIN');
        await this.#insert(this.#options.bulkRows ?? 100_000);
        await sleep(random() * (this.#options.longMs ?? 3_000));
        return this.#sql('COMMIT');
      case 'pending':
        return this.#pendingWork();
      case 'merge':
        return this.#sql(
          `MERGE INTO ${table} t USING (SELECT -1::bigint AS id, ${this.#row()}) r ON t.id = r.id
           WHEN NOT MATCHED THEN INSERT (${this.#columns}) VALUES (${this.#values})`,
        );
      case 'ahead':
        return this.#sql(
          `INSERT INTO ${table} (id, ${this.#columns}) SELECT 1000000000 + floor(random() * 1e12)::bigint, ${this.#values} FROM (SELECT ${this.#row()}) r ON CONFLICT DO NOTHING`,
        );
    }
  }

  async #pendingWork(): Promise<void> {
    const id = this.#pending.length > 20 || this.#random() < 0.4 ? this.#pending.shift() : undefined;
    if (id === undefined) {
      const result = await this.#sqlRows(
        `INSERT INTO ${this.#table} (operation_type, status) VALUES ('export_to_1c', 'pending') RETURNING id`,
      );
      this.#pending.push(String(result[0]?.id));
      return;
    }
    const dice = this.#random();
    if (dice < 0.15) await this.#sql(`DELETE FROM ${this.#table} WHERE id = ${id}`);
    else if (dice < 0.3) {
      // Still pending, but another row in all that is folded.
      await this.#sql(
        `UPDATE ${this.#table} SET ${this.#duration(`duration_ms = ${Math.floor(dice * 9000)}, `)}operation_type = 'sync_changes' WHERE id = ${id}`,
      );
      this.#pending.push(id);
    } else
      await this.#sql(
        `UPDATE ${this.#table} SET status = '${dice < 0.8 ? 'success' : 'error'}'${this.#duration(`, duration_ms = ${Math.floor(dice * 4000)}, customer_id = ${Math.floor(dice * 1e6)}`)} WHERE id = ${id}`,
      );
  }

  #correlation(): string {
    const run = Math.floor(this.#random() * 1e6);
    return this.#options.uuid
      ? `'00000000-0000-4000-8000-${String(run).padStart(12, '0')}'::uuid`
      : `'run-${run}'::text`;
  }

  #row(): string {
    const random = this.#random;
    const pick = <T>(all: readonly T[]) => all[Math.floor(random() * all.length)] as T;
    const status = pick(STATUSES.filter((one) => one !== 'pending'));
    const duration =
      random() < 0.1
        ? 'NULL'
        : random() < 0.02
          ? '2147483647'
          : String(Math.floor(Math.exp(3 + random() * 6)));
    const created =
      random() < 0.1 ? `now() - interval '${Math.floor(random() * 90_000)} seconds'` : 'clock_timestamp()';
    return `'${pick(OPERATION_TYPES)}'::text AS c1, '${status}'::text AS c2, ${Math.floor(random() * 1e6)}::bigint AS c3, ${this.#correlation()} AS c4,
      ${duration}::int AS c5, '{"conflict_source": "data_import", "search_method": "email", "email_sent": ${random() < 0.3}}'::jsonb AS c6, ${created} AS c7`;
  }

  /** SQL about columns that a bare table lacks. */
  #duration(sql: string): string {
    return this.#options.bare === true ? '' : sql;
  }

  #insert(rows: number): Promise<void> {
    return this.#sql(
      `INSERT INTO ${this.#table} (${this.#columns}) SELECT ${this.#values} FROM (SELECT ${this.#row()}) r, generate_series(1, ${rows})`,
    );
  }

  async #sql(text: string): Promise<void> {
    await this.#sqlRows(text);
  }

  async #sqlRows(text: string): Promise<{ id?: unknown }[]> {
    const before = performance.now();
    const result = await this.#client.query<{ id?: unknown }>(text);
    this.statements++;
    this.slowestMs = Math.max(this.slowestMs, performance.now() - before);
    return result.rows;
  }
}
