/** Metric families about the monitor itself, `sync_monitor_*`. */
import type { Completeness } from '../../streams/event.js';
import type { Snapshot } from '../../streams/snapshot.js';
import type { BellMode, SourceState } from '../../streams/source-state.js';
import type { Family } from './exposition.js';
import { many, seconds, single, states } from './family.js';
import type { LiveStats } from './live.js';

const ROLES = ['starting', 'leader', 'standby', 'stopped'] as const satisfies readonly SourceState['role'][];
const BELL_MODES = ['armed', 'disarmed', 'off', 'dead'] as const satisfies readonly BellMode[];
const COMPLETENESS = [
  'complete',
  'catching_up',
  'incomplete',
  'unknown',
] as const satisfies readonly Completeness['state'][];

const yes = (value: boolean): number => (value ? 1 : 0);

export function sourceFamilies(source: SourceState): readonly Family[] {
  return [
    states('sync_monitor_role', 'What this process is: 1 for the role it has.', 'role', ROLES, source.role),
    single(
      'gauge',
      'sync_monitor_database_connected',
      '1 while the database answers.',
      yes(source.connected),
    ),
    states(
      'sync_monitor_bell_mode',
      'How new rows are learned of: 1 for the mode.',
      'mode',
      BELL_MODES,
      source.bell.mode,
    ),
    single(
      'gauge',
      'sync_monitor_listener_proven',
      '1 while the listener has proved itself with a notification of its own.',
      yes(source.listener.proven),
    ),
    single(
      'counter',
      'sync_monitor_listener_restarts_total',
      'Listeners thrown away.',
      source.listener.restarts,
    ),
    single('counter', 'sync_monitor_bells_total', 'Notifications heard.', source.bells),
    single('counter', 'sync_monitor_polls_total', 'Looks for new rows.', source.polls),
    single('counter', 'sync_monitor_rows_read_total', 'Rows read from the table.', source.rowsRead),
    single('gauge', 'sync_monitor_sealed_id', 'Every id up to here is settled for good.', source.sealedId),
    single('gauge', 'sync_monitor_high_id', 'Every id up to here was looked at.', source.highId),
    single(
      'gauge',
      'sync_monitor_unsealed_ids',
      'Ids below that whose writers may yet commit.',
      source.unsealedIds,
    ),
    single(
      'gauge',
      'sync_monitor_seal_lag_seconds',
      'Age of the oldest unsealed id.',
      seconds(source.sealLagMs),
    ),
    single(
      'gauge',
      'sync_monitor_ahead_rows',
      'Rows counted with ids beyond the sequence.',
      source.aheadRows,
    ),
    single(
      'counter',
      'sync_monitor_given_up_total',
      'Rows and ids left to the audit at a bound.',
      source.givenUp,
    ),
    single('gauge', 'sync_monitor_pending_tracked', 'Pending rows that are followed.', source.pendingTracked),
    single(
      'gauge',
      'sync_monitor_pending_untracked',
      'Pending rows beyond the bound.',
      source.pendingUntracked,
    ),
    single(
      'gauge',
      'sync_monitor_notification_queue_usage_ratio',
      'Use of the notification queue of the database cluster, 0 to 1.',
      source.notificationQueueUsage,
    ),
    single(
      'counter',
      'sync_monitor_resets_total',
      'Times the numbers were rebuilt from the table.',
      source.resets,
    ),
    single(
      'gauge',
      'sync_monitor_warnings',
      'Assumptions about the table that do not hold.',
      source.warnings.length,
    ),
  ];
}

/** Before the first snapshot completeness is unknown, and the rest has no sample. */
export function snapshotFamilies(snapshot: Snapshot | null): readonly Family[] {
  return [
    single(
      'gauge',
      'sync_monitor_completeness_ratio',
      'Known rows over rows that ought to be there, 0 to 1.',
      snapshot?.completeness.ratio,
    ),
    states(
      'sync_monitor_completeness_state',
      'How complete the numbers are: 1 for the state.',
      'state',
      COMPLETENESS,
      snapshot?.completeness.state ?? 'unknown',
    ),
    single(
      'gauge',
      'sync_monitor_lag_seconds',
      'Time since the monitor last had all that was committed.',
      seconds(snapshot?.lag_ms ?? null),
    ),
    single(
      'gauge',
      'sync_monitor_clock_skew_seconds',
      "The writers' clock ahead of the database's.",
      seconds(snapshot?.clock_skew_ms ?? null),
    ),
    single(
      'gauge',
      'sync_monitor_snapshot_timestamp_seconds',
      'When the newest snapshot was taken.',
      snapshot === null ? null : Date.parse(snapshot.at) / 1_000,
    ),
    single(
      'gauge',
      'sync_monitor_future_rows',
      'Rows from the future that wait for it.',
      snapshot?.future_rows,
    ),
  ];
}

export function liveFamilies(live: LiveStats, version: string): readonly Family[] {
  return [
    many('gauge', 'sync_monitor_info', 'Always 1; the label tells the version.', [[{ version }, 1]]),
    single('gauge', 'sync_monitor_websocket_clients', 'WebSocket clients.', live.clients),
    single(
      'counter',
      'sync_monitor_websocket_dropped_events_total',
      'Events that slow clients lost.',
      live.droppedEvents,
    ),
    single(
      'counter',
      'sync_monitor_websocket_skipped_snapshots_total',
      'Snapshots that slow clients skipped.',
      live.skippedSnapshots,
    ),
    single('counter', 'sync_monitor_websocket_faults_total', 'Faulty messages of clients.', live.faults),
    many('counter', 'sync_monitor_websocket_cut_off_total', 'Clients cut off, by reason.', [
      [{ reason: 'slow' }, live.closedSlow],
      [{ reason: 'silent' }, live.closedSilent],
      [{ reason: 'socket_error' }, live.socketErrors],
    ]),
  ];
}
