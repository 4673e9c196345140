import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Config, describeSetting, flagOf, type Key, parseConfig, readConfig } from '../src/config.js';
import { SETTINGS } from '../src/config-table.js';

type Values = Record<string, string | undefined>;

const parse = (env: Values = {}, dotenv: Values = {}, flags: Values = {}) =>
  parseConfig({ env, dotenv, flags, readSecret });

/** A file that holds its own name, or cannot be read. */
function readSecret(file: string): string {
  if (file === '/missing') throw new Error('ENOENT: no such file');
  return `secret of ${file}`;
}

function good(result: ReturnType<typeof parseConfig>): Config {
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  return result.config;
}

function bad(result: ReturnType<typeof parseConfig>): readonly string[] {
  if ('config' in result) throw new Error('no problem was found');
  return result.problems;
}

describe('parseConfig', () => {
  it('has the defaults of the specification', () => {
    expect(good(parse())).toEqual({
      DATABASE_URL: null,
      SYNC_LOG_TABLE: 'public.customer_sync_logs',
      HOST: '127.0.0.1',
      PORT: 8080,
      AUTH: 'on',
      AUTH_TOKEN: null,
      VIEWER_TOKEN: null,
      METRICS_TOKEN: null,
      UNMASK: false,
      TLS_CERT: null,
      TLS_KEY: null,
      TRUST_PROXY: false,
      MAX_WS_CLIENTS: 1_000,
      LOG_LEVEL: 'info',
      SYNC_LOG_FORMAT: 'text',
      BELL: 'auto',
      HISTORY: 'auto',
      ROLLUP_RETENTION_DAYS: 400,
      BACKFILL_MAX_ROWS_PER_SECOND: 20_000,
      PROMETHEUS_METRICS_ENABLED: true,
      METRICS_CACHE_TTL: 1,
      MANUAL_RESOLUTION_MINUTES: 10,
      HOUR_COST: null,
      REDIS_URL: null,
      ALERT_ERROR_RATE_THRESHOLD: 10,
      REALTIME_ERROR_RATE_THRESHOLD: 20,
      ALERT_RESPONSE_TIME_P95_THRESHOLD: 2000,
      ALERT_FAILED_OPERATIONS_THRESHOLD: 50,
      ALERT_QUEUE_SIZE_THRESHOLD: 1000,
      REALTIME_PENDING_THRESHOLD: 100,
      ALERT_BATCH_ERRORS: 1,
      ALERT_NO_ACTIVITY_MINUTES: null,
      ALERT_CUSTOMERS_AFFECTED: null,
      ALERT_RATE_LIMIT_SECONDS: 300,
      ALERT_COOLDOWN_MINUTES: null,
      ALERT_REMINDER_SECONDS: 0,
      ALERT_RULES_FILE: null,
      ALERT_LOCALE: 'en',
      WEBHOOK_ALERT_URL: [],
      WEBHOOK_SECRET: null,
      WEBHOOK_ALLOW_HTTP: false,
      WEBHOOK_DENY_PRIVATE: false,
      PUBLIC_URL: null,
      SLO_TARGET: 99,
      SLO_WINDOW_DAYS: 30,
      HEALTH_CHECK_INTERVAL: 15,
      HEALTH_CHECK_TIMEOUT: 5,
      HEALTH_CHECK_DISK_PATH: null,
      HEALTH_CHECK_DISK_THRESHOLD: 90,
      HEALTH_CHECK_1C_API_URL: null,
      HEALTH_CRITICAL: [],
      CELERY_BROKER_URL: null,
      CELERY_MONITOR_WORKERS: true,
      CELERY_MONITOR_QUEUE_LENGTH: true,
      CELERY_QUEUES: ['celery'],
    });
  });

  it.each<[string, string, unknown]>([
    ['DATABASE_URL', 'postgres://u:p@db:5432/shop', 'postgres://u:p@db:5432/shop'],
    ['DATABASE_URL', 'postgresql:///shop?host=/run/postgresql', 'postgresql:///shop?host=/run/postgresql'],
    ['PORT', '0', 0],
    ['PORT', ' 65535 ', 65_535],
    ['SYNC_LOG_TABLE', '"Odd Name".log', '"Odd Name".log'],
    ['SYNC_LOG_FORMAT', 'JSON', 'json'],
    ['PROMETHEUS_METRICS_ENABLED', 'False', false],
    ['PROMETHEUS_METRICS_ENABLED', '1', true],
    ['METRICS_CACHE_TTL', '0.5', 0.5],
    ['HOUR_COST', '0', 0],
    ['HOST', '', '127.0.0.1'],
    ['HOUR_COST', '  ', null],
    ['REDIS_URL', 'rediss://:p@cache:6379/0', 'rediss://:p@cache:6379/0'],
    ['AUTH_TOKEN', 'new old', 'new old'],
    ['CELERY_QUEUES', 'celery, mail  bulk', ['celery', 'mail', 'bulk']],
    ['WEBHOOK_ALERT_URL', 'https://a/x  http://127.0.0.1:9/', ['https://a/x', 'http://127.0.0.1:9/']],
    ['SLO_TARGET', '99.9', 99.9],
    ['ALERT_LOCALE', 'RU', 'ru'],
  ])('reads %s=%j', (key, value, expected) => {
    expect(good(parse({ [key]: value }))[key as keyof Config]).toEqual(expected);
  });

  it.each<[string, string, string]>([
    ['PORT', '65536', 'PORT is "65536" (from the environment); allowed: a whole number from 0 to 65535'],
    ['PORT', '-1', 'a whole number from 0 to 65535'],
    ['PORT', '80.5', 'a whole number from 0 to 65535'],
    ['PORT', '0x50', 'a whole number from 0 to 65535'],
    ['PORT', '1e3', 'a whole number from 0 to 65535'],
    ['METRICS_CACHE_TTL', '301', 'a number from 0 to 300 (seconds)'],
    ['BELL', 'loud', 'BELL is "loud" (from the environment); allowed: auto, always, off'],
    ['PROMETHEUS_METRICS_ENABLED', 'maybe', 'true or false'],
    ['SYNC_LOG_TABLE', 'a\u0000b', 'text without control characters'],
    ['REDIS_URL', 'http://cache', 'a URL that begins with redis:// or rediss://'],
    ['DATABASE_URL', 'postgres://h:99999999/x', 'a URL that begins with postgres:// or postgresql://'],
    ['ALERT_ERROR_RATE_THRESHOLD', '101', 'a number from 0 to 100 (percent)'],
    ['ALERT_BATCH_ERRORS', '0', 'a whole number from 1 to 1000000000'],
    ['HEALTH_CHECK_TIMEOUT', '0', 'a number from 0.1 to 60 (seconds)'],
    ['SLO_TARGET', '100', 'a number from 1 to 99.999 (percent)'],
    ['CELERY_QUEUES', 'a;b', 'names separated by spaces or commas'],
    ['CELERY_QUEUES', ',', 'names separated by spaces or commas'],
    ['WEBHOOK_ALERT_URL', 'https://a ftp://b', 'https:// or http://; several separated by spaces'],
    [
      'WEBHOOK_ALERT_URL',
      'https://a http://hooks.example/?k=x',
      'over http to hooks.example; allowed: https',
    ],
  ])('refuses %s=%j', (key, value, message) => {
    expect(bad(parse({ [key]: value })).join('\n')).toContain(message);
  });

  it('reports every mistake at once, with where it came from', () => {
    const problems = bad(
      parse({ PORT: 'x' }, { BELL: 'y', ALERT_EROR_RATE_THRESHOLD: '1' }, { HOST: '\u0007' }),
    );
    expect(problems).toHaveLength(4);
    expect(problems.join('\n')).toMatch(/PORT is "x" \(from the environment\)/);
    expect(problems.join('\n')).toMatch(/BELL is "y" \(from the file \.env\)/);
    expect(problems.join('\n')).toMatch(/HOST is "\\u0007" \(from the flag --host\)/);
    expect(problems.join('\n')).toMatch(/ALERT_EROR.*the nearest is ALERT_ERROR_RATE_THRESHOLD/);
  });

  it('lets flags win over the environment, and that over the file', () => {
    expect(good(parse({ PORT: '2' }, { PORT: '3' }, { PORT: '1' })).PORT).toBe(1);
    expect(good(parse({ PORT: '2' }, { PORT: '3' })).PORT).toBe(2);
    expect(good(parse({ PORT: '' }, { PORT: '3' })).PORT).toBe(3);
  });

  it('never shows a secret', () => {
    const hidden = 'hunter2';
    const problems = bad(
      parse({ DATABASE_URL: `mysql://u:${hidden}@h`, REDIS_URL: hidden, AUTH_TOKEN: `${hidden}\u0000` }),
    );
    expect(problems).toHaveLength(3);
    expect(problems.join('\n')).toContain('DATABASE_URL is (hidden)');
    expect(problems.join('\n')).not.toContain(hidden);
  });

  it('warns of unknown variables of our prefixes and of no others', () => {
    const result = parse({ SYNC_LOG_TABEL: 'x', HEALTH_CHECK_DISC_PATH: 'x', PATH: 'x', ALERTMANAGER: 'x' });
    expect('warnings' in result && result.warnings).toEqual([
      'SYNC_LOG_TABEL (from the environment) is not a known variable; the nearest is SYNC_LOG_TABLE',
      'HEALTH_CHECK_DISC_PATH (from the environment) is not a known variable; the nearest is HEALTH_CHECK_DISK_PATH',
    ]);
    const known = Object.entries(SETTINGS).flatMap(([key, { secret }]) =>
      secret ? [key, `${key}_FILE`] : [key],
    );
    const mine = known.filter((name) => /^(SYNC|ALERT|HEALTH)_/.test(name));
    for (const name of mine)
      expect(JSON.stringify(parse({ [name]: '1' })), name).not.toContain('not a known');
  });

  it("understands the earlier system's ALERT_COOLDOWN_MINUTES, unless the new name is given", () => {
    expect(good(parse({ ALERT_COOLDOWN_MINUTES: '15' })).ALERT_RATE_LIMIT_SECONDS).toBe(900);
    const both = { ALERT_COOLDOWN_MINUTES: '15', ALERT_RATE_LIMIT_SECONDS: '300' };
    expect(good(parse(both)).ALERT_RATE_LIMIT_SECONDS).toBe(300);
  });

  it('takes a secret from the file that KEY_FILE names', () => {
    expect(good(parse({ AUTH_TOKEN_FILE: '/run/token' })).AUTH_TOKEN).toBe('secret of /run/token');
    expect(good(parse({ VIEWER_TOKEN: 'new\n old\r\n' })).VIEWER_TOKEN).toBe('new old');
    expect(bad(parse({ VIEWER_TOKEN: 'a\u0000b' }))[0]).toMatch(/VIEWER_TOKEN is \(hidden\)/);
    expect(good(parse({}, { WEBHOOK_SECRET_FILE: 'x' })).WEBHOOK_SECRET).toBe('secret of x');
    expect(good(parse({ PORT_FILE: '/missing' })).PORT).toBe(8080);
  });

  it('says what is wrong with such a file, and never what is in it', () => {
    const problems = bad(
      parse(
        { AUTH_TOKEN_FILE: '/missing', REDIS_URL_FILE: '/redis', VIEWER_TOKEN_FILE: '/v' },
        { VIEWER_TOKEN: 'hunter2' },
      ),
    );
    expect(problems).toEqual([
      'AUTH_TOKEN_FILE is "/missing" (from the environment), which cannot be used: ENOENT: no such file; allowed: a readable file with the value of AUTH_TOKEN',
      'VIEWER_TOKEN (from the file .env) and VIEWER_TOKEN_FILE (from the environment) are both set; set one',
      'REDIS_URL is (hidden) (from the file "/redis" of REDIS_URL_FILE); allowed: a URL that begins with redis:// or rediss://',
    ]);
  });

  it('reports what two settings make wrong together with what is wrong in one', () => {
    expect(bad(parse({ HOST: '0.0.0.0', PORT: 'x' }))).toHaveLength(2);
  });

  it.each([
    ['0.0.0.0', {}, false],
    ['192.168.0.7', {}, false],
    ['monitor.local', {}, false],
    ['127.evil.example', {}, false],
    ['0.0.0.0', { AUTH: 'off' }, true],
    ['0.0.0.0', { AUTH_TOKEN: 'x' }, true],
    ['0.0.0.0', { VIEWER_TOKEN: 'x' }, false],
    ['127.0.0.2', {}, true],
    ['::1', {}, true],
    ['localhost', {}, true],
  ])('listening on %s with %j: %s', (HOST, more, allowed) => {
    const result = parse({ HOST, ...more });
    expect('config' in result).toBe(allowed);
    if (!allowed) expect(bad(result)[0]).toContain('AUTH_TOKEN is not set');
  });

  it('declares a default, a range and a help for each setting, and a flag', () => {
    for (const [key, setting] of Object.entries(SETTINGS)) {
      expect(setting.help, key).not.toBe('');
      expect(setting.range, key).not.toBe('');
      expect(flagOf(key)).toMatch(/^--[a-z][a-z0-9-]+$/);
    }
    expect(flagOf('METRICS_CACHE_TTL')).toBe('--metrics-cache-ttl');
    expect(describeSetting('CELERY_QUEUES')).toMatchObject({ standard: 'celery' });
    expect(describeSetting('WEBHOOK_SECRET')).toMatchObject({
      standard: '',
      help: 'signs the notices (Standard Webhooks) (or WEBHOOK_SECRET_FILE)',
    });
    for (const key of Object.keys(SETTINGS) as Key[]) expect(describeSetting(key).help).not.toContain('|');
  });
});

describe('readConfig', () => {
  const folder = mkdtempSync(join(tmpdir(), 'csm-config-'));

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('reads the file .env beneath the environment', () => {
    expect(good(readConfig({}, folder, {})).PORT).toBe(8080);
    writeFileSync(join(folder, '.env'), '# ours\nPORT=9000\nBELL="off"\n');
    expect(good(readConfig({}, folder, { BELL: 'always' }))).toMatchObject({ PORT: 9000, BELL: 'always' });
  });

  it('says when the file cannot be read', () => {
    expect(() => readConfig({}, import.meta.filename, {})).toThrow(
      /the file .*\.env cannot be read: ENOTDIR/,
    );
  });

  it('reads a secret beside it, trimmed', () => {
    writeFileSync(join(folder, 'token'), '  hunter2\n');
    writeFileSync(join(folder, 'empty'), ' \n');
    writeFileSync(join(folder, 'long'), 'x'.repeat(65_537));
    expect(good(readConfig({}, folder, { AUTH_TOKEN_FILE: 'token' })).AUTH_TOKEN).toBe('hunter2');
    const wrong = {
      AUTH_TOKEN_FILE: 'empty',
      VIEWER_TOKEN_FILE: 'long',
      METRICS_TOKEN_FILE: 'none',
      REDIS_URL_FILE: '.',
    };
    const problems = bad(readConfig({}, folder, wrong)).join('\n');
    expect(problems).toMatch(/AUTH_TOKEN_FILE is "empty" .*: it is empty;/);
    expect(problems).toMatch(/VIEWER_TOKEN_FILE is "long" .*: it is longer than 65536 bytes;/);
    expect(problems).toMatch(/METRICS_TOKEN_FILE is "none" .*ENOENT/);
    expect(problems).toMatch(/REDIS_URL_FILE is "\." .*EISDIR/);
  });

  it('lets the given flags win', () => {
    expect(good(readConfig({ PORT: '1234' }, folder, { PORT: '1' })).PORT).toBe(1234);
  });
});
