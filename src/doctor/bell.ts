/** The trigger that rings the bell, as it stands and as it should. */
import { type Finding, fault, ok, warning } from './check.js';

export type BellSetting = 'auto' | 'always' | 'off';
export type TriggerState = 'absent' | 'quiet' | 'always' | 'foreign' | 'disabled';

export interface Bell {
  readonly table: string;
  readonly setting: BellSetting;
  readonly state: TriggerState;
  /** What `migrate` would run now. */
  readonly pending: string;
  /** PUBLIC may execute what the trigger calls as the writer. */
  readonly writersMay: boolean;
}

export function judgeBell({ table, setting, state, pending, writersMay }: Bell): Finding {
  if (!writersMay && setting !== 'off') return unexecutable(state, table);
  if (state === 'disabled')
    return warning(
      `The trigger sync_monitor_bell on ${table} is there and disabled: rows are found by polling.`,
      'Where that was not meant, the owner has to run (else set BELL=off):',
      `ALTER TABLE ${table} ENABLE TRIGGER sync_monitor_bell;`,
    );
  if (pending === '')
    return ok(
      setting === 'off'
        ? `BELL=off: no trigger is on ${table}, rows are found by polling.`
        : `The trigger on ${table} is ${state === 'quiet' ? 'quiet: it rings only while the monitor is idle' : 'there: every statement notifies'}.`,
    );
  return warning(
    `${STATES[state](table)}${setting === 'off' ? ', and BELL=off wants none' : state === 'absent' ? ': rows are found by polling' : `, and BELL=${setting} wants another`}.`,
    'Run "sync-monitor migrate" as the owner ("serve" does it where its role may), or as SQL:',
    pending,
  );
}

const STATES: Record<TriggerState, (table: string) => string> = {
  absent: (table) => `The trigger sync_monitor_bell is not on ${table}, or its schema is not complete`,
  quiet: (table) => `The trigger on ${table} rings only while the monitor is idle`,
  always: (table) => `The trigger on ${table} notifies for every statement`,
  foreign: (table) =>
    `The trigger sync_monitor_bell on ${table} has another key or channel (the table was renamed?)`,
  disabled: (table) => `The trigger on ${table} is disabled`,
};

function unexecutable(state: TriggerState, table: string): Finding {
  const message =
    'PUBLIC may not execute pg_try_advisory_xact_lock_shared or pg_notify here, which the trigger calls as the writer';
  if (state === 'absent')
    return warning(
      `${message}: the bell is not installed, rows are found by polling.`,
      'A superuser can run, or set BELL=off:',
      GRANTS,
    );
  return fault(`${message}: INSERTs into ${table} fail.`, 'A superuser has to run at once:', GRANTS);
}

const GRANTS = `GRANT EXECUTE ON FUNCTION pg_catalog.pg_try_advisory_xact_lock_shared(bigint) TO PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_notify(text, text) TO PUBLIC;`;
