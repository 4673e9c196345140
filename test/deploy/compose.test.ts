/** What is set on the host has to reach the monitor in its container. */
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { SETTINGS } from '../../src/config-table.js';
import { readRoot } from './expressions.js';

interface Service {
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
}

const { monitor } = (parse(readRoot('docker-compose.yml')) as { services: { monitor: Service } }).services;

it('hands on every setting of alerts and of the objective', () => {
  const ours = Object.keys(SETTINGS).filter((key) => /^(ALERT|REALTIME|WEBHOOK|SLO)_/.test(key));
  expect(ours.length).toBeGreaterThan(15);
  for (const key of ours) {
    // Only these two forms let an unset variable be one that is not set.
    expect([key, monitor.environment[key]]).toEqual([key, expect.stringMatching(`^\\$\\{${key}:[-+]`)]);
  }
});

it('names the rules file as the container sees it, and mounts nothing where there is none', () => {
  const path = /\+(.*)\}$/.exec(monitor.environment.ALERT_RULES_FILE ?? '')?.[1];
  expect(monitor.volumes).toContain(`\${ALERT_RULES_FILE:-/dev/null}:${path}:ro`);
});
