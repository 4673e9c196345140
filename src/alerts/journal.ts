/**
 * Writes down what is in memory, so that nothing is lost with the process: the newest state of whatever changed, in one
 * statement, so that a decision and its notices are kept together or not at all. While the database does not answer,
 * changes gather here, as many as there are alerts and notices in memory.
 */
import type { RuleState, Severity } from '../../streams/alert.js';
import type { EvidenceWire } from '../../streams/alerts-view.js';
import { type Db, storable } from './db.js';
import type { Notice, NoticeKind } from './notice.js';

/** An alert over its whole life. Times are ms of the database's clock. */
export interface AlertRecord {
  readonly id: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly startsAt: number;
  readonly endsAt: number | null;
  readonly value: number | null;
  readonly peak: number | null;
  readonly threshold: number;
  readonly reason: string;
  /** As it was when it began to fire. */
  readonly title: string;
  readonly message: string;
  readonly evidence: EvidenceWire | null;
}

/** One line of the delivery log. */
export interface AttemptRecord {
  readonly noticeId: string;
  readonly receiver: string;
  readonly rule: string;
  readonly kind: NoticeKind;
  readonly attempt: number;
  readonly at: number;
  readonly durationMs: number;
  readonly outcome: 'delivered' | 'retry' | 'refused' | 'gone';
  readonly status: number | null;
  readonly reason: string | null;
}

export interface GoneRecord {
  readonly receiver: string;
  readonly fingerprint: string;
  readonly at: number;
  readonly reason: string;
}

/** Of each kind, what is over and waits for the database; beyond it the oldest are left out, and counted. */
const MOST_WAITING = 5_000;

interface Changes {
  states: Readonly<Record<string, RuleState>> | null;
  readonly alerts: Map<string, AlertRecord>;
  readonly notices: Map<string, Notice>;
  readonly attempts: Map<string, AttemptRecord>;
  readonly gone: Map<string, GoneRecord>;
}

export class Journal {
  readonly #db: Db;
  readonly #table: string;
  #changes = nothing();
  #writing: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  /** Records of what is over that will never be written down: the database was away for too long. */
  lost = 0;

  /** @param table the watched table, under whose name everything is kept */
  constructor(db: Db, table: string) {
    this.#db = db;
    this.#table = table;
  }

  get dirty(): boolean {
    const { states, alerts, notices, attempts, gone } = this.#changes;
    return states !== null || alerts.size + notices.size + attempts.size + gone.size > 0;
  }

  states(states: Readonly<Record<string, RuleState>>): void {
    this.#changes.states = states;
  }

  alert(alert: AlertRecord): void {
    this.#put(this.#changes.alerts, alert.id, alert, ({ endsAt }) => endsAt !== null);
  }

  notice(notice: Notice): void {
    this.#put(this.#changes.notices, notice.id, notice, ({ outcome }) => outcome !== 'pending');
  }

  gone(record: GoneRecord): void {
    this.#changes.gone.set(record.receiver, record);
  }

  attempt(record: AttemptRecord): void {
    this.#put(this.#changes.attempts, `${record.noticeId} ${record.attempt}`, record, () => true);
  }

  #put<T>(map: Map<string, T>, key: string, value: T, isOver: (value: T) => boolean): void {
    map.set(key, value);
    if (map.size <= MOST_WAITING) return;
    // What is not over is bounded by the outbox and the rules.
    for (const [oldest, one] of map) {
      if (!isOver(one)) continue;
      map.delete(oldest);
      this.lost += 1;
      return;
    }
  }

  /**
   * Writes all that changed until now. What could not be written is kept for the next time.
   * @throws what the database said
   */
  flush(): Promise<void> {
    if (this.#writing) {
      // Whoever comes while one is writing needs another one, for its changes came later; all of them need the same.
      this.#next ??= this.#writing
        .catch(() => undefined)
        .then(() => {
          this.#next = null;
          return this.flush();
        });
      return this.#next;
    }
    if (!this.dirty) return Promise.resolve();
    this.#writing = this.#write().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async #write(): Promise<void> {
    const taken = this.#changes;
    this.#changes = nothing();
    try {
      await this.#db.query(WRITE, [this.#table, storable(documentOf(taken))]);
    } catch (error) {
      this.#changes = merged(taken, this.#changes);
      throw error;
    }
  }
}

function nothing(): Changes {
  return { states: null, alerts: new Map(), notices: new Map(), attempts: new Map(), gone: new Map() };
}

function merged(older: Changes, newer: Changes): Changes {
  return {
    states: newer.states ?? older.states,
    alerts: new Map([...older.alerts, ...newer.alerts]),
    notices: new Map([...older.notices, ...newer.notices]),
    attempts: new Map([...older.attempts, ...newer.attempts]),
    gone: new Map([...older.gone, ...newer.gone]),
  };
}

function documentOf({ states, alerts, notices, attempts, gone }: Changes): unknown {
  const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  return {
    ...(states === null ? {} : { states }),
    alerts: [...alerts.values()].map((alert) => ({
      ...alert,
      starts_at: iso(alert.startsAt),
      ends_at: iso(alert.endsAt),
    })),
    notices: [...notices.values()].map((notice) => ({
      ...notice,
      transition_id: notice.transitionId,
      alert_id: notice.alertId,
      decided_at: iso(notice.decidedAt),
      due_from: iso(notice.dueFrom),
      next_at: iso(notice.nextAt),
      done_at: iso(notice.doneAt),
    })),
    attempts: [...attempts.values()].map((attempt) => ({
      ...attempt,
      notice_id: attempt.noticeId,
      duration_ms: attempt.durationMs,
      at: iso(attempt.at),
    })),
    gone: [...gone.values()].map((record) => ({ ...record, at: iso(record.at) })),
  };
}

// A notice that has ended stays so, whatever a monitor that was the leader once still believes.
const WRITE = `
WITH given AS (SELECT $2::jsonb AS doc),
states AS (
  INSERT INTO sync_monitor.alert_state (table_name, states, saved_at)
  SELECT $1, given.doc -> 'states', clock_timestamp() FROM given WHERE given.doc ? 'states'
  ON CONFLICT (table_name) DO UPDATE SET states = excluded.states, saved_at = excluded.saved_at
),
alerts AS (
  INSERT INTO sync_monitor.alert AS a (table_name, id, rule, severity, starts_at, ends_at, value, peak, threshold, reason,
    title, message, evidence)
  SELECT $1, one.* FROM given, jsonb_to_recordset(given.doc -> 'alerts') AS one (id text, rule text, severity text,
    starts_at timestamptz, ends_at timestamptz, value float8, peak float8, threshold float8, reason text, title text,
    message text, evidence jsonb)
  ON CONFLICT (table_name, id) DO UPDATE SET ends_at = coalesce(excluded.ends_at, a.ends_at), value = excluded.value,
    peak = excluded.peak, reason = excluded.reason
),
notices AS (
  INSERT INTO sync_monitor.outbox AS o (table_name, id, transition_id, alert_id, rule, kind, receiver, body, decided_at,
    due_from, attempts, next_at, outcome, reason, done_at)
  SELECT $1, one.* FROM given, jsonb_to_recordset(given.doc -> 'notices') AS one (id text, transition_id text,
    alert_id text, rule text, kind text, receiver text, body text, decided_at timestamptz, due_from timestamptz,
    attempts integer, next_at timestamptz, outcome text, reason text, done_at timestamptz)
  ON CONFLICT (table_name, id) DO UPDATE SET due_from = excluded.due_from, attempts = excluded.attempts,
    next_at = excluded.next_at, outcome = excluded.outcome, reason = excluded.reason, done_at = excluded.done_at
    WHERE o.outcome = 'pending'
),
gone AS (
  INSERT INTO sync_monitor.receiver_gone (table_name, receiver, fingerprint, at, reason)
  SELECT $1, one.* FROM given, jsonb_to_recordset(given.doc -> 'gone') AS one (receiver text, fingerprint text,
    at timestamptz, reason text)
  ON CONFLICT (table_name, receiver) DO UPDATE
    SET fingerprint = excluded.fingerprint, at = excluded.at, reason = excluded.reason
)
INSERT INTO sync_monitor.delivery (table_name, notice_id, receiver, rule, kind, attempt, at, duration_ms, outcome, status,
  reason)
SELECT $1, one.* FROM given, jsonb_to_recordset(given.doc -> 'attempts') AS one (notice_id text, receiver text, rule text,
  kind text, attempt integer, at timestamptz, duration_ms float8, outcome text, status integer, reason text)
ON CONFLICT DO NOTHING`;
