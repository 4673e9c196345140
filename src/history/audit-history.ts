import { noSums, rowsOf, type Sums } from './audit-difference.js';
import { type AuditLevel, type Known, periodMs } from './audit-known.js';
import { ms, timestamp } from './checkpoint.js';
import { STATUS_COLUMNS } from './codec.js';
import { decodeCustomers } from './packing-customers.js';
import type { Query } from './table-query.js';

/** What is kept of one minute or quarter hour, as far as it is compared. */
export interface FoldedPeriod {
  /** ms. */
  readonly start: number;
  readonly byType: Map<string, Sums>;
  idMin: number | null;
  idMax: number | null;
}

export interface FoldedStep {
  /** In order of time. */
  readonly periods: FoldedPeriod[];
  /** They are all there is up to here, ms. */
  readonly end: number;
}

/** More than the types of one period, so that at least that one is whole. */
const MOST_ROLLUPS = 3000;

/** The rollups from `from` on, of as many whole periods as hold about `rows` rows; at least one. */
export async function readHistory(
  query: Query,
  part: { readonly known: Known; readonly level: AuditLevel; readonly from: number; readonly to: number },
  rows: number,
): Promise<FoldedStep> {
  const { known, level, from, to } = part;
  const raw = await query(
    `SELECT ${ms('start')}, operation_type, id_min, id_max, other_statuses, duration_count, duration_sum, duration_negative, customers,
       ${STATUS_COLUMNS.join(', ')}
     FROM sync_monitor.rollup WHERE checkpoint_id = $1 AND level = $2 AND start >= $3 AND start < $4
     ORDER BY start, operation_type LIMIT ${MOST_ROLLUPS}`,
    [known.id, level, timestamp(from), timestamp(to)],
  );
  const periods: FoldedPeriod[] = [];
  let counted = 0;
  for (const row of raw) {
    const start = Number(row[0]);
    let period = periods.at(-1);
    if (period?.start !== start) {
      if (counted >= rows) return { periods, end: start };
      period = { start, byType: new Map(), idMin: null, idMax: null };
      periods.push(period);
    }
    const sums = sumsOf(row);
    counted += rowsOf(sums);
    period.byType.set(row[1] ?? '', sums);
    if (row[2] != null) period.idMin = Math.min(period.idMin ?? Number.POSITIVE_INFINITY, Number(row[2]));
    if (row[3] != null) period.idMax = Math.max(period.idMax ?? Number.NEGATIVE_INFINITY, Number(row[3]));
  }
  if (raw.length < MOST_ROLLUPS) return { periods, end: to };
  // The last one may have more types than came.
  const last = periods.length > 1 ? periods.pop() : undefined;
  return { periods, end: last?.start ?? from + periodMs(level) };
}

function sumsOf(row: readonly (string | null)[]): Sums {
  const sums = noSums();
  const others = row[4] == null ? {} : (JSON.parse(row[4]) as Record<string, number>);
  for (const [name, count] of Object.entries(others)) sums.statuses.set(name, count);
  STATUS_COLUMNS.forEach((name, i) => {
    const count = Number(row[9 + i]);
    if (count > 0) sums.statuses.set(name, count);
  });
  sums.durations = Number(row[5]);
  sums.durationSum = Number(row[6]);
  sums.negative = Number(row[7]);
  if (row[8] != null) {
    const customers = decodeCustomers(Buffer.from(row[8].slice(2), 'hex'));
    sums.customers = customers.length;
    for (const customer of customers) sums.customerSum += customer;
  }
  return sums;
}
