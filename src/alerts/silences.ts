/** Silences: nobody is told of a rule (or of any) for a time, with a reason. Times are ms of the database's clock. */
import type { SilenceRequest, SilenceWire } from '../../streams/alerts-view.js';
import { maskText } from '../../streams/mask.js';
import { type Db, epochMs, storable } from './db.js';

/** Not possible as asked. The message names the value and what is allowed. */
export class SilenceError extends Error {
  readonly code = 'invalid_silence';
}

/** In force at one time; more than anybody means to have. */
const MOST_SILENCES = 500;
const LONGEST_MS = 366 * 86_400_000;
const REASON_LIMIT = 500;

const COLUMNS = `id, rule, ${epochMs('starts_at')}, ${epochMs('ends_at')}, reason, created_by, ${epochMs('created_at')}`;

/** Those that have not ended, the one that ends first first; with `past` also those that have, newest first. */
export async function listSilences(db: Db, table: string, now: number, past = false): Promise<SilenceWire[]> {
  const rows = await db.query(
    `SELECT ${COLUMNS} FROM sync_monitor.silence WHERE table_name = $1 AND ($3 OR ends_at > $2::timestamptz)
     ORDER BY ends_at <= $2::timestamptz, CASE WHEN ends_at > $2::timestamptz THEN ends_at END, ends_at DESC LIMIT $4`,
    [table, new Date(now).toISOString(), past, MOST_SILENCES],
  );
  return rows.map((row) => silenceOf(row, now));
}

/**
 * Silences a rule.
 * @param rules names that may be silenced, besides `*`
 * @throws SilenceError
 */
export async function createSilence(
  db: Db,
  table: string,
  silence: SilenceRequest,
  rules: readonly string[],
  now: number,
): Promise<SilenceWire> {
  const { rule, startsAt = now, endsAt, reason, createdBy } = silence;
  if (rule !== '*' && !rules.includes(rule))
    throw new SilenceError(
      `rule is ${JSON.stringify(rule.slice(0, 60))}; allowed: * or one of ${rules.join(', ')}`,
    );
  if (!Number.isFinite(startsAt) || !(endsAt > Math.max(now, startsAt)))
    throw new SilenceError('the silence ends before it begins, or has ended; allowed: an end in the future');
  if (endsAt - now > LONGEST_MS)
    throw new SilenceError('the silence is too long; allowed: up to a year from now');
  const why = maskText(reason, REASON_LIMIT).trim();
  if (why === '') throw new SilenceError('reason is empty; allowed: why nobody shall be told');
  const rows = await db.query(
    `INSERT INTO sync_monitor.silence (table_name, rule, starts_at, ends_at, reason, created_by)
     SELECT $1, $2, $3::timestamptz, $4::timestamptz, $5, $6 WHERE $7 > (SELECT count(*) FROM sync_monitor.silence
       WHERE table_name = $1 AND ends_at > $8::timestamptz)
     RETURNING ${COLUMNS}`,
    [
      ...[table, rule, new Date(startsAt).toISOString(), new Date(endsAt).toISOString(), plain(why)],
      ...[createdBy === null ? null : plain(maskText(createdBy)), MOST_SILENCES, new Date(now).toISOString()],
    ],
  );
  const [row] = rows;
  if (!row) throw new SilenceError(`there are ${MOST_SILENCES} silences already; end one first`);
  return silenceOf(row, now);
}

/** Ends a silence now. Null where there is none of that id that has not ended. */
export async function endSilence(
  db: Db,
  table: string,
  id: number,
  now: number,
): Promise<SilenceWire | null> {
  const [row] = await db.query(
    `UPDATE sync_monitor.silence SET ends_at = greatest($3::timestamptz, starts_at)
     WHERE table_name = $1 AND id = $2 AND ends_at > $3::timestamptz RETURNING ${COLUMNS}`,
    [table, id, new Date(now).toISOString()],
  );
  return row ? silenceOf(row, now) : null;
}

/** Whether nobody is to be told of this rule now. */
export function isSilenced(silences: readonly SilenceWire[], rule: string, now: number): boolean {
  return silences.some(
    (one) =>
      (one.rule === '*' || one.rule === rule) &&
      Date.parse(one.starts_at) <= now &&
      now < Date.parse(one.ends_at),
  );
}

function silenceOf(row: readonly (string | null)[], now: number): SilenceWire {
  const [id, rule, startsAt, endsAt, reason, createdBy, createdAt] = row;
  const iso = (ms: string | null | undefined) => new Date(Number(ms)).toISOString();
  return {
    id: Number(id),
    rule: String(rule),
    starts_at: iso(startsAt),
    ends_at: iso(endsAt),
    reason: String(reason),
    created_by: createdBy ?? null,
    created_at: iso(createdAt),
    active: Number(startsAt) <= now && now < Number(endsAt),
  };
}

function plain(text: string): string {
  return JSON.parse(storable(text)) as string;
}
