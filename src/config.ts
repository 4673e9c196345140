/**
 * All settings, and the only place where the environment is read. One table (config-table.ts) declares each: what it
 * means, its default, its range. `parseConfig` is pure; `readConfig` gathers what it parses.
 */
import { join, resolve } from 'node:path';
import { nearest } from '../streams/nearest.js';
import { readDotenv, readSecret } from './config-files.js';
import { SETTINGS } from './config-table.js';
import { type Setting, SettingError } from './config-types.js';

export type Key = keyof typeof SETTINGS;

/** Values by the name of their variable, checked; an optional one that is not set is null. */
export type Config = { readonly [K in Key]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never };

const OUR_PREFIX = /^(SYNC|ALERT|HEALTH)_/;
const HIDDEN = '(hidden)';

type Values = Readonly<Record<string, string | undefined>>;

export interface Sources {
  readonly env: Values;
  /** What the `.env` file says. */
  readonly dotenv: Values;
  /** By variable name; they win over the environment, which wins over the file. */
  readonly flags: Values;
  /** The text of the file that `KEY_FILE` names. @throws when it cannot be had. */
  readonly readSecret: (file: string) => string;
}

/** Warnings are for variables that look like ours and are not: a portal's own may share the file. */
export type ConfigResult =
  | { readonly config: Config; readonly warnings: readonly string[] }
  | { readonly problems: readonly string[] };

/** How a setting is shown in `--help` and in the README: its default ('' for none), its range, what it is for. */
export function describeSetting(key: Key): { standard: string; range: string; help: string } {
  const { fallback, range, help, secret }: Setting<unknown> = SETTINGS[key];
  return {
    standard: Array.isArray(fallback) ? fallback.join(' ') : String(fallback ?? ''),
    range,
    help: secret ? `${help} (or ${key}_FILE)` : help,
  };
}

/** The flag of a setting, e.g. `--port`. */
export function flagOf(key: string): string {
  return `--${key.toLowerCase().replaceAll('_', '-')}`;
}

/** Checks everything and reports all mistakes together, each with its value, where it came from and what is allowed. */
export function parseConfig(sources: Sources): ConfigResult {
  const problems: string[] = [];
  const given: Key[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries<Setting<unknown>>(SETTINGS)) {
    const found = find(key, setting.secret, sources);
    if ('problem' in found) {
      problems.push(found.problem);
    } else if (found.value === null) {
      values[key] = setting.fallback;
    } else {
      given.push(key as Key);
      try {
        values[key] = setting.parse(found.value);
      } catch (error) {
        if (!(error instanceof SettingError)) throw error;
        const shown = setting.secret ? HIDDEN : JSON.stringify(found.value);
        problems.push(`${key} is ${shown} (from ${found.from}); allowed: ${setting.range}`);
      }
    }
  }
  // Complete when there is no problem; `contradictions` looks only at what is there.
  problems.push(...contradictions(values as Partial<Config>));
  const unknown = unknownNames(sources);
  if (problems.length > 0) return { problems: [...problems, ...unknown] };
  const config = withCooldown(values as Config, given);
  return { config, warnings: unknown };
}

type Found =
  | { readonly value: string; readonly from: string }
  | { readonly value: null }
  | { readonly problem: string };

function find(key: string, secret: boolean, sources: Sources): Found {
  const plain = lookUp(key, sources);
  const name = `${key}_FILE`;
  const file = secret ? lookUp(name, sources) : null;
  if (file === null) return plain ?? { value: null };
  if (plain !== null) {
    return { problem: `${key} (from ${plain.from}) and ${name} (from ${file.from}) are both set; set one` };
  }
  const path = JSON.stringify(file.value);
  try {
    return { value: sources.readSecret(file.value), from: `the file ${path} of ${name}` };
  } catch (error) {
    const why = (error as Error).message;
    const problem = `${name} is ${path} (from ${file.from}), which cannot be used: ${why}; allowed: a readable file with the value of ${key}`;
    return { problem };
  }
}

/** Empty means not set: docker-compose hands on unset variables that way. */
function lookUp(key: string, { env, dotenv, flags }: Sources): { value: string; from: string } | null {
  const places: [string, Values][] = [
    [`the flag ${flagOf(key)}`, flags],
    ['the environment', env],
    ['the file .env', dotenv],
  ];
  for (const [from, values] of places) {
    const value = values[key]?.trim();
    if (value) return { value, from };
  }
  return null;
}

/** What is wrong between settings that are each right; those that are wrong themselves are absent. */
function contradictions(config: Partial<Config>): string[] {
  const found: string[] = [];
  const { HOST, AUTH, AUTH_TOKEN, WEBHOOK_ALERT_URL: receivers = [], WEBHOOK_ALLOW_HTTP: http } = config;
  if (HOST !== undefined && !isLoopback(HOST) && AUTH === 'on' && AUTH_TOKEN === null) {
    found.push(
      `HOST is "${HOST}", which other machines can reach, and AUTH_TOKEN is not set; allowed: a loopback address, or AUTH_TOKEN, or AUTH=off to let everybody in`,
    );
  }
  if (config.UNMASK === true && (AUTH_TOKEN === null || AUTH === 'off')) {
    found.push('UNMASK is true, but only AUTH_TOKEN unmasks; allowed: with AUTH_TOKEN set and AUTH=on');
  }
  if (config.TLS_CERT !== undefined && config.TLS_KEY !== undefined) {
    const [has, lacks] = config.TLS_CERT === null ? ['TLS_KEY', 'TLS_CERT'] : ['TLS_CERT', 'TLS_KEY'];
    if ((config.TLS_CERT === null) !== (config.TLS_KEY === null))
      found.push(`${has} is set and ${lacks} is not; allowed: both, or none`);
  }
  const open = receivers
    .map((receiver) => new URL(receiver))
    .filter(({ protocol, hostname }) => protocol === 'http:' && !isLoopback(hostname));
  if (http === false && open.length > 0) {
    const hosts = open.map(({ host }) => host).join(', ');
    found.push(
      `WEBHOOK_ALERT_URL sends over http to ${hosts}; allowed: https, a loopback address, or WEBHOOK_ALLOW_HTTP=true`,
    );
  }
  return found;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** The earlier system's name counts where the new one is not given. */
function withCooldown(config: Config, given: readonly Key[]): Config {
  const minutes = config.ALERT_COOLDOWN_MINUTES;
  if (minutes === null || given.includes('ALERT_RATE_LIMIT_SECONDS')) return config;
  return { ...config, ALERT_RATE_LIMIT_SECONDS: minutes * 60 };
}

function unknownNames({ env, dotenv }: Sources): string[] {
  const keys = Object.entries<Setting<unknown>>(SETTINGS);
  const known = keys.flatMap(([key, { secret }]) => (secret ? [key, `${key}_FILE`] : [key]));
  return [...new Set([...Object.keys(env), ...Object.keys(dotenv)])]
    .filter((name) => OUR_PREFIX.test(name) && !known.includes(name))
    .map((name) => {
      const from = name in env ? 'the environment' : 'the file .env';
      return `${name} (from ${from}) is not a known variable; the nearest is ${nearest(name, known)}`;
    });
}

/**
 * Parses these flags, the environment, and the file `.env` of a folder, to which paths of secrets are relative.
 * @throws when that file is there and cannot be read.
 */
export function readConfig(flags: Values, folder: string, env: Values = process.env): ConfigResult {
  return parseConfig({
    ...{ env, flags },
    dotenv: readDotenv(join(folder, '.env')),
    readSecret: (file) => readSecret(resolve(folder, file)),
  });
}
