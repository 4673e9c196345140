/** Metric families about what is kept in the database and how it is compared with the table, `sync_monitor_*`. */
import type { AuditState } from '../../streams/audit-state.js';
import type { HistoryState } from '../../streams/history-state.js';
import type { Family } from './exposition.js';
import { many, seconds, single, states } from './family.js';

const STATES = ['off', 'backfilling', 'ready'] as const satisfies readonly HistoryState['state'][];

const timestamp = (iso: string | null | undefined): number | null =>
  iso === null || iso === undefined ? null : Date.parse(iso) / 1_000;

/** Without a history all but its state has no sample. */
export function historyFamilies(history: HistoryState | undefined): readonly Family[] {
  const kept = history?.state === 'off' ? undefined : history;
  const { backfill = null } = kept ?? {};
  const read = backfill === null ? 100 : backfill.percent;
  return [
    states(
      'sync_monitor_history_state',
      'Whether history is kept in the database: 1 for the state.',
      'state',
      STATES,
      history?.state ?? 'off',
    ),
    single(
      'gauge',
      'sync_monitor_backfill_ratio',
      'How much of the table is in history, 0 to 1.',
      kept === undefined || read === null ? null : read / 100,
    ),
    single(
      'gauge',
      'sync_monitor_backfill_rows_per_second',
      'Speed at which rows from before the first start are read; 0 when none are left.',
      kept === undefined ? null : backfill === null ? 0 : backfill.rows_per_second,
    ),
    single(
      'gauge',
      'sync_monitor_flush_seconds',
      'How long the last flush of history to the database took.',
      seconds(kept?.last_flush_ms ?? null),
    ),
    single(
      'gauge',
      'sync_monitor_flush_timestamp_seconds',
      'When the last flush was committed.',
      timestamp(kept?.last_flush_at),
    ),
    single('counter', 'sync_monitor_flush_rows_total', 'Rows flushed to history.', kept?.flushed_rows),
    single('counter', 'sync_monitor_flush_failures_total', 'Flushes that failed.', kept?.flush_failures),
    single(
      'gauge',
      'sync_monitor_unflushed_rows',
      'Rows that the next flush will write.',
      kept?.unflushed_rows,
    ),
  ];
}

/** Without an audit none has a sample. */
export function auditFamilies(audit: AuditState | undefined): readonly Family[] {
  return [
    many(
      'counter',
      'sync_monitor_audit_finds_total',
      'Minutes of an operation type in which history differed from the table, by how.',
      Object.entries(audit?.finds_by_kind ?? {}).map(([kind, finds]) => [{ kind }, finds] as const),
    ),
    many(
      'counter',
      'sync_monitor_audit_rounds_total',
      'Rounds of comparing history with the table, by how old the rows are.',
      Object.entries(audit?.rounds ?? {}).map(([part, { finished }]) => [{ part }, finished] as const),
    ),
    single(
      'gauge',
      'sync_monitor_audit_last_timestamp_seconds',
      'When history was compared with the table last.',
      timestamp(audit?.last_step_at),
    ),
    single(
      'gauge',
      'sync_monitor_audit_agreement_ratio',
      'Rows on which history and the table agree, of all that either has, 0 to 1.',
      audit?.completeness_ratio,
    ),
    single(
      'counter',
      'sync_monitor_audit_failures_total',
      'Steps of the audit that failed.',
      audit?.failures,
    ),
  ];
}
