/** The examples for Kubernetes and systemd. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { SETTINGS } from '../../src/config-table.js';
import { readRoot } from './expressions.js';

describe('Kubernetes', () => {
  const read = (file: string) =>
    parseAllDocuments(readRoot(`dashboards/deploy/kubernetes/${file}.yml`)).map((document) => {
      expect(document.errors).toEqual([]);
      return document.toJS();
    });
  const [deployment, entry] = read('monitor');
  const [secret] = read('secret.example');
  const [watch] = read('service-monitor');
  const [container] = deployment.spec.template.spec.containers;

  it('asks the probes that the monitor answers to everybody', () => {
    expect(container.livenessProbe.httpGet).toEqual({ path: '/livez', port: 'http' });
    expect(container.startupProbe.httpGet).toEqual({ path: '/livez', port: 'http' });
    expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'http' });
    expect(container.ports).toEqual([{ name: 'http', containerPort: 8080 }]);
    expect(container.env).toContainEqual({ name: 'PORT', value: '8080' });
  });

  it('never lets two wait for each other', () => {
    expect(deployment.spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
  });

  it('has its parts find each other', () => {
    const labels = deployment.spec.template.metadata.labels;
    expect(deployment.spec.selector.matchLabels).toEqual(labels);
    expect(entry.spec.selector).toEqual(labels);
    expect(watch.spec.selector.matchLabels).toEqual(entry.metadata.labels);
    expect(container.envFrom).toEqual([{ secretRef: { name: secret.metadata.name } }]);
    const keys = Object.keys(secret.stringData);
    for (const key of keys) expect(SETTINGS).toHaveProperty(key);
    const config = parse(readRoot('dashboards/prometheus/prometheus.yml'));
    expect(watch.spec.endpoints.map(({ path }: { path: string }) => path)).toEqual(
      config.scrape_configs.map((job: { metrics_path: string }) => job.metrics_path),
    );
    for (const { port, authorization } of watch.spec.endpoints) {
      expect(port).toBe(entry.spec.ports[0].name);
      expect(authorization.credentials.name).toBe(secret.metadata.name);
      expect(keys).toContain(authorization.credentials.key);
    }
    // The job of a ServiceMonitor is the name of its Service; the rules go by it.
    expect(entry.metadata.name).toBe(config.scrape_configs[0].job_name);
  });

  it('may do nothing that it need not', () => {
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(deployment.spec.template.spec.securityContext.runAsNonRoot).toBe(true);
  });
});

const verify = spawnSync('systemd-analyze', ['--version']).status === 0;

it.runIf(verify)('has a unit that systemd accepts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'csm-unit-'));
  try {
    const unit = readRoot('dashboards/deploy/customer-sync-monitor.service');
    expect(unit).toContain('ExecStart=/usr/bin/node dist/bin/sync-monitor.js serve\n');
    const file = join(folder, 'customer-sync-monitor.service');
    // It wants the program to be there.
    writeFileSync(file, unit.replace('/usr/bin/node', process.execPath));
    const { stdout, stderr, status } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
    expect(stdout + stderr).not.toContain(file);
    expect(status).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
