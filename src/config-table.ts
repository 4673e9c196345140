/**
 * The one table of all settings: what each means, its default, its range, whether it is secret.
 * What docker-compose.yml alone reads (PROMETHEUS_SCRAPE_INTERVAL, GRAFANA_*, POSTGRES_PASSWORD) is declared there.
 */
import { COMPONENTS } from '../streams/system-health.js';
import {
  choice,
  flag,
  names,
  number,
  optional,
  type Setting,
  text,
  tokens,
  url,
  urls,
} from './config-types.js';

const PERCENT = { min: 0, max: 100, unit: 'percent' } as const;
const COUNT = { min: 0, max: 1_000_000_000, whole: true } as const;
const DAY_SECONDS = 86_400;

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
  AUTH_TOKEN: optional(tokens({ help: 'token for everything; several at once for rotation' })),
  VIEWER_TOKEN: optional(tokens({ help: 'token that may only read, masked; several likewise' })),
  METRICS_TOKEN: optional(tokens({ help: 'token for the Prometheus endpoints alone; several likewise' })),
  UNMASK: flag(false, {
    help: 'true: past events show personal data to whoever has AUTH_TOKEN, and each such access is logged',
  }),
  TLS_CERT: optional(
    text('', {
      help: 'PEM file with the certificate and its chain: the port speaks TLS; read again when it changes',
    }),
  ),
  TLS_KEY: optional(text('', { help: 'PEM file with the key of TLS_CERT, not encrypted' })),
  TRUST_PROXY: flag(false, {
    help: 'true: a reverse proxy stands in front, its X-Forwarded-For and X-Forwarded-Proto are believed',
  }),
  MAX_WS_CLIENTS: number(1_000, {
    ...{ min: 0, max: 100_000, whole: true },
    help: 'WebSocket clients at once; one more is refused with 503',
  }),
  LOG_LEVEL: choice(['info', 'debug', 'trace', 'warn', 'error', 'fatal', 'silent'], {
    help: 'the least grave log lines that are written; debug adds one for each row',
  }),
  SYNC_LOG_FORMAT: choice(['text', 'json'], { help: 'form of the log lines' }),
  BELL: choice(['auto', 'always', 'off'], {
    help: 'auto: writers notify only while the monitor is idle; always: every statement notifies; off: no trigger, polling only',
  }),
  HISTORY: choice(['auto', 'off'], {
    help: 'auto: minutes and a checkpoint in the schema sync_monitor, where this role may write there; off: none, a start reads the last 24 h again',
  }),
  ROLLUP_RETENTION_DAYS: number(400, {
    ...{ min: 1, max: 3_650, whole: true, unit: 'days' },
    help: 'how far back a period may reach, and how long quarter hours, days and months are kept',
  }),
  BACKFILL_MAX_ROWS_PER_SECOND: number(20_000, {
    ...{ min: 100, max: 10_000_000, whole: true },
    help: 'speed at which the first start reads an old table, newest rows first, beside the live ones',
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
      help: 'Redis: the rate limit of alerts is shared through it',
    }),
  ),

  ALERT_ERROR_RATE_THRESHOLD: number(10, {
    ...PERCENT,
    help: 'alert above this error rate over 1 h, from 20 operations on',
  }),
  REALTIME_ERROR_RATE_THRESHOLD: number(20, {
    ...PERCENT,
    help: 'alert above this error rate over 5 min, from 10 operations on',
  }),
  ALERT_RESPONSE_TIME_P95_THRESHOLD: number(2_000, {
    ...{ min: 0, max: 2_147_483_647, unit: 'milliseconds' },
    help: 'alert above this p95 of the duration over 1 h',
  }),
  ALERT_FAILED_OPERATIONS_THRESHOLD: number(50, {
    ...COUNT,
    help: 'alert above so many errors in 1 h',
  }),
  ALERT_QUEUE_SIZE_THRESHOLD: number(1_000, {
    ...COUNT,
    help: 'alert above so many pending exports to 1C',
  }),
  REALTIME_PENDING_THRESHOLD: number(100, {
    ...COUNT,
    help: 'alert above so many pending rows',
  }),
  ALERT_BATCH_ERRORS: number(1, {
    ...{ ...COUNT, min: 1 },
    help: 'alert at so many errors that a batch reports of itself',
  }),
  ALERT_NO_ACTIVITY_MINUTES: optional(
    number(0, {
      ...{ min: 1, max: 10_080, unit: 'minutes' },
      help: 'alert when no row came for so long; not set: never',
    }),
  ),
  ALERT_CUSTOMERS_AFFECTED: optional(
    number(0, {
      ...COUNT,
      help: 'alert when errors touch more distinct customers in 5 min; not set: never',
    }),
  ),
  ALERT_RATE_LIMIT_SECONDS: number(300, {
    ...{ min: 0, max: DAY_SECONDS, unit: 'seconds' },
    help: 'least time between two notices of one alert',
  }),
  ALERT_COOLDOWN_MINUTES: optional(
    number(0, {
      ...{ min: 0, max: DAY_SECONDS / 60, unit: 'minutes' },
      help: "the earlier system's name for ALERT_RATE_LIMIT_SECONDS, which wins where both are set",
    }),
  ),
  ALERT_REMINDER_SECONDS: number(0, {
    ...{ min: 0, max: 7 * DAY_SECONDS, unit: 'seconds' },
    help: 'remind of a firing alert that often; 0: never',
  }),
  ALERT_RULES_FILE: optional(text('', { help: 'YAML file that changes and adds rules' })),
  ALERT_LOCALE: choice(['en', 'ru'], { help: 'language of the notices' }),
  WEBHOOK_ALERT_URL: urls(['https', 'http'], {
    secret: true,
    help: 'where notices go; http only to this machine or with WEBHOOK_ALLOW_HTTP',
  }),
  WEBHOOK_SECRET: optional(text('', { secret: true, help: 'signs the notices (Standard Webhooks)' })),
  WEBHOOK_ALLOW_HTTP: flag(false, { help: 'true: notices may go over http to any host' }),
  WEBHOOK_DENY_PRIVATE: flag(false, {
    help: 'true: no notice goes to an address of a private network, whatever name leads there',
  }),
  PUBLIC_URL: optional(
    url(['https', 'http'], {
      help: 'address of the dashboard as people open it, for links in notices; without it that of HOST and PORT',
    }),
  ),
  SLO_TARGET: number(99, {
    ...{ min: 1, max: 99.999, unit: 'percent' },
    help: 'share of the operations that ought not to be errors',
  }),
  SLO_WINDOW_DAYS: number(30, {
    ...{ min: 1, max: 365, whole: true, unit: 'days' },
    help: 'period over which SLO_TARGET is judged',
  }),
  HEALTH_CHECK_INTERVAL: number(15, {
    ...{ min: 1, max: 3_600, unit: 'seconds' },
    help: 'how often each component is checked',
  }),
  HEALTH_CHECK_TIMEOUT: number(5, {
    ...{ min: 0.1, max: 60, unit: 'seconds' },
    help: 'how long a check may take, its one retry included',
  }),
  HEALTH_CHECK_DISK_PATH: optional(text('', { help: 'a path on the disk whose space is watched' })),
  HEALTH_CHECK_DISK_THRESHOLD: number(90, {
    ...PERCENT,
    help: 'the disk is degraded when it is fuller than that',
  }),
  HEALTH_CHECK_1C_API_URL: optional(
    url(['https', 'http'], {
      secret: true,
      help: 'asked to see whether 1C answers; any 2xx is well',
    }),
  ),
  HEALTH_CRITICAL: names(
    [],
    { help: 'components besides database and listener that make the whole unhealthy' },
    COMPONENTS,
  ),
  CELERY_BROKER_URL: optional(
    url(['redis', 'rediss'], {
      secret: true,
      help: 'the Redis that Celery uses as its broker; without it REDIS_URL, where a trace of Celery is found there',
    }),
  ),
  CELERY_MONITOR_WORKERS: flag(true, { help: 'watch the workers of Celery and what their tasks do' }),
  CELERY_MONITOR_QUEUE_LENGTH: flag(true, { help: 'watch the queues of Celery' }),
  CELERY_QUEUES: names(['celery'], { help: 'the queues of Celery' }),
} as const satisfies Record<string, Setting<unknown>>;
