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

/** Connects before a query where that is needed; who asks meanwhile waits for the same attempt. */
export function reconnecting(connection: Connection): Db {
  let connecting: Promise<void> | null = null;
  return {
    async query(text, values) {
      if (!connection.connected) {
        connecting ??= connection.connect().finally(() => {
          connecting = null;
        });
        await connecting;
      }
      return connection.query(text, values);
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
