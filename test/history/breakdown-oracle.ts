/** The hours and days of a zone as PostgreSQL's own calendar has them. */
import type pg from 'pg';
import type { SpanNumbers } from '../../src/history/table-breakdown.js';
import type { BreakdownNumbers } from '../../streams/breakdown.js';
import type { Zone } from '../../streams/zone.js';

const NUMBERS = `count(*)::int AS total_operations,
  count(*) FILTER (WHERE status = 'success')::int AS successful_operations,
  count(*) FILTER (WHERE status IN ('error', 'failed'))::int AS failed_operations,
  round(100.0 * count(*) FILTER (WHERE status = 'success') / nullif(count(*), 0), 2)::float8 AS success_rate,
  avg(duration_ms) FILTER (WHERE duration_ms >= 0)::float8 AS avg_duration_ms,
  percentile_disc(0.95) WITHIN GROUP (ORDER BY duration_ms) FILTER (WHERE duration_ms >= 0) AS p95_duration_ms,
  percentile_disc(0.99) WITHIN GROUP (ORDER BY duration_ms) FILTER (WHERE duration_ms >= 0) AS p99_duration_ms`;

const EMPTY: BreakdownNumbers = {
  total_operations: 0,
  successful_operations: 0,
  failed_operations: 0,
  success_rate: null,
  avg_duration_ms: null,
  p95_duration_ms: null,
  p99_duration_ms: null,
};

/** Differences between spans and the table, as sentences; `bounds` as the zone gave them. */
export async function breakdownDifferences(
  client: pg.Client,
  unit: 'hour' | 'day',
  zone: Zone,
  bounds: readonly number[],
  spans: readonly SpanNumbers[],
): Promise<string[]> {
  const found: string[] = [];
  if (spans.length !== bounds.length - 1) return [`${spans.length} spans between ${bounds.length} bounds`];
  const local = `created_at AT TIME ZONE $3`;
  // The offset tells the two hours of one name apart.
  const label = `to_char(date_trunc('${unit}', ${local}), 'YYYY-MM-DD"T"HH24')
    || CASE WHEN '${unit}' = 'hour' THEN ' ' || (extract(epoch FROM (${local}) - (created_at AT TIME ZONE 'UTC')) / 60)::int ELSE '' END`;
  const { rows } = await client.query(
    `SELECT ${label} AS label, operation_type, grouping(operation_type) AS all_types, ${NUMBERS}
     FROM customer_sync_logs WHERE created_at >= $1 AND created_at < $2 GROUP BY GROUPING SETS ((1), (1, operation_type))`,
    [new Date(bounds[0] ?? 0), new Date(bounds.at(-1) ?? 0), zone.name],
  );
  const theirs = new Map<string, Record<string, unknown>>();
  const types = new Map<string, string[]>();
  for (const row of rows) {
    theirs.set(`${row.label} ${row.all_types === 1 ? 'all' : `type ${row.operation_type}`}`, row);
    if (row.all_types !== 1) types.set(row.label, [...(types.get(row.label) ?? []), row.operation_type]);
  }
  let seen = 0;
  spans.forEach((span, i) => {
    const at = bounds[i] ?? 0;
    const name =
      unit === 'day'
        ? `${zone.iso(at).slice(0, 10)}T00`
        : `${zone.iso(at).slice(0, 13)} ${zone.offset(at) / 60_000}`;
    const ofTypes = types.get(name) ?? [];
    if (theirs.has(`${name} all`)) seen += 1;
    compare(name, span, theirs.get(`${name} all`) ?? { ...EMPTY }, found);
    if (Object.keys(span.by_type).length !== ofTypes.length)
      found.push(`${name} has ${Object.keys(span.by_type).join()}, the table ${ofTypes.join()}`);
    for (const type of ofTypes) {
      const ours = span.by_type[type];
      if (ours) compare(`${name} ${type}`, ours, theirs.get(`${name} type ${type}`) ?? {}, found);
      else found.push(`${name} ${type} is missing`);
    }
  });
  const labels = new Set(rows.map((row) => row.label)).size;
  if (seen !== labels) found.push(`${seen} spans have rows, in the table ${labels}`);
  return found;
}

function compare(
  what: string,
  ours: BreakdownNumbers,
  theirs: Record<string, unknown>,
  found: string[],
): void {
  for (const key of Object.keys(EMPTY) as (keyof BreakdownNumbers)[]) {
    const [a, b] = [ours[key], theirs[key] as number | null];
    const tolerance = key === 'avg_duration_ms' ? 1e-9 : /^p\d\d_/.test(key) ? 1e-3 : 0;
    const close =
      a === b ||
      (a !== null && b !== null && Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b)));
    if (!close) found.push(`${what} ${key}: ${a}, the table says ${b}`);
  }
}
