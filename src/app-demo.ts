/** `serve` without a database, and `demo`: the embedded PostgreSQL, the sample table with traffic, and the monitor. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { serve } from './app.js';
import { startTraffic } from './cli/traffic.js';
import { writeHistory } from './cli/traffic-history.js';
import type { Incident } from './cli/traffic-weather.js';
import type { Config } from './config.js';
import { shipped } from './files.js';
import type { Logger } from './log.js';
import { startEmbedded } from './source/embedded.js';

export interface DemoOptions {
  readonly log: Logger;
  /** Where the embedded database keeps its data. */
  readonly folder: string;
  /** Rows a second on average. */
  readonly rate: number;
  readonly incidents: readonly Incident[];
  readonly seed: number;
}

export interface Demo {
  readonly address: string;
  /** Resolves when the embedded database ends by itself. */
  readonly failed: Promise<Error>;
  /** Ends traffic, monitor and database, in this order. */
  stop(): Promise<void>;
}

export const SAMPLE_TABLE = 'public.customer_sync_logs';

/** @throws with one sentence when a part does not start; those that had started are stopped again */
export async function serveDemo(config: Config, options: DemoOptions): Promise<Demo> {
  const { log } = options;
  const started: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    const embedded = await startEmbedded({
      folder: options.folder,
      tell: (message) => log.info({ event_type: 'embedded' }, message),
    });
    started.push(() => embedded.stop());
    await createTable(embedded.url);
    const past = await writeHistory({ url: embedded.url, seed: options.seed });
    log.info(
      { event_type: 'embedded', data: embedded.dataDir, past_rows: past },
      'embedded database started',
    );
    const served = await serve(
      { ...config, DATABASE_URL: embedded.url, SYNC_LOG_TABLE: SAMPLE_TABLE },
      { log },
    );
    started.push(() => served.stop());
    const traffic = startTraffic({ ...options, url: embedded.url });
    started.push(() => traffic.stop());
    return { address: served.address, failed: embedded.failed, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function createTable(url: string): Promise<void> {
  const sql = await readFile(join(shipped('sql'), 'demo', 'table.sql'), 'utf8');
  const client = new pg.Client({
    connectionString: url,
    application_name: 'customer-sync-monitor',
    statement_timeout: 30_000,
  });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
