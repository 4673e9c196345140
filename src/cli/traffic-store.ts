/** The statements of the sample traffic, on a connection that is made anew when it was lost. */
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { DemoRow, Ending } from './traffic-row.js';

const TABLE = 'customer_sync_logs';
const FAREWELL_MS = 300;

const INSERT = `INSERT INTO ${TABLE} (operation_type, status, customer_id, customer_email, onec_id, correlation_id,
  error_message, duration_ms, details, created_at, updated_at)
SELECT v.type, v.status, v.customer, v.email, v.onec, v.correlation, v.message, v.duration, v.details::jsonb,
  now() - v.age * interval '1 ms', now() - v.age * interval '1 ms'
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[],
  $9::text[], $10::float8[]) AS v(type, status, customer, email, onec, correlation, message, duration, details, age)
RETURNING id::text, correlation_id`;

const FINISH = `UPDATE ${TABLE} AS t SET status = v.status, duration_ms = v.duration, error_message = v.message,
  updated_at = now()
FROM unnest($1::bigint[], $2::text[], $3::int[], $4::text[]) AS v(id, status, duration, message)
WHERE t.id = v.id AND t.status = 'pending'`;

/** A row that has waited under this id and now ends. */
export interface Finished extends Ending {
  readonly id: string;
}

/** One connection for one writer. Every method rejects when the database does not answer; the next call reconnects. */
export class TrafficStore {
  readonly #url: string;
  #link: { readonly client: pg.Client; readonly socket: Socket; ready: boolean } | null = null;
  #closed = false;

  constructor(url: string) {
    this.#url = url;
  }

  async query(text: string, values: unknown[] = []): Promise<pg.QueryResult> {
    try {
      return await (await this.#connected()).query(text, values);
    } catch (error) {
      // A DatabaseError leaves the connection usable, anything else may not have.
      if (!(error instanceof pg.DatabaseError)) await this.#drop();
      throw error;
    }
  }

  /**
   * Writes the rows in one statement and gives the ids by correlation id.
   * @param ages how long ago each was created, ms; none for now.
   */
  async insert(rows: readonly DemoRow[], ages?: readonly number[]): Promise<Map<string, string>> {
    const result = await this.query(INSERT, [
      rows.map((row) => row.operation_type),
      rows.map((row) => row.status),
      rows.map((row) => row.customer_id),
      rows.map((row) => row.customer_email),
      rows.map((row) => row.onec_id),
      rows.map((row) => row.correlation_id),
      rows.map((row) => row.error_message),
      rows.map((row) => row.duration_ms),
      rows.map((row) => row.details),
      ages ?? rows.map(() => 0),
    ]);
    return new Map(
      result.rows.map((row: { id: string; correlation_id: string }) => [row.correlation_id, row.id]),
    );
  }

  async finish(rows: readonly Finished[]): Promise<void> {
    await this.query(FINISH, [
      rows.map((row) => row.id),
      rows.map((row) => row.status),
      rows.map((row) => row.duration_ms),
      rows.map((row) => row.error_message),
    ]);
  }

  async isEmpty(): Promise<boolean> {
    return (await this.query(`SELECT FROM ${TABLE} LIMIT 1`)).rowCount === 0;
  }

  /** Ids that an earlier run left pending, oldest first. */
  async pendingIds(limit: number): Promise<string[]> {
    const sql = `SELECT id::text FROM ${TABLE} WHERE status = 'pending' ORDER BY id LIMIT $1`;
    return (await this.query(sql, [limit])).rows.map((row: { id: string }) => row.id);
  }

  /** At once, even in the middle of a statement, which then rolls back. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#drop();
  }

  async #connected(): Promise<pg.Client> {
    if (this.#closed) throw new Error('the traffic is stopped');
    if (this.#link) return this.#link.client;
    // A socket of our own making can be destroyed, which is the only way out of an unfinished handshake.
    const socket = new Socket();
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'customer-sync-monitor demo traffic',
      statement_timeout: 30_000,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      stream: () => socket,
    });
    const link = { client, socket, ready: false };
    // The statement that meets the lost connection reports it; as a bare event it would end the process.
    client.on('error', () => undefined);
    client.once('end', () => {
      if (this.#link === link) this.#link = null;
    });
    this.#link = link;
    await client.connect();
    link.ready = true;
    return client;
  }

  async #drop(): Promise<void> {
    const link = this.#link;
    this.#link = null;
    if (!link) return;
    // It is being thrown away: how it ends says nothing new. A server that is stuck does not answer the farewell.
    if (link.ready) await Promise.race([link.client.end().catch(() => undefined), sleep(FAREWELL_MS)]);
    link.socket.destroy();
  }
}
