/**
 * All settings, and the only place where the environment is read. One table declares each: what it means, its
 * default, its range. `parseConfig` is pure; `readConfig` gathers what it parses.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { nearest } from './config-nearest.js';
import { choice, flag, number, optional, type Setting, SettingError, text, url } from './config-types.js';

/** The table. Keys are the names of the environment variables; flags are the same in lower case with dashes. */
export const SETTINGS = {
  DATABASE_URL: optional(
    url(['postgres', 'postgresql'], {
      secret: true,
      help: 'the database to watch; without it an embedded PostgreSQL with sample traffic is started',
    }),
  ),
  SYNC_LOG_TABLE: text('public.customer_sync_logs', { help: 'the log table, with or without its schema' }),
  HOST: text('127.0.0.1', { help: 'address to listen on; any but loopback needs AUTH_TOKEN or AUTH=off' }),
  PORT: number(8080, { min: 0, max: 65_535, whole: true, help: 'port to listen on; 0 takes a free one' }),
  AUTH: choice(['on', 'off'], { help: 'off lets everybody in, whatever HOST is' }),
  AUTH_TOKEN: optional(
    text('', { secret: true, help: 'token for everything; several, separated by spaces, for rotation' }),
  ),
  VIEWER_TOKEN: optional(text('', { secret: true, help: 'token that may only read; several likewise' })),
  METRICS_TOKEN: optional(
    text('', { secret: true, help: 'token for the Prometheus endpoints alone; several likewise' }),
  ),
  LOG_LEVEL: choice(['info', 'debug', 'trace', 'warn', 'error', 'fatal', 'silent'], {
    help: 'the least grave log lines that are written',
  }),
  SYNC_LOG_FORMAT: choice(['text', 'json'], { help: 'form of the log lines' }),
  BELL: choice(['auto', 'always', 'off'], {
    help: 'auto: writers notify only while the monitor is idle; always: every statement notifies; off: no trigger, polling only',
  }),
  HISTORY: choice(['auto', 'off'], { help: 'off keeps no history in the database (so far none is kept)' }),
  ROLLUP_RETENTION_DAYS: number(400, {
    ...{ min: 1, max: 3_650, whole: true, unit: 'days' },
    help: 'how far back a period may reach',
  }),
  PROMETHEUS_METRICS_ENABLED: flag(true, { help: 'false: the Prometheus endpoints answer 404' }),
  METRICS_CACHE_TTL: number(1, {
    ...{ min: 0, max: 300, unit: 'seconds' },
    help: 'how long a scrape may reuse the last exposition',
  }),
  MANUAL_RESOLUTION_MINUTES: number(10, {
    ...{ min: 0, max: 1_440, unit: 'minutes' },
    help: 'manual work that one resolved conflict saves',
  }),
  HOUR_COST: optional(
    number(0, { min: 0, max: 1e9, help: 'cost of an hour of that work; without it no money is reckoned' }),
  ),
  REDIS_URL: optional(
    url(['redis', 'rediss'], {
      secret: true,
      help: 'Redis, for what several monitors share (so far nothing)',
    }),
  ),
} as const satisfies Record<string, Setting<unknown>>;

export type Key = keyof typeof SETTINGS;

/** Values by the name of their variable, checked; an optional one that is not set is null. */
export type Config = { readonly [K in Key]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never };

/** Names of SPEC.md that later parts bring: known, so that nobody is told that they are misspelt. */
export const RESERVED: readonly string[] = [
  ...['ALERT_ERROR_RATE_THRESHOLD', 'ALERT_RESPONSE_TIME_P95_THRESHOLD', 'ALERT_FAILED_OPERATIONS_THRESHOLD'],
  ...['ALERT_QUEUE_SIZE_THRESHOLD', 'ALERT_BATCH_ERRORS', 'ALERT_NO_ACTIVITY_MINUTES'],
  ...['ALERT_CUSTOMERS_AFFECTED', 'ALERT_RATE_LIMIT_SECONDS', 'ALERT_REMINDER_SECONDS'],
  ...['ALERT_COOLDOWN_MINUTES', 'ALERT_RULES_FILE', 'ALERT_LOCALE'],
  ...['REALTIME_ERROR_RATE_THRESHOLD', 'REALTIME_PENDING_THRESHOLD'],
  ...['WEBHOOK_ALERT_URL', 'WEBHOOK_SECRET', 'WEBHOOK_ALLOW_HTTP', 'SLO_TARGET', 'SLO_WINDOW_DAYS'],
  ...['HEALTH_CHECK_DISK_THRESHOLD', 'HEALTH_CHECK_DISK_PATH', 'HEALTH_CHECK_1C_API_URL'],
  ...['HEALTH_CHECK_TIMEOUT', 'HEALTH_CHECK_INTERVAL', 'HEALTH_CRITICAL'],
  ...['CELERY_MONITOR_WORKERS', 'CELERY_MONITOR_QUEUE_LENGTH', 'CELERY_QUEUES'],
  ...['PROMETHEUS_SCRAPE_INTERVAL', 'GRAFANA_ADMIN_PASSWORD', 'GRAFANA_DASHBOARDS_PATH'],
];

const OUR_PREFIX = /^(SYNC|ALERT|HEALTH)_/;
const HIDDEN = '(hidden)';

type Values = Readonly<Record<string, string | undefined>>;

export interface Sources {
  readonly env: Values;
  /** What the `.env` file says. */
  readonly dotenv: Values;
  /** By variable name; they win over the environment, which wins over the file. */
  readonly flags: Values;
}

/** Warnings are for variables that look like ours and are not: a portal's own may share the file. */
export type ConfigResult =
  | { readonly config: Config; readonly warnings: readonly string[] }
  | { readonly problems: readonly string[] };

/** The flag of a setting, e.g. `--port`. */
export function flagOf(key: string): string {
  return `--${key.toLowerCase().replaceAll('_', '-')}`;
}

/** Checks everything and reports all mistakes together, each with its value, where it came from and what is allowed. */
export function parseConfig(sources: Sources): ConfigResult {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries<Setting<unknown>>(SETTINGS)) {
    const found = find(key, sources);
    try {
      values[key] = found === null ? setting.fallback : setting.parse(found.value);
    } catch (error) {
      if (!(error instanceof SettingError) || found === null) throw error;
      const shown = setting.secret ? HIDDEN : JSON.stringify(found.value);
      problems.push(`${key} is ${shown} (from ${found.from}); allowed: ${setting.range}`);
    }
  }
  const warnings = unknownNames(sources);
  // Every key of the table was given a value of its type just above, or a problem was noted.
  const config = values as Config;
  if (problems.length === 0) problems.push(...contradictions(config));
  return problems.length > 0 ? { problems: [...problems, ...warnings] } : { config, warnings };
}

/** Empty means not set: docker-compose hands on unset variables that way. */
function find(key: string, { env, dotenv, flags }: Sources): { value: string; from: string } | null {
  const places: [string, Values][] = [
    [`the flag ${flagOf(key)}`, flags],
    ['the environment', env],
    ['the file .env', dotenv],
  ];
  for (const [from, values] of places) {
    const value = values[key]?.trim();
    if (value) return { value, from };
  }
  return null;
}

function contradictions(config: Config): string[] {
  if (isLoopback(config.HOST) || config.AUTH === 'off' || config.AUTH_TOKEN) return [];
  return [
    `HOST is "${config.HOST}", which other machines can reach, and AUTH_TOKEN is not set; allowed: a loopback address, or AUTH_TOKEN, or AUTH=off to let everybody in`,
  ];
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

function unknownNames({ env, dotenv }: Sources): string[] {
  const known = [...Object.keys(SETTINGS), ...RESERVED];
  return [...new Set([...Object.keys(env), ...Object.keys(dotenv)])]
    .filter((name) => OUR_PREFIX.test(name) && !known.includes(name))
    .map((name) => {
      const from = name in env ? 'the environment' : 'the file .env';
      return `${name} (from ${from}) is not a known variable; the nearest is ${nearest(name, known)}`;
    });
}

/**
 * Parses these flags, the environment, and the file `.env` of a folder.
 * @throws when the file is there and cannot be read.
 */
export function readConfig(flags: Values, folder: string, env: Values = process.env): ConfigResult {
  return parseConfig({ env, dotenv: readDotenv(join(folder, '.env')), flags });
}

function readDotenv(file: string): Values {
  try {
    return parseEnv(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new Error(`the file ${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
