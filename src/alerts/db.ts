/** The database as alerts see it: one connection that is made anew when it was lost. */

export interface Db {
  /** Rows as arrays of raw text. */
  query(text: string, values?: readonly unknown[]): Promise<(string | null)[][]>;
}

/** A connection of src/source fits. */
export interface Connection extends Db {
  readonly connected: boolean;
  connect(): Promise<void>;
}

/** What is said in the log. */
export interface AlertLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The database cannot be asked now. */
export class NoDatabaseError extends Error {
  readonly code = 'database_unavailable';
  constructor(reason: string, cause?: unknown) {
    super(`the database does not answer: ${reason}`, { cause });
    this.name = 'NoDatabaseError';
  }
}

/** Questions that may wait for a connection that does not answer; more are turned away at once. */
const MOST_WAITING = 100;

/**
 * Connects before a query where that is needed, and asks one question at a time. Throws NoDatabaseError besides what the
 * connection throws.
 */
export function reconnecting(connection: Connection): Db {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  const ask = async (text: string, values?: readonly unknown[]) => {
    if (!connection.connected)
      await connection.connect().catch((cause: unknown) => {
        throw new NoDatabaseError(cause instanceof Error ? cause.message : String(cause), cause);
      });
    return connection.query(text, values);
  };
  return {
    query(text, values) {
      if (waiting >= MOST_WAITING)
        return Promise.reject(new NoDatabaseError(`${waiting} questions wait for it already`));
      waiting += 1;
      const answer = last.then(() => ask(text, values));
      last = answer
        .catch(() => undefined)
        .finally(() => {
          waiting -= 1;
        });
      return answer;
    },
  };
}

/** Without what PostgreSQL's json cannot hold: NUL, and halves of surrogate pairs. */
export function storable(value: unknown): string {
  return JSON.stringify(value, (_, inside) =>
    typeof inside === 'string' ? inside.replace(/\0|\p{Surrogate}/gu, '\ufffd') : inside,
  );
}

/** A timestamptz, read with `extract(epoch from ...) * 1000`, in ms. */
export function msOf(text: string | null | undefined): number | null {
  return text === null || text === undefined ? null : Number(text);
}

/** SQL for reading a timestamptz as ms of the Unix epoch. */
export function epochMs(column: string): string {
  return `(extract(epoch from ${column}) * 1000)::float8`;
}
