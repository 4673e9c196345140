import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../src/config.js';
import { defaultRules } from '../../streams/rules.js';
import { inRoot, readRoot } from './expressions.js';

const PROMTOOL = '/usr/bin/promtool';
const AMTOOL = '/usr/bin/amtool';
const RULES = ['alerts', 'recording'];

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

function rulesOf(name: string): readonly Rule[] {
  const { groups } = parse(readRoot(`dashboards/prometheus/rules/${name}.yml`));
  return groups.flatMap((group: { rules: readonly Rule[] }) => group.rules);
}

function run(command: string, words: readonly string[], env: Record<string, string> = {}) {
  const made = spawnSync(command, words, { encoding: 'utf8', env: { ...process.env, ...env } });
  return { status: made.status, said: made.stdout + made.stderr };
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'csm-prometheus-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.runIf(existsSync(PROMTOOL))('promtool', () => {
  it('accepts the configuration with its rules and its token', () => {
    cpSync(inRoot('dashboards/prometheus'), folder, { recursive: true });
    writeFileSync(join(folder, 'metrics_token'), 'token');
    expect(run(PROMTOOL, ['check', 'config', join(folder, 'prometheus.yml')])).toMatchObject({ status: 0 });
  });

  it.each(RULES)(
    'finds that the %s do what they say',
    (name) => {
      const { status, said } = run(PROMTOOL, [
        'test',
        'rules',
        inRoot(`dashboards/prometheus/tests/${name}_test.yml`),
      ]);
      expect(status, said).toBe(0);
      // Tests of another rule file would pass as well.
      expect(readRoot(`dashboards/prometheus/tests/${name}_test.yml`)).toContain(`../rules/${name}.yml`);
    },
    120_000,
  );
});

describe('the alerts', () => {
  const alerts = rulesOf('alerts');

  it('have a test each that fires, and one that does not', () => {
    const { tests } = parse(readRoot('dashboards/prometheus/tests/alerts_test.yml'));
    const cases: { alertname: string; exp_alerts: unknown[] }[] = tests.flatMap(
      (test: { alert_rule_test: unknown[] }) => test.alert_rule_test,
    );
    for (const { alert } of alerts) {
      const own = cases.filter(({ alertname }) => alertname === alert);
      expect(
        own.some(({ exp_alerts }) => exp_alerts.length > 0),
        alert,
      ).toBe(true);
      expect(
        own.some(({ exp_alerts }) => exp_alerts.length === 0),
        alert,
      ).toBe(true);
    }
    expect(new Set(cases.map(({ alertname }) => alertname)).size).toBe(alerts.length);
  });

  it('have a summary, a description and a severity', () => {
    for (const { alert, annotations, labels } of alerts) {
      expect(Object.keys(annotations ?? {}), alert).toEqual(['summary', 'description']);
      // That of the monitor's own rules is a label of their metric.
      if (alert !== 'SyncMonitorAlert') expect(['critical', 'warning']).toContain(labels?.severity);
    }
  });

  it('are those of the monitor, as grave and with the same lines', () => {
    const result = parseConfig({ env: {}, dotenv: {}, flags: {}, readSecret: () => '' });
    if (!('config' in result)) throw new Error(result.problems.join('\n'));
    const { config } = result;
    for (const rule of defaultRules(config)) {
      const own = alerts.filter(({ labels }) => labels?.rule === rule.name);
      expect(own.length, rule.name).toBeGreaterThan(0);
      for (const { labels } of own) expect(labels?.severity, rule.name).toBe(rule.severity);
      const text = own.map(({ expr }) => expr).join('\n');
      const percent = /percent|_rate_/.test(rule.measure);
      const line = percent
        ? `> ${rule.threshold} / 100`
        : rule.measure.startsWith('duration')
          ? `> ${rule.threshold} / 1000`
          : `> ${rule.threshold}`;
      // What has no line is decided by 0 or 1; being behind has its line in `for`.
      if (!rule.measure.startsWith('component:') && rule.name !== 'monitor_degraded') {
        expect(text, rule.name).toContain(line);
      }
      if (rule.minimumCount > 0) expect(text, rule.name).toContain(`>= ${rule.minimumCount}`);
    }
  });

  it('leave to the monitor exactly those rules that have no alert of their own', () => {
    const own = alerts.flatMap(({ labels }) => labels?.rule ?? []);
    const left = alerts.find(({ alert }) => alert === 'SyncMonitorAlert')?.expr ?? '';
    const out = /rule!~"([^"]+)"/.exec(left)?.[1]?.split('|') ?? [];
    expect([...out].sort()).toEqual([...new Set(own)].sort());
  });

  it('are named by what Alertmanager holds back', () => {
    const names = new Set(alerts.map(({ alert }) => alert));
    const text = readRoot('dashboards/prometheus/alertmanager.yml');
    const named = [...text.matchAll(/\bSync\w+/g)].map(([name]) => name);
    expect(named.length).toBeGreaterThan(0);
    for (const name of named) expect(names, name).toContain(name);
  });
});

it('has each rule once', () => {
  const names = RULES.flatMap(rulesOf).map(({ alert, record }) => alert ?? record);
  expect(new Set(names).size).toBe(names.length);
});

it.runIf(existsSync(AMTOOL))('has an Alertmanager configuration that amtool accepts', () => {
  const { status, said } = run(AMTOOL, ['check-config', inRoot('dashboards/prometheus/alertmanager.yml')]);
  expect(status, said).toBe(0);
});

describe('start.sh', () => {
  const start = (env: Record<string, string>) =>
    run('/bin/sh', [inRoot('dashboards/prometheus/start.sh'), '--web.listen-address=:9090'], {
      PROMETHEUS_CONFIG: inRoot('dashboards/prometheus'),
      PROMETHEUS_FOLDER: folder,
      PROMETHEUS_BINARY: '/bin/echo',
      METRICS_TOKEN: 'one',
      ...env,
    });

  it('puts interval and token in, and hands over', () => {
    const { status, said } = start({ PROMETHEUS_SCRAPE_INTERVAL: '7s', METRICS_TOKEN: 'new old' });
    expect(status, said).toBe(0);
    expect(said.trim()).toBe(`--config.file=${join(folder, 'prometheus.yml')} --web.listen-address=:9090`);
    const { global } = parse(readFileSync(join(folder, 'prometheus.yml'), 'utf8'));
    expect(global).toEqual({ scrape_interval: '7s', evaluation_interval: '7s' });
    expect(readFileSync(join(folder, 'metrics_token'), 'utf8')).toBe('new');
    if (existsSync(PROMTOOL)) {
      expect(run(PROMTOOL, ['check', 'config', join(folder, 'prometheus.yml')])).toMatchObject({ status: 0 });
    }
  });

  it('has an interval of its own', () => {
    expect(start({}).status).toBe(0);
    expect(readFileSync(join(folder, 'prometheus.yml'), 'utf8')).toContain('scrape_interval: 15s');
  });

  it.each([
    [{ PROMETHEUS_SCRAPE_INTERVAL: '15' }, 'PROMETHEUS_SCRAPE_INTERVAL is "15"'],
    [{ PROMETHEUS_SCRAPE_INTERVAL: '1s/e' }, 'PROMETHEUS_SCRAPE_INTERVAL is "1s/e"'],
    [{ METRICS_TOKEN: '' }, 'METRICS_TOKEN is not set'],
  ])('refuses %j', (env, sentence) => {
    const { status, said } = start(env);
    expect(status).toBe(2);
    expect(said).toContain(sentence);
  });
});
