/** `traffic`: the sample portal alone, on a database that somebody else watches; for docker compose's demo. */
import pg from 'pg';
import { startTraffic, type Traffic } from './cli/traffic.js';
import { writeHistory } from './cli/traffic-history.js';
import type { Incident } from './cli/traffic-weather.js';
import type { Logger } from './log.js';

/** Marks a table as ours to write to. */
const MARK = 'Sample traffic of sync-monitor';
const TABLE = 'public.customer_sync_logs';

export interface SampleTrafficOptions {
  readonly url: string;
  readonly rate: number;
  readonly incidents: readonly Incident[];
  readonly seed: number;
  readonly log: Logger;
}

/**
 * Writes a day of rows into the empty sample table, and then traffic.
 * @throws with one sentence where the table is not there, or holds rows that are not of sample traffic
 */
export async function sampleTraffic(options: SampleTrafficOptions): Promise<Traffic> {
  await claim(options.url);
  const past = await writeHistory(options);
  options.log.info({ event_type: 'traffic', past_rows: past }, `sample traffic into ${TABLE}`);
  return startTraffic(options);
}

/** A table with rows of a real portal must never get invented ones. */
async function claim(url: string): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'customer-sync-monitor',
    statement_timeout: 30_000,
  });
  await client.connect();
  try {
    const { rows } = await client.query<{ there: string | null; mark: string | null }>(
      `SELECT to_regclass('${TABLE}') AS there, obj_description(to_regclass('${TABLE}')) AS mark`,
    );
    const [found] = rows;
    if (found?.there == null) throw new Error(`There is no table ${TABLE}; sql/demo/table.sql makes it.`);
    if (found.mark === MARK) return;
    const { rowCount } = await client.query(`SELECT FROM ${TABLE} LIMIT 1`);
    if (rowCount !== 0)
      throw new Error(`${TABLE} holds rows that are no sample traffic; nothing is written into it.`);
    await client.query(`COMMENT ON TABLE ${TABLE} IS '${MARK}'`);
  } finally {
    await client.end();
  }
}
