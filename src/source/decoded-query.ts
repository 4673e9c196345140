import pg from 'pg';

export type Raw = readonly (string | null)[];

/**
 * A query whose rows are decoded as they arrive. pg keeps the texts of all columns until the last row is there: of
 * 10,000 rows they outlive the young generation, and collecting them takes a fifth of the time of a backfill.
 */
export class DecodedQuery<Row> extends pg.Query {
  /** Its rows; rejects with what the server refused, what `decode` threw, or that the connection was lost. */
  readonly done: Promise<Row[]>;
  readonly #decode: (raw: Raw) => Row;
  readonly #rows: Row[] = [];
  #failed: Error | undefined;

  constructor(config: pg.QueryConfig, decode: (raw: Raw) => Row) {
    let settle: (error: Error | undefined) => void = () => undefined;
    super(config, (error) => settle(error));
    this.#decode = decode;
    this.done = new Promise((resolve, reject) => {
      settle = (error) => {
        const failed = error ?? this.#failed;
        if (failed) reject(failed);
        else resolve(this.#rows);
      };
    });
  }

  /** What pg calls with each row. */
  handleDataRow({ fields }: { readonly fields: Raw }): void {
    if (this.#failed) return;
    try {
      this.#rows.push(this.#decode(fields));
    } catch (error) {
      this.#failed = error instanceof Error ? error : new Error(String(error));
    }
  }
}
