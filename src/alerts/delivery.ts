/**
 * Sends what is in the outbox: one attempt at a time for each receiver, all receivers side by side. A receiver that is
 * not in order is left alone for a while with everything that waits for it; one notice that it does not want delays no
 * other.
 */
import type { AddressPolicy } from './address.js';
import type { Cooldown } from './cooldown.js';
import type { AlertLog } from './db.js';
import { faultFinder } from './formats.js';
import type { Journal } from './journal.js';
import type { Notice, Outcome } from './notice.js';
import { tellEnd } from './notice-end.js';
import { Outbox } from './outbox.js';
import type { Receiver } from './receivers.js';
import { nextAttempt } from './retry.js';
import { type Attempt, attempt, type Limits, redactedUrl, STANDARD_LIMITS } from './webhook.js';

export interface DeliveryOptions {
  readonly receivers: readonly Receiver[];
  readonly policy: AddressPolicy;
  readonly journal: Journal;
  readonly cooldown: Cooldown;
  readonly isSilenced: (rule: string, now: number) => boolean;
  /** Called when a receiver has a notice. */
  readonly onDelivered: (notice: Notice) => void;
  /** Called after each attempt: writes down what came of it. Never throws. */
  readonly save: () => Promise<void>;
  /** The database's clock, ms. */
  readonly clock: () => number;
  /** 0 <= random < 1 */
  readonly random: () => number;
  readonly log: AlertLog;
  readonly limits?: Limits | undefined;
  /** Notices that may wait. */
  readonly outboxLimit?: number | undefined;
}

/** How a receiver is doing, as it goes over the wire. */
export interface ReceiverView {
  readonly name: string;
  /** Without what may be secret. */
  readonly url: string;
  readonly format: string;
  readonly status: 'ok' | 'failing' | 'gone';
  /** Why it is not ok. */
  readonly reason: string | null;
  readonly pending: number;
}

export type Counted = Exclude<Outcome, 'pending'> | 'retry' | 'refused';

const OUTBOX_LIMIT = 2_000;
const AFTER_GIVING_UP_MS = 5_000;

interface Trouble {
  readonly until: number;
  readonly reason: string;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #outbox: Outbox;
  readonly #busy = new Map<string, Promise<void>>();
  readonly #failing = new Map<string, Trouble>();
  readonly #gone = new Map<string, string>();
  readonly #stopping = new AbortController();
  /** Failed attempts (`retry`, `refused`) and ended notices, since the start. */
  readonly counts: Record<Counted, number> = {
    ...{ delivered: 0, retry: 0, refused: 0, gone: 0, given_up: 0 },
    ...{ silenced: 0, rate_limited: 0, superseded: 0, dropped: 0, no_receiver: 0 },
  };

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#outbox = new Outbox({
      limit: options.outboxLimit ?? OUTBOX_LIMIT,
      changed: (notice) => options.journal.notice(notice),
      ended: (notice) => this.#ended(notice),
    });
  }

  get pending(): number {
    return this.#outbox.size;
  }

  receivers(): ReceiverView[] {
    return this.#options.receivers.map(({ name, url, choice }) => {
      const gone = this.#gone.get(name);
      const failing = this.#failing.get(name);
      return {
        name,
        url: redactedUrl(url),
        format: choice.format,
        status: gone !== undefined ? 'gone' : failing ? 'failing' : 'ok',
        reason: gone ?? failing?.reason ?? null,
        pending: this.#outbox.of(name).length,
      };
    });
  }

  /** Takes over what is left from before a restart; a receiver that said 410 under another address is tried again. */
  restore(
    pending: readonly Notice[],
    gone: readonly { receiver: string; fingerprint: string; reason: string }[],
  ): void {
    const known = new Map(this.#options.receivers.map((receiver) => [receiver.name, receiver]));
    for (const { receiver, fingerprint, reason } of gone)
      if (known.get(receiver)?.fingerprint === fingerprint) this.#gone.set(receiver, reason);
    for (const notice of pending) {
      this.#outbox.restore(notice);
      this.#endWhereNobodyListens(notice);
    }
  }

  add(notice: Notice): void {
    this.#outbox.add(notice);
    this.#endWhereNobodyListens(notice);
  }

  /** Sends all that may be sent now, and waits for it. */
  async round(): Promise<void> {
    await Promise.all(this.#options.receivers.map((receiver) => this.#work(receiver)));
  }

  /** Begins to send what may be sent now; `done` after each receiver that is through with it. */
  begin(done: () => void): void {
    for (const receiver of this.#options.receivers) {
      // One that is busy goes on by itself as long as there is something.
      if (!this.#busy.has(receiver.name) && this.#dueAt(receiver.name) <= this.#options.clock())
        void this.#work(receiver).then(done);
    }
  }

  /** When something is to be done, ms; Infinity where nothing waits for a time. */
  nextTime(): number {
    return Math.min(
      Number.POSITIVE_INFINITY,
      ...this.#options.receivers
        .filter(({ name }) => !this.#busy.has(name))
        .map(({ name }) => this.#dueAt(name)),
    );
  }

  /** Breaks off what is under way: it stays in the outbox. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#busy.values());
  }

  #dueAt(name: string): number {
    const next = this.#outbox.nextTime(name);
    return next === null ? Number.POSITIVE_INFINITY : Math.max(next, this.#failing.get(name)?.until ?? next);
  }

  #work(receiver: Receiver): Promise<void> {
    const busy = this.#busy.get(receiver.name);
    if (busy) return busy;
    const work = this.#drain(receiver)
      .catch((error: unknown) =>
        this.#options.log.error(
          { event_type: 'alert_delivery_error', receiver: receiver.name, error },
          'the delivery of notices stumbled; it goes on with the next round',
        ),
      )
      .finally(() => this.#busy.delete(receiver.name));
    this.#busy.set(receiver.name, work);
    return work;
  }

  async #drain(receiver: Receiver): Promise<void> {
    const { clock, isSilenced, save } = this.#options;
    while (!this.#stopping.signal.aborted) {
      const now = clock();
      if ((this.#failing.get(receiver.name)?.until ?? now) > now) return;
      const notice = this.#outbox.next(receiver.name, now, ({ rule }) => isSilenced(rule, now));
      if (!notice) return;
      if (await this.#keptBack(notice, now)) continue;
      await this.#attempt(receiver, notice);
      await save();
    }
  }

  /** Asks the shared rate limit, once for each notice: before its first attempt. */
  async #keptBack(notice: Notice, now: number): Promise<boolean> {
    const { cooldown } = this.#options;
    const { rule, transitionId, dueFrom, kind, attempts } = notice;
    if (attempts > 0) return false;
    if (kind !== 'firing') {
      await cooldown.take(rule, transitionId, dueFrom, now);
      return false;
    }
    // A notice that waited asks for its place from now on.
    const from = notice.held === null ? dueFrom : now;
    const until = await cooldown.claim(rule, transitionId, from, now);
    if (until === null) {
      this.#outbox.release(notice, now);
      return false;
    }
    this.#outbox.hold(notice, 'rate_limited', until, now);
    return true;
  }

  async #attempt(receiver: Receiver, notice: Notice): Promise<void> {
    const { policy, clock, limits = STANDARD_LIMITS, journal } = this.#options;
    const began = performance.now();
    const at = clock();
    const result = await attempt(
      {
        url: receiver.url,
        body: notice.body,
        // The receiver compares this time with its own clock and not with the database's.
        headers: { ...receiver.headers, ...receiver.sign(notice.id, new Date(), notice.body) },
        policy,
        faultIn: faultFinder(receiver.choice.format),
        now: Date.now(),
      },
      { ...limits, signal: this.#stopping.signal },
    );
    if (this.#stopping.signal.aborted && result.outcome === 'retry') return;
    notice.attempts += 1;
    journal.attempt({
      ...{ noticeId: notice.id, receiver: receiver.name, rule: notice.rule, kind: notice.kind },
      ...{ attempt: notice.attempts, at, durationMs: performance.now() - began },
      ...{ outcome: result.outcome, status: result.status },
      reason: result.outcome === 'delivered' ? null : result.reason,
    });
    this.#settle(receiver, notice, result, clock());
  }

  #settle(receiver: Receiver, notice: Notice, result: Attempt, now: number): void {
    const { log, random, onDelivered } = this.#options;
    const { name } = receiver;
    if (result.outcome === 'delivered') {
      notice.reason = null;
      this.#outbox.end(notice, 'delivered', now);
      onDelivered(notice);
      if (this.#failing.delete(name))
        log.info({ event_type: 'receiver_back', receiver: name }, `${name} takes notices again`);
      return;
    }
    if (result.outcome === 'gone') {
      this.#disable(receiver, result.reason, now);
      return;
    }
    this.counts[result.outcome] += 1;
    const next = nextAttempt({
      ...{ attempts: notice.attempts, createdAt: notice.dueFrom, now, random: random() },
      retryAfterMs: result.outcome === 'retry' ? result.retryAfterMs : null,
    });
    const fields = { receiver: name, rule: notice.rule, reason: result.reason };
    if (result.outcome === 'refused' && notice.attempts === 1)
      log.error(
        { event_type: 'notice_refused', ...fields },
        `${name} does not accept a notice: ${result.reason}; tried again for a day, but somebody has to look`,
      );
    if (result.outcome === 'retry') {
      if (!this.#failing.has(name))
        log.warn(
          { event_type: 'receiver_failing', ...fields },
          `${name} does not take notices: ${result.reason}; trying again`,
        );
      this.#failing.set(name, { until: next ?? now + AFTER_GIVING_UP_MS, reason: result.reason });
    }
    this.#outbox.failed(notice, result.reason, next, now);
  }

  #disable({ name, fingerprint }: Receiver, reason: string, now: number): void {
    this.#gone.set(name, reason);
    this.#failing.delete(name);
    this.#options.journal.gone({ receiver: name, fingerprint, at: now, reason });
    this.#options.log.error(
      { event_type: 'receiver_gone', receiver: name, reason },
      `${name} answered 410 and is told nothing any more, until its address is changed`,
    );
    for (const notice of this.#outbox.of(name)) {
      notice.reason = reason;
      this.#outbox.end(notice, 'gone', now);
    }
  }

  #endWhereNobodyListens(notice: Notice): void {
    const reason = this.#gone.get(notice.receiver);
    if (reason !== undefined) {
      notice.reason = reason;
      this.#outbox.end(notice, 'gone', this.#options.clock());
    } else if (!this.#options.receivers.some(({ name }) => name === notice.receiver)) {
      this.#outbox.end(notice, 'no_receiver', this.#options.clock());
    }
  }

  #ended(notice: Notice): void {
    if (notice.outcome === 'pending') return;
    this.counts[notice.outcome] += 1;
    tellEnd(notice, this.#options.log);
  }
}
