import { Link } from '../../src/source/connection.js';
import { type BellSetting, migrate } from '../../src/source/migrate.js';
import { Source, type SourceOptions } from '../../src/source/source.js';
import { discoverTable } from '../../src/source/table.js';
import type { BigId, SyncRow } from '../../streams/event.js';

export const SQL_DIR = new URL('../../sql', import.meta.url).pathname;

/** Folds batches into a plain map and notes every contradiction: a row twice, a change of what was never seen. */
export class Collector {
  readonly rows = new Map<BigId, SyncRow>();
  readonly faults: string[] = [];
  resets = 0;
  batches = 0;

  take(batch: import('../../streams/event.js').Batch): void {
    this.batches++;
    if (batch.reset) {
      this.rows.clear();
      this.resets++;
    }
    for (const row of batch.rows) {
      if (this.rows.has(row.id)) this.faults.push(`row ${row.id} came twice`);
      this.rows.set(row.id, row);
    }
    for (const { row, previous } of batch.updates) {
      if (this.rows.get(row.id) !== previous)
        this.faults.push(`update of ${row.id} from what was not folded`);
      this.rows.set(row.id, row);
    }
    for (const row of batch.removals) {
      if (this.rows.get(row.id) !== row) this.faults.push(`removal of ${row.id}, not folded`);
      this.rows.delete(row.id);
    }
  }
}

export interface Followed {
  readonly source: Source;
  readonly collector: Collector;
  readonly log: string[];
  stop(): Promise<void>;
}

/** Discovers, migrates and follows a table, as the app does. */
export async function follow(
  url: string,
  options: { bell?: BellSetting; table?: string; overrides?: Partial<SourceOptions> } = {},
): Promise<Followed> {
  const bell = options.bell ?? 'auto';
  const setup = new Link('setup', { url });
  await setup.connect();
  const table = await discoverTable(setup, options.table ?? 'customer_sync_logs');
  await migrate(setup, table, bell, SQL_DIR);
  setup.close();
  const log: string[] = [];
  const say = (level: string) => (fields: object, message: string) =>
    void log.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const source = new Source({
    url,
    table,
    bell: { configured: bell, effective: bell },
    historyMs: 25 * 3_600_000,
    log: { info: say('info'), warn: say('warn'), error: say('error') },
    ...options.overrides,
  });
  const collector = new Collector();
  source.batches$.subscribe((batch) => collector.take(batch));
  source.start();
  return { source, collector, log, stop: () => source.stop() };
}

/** Waits until `condition` holds; the tests' only way to wait. @throws with `what` when it never does. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  ms = 30_000,
): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; ) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited ${ms} ms in vain: ${what}`);
}
