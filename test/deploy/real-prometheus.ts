/** Debian's Prometheus with the shipped configuration, started by the shipped script, on a monitor of the test. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/source/embedded-process.js';
import { until } from '../source/collector.js';
import { inRoot } from './expressions.js';

export const installed = spawnSync('prometheus', ['--version']).status === 0;

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface FiringAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
}

export interface RealPrometheus {
  /** An instant query; without a time, of now. @param at seconds of the Unix epoch */
  query(expr: string, at?: number): Promise<readonly Sample[]>;
  get<T>(path: string): Promise<T>;
  alerts(): Promise<readonly FiringAlert[]>;
  /** When the last scrape that succeeded began, seconds. */
  lastScrape(): Promise<number>;
  /** Resolves when a scrape has succeeded that began after this call. */
  scraped(): Promise<void>;
  /** Its own counters of samples that it refused, those above 0. */
  faults(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** @param target host and port of the monitor */
export async function startPrometheus(target: string, token: string): Promise<RealPrometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'csm-prom-'));
  const source = join(folder, 'config');
  cpSync(inRoot('dashboards/prometheus'), source, { recursive: true });
  const config = join(source, 'prometheus.yml');
  const shipped = readFileSync(config, 'utf8');
  // The same but for the addresses; nobody listens on port 1.
  const text = shipped.replaceAll('monitor:8080', target).replace('alertmanager:9093', '127.0.0.1:1');
  writeFileSync(config, text);
  const port = await freePort();
  const server: ChildProcess = spawn(
    'sh',
    [
      join(source, 'start.sh'),
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
      '--log.level=warn',
    ],
    {
      env: {
        PATH: process.env.PATH,
        PROMETHEUS_CONFIG: source,
        PROMETHEUS_FOLDER: join(folder, 'run'),
        PROMETHEUS_BINARY: 'prometheus',
        PROMETHEUS_SCRAPE_INTERVAL: '1s',
        METRICS_TOKEN: token,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const said: string[] = [];
  server.stderr?.on('data', (data: Buffer) => said.push(data.toString()));
  const url = `http://127.0.0.1:${port}`;
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(`${url}${path}`);
    const answer = (await response.json()) as { status: string; error?: string; data: T };
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  const query = async (expr: string, at?: number): Promise<readonly Sample[]> => {
    const moment = at === undefined ? '' : `&time=${at}`;
    const { resultType, result } = await get<{ resultType: string; result: unknown }>(
      `/api/v1/query?query=${encodeURIComponent(expr)}${moment}`,
    );
    if (resultType === 'scalar') return [{ labels: {}, value: Number((result as [number, string])[1]) }];
    const series = result as { metric: Record<string, string>; value: [number, string] }[];
    return series.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  };
  const lastScrape = async () => {
    // Of an expression timestamp() would give the moment of the question; it has to be asked of the series itself.
    const up = 'up{job="customer-sync-monitor"}';
    const [found] = await query(`timestamp(${up}) and ${up} == 1`);
    return found?.value ?? 0;
  };
  const stop = async () => {
    const closed = once(server, 'close');
    server.kill('SIGTERM');
    await closed;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await until(async () => {
      if (server.exitCode !== null) throw new Error(`Prometheus ended:\n${said.join('')}`);
      return await lastScrape().then(
        (at) => at > 0,
        () => false,
      );
    }, 'Prometheus has scraped the monitor');
  } catch (error) {
    if (server.exitCode === null) await stop();
    throw new Error(`${String(error)}\n${said.join('')}`, { cause: error });
  }
  return {
    ...{ query, get, lastScrape, stop },
    alerts: async () => (await get<{ alerts: readonly FiringAlert[] }>('/api/v1/alerts')).alerts,
    async faults() {
      const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n');
      const refused = lines.filter((line) => /^prometheus_target_scrapes_(sample|exceeded)_\w+ /.test(line));
      if (refused.length === 0) throw new Error('Prometheus does not say what it refused');
      return refused.filter((line) => !line.endsWith(' 0'));
    },
    async scraped() {
      const asked = Date.now() / 1_000;
      await until(async () => (await lastScrape()) > asked, 'Prometheus has scraped the monitor again');
    },
  };
}
