import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Config, flagOf, parseConfig, RESERVED, readConfig, SETTINGS } from '../src/config.js';

type Values = Record<string, string | undefined>;

const parse = (env: Values = {}, dotenv: Values = {}, flags: Values = {}) =>
  parseConfig({ env, dotenv, flags });

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
      LOG_LEVEL: 'info',
      SYNC_LOG_FORMAT: 'text',
      BELL: 'auto',
      HISTORY: 'auto',
      ROLLUP_RETENTION_DAYS: 400,
      PROMETHEUS_METRICS_ENABLED: true,
      METRICS_CACHE_TTL: 1,
      MANUAL_RESOLUTION_MINUTES: 10,
      HOUR_COST: null,
      REDIS_URL: null,
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
  ])('reads %s=%j', (key, value, expected) => {
    expect(good(parse({ [key]: value }))[key as keyof Config]).toBe(expected);
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
    const known = Object.fromEntries(RESERVED.map((name) => [name, 'anything']));
    expect('warnings' in parse(known) && parse(known)).toMatchObject({ warnings: [] });
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
      expect(flagOf(key)).toMatch(/^--[a-z-]+$/);
    }
    expect(flagOf('METRICS_CACHE_TTL')).toBe('--metrics-cache-ttl');
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

  it('lets the given flags win', () => {
    expect(good(readConfig({ PORT: '1234' }, folder, { PORT: '1' })).PORT).toBe(1234);
  });
});
