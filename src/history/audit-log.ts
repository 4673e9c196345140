import type { Difference } from './audit-compare.js';
import type { OldEnd } from './audit-old-end.js';
import type { Turn } from './audit-schedule.js';
import type { HistoryLog } from './db.js';

/** One line for all that a step found. */
export function tellFinds(log: HistoryLog, differences: readonly Difference[]): void {
  const kinds: Record<string, number> = {};
  for (const { kind } of differences) kinds[kind] = (kinds[kind] ?? 0) + 1;
  const from = new Date(differences[0]?.start ?? 0).toISOString();
  const finds = differences.length;
  log.warn(
    { event_type: 'audit_finds', finds, kinds, from },
    `history and the table differed in ${finds} counts from ${from} on; they are taken from the table again`,
  );
}

export function tellOldEnd(log: HistoryLog, end: OldEnd): void {
  if (end.kind === 'whole') return;
  const before = new Date(end.kind === 'retention' ? end.rawFrom : end.before).toISOString();
  if (end.kind === 'retention')
    log.info(
      { event_type: 'audit_retention', before },
      `rows before ${before} have been deleted from the table; history keeps them`,
    );
  else
    log.warn(
      { event_type: 'audit_truncated', before },
      `the table was emptied of all rows before ${before}; history follows`,
    );
}

export function tellFailure(log: HistoryLog, turn: Turn, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  log.warn(
    { event_type: 'audit_failed', turn, err: error },
    `history could not be compared with the table, it is tried again: ${message}`,
  );
}

export function tellRecovery(log: HistoryLog): void {
  log.info({ event_type: 'audit_recovered' }, 'history is compared with the table again');
}
