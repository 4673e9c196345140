/** A monitor as a process of its own, which can be killed and started again at the same address. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { PROGRAM } from '../setup/build.js';
import { ask } from '../setup/postgres.js';
import { until } from '../source/collector.js';

export interface Served {
  /** `http://127.0.0.1:PORT/` */
  readonly url: string;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** After kill(), at the same port. */
  start(): Promise<void>;
}

/** @throws with what it said when it ends instead of serving */
export async function serve(databaseUrl: string, settings: NodeJS.ProcessEnv = {}): Promise<Served> {
  let child: ChildProcess | null = null;
  const start = async (port: number): Promise<string> => {
    const args = [PROGRAM, 'serve', '--port', String(port)];
    const env = { PATH: process.env.PATH, DATABASE_URL: databaseUrl, METRICS_CACHE_TTL: '0', ...settings };
    const started = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    let said = '';
    return new Promise((settle, fail) => {
      const hear = (chunk: Buffer): void => {
        said += chunk;
        const address = /open (http:[^\s"]+)/.exec(said)?.[1];
        if (address !== undefined) settle(new URL('/', address).href);
      };
      started.stdout.on('data', hear);
      started.stderr.on('data', hear);
      started.once('exit', (code) => fail(new Error(`serve ended with ${code}: ${said}`)));
    });
  };
  const url = await start(0);
  // Before that a browser complains, rightly, of answers that say 503.
  const well = async (path: string) => (await fetch(new URL(path, url))).ok;
  await until(async () => (await well('readyz')) && (await well('api/health/')), 'ready and healthy', 60_000);
  return {
    url,
    async kill() {
      if (child === null || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
    async start() {
      await start(Number(new URL(url).port));
    },
  };
}

export interface Written {
  readonly type?: string;
  readonly status?: string;
  readonly correlation?: string | null;
  readonly customer?: number | null;
  readonly duration?: number | null;
  readonly error?: string | null;
  /** Seconds before now. */
  readonly age?: number;
  readonly count?: number;
}

/** Writes rows as the watched application would. @returns the id of the last one */
export async function write(databaseUrl: string, row: Written = {}): Promise<string> {
  const { type = 'export_to_1c', status = 'success', correlation = null, customer = null } = row;
  const { duration = 120, error = null, age = 0, count = 1 } = row;
  const text = (value: string | null) => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`);
  const rows = await ask(
    databaseUrl,
    `INSERT INTO customer_sync_logs
       (operation_type, status, correlation_id, customer_id, duration_ms, error_message, created_at)
     SELECT ${text(type)}, ${text(status)}, ${text(correlation)}, ${customer ?? 'NULL'}, ${duration ?? 'NULL'},
       ${text(error)}, now() - ${age} * interval '1 second' FROM generate_series(1, ${count}) RETURNING id`,
  );
  return String(rows.at(-1)?.id);
}
