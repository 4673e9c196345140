/** What was written down before this process began, and when it is thrown away. */
import type { RuleState } from '../../streams/alert.js';
import type { EvidenceWire } from '../../streams/alerts-view.js';
import { type Db, epochMs, msOf } from './db.js';
import type { AlertRecord, GoneRecord } from './journal.js';
import type { Notice } from './notice.js';

export interface Kept {
  /** Null: there are none. */
  readonly states: Readonly<Record<string, RuleState>> | null;
  /** Alerts that have not ended. */
  readonly active: readonly AlertRecord[];
  /** Ids of those that somebody has acknowledged. */
  readonly acked: readonly string[];
  /** Notices on their way, oldest first. */
  readonly pending: readonly Notice[];
  readonly gone: readonly GoneRecord[];
}

/** What is kept is no JSON of ours: somebody else wrote there. */
function parsed<T>(text: string | null | undefined): T | null {
  return text === null || text === undefined ? null : (JSON.parse(text) as T);
}

/** Reads everything that a new process goes on from. */
export async function loadKept(db: Db, table: string): Promise<Kept> {
  const [states] = await db.query('SELECT states FROM sync_monitor.alert_state WHERE table_name = $1', [
    table,
  ]);
  const alerts = await db.query(
    `SELECT id, rule, severity, ${epochMs('starts_at')}, value, peak, threshold, reason, title, message, evidence,
       acked_at IS NOT NULL
     FROM sync_monitor.alert WHERE table_name = $1 AND ends_at IS NULL ORDER BY starts_at`,
    [table],
  );
  const notices = await db.query(
    `SELECT id, transition_id, alert_id, rule, kind, receiver, body, ${epochMs('decided_at')}, ${epochMs('due_from')},
       attempts, ${epochMs('next_at')}, reason
     FROM sync_monitor.outbox WHERE table_name = $1 AND outcome = 'pending' ORDER BY seq`,
    [table],
  );
  const gone = await db.query(
    `SELECT receiver, fingerprint, ${epochMs('at')}, reason FROM sync_monitor.receiver_gone WHERE table_name = $1`,
    [table],
  );
  return {
    states: parsed(states?.[0]),
    active: alerts.map(alertOf),
    acked: alerts.flatMap((row) => (row.at(-1) === 't' ? [String(row[0])] : [])),
    pending: notices.map(noticeOf),
    gone: gone.map(([receiver, fingerprint, at, reason]) => ({
      receiver: String(receiver),
      fingerprint: String(fingerprint),
      at: Number(at),
      reason: String(reason),
    })),
  };
}

function alertOf(row: readonly (string | null)[]): AlertRecord {
  const [id, rule, severity, startsAt, value, peak, threshold, reason, title, message, evidence] = row;
  return {
    id: String(id),
    rule: String(rule),
    severity: severity === 'critical' ? 'critical' : 'warning',
    startsAt: Number(startsAt),
    endsAt: null,
    value: msOf(value),
    peak: msOf(peak),
    threshold: Number(threshold),
    reason: String(reason),
    title: String(title),
    message: String(message),
    evidence: parsed<EvidenceWire>(evidence),
  };
}

function noticeOf(row: readonly (string | null)[]): Notice {
  const [
    id,
    transitionId,
    alertId,
    rule,
    kind,
    receiver,
    body,
    decidedAt,
    dueFrom,
    attempts,
    nextAt,
    reason,
  ] = row;
  return {
    id: String(id),
    transitionId: String(transitionId),
    alertId: String(alertId),
    rule: String(rule),
    kind: kind === 'resolved' || kind === 'reminder' ? kind : 'firing',
    receiver: String(receiver),
    body: String(body),
    decidedAt: Number(decidedAt),
    dueFrom: Number(dueFrom),
    attempts: Number(attempts),
    nextAt: Number(nextAt),
    outcome: 'pending',
    reason: reason ?? null,
    doneAt: null,
    // Looked at anew: a silence may have come or gone meanwhile.
    held: null,
  };
}

/** Of these receivers: what they were told of alerts that have not ended, oldest first. */
export async function deliveredBodies(
  db: Db,
  table: string,
  receivers: readonly string[],
): Promise<Pick<Notice, 'receiver' | 'alertId' | 'kind' | 'body'>[]> {
  if (receivers.length === 0) return [];
  const rows = await db.query(
    `SELECT o.receiver, o.alert_id, o.body FROM sync_monitor.outbox o
     JOIN sync_monitor.alert a ON a.table_name = o.table_name AND a.id = o.alert_id
     WHERE o.table_name = $1 AND o.receiver = ANY ($2::text[]) AND o.outcome = 'delivered' AND a.ends_at IS NULL
       AND o.kind IN ('firing', 'reminder') ORDER BY o.seq`,
    [table, receivers],
  );
  return rows.map(([receiver, alertId, body]) => ({
    receiver: String(receiver),
    alertId: String(alertId),
    kind: 'firing',
    body: String(body),
  }));
}

/** How long what is over is kept, and how much of it at most. */
export interface Retention {
  readonly alertDays: number;
  readonly deliveryDays: number;
  readonly rows: number;
}

export const STANDARD_RETENTION: Retention = { alertDays: 400, deliveryDays: 30, rows: 20_000 };

/** Deletes what is older, and what is more; nothing that is still needed. Gives the number of rows. */
export async function prune(
  db: Db,
  table: string,
  now: number,
  retention = STANDARD_RETENTION,
): Promise<number> {
  const before = (days: number) => new Date(now - days * 86_400_000).toISOString();
  const deliveries = before(retention.deliveryDays);
  let deleted = 0;
  for (const [sql, values] of [
    [
      // Notices of an alert that still fires tell who knows of it.
      `DELETE FROM sync_monitor.outbox o WHERE o.table_name = $1 AND o.outcome <> 'pending'
         AND (o.done_at < $2::timestamptz OR o.seq <= (SELECT seq FROM sync_monitor.outbox WHERE table_name = $1
           ORDER BY seq DESC OFFSET $3 LIMIT 1))
         AND NOT EXISTS (SELECT FROM sync_monitor.alert a WHERE a.table_name = $1 AND a.id = o.alert_id AND a.ends_at IS NULL)
       RETURNING 1`,
      [deliveries, retention.rows],
    ],
    [
      `DELETE FROM sync_monitor.delivery WHERE table_name = $1 AND (at < $2::timestamptz OR at <= (SELECT at
         FROM sync_monitor.delivery WHERE table_name = $1 ORDER BY at DESC OFFSET $3 LIMIT 1)) RETURNING 1`,
      [deliveries, retention.rows],
    ],
    [
      `DELETE FROM sync_monitor.alert WHERE table_name = $1 AND ends_at IS NOT NULL AND (ends_at < $2::timestamptz
         OR starts_at <= (SELECT starts_at FROM sync_monitor.alert WHERE table_name = $1 ORDER BY starts_at DESC OFFSET $3 LIMIT 1))
       RETURNING 1`,
      [before(retention.alertDays), retention.rows],
    ],
    [
      `DELETE FROM sync_monitor.silence WHERE table_name = $1 AND (ends_at < $2::timestamptz OR id <= (SELECT id
         FROM sync_monitor.silence WHERE table_name = $1 ORDER BY id DESC OFFSET $3 LIMIT 1) AND ends_at < now()) RETURNING 1`,
      [before(retention.alertDays), retention.rows],
    ],
  ] as const)
    deleted += (await db.query(sql, [table, ...values])).length;
  return deleted;
}
