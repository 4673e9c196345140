/** From the settings to what the alerts of a monitor are made of; everything that is wrong is said at once. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { AlertLimits, Rule } from '../streams/alert.js';
import { defaultRules } from '../streams/rules.js';
import { COMPONENTS } from '../streams/system-health.js';
import type { AddressPolicy } from './alerts/address.js';
import type { Locale } from './alerts/message.js';
import { type Receiver, type ReceiverDefaults, receiversOf } from './alerts/receivers.js';
import { parseRulesFile, type RulesFile } from './alerts/rules-file.js';
import type { TemplateBook } from './alerts/texts.js';
import type { Config } from './config.js';
import { readSecret } from './config-files.js';
import type { SloSettings } from './slo-counts.js';

/** What the alerts of one monitor are made of. */
export interface AlertsConfig {
  readonly rules: readonly Rule[];
  /** None: alerts are decided and kept, and nobody is told. */
  readonly receivers: readonly Receiver[];
  readonly templates: TemplateBook;
  readonly locale: Locale;
  readonly policy: AddressPolicy;
  /** Address of the dashboard; null where it is not known. */
  readonly publicUrl: string | null;
  readonly limits: AlertLimits;
  /** A batch that reports so many errors of itself has failed. */
  readonly batchErrors: number;
  /** Where the rate limit is shared besides PostgreSQL; null: nowhere. */
  readonly redisUrl: string | null;
  readonly slo: SloSettings;
}

type AlertSettings = Pick<
  Config,
  | `ALERT_${'ERROR_RATE_THRESHOLD' | 'RESPONSE_TIME_P95_THRESHOLD' | 'FAILED_OPERATIONS_THRESHOLD'}`
  | `ALERT_${'QUEUE_SIZE_THRESHOLD' | 'NO_ACTIVITY_MINUTES' | 'CUSTOMERS_AFFECTED' | 'BATCH_ERRORS'}`
  | `ALERT_${'RATE_LIMIT_SECONDS' | 'REMINDER_SECONDS' | 'RULES_FILE' | 'LOCALE'}`
  | `REALTIME_${'ERROR_RATE' | 'PENDING'}_THRESHOLD`
  | `WEBHOOK_${'ALERT_URL' | 'SECRET' | 'ALLOW_HTTP' | 'DENY_PRIVATE'}`
  | 'HEALTH_CHECK_DISK_THRESHOLD'
  | 'PUBLIC_URL'
  | 'REDIS_URL'
  | `SLO_${'TARGET' | 'WINDOW_DAYS'}`
  | 'HOST'
  | 'PORT'
  | 'TLS_CERT'
>;

/**
 * @param folder what the path of the rules file is relative to
 * @throws Error with one sentence a line for all that cannot be used in receivers and rules file
 */
export function alertsConfig(config: AlertSettings, folder = process.cwd()): AlertsConfig {
  const problems: string[] = [];
  const policy = { allowHttp: config.WEBHOOK_ALLOW_HTTP, denyPrivate: config.WEBHOOK_DENY_PRIVATE };
  const defaults = { policy, secret: config.WEBHOOK_SECRET, locale: config.ALERT_LOCALE };
  const receivers = attempted(() => receiversOf(config.WEBHOOK_ALERT_URL, defaults), problems) ?? [];
  const file = attempted(
    () =>
      rulesFile(
        config,
        folder,
        receivers.map(({ name }) => name),
        defaults,
      ),
    problems,
  );
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return {
    rules: file?.rules ?? defaultRules(config),
    receivers: [...receivers, ...(file?.receivers ?? [])],
    templates: file?.templates ?? {},
    locale: config.ALERT_LOCALE,
    policy,
    publicUrl: config.PUBLIC_URL ?? ownUrl(config),
    limits: {
      rateLimitSeconds: config.ALERT_RATE_LIMIT_SECONDS,
      reminderSeconds: config.ALERT_REMINDER_SECONDS,
    },
    batchErrors: config.ALERT_BATCH_ERRORS,
    redisUrl: config.REDIS_URL,
    slo: { target: config.SLO_TARGET, windowDays: config.SLO_WINDOW_DAYS },
  };
}

function attempted<T>(work: () => T, problems: string[]): T | undefined {
  try {
    return work();
  } catch (error) {
    problems.push((error as Error).message);
    return undefined;
  }
}

function rulesFile(
  config: AlertSettings,
  folder: string,
  receivers: readonly string[],
  defaults: ReceiverDefaults,
): RulesFile | undefined {
  const name = config.ALERT_RULES_FILE;
  if (name === null) return undefined;
  const path = resolve(folder, name);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(
      `ALERT_RULES_FILE is ${JSON.stringify(name)}, which cannot be read: ${(error as Error).message}; allowed: a YAML file with rules`,
      { cause: error },
    );
  }
  const result = parseRulesFile(text, {
    ...{ file: name, thresholds: config, receivers, defaults, components: COMPONENTS },
    readSecret: (secret) => readSecret(resolve(dirname(path), secret)),
  });
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  return result.file;
}

/** Where this monitor is seen from its own machine; null where its settings do not tell. */
function ownUrl({ HOST, PORT, TLS_CERT }: AlertSettings): string | null {
  if (PORT === 0 || HOST === '0.0.0.0' || HOST === '::') return null;
  return `${TLS_CERT === null ? 'http' : 'https'}://${HOST.includes(':') ? `[${HOST}]` : HOST}:${PORT}/`;
}
