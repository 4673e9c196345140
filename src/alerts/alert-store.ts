/** Alerts as they go over the wire, and what people do about them. Times are ms of the database's clock. */
import type { AckWire, AlertQuery, AlertWire, EvidenceWire } from '../../streams/alerts-view.js';
import { maskText } from '../../streams/mask.js';
import { type Db, epochMs, storable } from './db.js';

export interface AttemptView {
  readonly at: string;
  readonly notice_id: string;
  readonly receiver: string;
  readonly rule: string;
  readonly kind: string;
  readonly attempt: number;
  readonly outcome: string;
  readonly status: number | null;
  readonly duration_ms: number;
  readonly reason: string | null;
}

const MOST = 500;
const NOTE_LIMIT = 500;
const COLUMNS = `id, rule, severity, ${epochMs('starts_at')}, ${epochMs('ends_at')}, value, peak, threshold, reason, title,
  message, evidence, ${epochMs('acked_at')}, acked_by, ack_note`;

/** Alerts, newest first. */
export async function listAlerts(
  db: Db,
  table: string,
  query: AlertQuery,
  now: number,
): Promise<AlertWire[]> {
  const rows = await db.query(
    `SELECT ${COLUMNS} FROM sync_monitor.alert WHERE table_name = $1
       AND ($2 = 'all' OR (ends_at IS NULL) = ($2 = 'active'))
       AND ($3::text IS NULL OR rule = $3) AND ($4::timestamptz IS NULL OR starts_at < $4::timestamptz)
     ORDER BY starts_at DESC, id LIMIT $5`,
    [
      ...[table, query.state, query.rule ?? null],
      query.before === undefined ? null : new Date(query.before).toISOString(),
      Math.min(query.limit, MOST),
    ],
  );
  return rows.map((row) => viewOf(row, now));
}

/** Somebody has it in hand: no reminders from now on. The first one stays. Null where there is no such alert. */
export async function acknowledge(
  db: Db,
  table: string,
  id: string,
  ack: Pick<AckWire, 'by' | 'note'>,
  now: number,
): Promise<AlertWire | null> {
  const clean = (text: string | null) =>
    text === null ? null : (JSON.parse(storable(maskText(text, NOTE_LIMIT))) as string);
  const [row] = await db.query(
    `UPDATE sync_monitor.alert SET acked_by = CASE WHEN acked_at IS NULL THEN $3 ELSE acked_by END,
       ack_note = CASE WHEN acked_at IS NULL THEN $4 ELSE ack_note END, acked_at = coalesce(acked_at, $5::timestamptz)
     WHERE table_name = $1 AND id = $2 RETURNING ${COLUMNS}`,
    [table, id, clean(ack.by), clean(ack.note), new Date(now).toISOString()],
  );
  return row ? viewOf(row, now) : null;
}

/** Alerts that fire and that somebody has in hand. */
export async function ackedIds(db: Db, table: string): Promise<string[]> {
  const rows = await db.query(
    'SELECT id FROM sync_monitor.alert WHERE table_name = $1 AND ends_at IS NULL AND acked_at IS NOT NULL',
    [table],
  );
  return rows.map(([id]) => String(id));
}

/** The delivery log, newest first. */
export async function listAttempts(
  db: Db,
  table: string,
  query: { readonly receiver?: string | undefined; readonly limit: number },
): Promise<AttemptView[]> {
  const rows = await db.query(
    `SELECT ${epochMs('at')}, notice_id, receiver, rule, kind, attempt, outcome, status, duration_ms, reason
     FROM sync_monitor.delivery WHERE table_name = $1 AND ($2::text IS NULL OR receiver = $2)
     ORDER BY at DESC, attempt DESC LIMIT $3`,
    [table, query.receiver ?? null, Math.min(query.limit, MOST)],
  );
  return rows.map(([at, notice_id, receiver, rule, kind, attempt, outcome, status, duration_ms, reason]) => ({
    at: new Date(Number(at)).toISOString(),
    notice_id: String(notice_id),
    receiver: String(receiver),
    rule: String(rule),
    kind: String(kind),
    attempt: Number(attempt),
    outcome: String(outcome),
    status: numberOrNull(status),
    duration_ms: Number(duration_ms),
    reason: reason ?? null,
  }));
}

function viewOf(row: readonly (string | null)[], now: number): AlertWire {
  const [id, rule, severity, startsAt, endsAt, value, peak, threshold, reason, title, message, evidence] =
    row;
  const [ackedAt, ackedBy, note] = row.slice(12);
  const iso = (ms: string) => new Date(Number(ms)).toISOString();
  const end = numberOrNull(endsAt);
  return {
    id: String(id),
    rule: String(rule),
    severity: severity === 'critical' ? 'critical' : 'warning',
    state: end === null ? 'firing' : 'resolved',
    title: String(title),
    message: String(message),
    starts_at: iso(String(startsAt)),
    ends_at: end === null ? null : new Date(end).toISOString(),
    duration_seconds: Math.max(0, ((end ?? now) - Number(startsAt)) / 1_000),
    value: numberOrNull(value),
    peak: numberOrNull(peak),
    threshold: Number(threshold),
    reason: String(reason),
    evidence: evidence === null || evidence === undefined ? null : (JSON.parse(evidence) as EvidenceWire),
    ack:
      ackedAt === null || ackedAt === undefined
        ? null
        : { at: iso(ackedAt), by: ackedBy ?? null, note: note ?? null },
  };
}

function numberOrNull(text: string | null | undefined): number | null {
  return text === null || text === undefined ? null : Number(text);
}
