import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { NOT_SHOWN } from '../../dashboards/grafana/not-shown.js';
import { createMetrics } from '../../src/http/metrics.js';
import { HandDrivenAlerts } from '../http/alerts-view.js';
import { HandDrivenView, NO_CLIENTS, START } from '../http/view.js';
import { dashboard, FILES, metricsIn, panelsOf, readRoot } from './expressions.js';

/** Those of Prometheus itself, and what the recording rules make. */
const OTHERS = new Set(['up', 'ALERTS']);
async function exported(): Promise<ReadonlySet<string>> {
  const view = new HandDrivenView();
  view.alertsView = new HandDrivenAlerts();
  view.tick();
  const metrics = createMetrics(view, {
    liveStats: () => NO_CLIENTS,
    cacheTtlMs: 0,
    version: '0',
    now: () => START,
  });
  const [ours, celery] = [await metrics.scrape(undefined), await metrics.scrapeCelery(undefined)];
  return new Set([...(ours.body + celery.body).matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name));
}

/** Metrics in dashboards and rules: histograms by their own name, recorded series by what they are made of. */
function used(): ReadonlySet<string> {
  const rules = ['recording', 'alerts'].flatMap((name) =>
    parse(readRoot(`dashboards/prometheus/rules/${name}.yml`)).groups.flatMap(
      (group: { rules: { expr: string }[] }) => group.rules.map(({ expr }) => expr),
    ),
  );
  const made = FILES.map(dashboard);
  const asked = [
    ...made.flatMap(panelsOf).flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...made.flatMap(({ annotations }) => annotations.list.map(({ expr = '' }) => expr)),
  ];
  const names = [...rules, ...asked].flatMap(metricsIn).filter((name) => !name.includes(':'));
  return new Set(names.map((name) => name.replace(/_seconds_(bucket|sum|count)$/, '_seconds')));
}

it('shows or judges every metric, but for those that are listed with a reason', async () => {
  const there = await exported();
  const seen = used();
  expect([...there].filter((name) => !seen.has(name) && !(name in NOT_SHOWN))).toEqual([]);
  expect(Object.keys(NOT_SHOWN).filter((name) => seen.has(name) || !there.has(name))).toEqual([]);
  for (const [name, reason] of Object.entries(NOT_SHOWN)) expect(reason, name).toMatch(/^[A-Z].{10,}\.$/);
});

it('asks for no metric that is not exported', async () => {
  const there = await exported();
  const asked = [...used()].filter((name) => !OTHERS.has(name));
  expect(asked.length).toBeGreaterThan(70);
  expect(asked.filter((name) => !there.has(name))).toEqual([]);
});

it('asks for every series that a recording rule makes, and for no other', () => {
  const made = parse(readRoot('dashboards/prometheus/rules/recording.yml')).groups[0].rules;
  const names = made.map(({ record }: { record: string }) => record);
  const texts = [
    readRoot('dashboards/prometheus/rules/alerts.yml'),
    ...FILES.map((file) => readRoot(`dashboards/grafana/${file}.json`)),
  ].join('\n');
  const asked = new Set([...texts.matchAll(/\bsync:\w+:\w+/g)].map(([name]) => name));
  expect([...asked].sort()).toEqual([...names].sort());
});
