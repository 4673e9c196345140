import pg from 'pg';
import { CopyIn } from './copy-in.js';
import { DecodedQuery, type Raw } from './decoded-query.js';

/** What a connection of the monitor is called in pg_stat_activity, whatever the URL says. */
export const APPLICATION_NAME = 'customer-sync-monitor';

/** Raw text of every column: decoding is done once, by the reader, without the driver's guesses. */
const RAW_TYPES = { getTypeParser: () => (text: string) => text };

const ALIASES: ReadonlySet<string> = new Set(['prefer', 'require', 'verify-ca']);

export interface LinkOptions {
  readonly url: string;
  /** SQL that prepares the session; run right after connecting. */
  readonly session?: string;
  /** A query that takes longer is taken for a dead socket: the connection is thrown away. ms. */
  readonly queryTimeoutMs?: number;
  /**
   * A pooler may share its backend with the portal, which would keep what is set here: so no time-out of the server is.
   * For whatever connects before it is known which mode a pooler has.
   */
  readonly maybeShared?: boolean;
}

/** The connection was lost, or did not answer in time. Whatever was asked may or may not have happened. */
export class ConnectionLostError extends Error {
  readonly code = 'database_unavailable';
  constructor(link: string, cause: unknown) {
    super(`${link}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'ConnectionLostError';
  }
}

/** The configuration of a pg client for this URL: our application name, keepalives, no guessing of types. */
export function clientConfig(url: string): pg.ClientConfig {
  let connectionString = url;
  try {
    const parsed = new URL(url);
    parsed.searchParams.delete('application_name');
    // The driver treats these as verify-full and prints a page about it; the same, without the page.
    if (ALIASES.has(parsed.searchParams.get('sslmode') ?? '') && !parsed.searchParams.has('uselibpqcompat'))
      parsed.searchParams.set('sslmode', 'verify-full');
    connectionString = parsed.toString();
  } catch {
    // Not a URL the WHATWG parser knows (a socket path); pg's own parser reads it and reports what is wrong.
  }
  return {
    connectionString,
    application_name: APPLICATION_NAME,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
  };
}

/**
 * One database connection that may die and be made anew. Each life has its own `generation`, so that a caller can
 * prove that one backend outlived a gap (DESIGN.md, continuity).
 */
export class Link {
  readonly name: string;
  readonly #options: LinkOptions;
  #client: pg.Client | undefined;
  #generation = 0;
  #pid = 0;
  /** Called once per life, when it is lost or closed. */
  onLost: (() => void) | undefined;

  constructor(name: string, options: LinkOptions) {
    this.name = name;
    this.#options = options;
  }

  get connected(): boolean {
    return this.#client !== undefined;
  }

  get #queryTimeoutMs(): number {
    return this.#options.queryTimeoutMs ?? 15_000;
  }

  /** 0 while not connected; a new number for each connection made. */
  get generation(): number {
    return this.#client ? this.#generation : 0;
  }

  /** The backend's process id, 0 while not connected. */
  get pid(): number {
    return this.#client ? this.#pid : 0;
  }

  /** The process id that was announced when connecting: a pooler in between makes one up. 0 while not connected. */
  get announcedPid(): number {
    // Not in pg's types.
    return (this.#client as unknown as { processID?: number } | undefined)?.processID ?? 0;
  }

  /** @throws the driver's own error: a wrong URL, password or refused socket is for the caller to tell apart. */
  async connect(): Promise<void> {
    this.close();
    const client = new pg.Client(clientConfig(this.#options.url));
    const lost = () => {
      if (this.#client !== client) return;
      this.#client = undefined;
      this.onLost?.();
    };
    // Also after our own close(): an error event without a listener would end the process.
    client.on('error', lost);
    client.on('end', lost);
    try {
      await client.connect();
      const { session = '', maybeShared } = this.#options;
      // The server's own bound, for a question whose asker has given up and gone; a session may set another.
      const bound = maybeShared ? '' : `SET statement_timeout = ${Math.ceil(this.#queryTimeoutMs) + 1_000};`;
      const result = await deadline(
        client.query(
          `SET application_name = '${APPLICATION_NAME}'; ${bound} ${session}; SELECT pg_backend_pid() AS pid`,
        ),
        5_000,
      );
      const results = (Array.isArray(result) ? result : [result]) as pg.QueryResult<{ pid: number }>[];
      this.#pid = results.at(-1)?.rows[0]?.pid ?? 0;
    } catch (error) {
      destroy(client);
      throw error;
    }
    this.#client = client;
    this.#generation++;
  }

  /**
   * Runs one statement; rows come back as arrays of raw text.
   * @throws ConnectionLostError when the connection died or did not answer in time (it is closed then);
   *   pg.DatabaseError for what the server refused.
   */
  async query(text: string, values: readonly unknown[] = [], name?: string): Promise<(string | null)[][]> {
    const config: pg.QueryArrayConfig = { text, values: [...values], rowMode: 'array', types: RAW_TYPES };
    if (name !== undefined) config.name = name;
    const result = await this.#run((client) => client.query(config));
    return result.rows as (string | null)[][];
  }

  /** The rows of one statement, each decoded as it arrives. @throws as above, and what `decode` throws */
  rows<Row>(
    text: string,
    values: readonly unknown[],
    decode: (raw: Raw) => Row,
    name?: string,
  ): Promise<Row[]> {
    const config: pg.QueryConfig = { text, values: [...values] };
    if (name !== undefined) config.name = name;
    return this.#run((client) => client.query(new DecodedQuery(config, decode)).done);
  }

  /** Runs a `COPY ... FROM STDIN` of these bytes. @throws as above */
  async copy(text: string, data: Buffer): Promise<void> {
    await this.#run((client) => client.query(new CopyIn(text, data)).done);
  }

  async #run<T>(ask: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = this.#client;
    if (!client) throw new ConnectionLostError(this.name, 'not connected');
    try {
      return await deadline(ask(client), this.#queryTimeoutMs);
    } catch (error) {
      // 57P: the server is shutting down, or an operator ended this backend.
      const code = error instanceof pg.DatabaseError ? (error.code ?? '') : '';
      if (error instanceof pg.DatabaseError && !code.startsWith('57P') && !code.startsWith('08')) throw error;
      this.close();
      throw new ConnectionLostError(this.name, error);
    }
  }

  /** Ends this life at once, without waiting for a socket that may be dead. */
  close(): void {
    const client = this.#client;
    if (!client) return;
    this.#client = undefined;
    // A proper Terminate first, so that the server does not log a broken connection; the socket goes either way.
    void client.end().catch(() => undefined);
    setTimeout(() => destroy(client), 500).unref();
    this.onLost?.();
  }
}

function destroy(client: pg.Client): void {
  // Not in pg's types: the socket itself, the only way to be rid of one that does not answer.
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

function deadline<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
