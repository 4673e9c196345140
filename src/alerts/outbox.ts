/**
 * The notices on their way, in memory: which one goes next, and which need not go at all. No clock, no socket, no
 * database; journal.ts keeps what is here, so that a restart begins where this ended.
 */
import type { Notice, Outcome } from './notice.js';
import { GIVE_UP_AFTER_MS } from './retry.js';

/** A last attempt is planned for the very end of the day; timers are late. ms */
const GRACE_MS = 60_000;
/** How often what a silence holds is looked at again: it can be ended early. */
const RECHECK_MS = 5_000;

export interface OutboxOptions {
  /** Notices that may wait; beyond it the oldest are dropped, reminders first. */
  readonly limit: number;
  /** Called for everything that changed, so that it is written down. */
  readonly changed: (notice: Notice) => void;
  /** Called once for each that ended, before `changed`. */
  readonly ended: (notice: Notice) => void;
}

export class Outbox {
  readonly #options: OutboxOptions;
  /** Pending ones only, in the order in which they were decided on. */
  readonly #pending = new Map<string, Notice>();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Puts a notice in, and ends those that it makes pointless. One that is here already is the same notice. */
  add(notice: Notice): void {
    if (this.#pending.has(notice.id)) return;
    const earlier = this.of(notice.receiver).filter(({ alertId }) => alertId === notice.alertId);
    for (const one of earlier) {
      if (one.kind === 'reminder' && one.attempts === 0) this.end(one, 'superseded', notice.dueFrom);
    }
    const unsaid = earlier.find(({ kind, attempts, held }) => kind === 'firing' && attempts === 0 && held);
    this.#pending.set(notice.id, notice);
    if (notice.kind === 'resolved' && unsaid?.held) {
      this.#endUnsaid(unsaid, notice, unsaid.held, notice.dueFrom);
      return;
    }
    this.#options.changed(notice);
    if (this.#pending.size > this.#options.limit) this.#dropOne(notice.dueFrom);
  }

  /** What is left from before a restart. */
  restore(notice: Notice): void {
    this.#pending.set(notice.id, notice);
  }

  of(receiver: string): Notice[] {
    return [...this.#pending.values()].filter((notice) => notice.receiver === receiver);
  }

  all(): Iterable<Notice> {
    return this.#pending.values();
  }

  /** The notice to attempt now; null for none. Notices of one rule never overtake each other. */
  next(receiver: string, now: number, isSilenced: (notice: Notice) => boolean): Notice | null {
    const waiting = new Set<string>();
    for (const notice of this.of(receiver)) {
      // Ended together with one before it.
      if (notice.outcome !== 'pending') continue;
      if (now >= notice.dueFrom + GIVE_UP_AFTER_MS + GRACE_MS && notice.held === null) {
        this.end(notice, 'given_up', now);
        continue;
      }
      if (waiting.has(notice.rule)) continue;
      if (notice.nextAt <= now && this.#mayGo(notice, now, isSilenced)) return notice;
      // Held back, or its time has not come; or it ended just now, and the next one of its rule may go.
      if (notice.outcome === 'pending') waiting.add(notice.rule);
    }
    return null;
  }

  /** When something may have to be done for this receiver; null where nothing waits. */
  nextTime(receiver: string): number | null {
    let next: number | null = null;
    const seen = new Set<string>();
    for (const { rule, nextAt } of this.of(receiver)) {
      // Later ones of the rule wait for this one, whatever their own time.
      if (seen.has(rule)) continue;
      seen.add(rule);
      if (next === null || nextAt < next) next = nextAt;
    }
    return next;
  }

  /** Silences hold what has not been said yet; the end of what was said goes through. */
  #mayGo(notice: Notice, now: number, isSilenced: (notice: Notice) => boolean): boolean {
    const speaks = notice.kind !== 'resolved';
    if (speaks && notice.attempts === 0 && isSilenced(notice)) {
      if (notice.kind === 'reminder') this.end(notice, 'silenced', now);
      else this.hold(notice, 'silenced', now + RECHECK_MS, now);
      return false;
    }
    if (notice.held === 'silenced') this.release(notice, now);
    return true;
  }

  /** Keeps a notice back until then; for good where the alert is over by now. */
  hold(notice: Notice, why: 'silenced' | 'rate_limited', until: number, now: number): void {
    const over = this.of(notice.receiver).find(
      ({ alertId, kind }) => alertId === notice.alertId && kind === 'resolved',
    );
    if (over) {
      this.#endUnsaid(notice, over, why, now);
      return;
    }
    const again = notice.held === why && why === 'silenced';
    notice.held = why;
    notice.nextAt = Math.max(notice.nextAt, until);
    notice.reason = why === 'silenced' ? 'held back by a silence' : 'held back by the shared rate limit';
    // Looking at a silence again is nothing to write down.
    if (!again) this.#options.changed(notice);
  }

  /** The receiver was never told that it fires: it needs not be told that it does not. */
  #endUnsaid(firing: Notice, resolved: Notice, why: 'silenced' | 'rate_limited', now: number): void {
    this.end(firing, why, now);
    this.end(resolved, why, now);
  }

  /** Nothing holds it any more: its day begins now. */
  release(notice: Notice, now: number): void {
    if (notice.held === null) return;
    notice.held = null;
    notice.reason = null;
    notice.dueFrom = now;
    this.#options.changed(notice);
  }

  /** An attempt failed. @param nextAt null: there is none */
  failed(notice: Notice, reason: string, nextAt: number | null, now: number): void {
    notice.reason = reason;
    if (nextAt === null) {
      this.end(notice, 'given_up', now);
      return;
    }
    notice.nextAt = nextAt;
    this.#options.changed(notice);
  }

  end(notice: Notice, outcome: Exclude<Outcome, 'pending'>, now: number): void {
    if (!this.#pending.delete(notice.id)) return;
    notice.outcome = outcome;
    notice.doneAt = now;
    this.#options.ended(notice);
    this.#options.changed(notice);
  }

  #dropOne(now: number): void {
    const all = [...this.#pending.values()];
    const victim = all.find(({ kind }) => kind === 'reminder') ?? all[0];
    if (victim) this.end(victim, 'dropped', now);
  }
}
