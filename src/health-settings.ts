/** From the settings to what is checked around the monitor. */
import type { Config } from './config.js';

/** What is checked, and how; null is not configured. */
export interface HealthConfig {
  /** From the start of a check to that of the next. */
  readonly intervalMs: number;
  /** For one check, its retry included. */
  readonly timeoutMs: number;
  readonly disk: { readonly path: string; readonly thresholdPercent: number } | null;
  readonly redisUrl: string | null;
  readonly onecUrl: string | null;
  /** Components besides database and listener that make the whole unhealthy. */
  readonly critical: readonly string[];
}

type HealthSettings = Pick<
  Config,
  | `HEALTH_CHECK_${'INTERVAL' | 'TIMEOUT' | 'DISK_PATH' | 'DISK_THRESHOLD' | '1C_API_URL'}`
  | 'HEALTH_CRITICAL'
  | 'REDIS_URL'
>;

export function healthConfig(config: HealthSettings): HealthConfig {
  const path = config.HEALTH_CHECK_DISK_PATH;
  return {
    intervalMs: config.HEALTH_CHECK_INTERVAL * 1_000,
    timeoutMs: config.HEALTH_CHECK_TIMEOUT * 1_000,
    disk: path === null ? null : { path, thresholdPercent: config.HEALTH_CHECK_DISK_THRESHOLD },
    redisUrl: config.REDIS_URL,
    onecUrl: config.HEALTH_CHECK_1C_API_URL,
    critical: config.HEALTH_CRITICAL,
  };
}
