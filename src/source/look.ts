/** One look at the server: who holds a writing lock on the table, who waits, which life of the database this is. */
export interface Look {
  /** Database clock, ms. */
  readonly now: number;
  /** Virtual transactions with a writing lock on the table or a partition of it. */
  readonly holders: ReadonlySet<string>;
  /** Sessions that wait for the cluster-wide commit lock of NOTIFY. */
  readonly commitWaiters: number;
  /** Backend that holds the bell's key exclusively, 0 for none. */
  readonly keyHolder: number;
  /** 0..1 */
  readonly queueUsage: number;
  /** System identifier / WAL timeline / table / sequence / its file. */
  readonly epoch: string;
  /** Position of the sequence. */
  readonly s: number;
  /** Oids of the leaf partitions; empty for a plain table. */
  readonly leaves: readonly string[];
  /** `tgenabled` of the bell's trigger, null where there is none. */
  readonly trigger: string | null;
  /** What it took the server, ms; from here it can look longer, when this process stalls meanwhile. */
  readonly tookMs: number;
}

/** @throws TypeError when the row is not one of `Statements.look` */
export function parseLook(row: readonly (string | null)[]): Look {
  if (row.length < 10) throw new TypeError(`a look has 10 columns, not ${row.length}`);
  const words = (text: string | null | undefined) => (text == null ? [] : text.split(' '));
  return {
    now: Number(row[0]) * 1000,
    holders: new Set(words(row[1])),
    commitWaiters: Number(row[2]),
    keyHolder: Number(row[3] ?? 0),
    queueUsage: Number(row[4]),
    epoch: row[5] ?? '',
    s: Number(row[6]),
    leaves: words(row[7]),
    trigger: row[8] ?? null,
    tookMs: Number(row[9]),
  };
}
