/** docker-compose.yml and what it mounts, as far as they can be judged without an engine. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createProgram } from '../../src/commands.js';
import { parseConfig } from '../../src/config.js';
import { SETTINGS } from '../../src/config-table.js';
import { createAccess } from '../../src/http/auth.js';
import { dashboard, FILES, inRoot, readRoot } from './expressions.js';

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly user?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly ports?: readonly string[];
  readonly profiles?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const TEXT = readRoot('docker-compose.yml');
const REQUIRED = {
  AUTH_TOKEN: 'admin',
  GRAFANA_ADMIN_PASSWORD: 'grafana',
  METRICS_TOKEN: 'metrics',
  POSTGRES_PASSWORD: 'postgres',
};

/** As compose replaces variables: `:-` default, `:?` required, `:+` instead. Innermost first. */
function interpolated(text: string, env: Readonly<Record<string, string>>): string {
  const VARIABLE = /\$\{(\w+)(?::([-?+])([^${}]*))?\}/;
  let rest = text;
  for (let match = VARIABLE.exec(rest); match !== null; match = VARIABLE.exec(rest)) {
    const [whole, name = '', how, word = ''] = match;
    const value = env[name] ?? '';
    if (value === '' && how === '?') throw new Error(word);
    const put = how === '+' ? (value === '' ? '' : word) : value === '' && how === '-' ? word : value;
    rest = rest.replace(whole, () => put);
  }
  return rest;
}

/** Compose replaces in the values that it has read: what comes out stays a string. */
const composeWith = (env: Readonly<Record<string, string>>): Compose => {
  const put = (_: string, value: unknown) => (typeof value === 'string' ? interpolated(value, env) : value);
  return JSON.parse(JSON.stringify(parse(TEXT, { merge: true })), put);
};
const { services, volumes } = composeWith(REQUIRED);
const service = (name: string): Service => {
  const found = services[name];
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
};
const mountsOf = ({ volumes: mounts = [] }: Service) =>
  mounts.map((mount) => {
    const [source = '', target = '', mode] = mount.split(':');
    return { source, target, mode };
  });

describe('docker-compose.yml', () => {
  it('has the seven services, traffic only for the demo', () => {
    expect(Object.keys(services)).toEqual([
      ...['postgres', 'redis', 'monitor', 'traffic', 'prometheus', 'alertmanager', 'grafana'],
    ]);
    for (const [name, { profiles }] of Object.entries(services)) {
      expect(profiles, name).toEqual(name === 'traffic' ? ['demo'] : undefined);
    }
  });

  it.each(Object.entries(services))('%s is pinned, locked and watched', (_, made) => {
    expect(made.image).toMatch(/:v?\d+\.\d+(\.\d+)?(-\w+)?$/);
    expect(made.read_only).toBe(true);
    expect(made.cap_drop).toEqual(['ALL']);
    expect(made.security_opt).toEqual(['no-new-privileges:true']);
    const { test, disable } = made.healthcheck ?? {};
    // That of the monitor is in its image.
    if (made.build === undefined) expect(test?.[0]).toBe('CMD');
    else expect(disable ?? readRoot('Dockerfile').includes('HEALTHCHECK')).toBe(true);
    for (const port of made.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it('wants what has no default, and says how to set it', () => {
    const required = [...TEXT.matchAll(/\$\{(\w+):\?([^}]+)\}/g)];
    expect([...new Set(required.map(([, name]) => name))].sort()).toEqual(Object.keys(REQUIRED));
    for (const [, name, message] of required) expect(message).toMatch(`set ${name}`);
    for (const name of Object.keys(REQUIRED)) {
      expect(() => composeWith({ ...REQUIRED, [name]: '' })).toThrow(`set ${name}`);
    }
    const bare = [...TEXT.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name);
    for (const name of bare) expect(Object.keys(REQUIRED), name).toContain(name);
    expect(TEXT).not.toMatch(/\$[A-Za-z_]/);
  });

  it('holds no secret', () => {
    for (const [, name, value = ''] of TEXT.matchAll(/^ +(\w*(?:PASSWORD|TOKEN|SECRET)): (.*)$/gm)) {
      expect(value, name).toMatch(/^\$\{\w+:[-?]/);
    }
  });

  it('mounts what is there, to read only, and every volume that it declares', () => {
    const mounts = Object.values(services).flatMap(mountsOf);
    const paths = mounts.filter(({ source }) => source.startsWith('.'));
    expect(paths.length).toBeGreaterThan(4);
    for (const { source, mode } of paths) {
      expect(existsSync(inRoot(source)), source).toBe(true);
      expect(mode, source).toBe('ro');
    }
    const named = mounts.map(({ source }) => source).filter((source) => /^\w+$/.test(source));
    expect(named.sort()).toEqual(Object.keys(volumes).sort());
  });

  it('waits for services that can be asked', () => {
    for (const [name, { depends_on: needed = {} }] of Object.entries(services)) {
      for (const [other, { condition }] of Object.entries(needed)) {
        expect(condition, name).toBe('service_healthy');
        expect(service(other).healthcheck?.disable, other).not.toBe(true);
      }
    }
  });

  it('gives the monitor settings that it accepts, every one there is', () => {
    const { environment = {} } = service('monitor');
    // TLS ends at the proxy in front: the port is open to the host alone, and Prometheus comes over the inner network.
    const fixed = ['HOST', 'PORT', 'AUTH', 'SYNC_LOG_FORMAT', 'TLS_CERT', 'TLS_KEY'];
    expect(Object.keys(environment).sort()).toEqual(
      Object.keys(SETTINGS)
        .filter((key) => !fixed.includes(key))
        .sort(),
    );
    const inImage = { HOST: '0.0.0.0', PORT: '8080', SYNC_LOG_FORMAT: 'json' };
    for (const [name, value] of Object.entries(inImage))
      expect(readRoot('Dockerfile')).toContain(`${name}=${value}`);
    const result = parseConfig({
      env: { ...inImage, ...environment },
      ...{ dotenv: {}, flags: {}, readSecret: () => '' },
    });
    if (!('config' in result)) throw new Error(result.problems.join('\n'));
    expect(result.warnings).toEqual([]);
    const { config } = result;
    expect(config.DATABASE_URL).toBe('postgres://portal:postgres@postgres:5432/portal');
    expect(createAccess({ host: config.HOST, authToken: config.AUTH_TOKEN ?? undefined }).mode).toBe(
      'tokens',
    );
  });

  it('starts sample traffic by a command that there is', () => {
    const [name, ...flags] = service('traffic').command ?? [];
    const host = { print: () => undefined, note: () => undefined, colours: false, folder: '/nonexistent' };
    const program = createProgram({ ...host, signal: new AbortController().signal });
    const command = program.commands.find((one) => one.name() === name);
    expect(command?.options.map(({ long }) => long)).toContain(flags[0]);
    expect(Number(flags[1])).toBeGreaterThan(0);
  });

  it('connects the services by the ports that they listen on', () => {
    const listening: Readonly<Record<string, string>> = {
      monitor: /\bPORT=(\d+)/.exec(readRoot('Dockerfile'))?.[1] ?? '',
      ...Object.fromEntries(
        Object.entries(services).flatMap(([name, { ports = [] }]) =>
          ports.map((port) => [name, port.split(':').at(-1) ?? '']),
        ),
      ),
    };
    const config = parse(readRoot('dashboards/prometheus/prometheus.yml'));
    const targets: string[] = [
      ...config.scrape_configs.flatMap((job: { static_configs: { targets: string[] }[] }) =>
        job.static_configs.flatMap((one) => one.targets),
      ),
      ...config.alerting.alertmanagers[0].static_configs[0].targets,
      new URL(service('grafana').environment?.PROMETHEUS_URL ?? '').host,
    ];
    expect(new Set(targets)).toEqual(new Set(['monitor:8080', 'alertmanager:9093', 'prometheus:9090']));
    for (const target of targets) {
      const [name = '', port] = target.split(':');
      expect(listening[name], target).toBe(port);
    }
    for (const [name, { healthcheck }] of Object.entries(services)) {
      const asked = /http:\/\/127\.0\.0\.1:(\d+)/.exec(healthcheck?.test?.join(' ') ?? '')?.[1];
      if (asked !== undefined) expect(asked, name).toBe(listening[name]);
    }
  });

  it('honours the interval of scrapes, the password and the folder of dashboards', () => {
    const other = composeWith({
      ...REQUIRED,
      PROMETHEUS_SCRAPE_INTERVAL: '5s',
      GRAFANA_ADMIN_PASSWORD: 'secret',
      GRAFANA_DASHBOARDS_PATH: './mine',
    }).services;
    expect(other.prometheus?.environment?.PROMETHEUS_SCRAPE_INTERVAL).toBe('5s');
    expect(other.grafana?.environment?.PROMETHEUS_SCRAPE_INTERVAL).toBe('5s');
    expect(other.grafana?.environment?.GF_SECURITY_ADMIN_PASSWORD).toBe('secret');
    expect(other.grafana?.volumes).toContain('./mine:/etc/grafana/dashboards:ro');
  });

  it('starts Prometheus by the script that is mounted there, into a folder that it may write', () => {
    const { entrypoint, tmpfs = [], volumes: mounts = [], command = [] } = service('prometheus');
    expect(entrypoint).toEqual(['/bin/sh', '/config/start.sh']);
    expect(mounts).toContain('./dashboards/prometheus:/config:ro');
    const script = readRoot('dashboards/prometheus/start.sh');
    expect(script).toContain('PROMETHEUS_CONFIG:-/config}');
    expect(script).toContain(`PROMETHEUS_FOLDER:-${tmpfs[0]?.split(':')[0]}}`);
    expect(command).toContain('--storage.tsdb.path=/prometheus');
  });
});

describe('the provisioning of Grafana', () => {
  const folder = 'dashboards/grafana/provisioning';
  const { environment = {}, volumes: mounts = [] } = service('grafana');
  const [provider] = parse(readRoot(`${folder}/dashboards/customer-sync.yml`)).providers;

  it('finds the dashboards where they are mounted', () => {
    expect(mounts).toContain(`./dashboards/grafana:${provider.options.path}:ro`);
    expect(mounts).toContain(`./${folder}:/etc/grafana/provisioning:ro`);
    for (const file of FILES) expect(existsSync(inRoot(`dashboards/grafana/${file}.json`))).toBe(true);
  });

  it('has a data source of the kind that the dashboards ask for, out of variables that are set', () => {
    const text = readRoot(`${folder}/datasources/prometheus.yml`);
    const [source] = parse(text).datasources;
    expect(source).toMatchObject({ type: 'prometheus', isDefault: true });
    const asked = dashboard(FILES[0]).templating.list.find(({ name }) => name === 'datasource');
    expect(asked?.query).toBe(source.type);
    const used = [...text.matchAll(/(?<!\$)\$\{(\w+)\}/g)].map(([, name = '']) => name);
    expect(used.sort()).toEqual(['MONITOR_URL', 'PROMETHEUS_SCRAPE_INTERVAL', 'PROMETHEUS_URL']);
    for (const name of used) expect(environment[name], name).toMatch(/./);
    const [exemplars] = source.jsonData.exemplarTraceIdDestinations;
    expect(exemplars.name).toBe('correlation_id');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own placeholders, and $$ for a $ that it keeps
    expect(exemplars.url).toBe('${MONITOR_URL}?correlation=$${__value.raw}');
    expect(environment.MONITOR_URL).toMatch(/\/$/);
  });
});
