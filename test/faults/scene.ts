/** A watched table and what happens to it: what every fault is done to. */
import pg from 'pg';
import { type CustomerSyncMonitor, startMonitor } from '../../src/monitor.js';
import type { MonitorConfig } from '../../src/monitor-types.js';
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
  /** Another session of the portal; ended with the scene. */
  session(url?: string): Promise<pg.Client>;
  /** All is folded and sealed; then what differs from the table. */
  differences(): Promise<string[]>;
  /** The number of rows that the 24-hour window holds. */
  counted(): number;
  /** Does what brings `rows` rows into the last day. @returns ms from its end until a snapshot has counted them. */
  counts(rows: number, act: () => Promise<unknown>): Promise<number>;
  /** The bell is armed, and for so long that a row without a bell tells against it. */
  armed(): Promise<void>;
  /** A new client, where the fault took the old one along. */
  reconnect(): Promise<void>;
  end(): Promise<void>;
}

export interface SceneOptions {
  readonly config?: Partial<MonitorConfig>;
  /** Instead of a database of its own in the shared cluster. */
  readonly cluster?: Cluster;
  /** Before the monitor starts. */
  readonly before?: (client: pg.Client, url: string) => Promise<void>;
  /** Where the monitor finds the database, if not where everybody does. */
  readonly through?: (url: string) => string;
}

/** Scenes of one database that a failing test left behind; the next one there would only be their standby. */
const left = new Set<Scene>();

export async function scene(version: Version, options: SceneOptions = {}): Promise<Scene> {
  const db = options.cluster ? undefined : await freshDatabase(version);
  const url = db?.url ?? options.cluster?.url('csm') ?? '';
  const table = options.config?.table ?? 'customer_sync_logs';
  for (const other of left) if (other.url === url) await other.end();
  let client = await connect(url);
  await options.before?.(client, url);
  const log: string[] = [];
  const say = (fields: object, message: string) => void log.push(`${message} ${JSON.stringify(fields)}`);
  const monitor = await startMonitor({
    databaseUrl: options.through?.(url) ?? url,
    log: { info: say, warn: say, error: say },
    ...options.config,
  });
  const sessions: pg.Client[] = [];
  const made: Scene = {
    url,
    log,
    monitor,
    async sql(text, values) {
      return (await client.query(text, values)).rows;
    },
    async insert(rows = 1) {
      await insertInto(client, table, rows);
    },
    async writers(count, writerOptions = {}) {
      const writers = Array.from(
        { length: count },
        (_, i) => new Writer({ url, table, seed: 100 + i, ...writerOptions }),
      );
      for (const writer of writers) await writer.start();
      return writers;
    },
    async session(at = url) {
      const session = await connect(at);
      sessions.push(session);
      return session;
    },
    async differences() {
      const it = monitor;
      await until(
        () => it.source().connected && it.latest()?.completeness.state === 'complete',
        'complete again',
      );
      const { polls } = it.source();
      const from = Date.parse(it.latest()?.at ?? '');
      // Pending rows and ids beyond the sequence are looked at once a second: two rounds of that.
      const rounds = () => it.source().polls > polls + 2 && Date.parse(it.latest()?.at ?? '') - from > 2_500;
      await until(() => rounds() && it.source().unsealedIds === 0, 'all ids sealed');
      const sealed = it.latest()?.at;
      await until(() => it.latest()?.at !== sealed, 'a snapshot of it');
      const snapshot = it.latest();
      return snapshot ? differences(client, snapshot, table) : ['no snapshot'];
    },
    counted: () => monitor.latest()?.windows['24h'].total_operations ?? -1,
    async counts(rows, act) {
      const wanted = made.counted() + rows;
      await act();
      const from = performance.now();
      await until(() => made.counted() >= wanted, `${rows} rows counted`);
      return Math.round(performance.now() - from);
    },
    async armed() {
      let since = Number.POSITIVE_INFINITY;
      await until(() => {
        const armed = monitor.source().bell.mode === 'armed';
        since = armed ? Math.min(since, performance.now()) : Number.POSITIVE_INFINITY;
        return performance.now() - since > 700;
      }, 'armed for a while');
    },
    async reconnect() {
      await client.end().catch(() => undefined);
      client = await connect(url);
    },
    async end() {
      left.delete(made);
      await monitor.stop();
      for (const one of [client, ...sessions]) await one.end().catch(() => undefined);
      await db?.drop();
    },
  };
  left.add(made);
  await until(() => monitor.latest()?.completeness.state === 'complete', 'started').catch(
    (error: unknown) => {
      throw new Error(`the monitor has not started: ${JSON.stringify(monitor.source())}\n${log.join('\n')}`, {
        cause: error,
      });
    },
  );
  return made;
}

/** Rows as plain as they come, in one statement. */
export async function insertInto(client: pg.Client, table: string, rows = 1): Promise<void> {
  await client.query(
    `INSERT INTO ${table} (operation_type, status, duration_ms) SELECT 'sync_changes', 'success', 7 FROM generate_series(1, $1)`,
    [rows],
  );
}

export async function connect(url: string): Promise<pg.Client> {
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
