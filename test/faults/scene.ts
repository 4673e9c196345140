/** A cluster of its own, a watched table and writers: what every fault is done to. */
import pg from 'pg';
import { type CustomerSyncMonitor, type MonitorConfig, startMonitor } from '../../src/monitor.js';
import { differences } from '../monitor/oracle.js';
import { freshDatabase } from '../setup/database.js';
import { type Cluster, startCluster, type Version } from '../setup/postgres.js';
import { until } from '../source/collector.js';
import { Writer, type WriterOptions } from '../source/writers.js';

export interface Scene {
  readonly url: string;
  readonly log: string[];
  readonly monitor: CustomerSyncMonitor;
  /** Runs SQL as the portal's owner and gives the rows. */
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  insert(rows?: number): Promise<void>;
  writers(count: number, options?: Partial<WriterOptions>): Promise<Writer[]>;
  /** All is folded and sealed; then what differs from the table. */
  differences(): Promise<string[]>;
  /** The number of rows that the 24-hour window holds. */
  counted(): number;
  /** A new client, where the fault took the old one along. */
  reconnect(): Promise<void>;
  end(): Promise<void>;
}

/** Scenes that a failing test left behind; ended before the next one begins, which would only be its standby. */
const left = new Set<Scene>();

export async function scene(
  version: Version,
  options: {
    config?: Partial<MonitorConfig>;
    cluster?: Cluster;
    before?: (client: pg.Client) => Promise<void>;
  } = {},
): Promise<Scene> {
  const db = options.cluster ? undefined : await freshDatabase(version);
  const url = db?.url ?? options.cluster?.url('csm') ?? '';
  for (const scene of left) await scene.end();
  let client = await connect(url);
  await options.before?.(client);
  const log: string[] = [];
  const say = (fields: object, message: string) => void log.push(`${message} ${JSON.stringify(fields)}`);
  const monitor = await startMonitor({
    databaseUrl: url,
    log: { info: say, warn: say, error: say },
    ...options.config,
  });
  const made: Scene = {
    url,
    log,
    monitor,
    async sql(text, values) {
      return (await client.query(text, values)).rows;
    },
    async insert(rows = 1) {
      await client.query(
        `INSERT INTO customer_sync_logs (operation_type, status, duration_ms) SELECT 'sync_changes', 'success', 7 FROM generate_series(1, $1)`,
        [rows],
      );
    },
    async writers(count, writerOptions = {}) {
      const writers = Array.from(
        { length: count },
        (_, i) => new Writer({ url, seed: 100 + i, ...writerOptions }),
      );
      for (const writer of writers) await writer.start();
      return writers;
    },
    async differences() {
      const it = monitor;
      await until(
        () => it.source().connected && it.latest()?.completeness.state === 'complete',
        'complete again',
      );
      const { polls } = it.source();
      await until(() => it.source().polls > polls + 2 && it.source().unsealedIds === 0, 'all ids sealed');
      const after = Date.parse(it.latest()?.at ?? '');
      await until(() => Date.parse(it.latest()?.at ?? '') - after > 2_500, 'two rounds of slow polls');
      const snapshot = it.latest();
      return snapshot ? differences(client, snapshot) : ['no snapshot'];
    },
    counted: () => monitor.latest()?.windows['24h'].total_operations ?? -1,
    async reconnect() {
      await client.end().catch(() => undefined);
      client = await connect(url);
    },
    async end() {
      left.delete(made);
      await monitor.stop();
      await client.end().catch(() => undefined);
      await db?.drop();
    },
  };
  left.add(made);
  await until(() => monitor.latest()?.completeness.state === 'complete', 'started');
  return made;
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  // A fault may end this backend with the others; its next statement tells.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** A cluster with a database `csm` that has the sample table. */
export async function ownCluster(version: Version, settings: Record<string, string> = {}): Promise<Cluster> {
  const cluster = await startCluster({ version, settings });
  const { readFile } = await import('node:fs/promises');
  const admin = new pg.Client(cluster.url('postgres'));
  await admin.connect();
  await admin.query('CREATE DATABASE csm');
  await admin.end();
  const client = new pg.Client(cluster.url('csm'));
  await client.connect();
  await client.query(await readFile(new URL('../../sql/demo/table.sql', import.meta.url), 'utf8'));
  await client.end();
  return cluster;
}

export { until };
