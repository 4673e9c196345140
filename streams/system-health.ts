/** How the monitor and what is around it are doing, out of what is known of them. Pure; nothing is asked here. */
import type { AuditState } from './audit-state.js';
import type { Completeness } from './event.js';
import type { HistoryState } from './history-state.js';
import type { SourceState } from './source-state.js';
import type { Standing } from './standing.js';

/** All that there can be, as rules (`component:<name>`) and HEALTH_CRITICAL name them. */
export const COMPONENTS = [
  ...['database', 'listener', 'completeness', 'history', 'audit', 'notification_queue'],
  ...['redis', 'disk', 'onec_api', 'celery_workers', 'celery_queue', 'memory', 'cpu'],
] as const;

export interface ComponentHealth {
  readonly component: string;
  readonly available: boolean;
  readonly status: 'healthy' | 'degraded' | 'unhealthy' | 'not_configured';
  readonly message: string;
  readonly response_time_ms: number | null;
  /** When it came into its status, ISO 8601 UTC; null where nobody has kept it yet (standing.ts). */
  readonly since: string | null;
  /** Checks in a row that found it wanting; of what is known without a check 1 while it is, else 0. */
  readonly consecutive_failures: number;
  /** All that is known of it, for machines. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface SystemHealth {
  readonly is_healthy: boolean;
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly components: Readonly<Record<string, ComponentHealth>>;
  readonly critical_issues: readonly {
    readonly component: string;
    readonly message: string;
    readonly details: Readonly<Record<string, unknown>>;
  }[];
  readonly timestamp: string;
}

export interface HealthFacts {
  readonly source: SourceState;
  readonly completeness: Completeness;
  readonly history?: HistoryState | undefined;
  readonly audit?: AuditState | undefined;
  /** What was asked of the surroundings; one named `database` completes what the source says of it. */
  readonly checked?: readonly ComponentHealth[];
  /** Components that make the whole unhealthy where they would make it degraded. */
  readonly critical?: readonly string[];
  /** Remembers since when; without it `since` stays as it is told. */
  readonly standing?: Standing;
  /** ms */
  readonly now: number;
}

export function systemHealth(facts: HealthFacts): SystemHealth {
  const { source, completeness, history, audit, checked = [], critical = [], standing, now } = facts;
  const found = [
    databaseHealth(
      source,
      checked.find(({ component }) => component === 'database'),
    ),
    listenerHealth(source),
    completenessHealth(completeness),
    ...(history ? [historyHealth(history)] : []),
    ...(audit ? [auditHealth(audit)] : []),
    ...notificationQueueHealth(source),
    ...checked.filter(({ component }) => component !== 'database'),
  ].map((part) => weighed(part, critical));
  const parts = standing ? standing.note(found, now) : found;
  const has = (status: ComponentHealth['status']) => parts.some((part) => part.status === status);
  const status = has('unhealthy') ? 'unhealthy' : has('degraded') ? 'degraded' : 'healthy';
  return {
    is_healthy: status === 'healthy',
    status,
    components: Object.fromEntries(parts.map((part) => [part.component, part])),
    critical_issues: parts
      .filter((part) => part.status === 'unhealthy')
      .map(({ component, message, details }) => ({ component, message, details: details ?? {} })),
    timestamp: new Date(now).toISOString(),
  };
}

function weighed(part: ComponentHealth, critical: readonly string[]): ComponentHealth {
  const grave = part.status === 'degraded' && critical.includes(part.component);
  return grave ? { ...part, status: 'unhealthy' } : part;
}

/** What is known without a check. */
type Told = Omit<ComponentHealth, 'response_time_ms' | 'since' | 'consecutive_failures'>;

function told(part: Told): ComponentHealth {
  const failures = part.status === 'degraded' || part.status === 'unhealthy' ? 1 : 0;
  return { ...part, response_time_ms: null, since: null, consecutive_failures: failures };
}

/** The reader asks all the time: what it meets counts at once, and the check tells the rest. */
function databaseHealth({ connected }: SourceState, check: ComponentHealth | undefined): ComponentHealth {
  if (connected) {
    if (check === undefined)
      return told({ component: 'database', available: true, status: 'healthy', message: 'answers' });
    return { ...check, status: check.available ? check.status : 'unhealthy', since: null };
  }
  const down = told({
    component: 'database',
    available: false,
    status: 'unhealthy',
    message: check?.available === false ? `does not answer: ${check.message}` : 'does not answer',
  });
  return { ...down, consecutive_failures: Math.max(1, check?.consecutive_failures ?? 0) };
}

function listenerHealth({ bell, listener, connected }: SourceState): ComponentHealth {
  const dead = bell.mode === 'dead';
  // A trigger that was taken away is its owner's doing, and an outage of the database is told as one of the database.
  const down = listener.proven || !connected ? 'degraded' : 'unhealthy';
  return told({
    component: 'listener',
    available: bell.mode !== 'off' && !dead,
    status: bell.mode === 'off' ? 'not_configured' : dead ? down : 'healthy',
    message: dead ? `the bell is dead: ${bell.reason}; rows are found by polling` : bell.reason,
  });
}

/** Once it is full every NOTIFY of the cluster fails at its commit. 0..1 */
const NOTIFICATION_QUEUE_LIMIT = 0.5;

/** Nothing before it was asked for. */
function notificationQueueHealth({ notificationQueueUsage: usage }: SourceState): ComponentHealth[] {
  if (usage === null) return [];
  const full = usage > NOTIFICATION_QUEUE_LIMIT;
  const message = `${(usage * 100).toFixed(usage > 0 && usage < 0.1 ? 2 : 0)} % of the notification queue is used`;
  return [
    told({
      component: 'notification_queue',
      available: true,
      status: full ? 'degraded' : 'healthy',
      message: full ? `${message}: some session listens and does not read` : message,
      details: { used_ratio: usage },
    }),
  ];
}

function completenessHealth({ state, ratio, reasons }: Completeness): ComponentHealth {
  const complete = state === 'complete';
  return told({
    component: 'completeness',
    available: complete,
    status: complete ? 'healthy' : 'degraded',
    message: complete
      ? 'every settled row is in the numbers'
      : [state.replace('_', ' '), ...reasons].join('; '),
    details: { state, ratio, reasons },
  });
}

/** What is lost with the process where nothing is kept. */
export const NOT_KEPT =
  'A restart reads the last 25 hours again; numbers of rows that were deleted from the table by then are gone, and ' +
  'longer periods are answered by a scan of the table.';

function historyHealth(history: HistoryState): ComponentHealth {
  const of = { component: 'history', details: { ...history } };
  if (history.state === 'off')
    return told({
      ...of,
      available: false,
      status: 'not_configured',
      message: `${history.reason} ${NOT_KEPT}`,
    });
  if (history.failing_since !== null) {
    const message = `nothing could be written since ${history.failing_since}, ${history.unflushed_rows} rows wait: ${history.reason}`;
    return told({ ...of, available: false, status: 'degraded', message });
  }
  const message = history.backfill ? backfillMessage(history.backfill) : history.reason;
  return told({ ...of, available: true, status: 'healthy', message });
}

function backfillMessage(backfill: NonNullable<HistoryState['backfill']>): string {
  const parts = [
    backfill.percent === null ? null : `${backfill.percent.toFixed(1)} %`,
    backfill.rows_per_second === null ? null : `${Math.round(backfill.rows_per_second)} rows/s`,
    backfill.seconds_left === null ? null : `about ${Math.ceil(backfill.seconds_left)} s left`,
  ];
  const told = parts.filter((part) => part !== null).join(', ');
  return `reads the rows from before its first start${told === '' ? '' : `: ${told}`}`;
}

function auditHealth(audit: AuditState): ComponentHealth {
  const { last_step_at, last_failure, finds, completeness_ratio } = audit;
  const looked =
    last_step_at === null
      ? 'has not compared anything yet'
      : `compared with the table last at ${last_step_at}, ${finds} finds so far`;
  const differs = completeness_ratio !== null && completeness_ratio < 1;
  return told({
    component: 'audit',
    available: last_failure === null,
    status: last_failure !== null || differs ? 'degraded' : 'healthy',
    message:
      last_failure !== null
        ? `${looked}; its last step failed: ${last_failure}`
        : differs
          ? `${looked}; differences are being refolded`
          : looked,
    details: { ...audit },
  });
}
