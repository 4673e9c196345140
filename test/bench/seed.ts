/** Rows of the past, for the benches of history. */
import type pg from 'pg';
import type { CustomerSyncMonitor } from '../../src/monitor.js';

export interface SeedOptions {
  readonly rows: number;
  /** They are spread evenly over so long before now. */
  readonly hours: number;
  /** Bytes of `details` beside what is read; 400 is what the portal writes. */
  readonly note?: number;
}

/** Adds settled rows of 12 types in order of time; a million distinct customers at most. */
export async function seed(client: pg.Client, { rows, hours, note = 400 }: SeedOptions): Promise<void> {
  await client.query(
    `INSERT INTO customer_sync_logs (operation_type, status, customer_id, customer_email, onec_id, correlation_id, duration_ms, details, created_at)
     SELECT (ARRAY['import_from_1c','export_to_1c','sync_changes','customer_identification','conflict_resolution','data_validation','batch_operation','created','updated','skipped','error','notification_failed'])[1 + i % 12],
       (ARRAY['success','success','success','success','success','success','success','error','warning','skipped'])[1 + (i / 12) % 10],
       1 + (i::bigint * 7919) % 1000000, 'customer' || i || '@example.com', '1C-' || i, 'run-' || i / 10, (exp(4 + 2 * random()))::int,
       ('{"conflict_source": "data_import", "search_method": "tax_id", "email_sent": false, "note": "' || repeat('x', ${note}) || '"}')::jsonb,
       now() - interval '${hours} hours' + (i - 1) * (interval '${hours} hours' / ${rows})
     FROM generate_series(1, ${rows}) i`,
  );
}

/** The seven statements with which the earlier system answered a period. */
export function earlierStatements(table: string): readonly string[] {
  const where = `FROM ${table} WHERE created_at >= $1 AND created_at < $2`;
  const status = (list: string) => `SELECT count(*) ${where} AND status IN (${list})`;
  return [
    `SELECT count(*) ${where}`,
    `SELECT operation_type, count(*) ${where} GROUP BY operation_type`,
    status(`'success'`),
    status(`'error', 'failed'`),
    status(`'pending'`),
    `SELECT avg(duration_ms), min(duration_ms), max(duration_ms) ${where}`,
    `SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms), percentile_cont(0.99) WITHIN GROUP (ORDER BY duration_ms) ${where}`,
  ];
}

/** Until the table is folded, and what has ended is in the coarser levels. */
export async function historyReady(monitor: CustomerSyncMonitor, client: pg.Client): Promise<void> {
  for (;;) {
    const { state, reason } = monitor.history();
    if (state === 'off') throw new Error(`history is off: ${reason}`);
    if (state === 'ready') {
      const { rows } = await client.query(
        `SELECT count(*)::int AS open FROM sync_monitor.rollup_todo
         WHERE start + (ARRAY['15 minutes', '1 day', '1 month'])[level]::interval < now() - interval '10 minutes'`,
      );
      if (rows[0].open === 0) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
