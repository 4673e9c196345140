import { ConnectionLostError, Link } from './connection.js';

/** The pool is busy: so many are waiting that one more would wait too long. */
export class BusyError extends Error {
  readonly code = 'database_unavailable';
  constructor(waiting: number) {
    super(`${waiting} queries are waiting for a database connection`);
    this.name = 'BusyError';
  }
}

export type Query = (text: string, values?: readonly unknown[]) => Promise<(string | null)[][]>;

/** A few read-only connections for questions of the API, apart from the reader: a slow question delays no row. */
export class ReadPool {
  readonly #links: Link[];
  readonly #free: Link[];
  readonly #waiting: ((link: Link) => void)[] = [];
  readonly #maxWaiting: number;

  constructor(options: { url: string; session: string; size?: number; maxWaiting?: number }) {
    this.#links = Array.from({ length: options.size ?? 2 }, (_, i) => new Link(`query ${i + 1}`, options));
    this.#free = [...this.#links];
    this.#maxWaiting = options.maxWaiting ?? 100;
  }

  /**
   * Runs `work` in one read-only snapshot, so that several statements agree on one moment.
   * @throws BusyError, ConnectionLostError, or what the server refused
   */
  async snapshot<T>(work: (query: Query) => Promise<T>): Promise<T> {
    const link = await this.#take();
    try {
      if (!link.connected)
        await link.connect().catch((error: unknown) => {
          throw new ConnectionLostError(link.name, error);
        });
      await link.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const result = await work((text, values) => link.query(text, values));
      await link.query('COMMIT');
      return result;
    } catch (error) {
      // Whatever state it is in, a new connection is in a better one.
      link.close();
      throw error;
    } finally {
      const next = this.#waiting.shift();
      if (next) next(link);
      else this.#free.push(link);
    }
  }

  close(): void {
    for (const link of this.#links) link.close();
  }

  #take(): Promise<Link> {
    const link = this.#free.pop();
    if (link) return Promise.resolve(link);
    if (this.#waiting.length >= this.#maxWaiting) return Promise.reject(new BusyError(this.#waiting.length));
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
