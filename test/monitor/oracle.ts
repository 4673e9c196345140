/** The table itself as the judge: every number of a window, asked of SQL with the window's own bounds. */
import type pg from 'pg';
import type {
  BusinessMetrics,
  OperationMetrics,
  OperationNumbers,
  Snapshot,
} from '../../streams/snapshot.js';
import { WINDOW_NAMES } from '../../streams/snapshot.js';

const NUMBERS = `count(*)::int AS total_operations,
  count(*) FILTER (WHERE status = 'success')::int AS success_count,
  count(*) FILTER (WHERE status IN ('error', 'failed'))::int AS error_count,
  count(*) FILTER (WHERE status = 'warning')::int AS warning_count,
  count(*) FILTER (WHERE status = 'skipped')::int AS skipped_count,
  count(*) FILTER (WHERE status = 'pending')::int AS pending_count,
  round(100.0 * count(*) FILTER (WHERE status = 'success') / nullif(count(*), 0), 2)::float8 AS success_rate,
  round(100.0 * count(*) FILTER (WHERE status IN ('error', 'failed')) / nullif(count(*), 0), 2)::float8 AS error_rate,
  count(duration_ms) FILTER (WHERE duration_ms >= 0)::int AS duration_count,
  count(*) FILTER (WHERE duration_ms < 0)::int AS duration_negative_count,
  avg(duration_ms) FILTER (WHERE duration_ms >= 0)::float8 AS duration_avg_ms,
  min(duration_ms) FILTER (WHERE duration_ms >= 0) AS duration_min_ms,
  max(duration_ms) FILTER (WHERE duration_ms >= 0) AS duration_max_ms,
  percentile_disc(0.5) WITHIN GROUP (ORDER BY duration_ms) FILTER (WHERE duration_ms >= 0) AS duration_p50_ms,
  percentile_disc(0.95) WITHIN GROUP (ORDER BY duration_ms) FILTER (WHERE duration_ms >= 0) AS duration_p95_ms,
  percentile_disc(0.99) WITHIN GROUP (ORDER BY duration_ms) FILTER (WHERE duration_ms >= 0) AS duration_p99_ms`;

/** Differences between the snapshot and the table, as sentences; none when every number is true. */
export async function differences(
  client: pg.Client,
  snapshot: Snapshot,
  table = 'customer_sync_logs',
): Promise<string[]> {
  const found: string[] = [];
  const same = sameInto(found);
  for (const name of WINDOW_NAMES) {
    found.push(...(await operationDifferences(client, name, snapshot.windows[name], table)));
    found.push(...(await businessDifferences(client, name, snapshot.windows[name].business, table)));
  }
  const { rows: pending } = await client.query(
    `SELECT operation_type, count(*)::int AS n, min(created_at) AS oldest FROM ${table} WHERE status = 'pending' GROUP BY 1`,
  );
  same(
    'pending',
    snapshot.queue.pending_operations,
    pending.reduce((sum: number, row) => sum + row.n, 0),
  );
  for (const row of pending) {
    same(`pending ${row.operation_type}`, snapshot.queue.by_type[row.operation_type]?.pending, row.n);
    const oldest = snapshot.queue.by_type[row.operation_type]?.oldest_created_at;
    same(`oldest ${row.operation_type}`, oldest && Date.parse(oldest), row.oldest.getTime());
  }
  const queued = Object.values(snapshot.queue.by_type).filter((of) => of.pending > 0);
  same('types that are pending', queued.length, pending.length);
  return found;
}

/** The differences of a period's operation numbers, in all and by type. */
export async function operationDifferences(
  client: pg.Client,
  name: string,
  window: OperationMetrics,
  table: string,
): Promise<string[]> {
  const found: string[] = [];
  const { rows } = await client.query(
    `SELECT operation_type, grouping(operation_type) AS all_types, ${NUMBERS}
     FROM ${table} WHERE created_at >= $1 AND created_at < $2 GROUP BY GROUPING SETS ((), (operation_type))`,
    [window.period_start, window.period_end],
  );
  const seen = new Set<string>();
  for (const row of rows) {
    const what = row.all_types === 1 ? name : `${name} ${row.operation_type}`;
    const ours = row.all_types === 1 ? window : window.by_type[row.operation_type];
    if (row.all_types !== 1) seen.add(row.operation_type);
    if (ours) {
      compareNumbers(what, ours, row, found);
      const minutes = (Date.parse(window.period_end) - Date.parse(window.period_start)) / 60_000;
      sameInto(found)(`${what} throughput`, ours.throughput_per_minute, row.total_operations / minutes);
    } else found.push(`${what} is missing`);
  }
  for (const type of Object.keys(window.by_type))
    if (!seen.has(type)) found.push(`${name} ${type} is not in the table`);
  return found;
}

function sameInto(found: string[]) {
  return (what: string, ours: unknown, theirs: unknown) => {
    if (ours !== theirs) found.push(`${what}: ${String(ours)}, the table says ${String(theirs)}`);
  };
}

function compareNumbers(
  what: string,
  ours: OperationNumbers,
  theirs: Record<string, unknown>,
  found: string[],
): void {
  for (const key of Object.keys(theirs)) {
    if (key === 'operation_type' || key === 'all_types') continue;
    const a = ours[key as keyof OperationNumbers] as number | null;
    const b = theirs[key] as number | null;
    // The average to float precision, percentiles to three significant digits, all else exactly.
    const tolerance = key === 'duration_avg_ms' ? 1e-9 : /_p\d\d_/.test(key) ? 1e-3 : 0;
    const close =
      a === b ||
      (a !== null && b !== null && Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b)));
    if (!close) found.push(`${what} ${key}: ${a}, the table says ${b}`);
  }
}

/** The differences of a period's business numbers. */
export async function businessDifferences(
  client: pg.Client,
  name: string,
  ours: BusinessMetrics,
  table: string,
): Promise<string[]> {
  const found: string[] = [];
  const same = sameInto(found);
  const bounds = [ours.period_start, ours.period_end];
  const period = `FROM ${table} WHERE created_at >= $1 AND created_at < $2`;
  const { rows } = await client.query(
    `SELECT count(DISTINCT customer_id) FILTER (WHERE status = 'success')::int AS synced_customers_count,
       count(*) FILTER (WHERE operation_type = 'conflict_resolution')::int AS total_conflicts,
       count(*) FILTER (WHERE operation_type = 'conflict_resolution' AND status = 'success')::int AS total_conflicts_resolved,
       round(100.0 * count(*) FILTER (WHERE operation_type = 'conflict_resolution' AND status = 'success')
         / nullif(count(*) FILTER (WHERE operation_type = 'conflict_resolution'), 0), 2)::float8 AS auto_resolution_rate,
       count(*) FILTER (WHERE operation_type = 'customer_identification' AND status = 'success')::int AS total_identifications,
       count(*) FILTER (WHERE operation_type = 'export_to_1c' AND status = 'success')::int AS new_registrations,
       count(*) FILTER (WHERE operation_type = 'import_from_1c' AND status = 'success')::int AS imports_from_1c,
       count(*) FILTER (WHERE details ->> 'email_sent' = 'true')::int AS admin_notifications_sent ${period}`,
    bounds,
  );
  for (const [key, value] of Object.entries(rows[0]))
    same(`${name} ${key}`, ours[key as keyof BusinessMetrics], value);
  const groups = async (type: string, keys: string, of: Readonly<Record<string, number>>) => {
    const { rows } = await client.query(
      `SELECT coalesce(${keys}, 'unknown') AS value, count(*)::int AS n ${period} AND operation_type = '${type}' AND status = 'success' GROUP BY 1`,
      bounds,
    );
    for (const row of rows) same(`${name} ${type} ${row.value}`, of[row.value], row.n);
    same(`${name} ${type} values`, Object.values(of).filter((n) => n > 0).length, rows.length);
  };
  await groups(
    'conflict_resolution',
    `details ->> 'conflict_source', details ->> 'conflict_type'`,
    ours.conflicts_resolved,
  );
  await groups(
    'customer_identification',
    `details ->> 'search_method', details ->> 'identification_method', details ->> 'method'`,
    ours.identification_methods,
  );
  return found;
}
