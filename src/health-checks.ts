/** Which components are checked, by what the settings name. */
import type { ComponentHealth } from '../streams/system-health.js';
import type { Check } from './health/check.js';
import { cpuCheck } from './health/cpu.js';
import { type DatabaseAsk, databaseCheck } from './health/database.js';
import { diskCheck } from './health/disk.js';
import { HostSampler } from './health/host.js';
import { memoryCheck } from './health/memory.js';
import { onecCheck } from './health/onec.js';
import { redisCheck } from './health/redis.js';
import type { HealthConfig } from './health-settings.js';
import { Link } from './source/connection.js';

export interface Checks {
  readonly checks: readonly Check[];
  /** Those that the settings do not name. */
  readonly unconfigured: readonly ComponentHealth[];
}

export function checksOf(config: HealthConfig, databaseUrl: string): Checks {
  const { redisUrl, disk, onecUrl } = config;
  const optional: readonly (Check | ComponentHealth)[] = [
    redisUrl === null ? notConfigured('redis', 'REDIS_URL') : redisCheck(redisUrl),
    disk === null
      ? notConfigured('disk', 'HEALTH_CHECK_DISK_PATH')
      : diskCheck(disk.path, disk.thresholdPercent),
    onecUrl === null ? notConfigured('onec_api', 'HEALTH_CHECK_1C_API_URL') : onecCheck(onecUrl),
  ];
  return {
    checks: [
      databaseCheck(databaseAsk(databaseUrl, config.timeoutMs)),
      ...optional.filter((one) => 'ask' in one),
      memoryCheck(new HostSampler()),
      cpuCheck(new HostSampler()),
    ],
    unconfigured: optional.filter((one) => 'status' in one),
  };
}

/** @param setting what would configure it */
export function notConfigured(component: string, setting: string): ComponentHealth {
  return {
    component,
    available: false,
    status: 'not_configured',
    message: `${setting} is not set`,
    response_time_ms: null,
    since: null,
    consecutive_failures: 0,
  };
}

/** A connection apart from the reader's: the question waits for nothing but the database. */
function databaseAsk(url: string, timeoutMs: number): DatabaseAsk {
  const link = new Link('health', {
    url,
    session: `SET default_transaction_read_only = on; SET statement_timeout = ${Math.ceil(timeoutMs)}`,
    queryTimeoutMs: timeoutMs,
  });
  return {
    async ask(sql) {
      if (!link.connected) await link.connect();
      return link.query(sql);
    },
    close: () => link.close(),
  };
}
