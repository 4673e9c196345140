import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as units from '@grafana/grafana-foundation-sdk/units';
import { describe, expect, it } from 'vitest';
import { dashboardFiles } from '../../dashboards/grafana/dashboard.js';
import {
  chosen,
  dashboard,
  FILES,
  inRoot,
  metricsIn,
  type Panel,
  panelsOf,
  readRoot,
} from './expressions.js';

const ALL = FILES.flatMap((file) => [file, `${file}.ru`]);

describe('the generated files', () => {
  it('are what the code makes (npm run dashboards)', () => {
    const files = dashboardFiles();
    const there = readdirSync(inRoot('dashboards/grafana')).filter((name) => /^customer.*\.json$/.test(name));
    expect(there.sort()).toEqual([...files.keys()].sort());
    expect(there.sort()).toEqual(ALL.map((file) => `${file}.json`).sort());
    for (const [name, text] of files) expect(readRoot(`dashboards/grafana/${name}`), name).toBe(text);
  });

  it('have a name and an address of their own each', () => {
    const made = ALL.map(dashboard);
    expect(new Set(made.map(({ uid }) => uid)).size).toBe(ALL.length);
    expect(new Set(made.map(({ title }) => title)).size).toBe(ALL.length);
    for (const { uid } of made) expect(uid.length).toBeLessThanOrEqual(40);
  });
});

const overlap = (a: Panel['gridPos'], b: Panel['gridPos']): boolean =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

describe.each(ALL)('%s', (file) => {
  const made = dashboard(file);
  const panels = panelsOf(made);

  it('has unique ids', () => {
    const ids = made.panels.flatMap((panel) => [panel.id, ...(panel.panels ?? []).map(({ id }) => id)]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(10);
  });

  it('has no panel without title, description, unit and query', () => {
    const known = new Set<unknown>(Object.values(units));
    for (const { title, description, fieldConfig, targets } of panels) {
      expect(title).not.toBe('');
      expect(description ?? '', title).not.toBe('');
      const unit = fieldConfig?.defaults.unit ?? '';
      expect(known.has(unit) || /^suffix: ./.test(unit), `${title}: ${unit}`).toBe(true);
      expect(targets?.length, title).toBeGreaterThan(0);
      expect(new Set(targets?.map(({ refId }) => refId)).size).toBe(targets?.length);
    }
  });

  it('has its panels side by side', () => {
    const open = made.panels.filter(({ panels: held }) => (held ?? []).length === 0);
    for (const [i, a] of open.entries()) {
      expect(a.gridPos.x + a.gridPos.w, a.title).toBeLessThanOrEqual(24);
      for (const b of open.slice(i + 1)) {
        expect(overlap(a.gridPos, b.gridPos), `${a.title} / ${b.title}`).toBe(false);
      }
    }
  });

  it('declares every variable that it uses, and uses every one', () => {
    const declared = made.templating.list.map(({ name }) => name);
    const text = JSON.stringify([made.panels, made.annotations, made.templating.list.map((v) => v.query)]);
    const used = new Set([...text.matchAll(/\$(\w+)/g)].map((match) => match[1] ?? ''));
    const own = [...used].filter((name) => !name.startsWith('__'));
    expect(own.sort()).toEqual([...declared].sort());
    for (const name of ['window', 'operation_type']) {
      if (file.startsWith('customer-sync-dashboard')) expect(declared).toContain(name);
    }
  });

  it('leads to the other two of its language, and marks alerts', () => {
    expect(made.links.flatMap(({ tags }) => tags)).toEqual(made.tags);
    const others = ALL.map(dashboard).filter(({ tags }) => tags.join() === made.tags.join());
    expect(others).toHaveLength(3);
    const marked = made.annotations.list.map(({ expr }) => expr ?? '').join('\n');
    expect([...metricsIn(marked)].sort()).toEqual(['ALERTS', 'sync_alert_firing']);
  });

  it('is in its language', () => {
    const texts = panels.flatMap(({ description = '' }) => description);
    for (const text of [made.title, ...texts]) expect(/[а-яё]/i.test(text), text).toBe(file.endsWith('.ru'));
    expect(/[а-яё]/i.test(JSON.stringify(made))).toBe(file.endsWith('.ru'));
  });
});

it('differs between the languages in words alone', () => {
  for (const file of FILES) {
    const shape = (name: string) =>
      panelsOf(dashboard(name)).map(({ id, type, gridPos, targets, fieldConfig }) => ({
        ...{ id, type, gridPos, unit: fieldConfig?.defaults.unit },
        queries: targets?.map(({ expr, exemplar }) => [expr, exemplar]),
      }));
    expect(shape(`${file}.ru`)).toEqual(shape(file));
  }
});

it('shows exemplars of the durations', () => {
  const shown = panelsOf(dashboard('customer-sync-dashboard')).flatMap(({ targets = [] }) =>
    targets.filter(({ exemplar }) => exemplar),
  );
  expect(shown.flatMap(({ expr }) => metricsIn(expr))).toContain('sync_operation_duration_seconds_bucket');
});

const PROMTOOL = '/usr/bin/promtool';

it.runIf(existsSync(PROMTOOL))('asks nothing that promtool cannot parse', () => {
  const made = FILES.map(dashboard);
  const expressions = [
    ...made.flatMap(panelsOf).flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...made.flatMap(({ annotations }) => annotations.list.map(({ expr = '' }) => expr)),
  ].map((expr) => chosen(expr));
  expect(expressions.length).toBeGreaterThan(80);
  expect(expressions.filter((expr) => expr.includes('$'))).toEqual([]);
  const folder = mkdtempSync(join(tmpdir(), 'csm-promql-'));
  try {
    // JSON is YAML.
    const rules = expressions.map((expr, i) => ({ record: `panel:${i}`, expr }));
    writeFileSync(join(folder, 'rules.yml'), JSON.stringify({ groups: [{ name: 'panels', rules }] }));
    const { status, stdout, stderr } = spawnSync(PROMTOOL, ['check', 'rules', join(folder, 'rules.yml')], {
      encoding: 'utf8',
    });
    expect(status, stdout + stderr).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
