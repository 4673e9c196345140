/** A real server, the sample table, pgbench as the writer, and the rivals of the benches. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { type Cluster, startCluster } from '../setup/postgres.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** One row as the portal writes it: 12 types by weight, log-normal durations, about 500 bytes of details. */
const ROW_SQL = `INSERT INTO customer_sync_logs (operation_type, status, customer_id, customer_email, onec_id, correlation_id, duration_ms, details, error_message)
SELECT (ARRAY['import_from_1c','import_from_1c','import_from_1c','export_to_1c','export_to_1c','export_to_1c','sync_changes','sync_changes','customer_identification','customer_identification','conflict_resolution','data_validation','batch_operation','created','updated','skipped','error','notification_failed'])[:type],
 (ARRAY['success','success','success','success','success','success','success','success','success','error','failed','warning','skipped'])[:status],
 :customer, 'customer' || :customer || '@example.com', '1C-' || :customer, 'run-' || :customer, :duration,
 '{"conflict_source": "data_import", "search_method": "tax_id", "email_sent": false, "direction": "1c_to_portal", "note": "${'x'.repeat(380)}"}', NULL
FROM generate_series(1, :rows)`;

const PGBENCH_SCRIPT = `\\set type random(1, 18)
\\set status random(1, 13)
\\set customer random(1, 1000000)
\\set duration random_exponential(1, 60000, 9)
${ROW_SQL.replaceAll('\n', ' ')};
`;

export interface Arena {
  readonly cluster: Cluster;
  readonly url: string;
  readonly client: pg.Client;
  /** Empties the table and removes every trigger of a rival. */
  clean(): Promise<void>;
  /** Commits INSERTs of `rows` rows for `seconds`; INSERTs per second. `rate` limits them, 0 does not. */
  write(writers: number, seconds: number, rate?: number, rows?: number): Promise<number>;
  /** One INSERT of so many rows; seconds. */
  bulk(rows: number): Promise<number>;
  end(): Promise<void>;
}

export async function openArena(settings: Record<string, string> = {}): Promise<Arena> {
  const cluster = await startCluster({
    version: 18,
    settings: { shared_buffers: '256MB', max_wal_size: '4GB', ...settings },
  });
  const admin = new pg.Client(cluster.url('postgres'));
  await admin.connect();
  await admin.query('CREATE DATABASE csm');
  await admin.end();
  const url = cluster.url('csm');
  const client = new pg.Client(url);
  await client.connect();
  await client.query(await readFile(join(ROOT, 'sql/demo/table.sql'), 'utf8'));
  const folder = await mkdtemp(join(tmpdir(), 'csm-bench-'));
  const script = join(folder, 'row.sql');
  await writeFile(script, PGBENCH_SCRIPT);
  return {
    cluster,
    url,
    client,
    async clean() {
      await client.query(
        `DROP TRIGGER IF EXISTS usual ON customer_sync_logs; DROP TRIGGER IF EXISTS sync_monitor_bell ON customer_sync_logs`,
      );
      await client.query('TRUNCATE customer_sync_logs RESTART IDENTITY');
      await client.query('CHECKPOINT');
    },
    write: (writers, seconds, rate = 0, rows = 1) =>
      pgbench(cluster, ['-f', script, '-D', `rows=${rows}`], writers, seconds, rate),
    async bulk(rows) {
      const before = performance.now();
      await client.query(
        `INSERT INTO customer_sync_logs (operation_type, status, customer_id, correlation_id, duration_ms, details)
         SELECT 'import_from_1c', 'success', i, 'run', i % 5000, '{"conflict_source": "data_import", "note": "${'x'.repeat(400)}"}'
         FROM generate_series(1, ${rows}) i`,
      );
      return (performance.now() - before) / 1000;
    },
    async end() {
      await client.end();
      await cluster.destroy();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function pgbench(
  cluster: Cluster,
  script: readonly string[],
  writers: number,
  seconds: number,
  rate: number,
): Promise<number> {
  const words = [
    '-h',
    '127.0.0.1',
    '-p',
    String(cluster.port),
    '-U',
    'postgres',
    '-n',
    '-M',
    'prepared',
    ...script,
  ];
  words.push('-c', String(writers), '-j', String(Math.min(2, writers)), '-T', String(seconds));
  if (rate > 0) words.push('-R', String(rate));
  const child = spawn('pgbench', [...words, 'csm'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    output += data.toString();
  });
  const [code] = await once(child, 'close').catch((error: unknown) => {
    throw new Error("pgbench cannot be run; Debian's package postgresql-contrib or postgresql-15 brings it", {
      cause: error,
    });
  });
  const tps = /tps = ([\d.]+)/.exec(output)?.[1];
  if (code !== 0 || tps === undefined) throw new Error(`pgbench failed (${String(code)}):\n${output}`);
  return Number(tps);
}

export interface Rival {
  /** WebSocket address. */
  readonly address: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** The monitor itself, as a process of its own: `serve` on a free port. */
export function startMonitorProcess(url: string, env: Record<string, string> = {}): Promise<Rival> {
  return startProcess(
    ['dist/bin/sync-monitor.js', 'serve'],
    { DATABASE_URL: url, PORT: '0', LOG_LEVEL: 'info', SYNC_LOG_FORMAT: 'json', ...env },
    (line) => /"address":"http:\/\/([^"]+?)\/"/.exec(line)?.[1]?.concat('/ws'),
  );
}

/** The usual way: a trigger for each row sends the row as JSON; a process LISTENs, and passes it to a WebSocket. */
export async function startUsual(arena: Arena, relay: boolean): Promise<Rival> {
  await arena.client.query(`CREATE OR REPLACE FUNCTION usual() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_notify('usual', row_to_json(NEW)::text); RETURN NULL; END $$;
    DROP TRIGGER IF EXISTS usual ON customer_sync_logs;
    CREATE TRIGGER usual AFTER INSERT ON customer_sync_logs FOR EACH ROW EXECUTE FUNCTION usual()`);
  return startProcess(
    ['dist/test/bench/relay.js'],
    { DATABASE_URL: arena.url, RELAY: relay ? '1' : '' },
    (line) => /^listening (\S+)/.exec(line)?.[1],
  );
}

async function startProcess(
  words: string[],
  env: Record<string, string>,
  address: (line: string) => string | undefined,
): Promise<Rival> {
  const child = spawn(process.execPath, words, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  const ready = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line);
        if (said.length > 50) said.shift();
        const found = address(line);
        if (found) resolve(found);
      });
    child.once('exit', (code) => reject(new Error(`${words[0]} ended with ${code}:\n${said.join('\n')}`)));
  });
  const where = await ready;
  return {
    address: `ws://${where}`,
    pid: child.pid ?? 0,
    async stop() {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}
