/** From settings to receivers and rules: what cannot be used is refused before anything runs. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { alertsConfig } from '../../src/alert-settings.js';
import { serve } from '../../src/app.js';
import { UsageError } from '../../src/commands-end.js';
import { parseConfig } from '../../src/config.js';
import { createLog } from '../../src/log.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'alert-settings-'));
});
afterEach(() => rm(folder, { recursive: true }));

function configOf(env: Record<string, string>) {
  const result = parseConfig({ env, dotenv: {}, flags: {}, readSecret: () => '' });
  if (!('config' in result)) throw new Error(result.problems.join('\n'));
  return result.config;
}

const read = (env: Record<string, string>) => alertsConfig(configOf(env), folder);

function problems(env: Record<string, string>): string[] {
  try {
    read(env);
  } catch (error) {
    return (error as Error).message.split('\n');
  }
  return [];
}

describe('the alerts that settings describe', () => {
  it('are the standard rules and nobody who is told, where nothing is set', () => {
    const config = read({});
    expect(config.rules.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['high_error_rate', 'monitor_degraded', 'slo_fast_burn']),
    );
    expect(config.rules.map(({ name }) => name)).not.toContain('no_activity');
    expect(config).toMatchObject({
      ...{ receivers: [], redisUrl: null, batchErrors: 1, locale: 'en' },
      limits: { rateLimitSeconds: 300, reminderSeconds: 0 },
      slo: { target: 99, windowDays: 30 },
      publicUrl: 'http://127.0.0.1:8080/',
    });
  });

  it('take thresholds, limits and addresses from their variables', () => {
    const config = read({
      ...{ ALERT_ERROR_RATE_THRESHOLD: '7', ALERT_NO_ACTIVITY_MINUTES: '15', ALERT_COOLDOWN_MINUTES: '2' },
      ...{ WEBHOOK_ALERT_URL: 'https://hooks.slack.com/services/x http://127.0.0.1:1/' },
      ...{ PUBLIC_URL: 'https://monitor.example/sync/', SLO_TARGET: '99.5' },
    });
    const rule = (name: string) => config.rules.find((one) => one.name === name);
    expect(rule('high_error_rate')?.threshold).toBe(7);
    expect(rule('no_activity')?.threshold).toBe(15);
    expect(config.limits.rateLimitSeconds).toBe(120);
    expect(config.receivers.map(({ choice }) => choice.format)).toEqual(['slack', 'generic']);
    expect(config.publicUrl).toBe('https://monitor.example/sync/');
    expect(config.slo.target).toBe(99.5);
  });

  it.each([
    [{ HOST: '0.0.0.0', AUTH: 'off' }, null],
    [{ PORT: '0' }, null],
    [{ HOST: '::1', PORT: '81' }, 'http://[::1]:81/'],
  ])('link to the dashboard where its address is known: %j', (env, url) => {
    expect(read(env as Record<string, string>).publicUrl).toBe(url);
  });

  it('take rules and receivers from a file, whose secrets lie beside it', async () => {
    await writeFile(join(folder, 'hook'), 'https://b.example/hook\n');
    await writeFile(
      join(folder, 'rules.yaml'),
      'rules: { slow_response: { threshold: 5, receivers: [b] } }\nreceivers: { b: { url_file: hook } }\n',
    );
    const config = read({ ALERT_RULES_FILE: 'rules.yaml', WEBHOOK_ALERT_URL: 'https://a.example/' });
    expect(config.receivers.map(({ name }) => name)).toEqual(['a.example', 'b']);
    expect(config.rules.find(({ name }) => name === 'slow_response')).toMatchObject({
      ...{ threshold: 5, receivers: ['b'] },
    });
  });

  it('are refused with a sentence for each mistake, in receivers and file alike', async () => {
    await writeFile(
      join(folder, 'rules.yaml'),
      'rules:\n  slow_respons: { threshold: 5 }\n  high_error_rate: { threshold: -1 }\n',
    );
    expect(
      problems({
        ...{ WEBHOOK_ALERT_URL: 'https://10.1.2.3/hook', WEBHOOK_DENY_PRIVATE: 'true' },
        ALERT_RULES_FILE: 'rules.yaml',
      }),
    ).toEqual([
      expect.stringMatching(/^WEBHOOK_ALERT_URL names 10\.1\.2\.3, a private address.*WEBHOOK_DENY_PRIVATE/),
      expect.stringMatching(/rules\.yaml.*2.*slow_respons.*the nearest rule is slow_response/),
      expect.stringMatching(/rules\.yaml.*3.*-1/),
    ]);
    expect(problems({ ALERT_RULES_FILE: 'none.yaml' })).toEqual([
      expect.stringMatching(/^ALERT_RULES_FILE is "none\.yaml", which cannot be read: ENOENT/),
    ]);
    expect(problems({ WEBHOOK_ALERT_URL: 'https://a.example/', WEBHOOK_SECRET: 'hunter2!' })).toEqual([
      expect.stringMatching(/^WEBHOOK_SECRET cannot sign/),
    ]);
  });

  it('end the program as wrong usage, before it asks any database', async () => {
    const config = configOf({
      DATABASE_URL: 'postgres://127.0.0.1:1/none',
      ...{ WEBHOOK_ALERT_URL: 'https://a.example/', WEBHOOK_SECRET: 'hunter2!' },
      ALERT_RULES_FILE: join(folder, 'none.yaml'),
    });
    const refused = serve(config, {
      log: createLog({ level: 'silent', format: 'json', write: () => undefined }),
    });
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(
      /^wrong settings:\n {2}WEBHOOK_SECRET .*\n {2}ALERT_RULES_FILE [^\n]*$/,
    );
    await expect(refused).rejects.not.toThrow(/hunter2/);
  });
});
