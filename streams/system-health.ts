/** How the monitor and what it stands on are doing, out of what they say of themselves. Pure; nothing is asked. */
import type { AuditState } from './audit-state.js';
import type { Completeness } from './event.js';
import type { HistoryState } from './history-state.js';
import type { SourceState } from './source-state.js';

export interface ComponentHealth {
  readonly component: string;
  readonly available: boolean;
  readonly status: 'healthy' | 'degraded' | 'unhealthy' | 'not_configured';
  readonly message: string;
  readonly response_time_ms: number | null;
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
  /** ms */
  readonly now: number;
}

export function systemHealth(facts: HealthFacts): SystemHealth {
  const { source, completeness, history, audit, now } = facts;
  const parts = [
    databaseHealth(source),
    listenerHealth(source),
    completenessHealth(completeness),
    ...(history ? [historyHealth(history)] : []),
    ...(audit ? [auditHealth(audit)] : []),
  ];
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

function databaseHealth({ connected }: SourceState): ComponentHealth {
  return {
    component: 'database',
    available: connected,
    status: connected ? 'healthy' : 'unhealthy',
    message: connected ? 'answers' : 'does not answer',
    response_time_ms: null,
  };
}

function listenerHealth({ bell }: SourceState): ComponentHealth {
  const dead = bell.mode === 'dead';
  return {
    component: 'listener',
    available: bell.mode !== 'off' && !dead,
    status: bell.mode === 'off' ? 'not_configured' : dead ? 'degraded' : 'healthy',
    message: dead ? `the bell is dead: ${bell.reason}; rows are found by polling` : bell.reason,
    response_time_ms: null,
  };
}

function completenessHealth({ state, ratio, reasons }: Completeness): ComponentHealth {
  const complete = state === 'complete';
  return {
    component: 'completeness',
    available: complete,
    status: complete ? 'healthy' : 'degraded',
    message: complete
      ? 'every settled row is in the numbers'
      : [state.replace('_', ' '), ...reasons].join('; '),
    response_time_ms: null,
    details: { state, ratio, reasons },
  };
}

/** What is lost with the process where nothing is kept. */
export const NOT_KEPT =
  'A restart reads the last 25 hours again; numbers of rows that were deleted from the table by then are gone, and ' +
  'longer periods are answered by a scan of the table.';

function historyHealth(history: HistoryState): ComponentHealth {
  const of = { component: 'history', response_time_ms: null, details: { ...history } };
  if (history.state === 'off')
    return { ...of, available: false, status: 'not_configured', message: `${history.reason} ${NOT_KEPT}` };
  if (history.failing_since !== null) {
    const message = `nothing could be written since ${history.failing_since}, ${history.unflushed_rows} rows wait: ${history.reason}`;
    return { ...of, available: false, status: 'degraded', message };
  }
  const message = history.backfill ? backfillMessage(history.backfill) : history.reason;
  return { ...of, available: true, status: 'healthy', message };
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
  return {
    component: 'audit',
    available: last_failure === null,
    status: last_failure !== null || differs ? 'degraded' : 'healthy',
    message:
      last_failure !== null
        ? `${looked}; its last step failed: ${last_failure}`
        : differs
          ? `${looked}; differences are being refolded`
          : looked,
    response_time_ms: null,
    details: { ...audit },
  };
}
