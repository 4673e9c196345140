/**
 * Tells Alertmanager again and again what still fires: it forgets an alert after its `resolve_timeout`, and all of them
 * when it is restarted. As with Prometheus nothing of this is kept for later: the next time says the same.
 */

import type { AddressPolicy } from './address.js';
import type { AlertLog } from './db.js';
import type { Notice } from './notice.js';
import type { Receiver } from './receivers.js';
import { attempt } from './webhook.js';

/** A fifth of Alertmanager's own `resolve_timeout`. ms */
export const KEEP_ALIVE_MS = 60_000;
/** An attempt takes no longer. ms */
const TIMEOUT_MS = 10_000;

interface Renewal {
  /** Alerts that it says fire. */
  readonly alertIds: ReadonlySet<string>;
  readonly running: Promise<void>;
  readonly signal: AbortSignal;
  /** Monotonic ms; null while it runs. */
  endedAt: number | null;
}

export class KeepAlive {
  readonly #receivers: readonly Receiver[];
  readonly #policy: AddressPolicy;
  readonly #log: AlertLog;
  /** By receiver and alert: what was posted for it. */
  readonly #told = new Map<string, Map<string, string>>();
  readonly #failing = new Set<string>();
  /** By receiver, the last one. */
  readonly #renewals = new Map<string, Renewal>();

  constructor(receivers: readonly Receiver[], policy: AddressPolicy, log: AlertLog) {
    this.#receivers = receivers.filter(({ choice }) => choice.format === 'alertmanager');
    this.#policy = policy;
    this.#log = log;
  }

  /** Names of the receivers that have to be told again and again. */
  get receivers(): string[] {
    return this.#receivers.map(({ name }) => name);
  }

  /** A receiver has this notice. */
  told(notice: Pick<Notice, 'receiver' | 'alertId' | 'kind' | 'body'>): void {
    const { alertId, kind, body } = notice;
    const receiver = this.#receivers.find(({ name }) => name === notice.receiver);
    if (!receiver) return;
    const alerts = this.#told.get(receiver.name) ?? new Map<string, string>();
    this.#told.set(receiver.name, alerts);
    if (kind !== 'resolved') alerts.set(alertId, body);
    else if (alerts.delete(alertId)) void this.#resolveAgain(receiver, alertId, body);
  }

  /** Tells once more. Never throws. */
  async renew(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#receivers.map((receiver) => this.#renewAt(receiver, signal)));
  }

  async #renewAt(receiver: Receiver, signal: AbortSignal): Promise<void> {
    const alerts = this.#told.get(receiver.name);
    if (!alerts?.size) return;
    const body = `[${Array.from(alerts.values(), (one) => one.trim().slice(1, -1)).join(',')}]`;
    const running = this.#post(receiver, body, signal);
    const renewal: Renewal = { alertIds: new Set(alerts.keys()), running, signal, endedAt: null };
    this.#renewals.set(receiver.name, renewal);
    await running;
    renewal.endedAt = performance.now();
  }

  /**
   * A renewal that was on its way together with the news that an alert is over may have come in last, and then the alert
   * would fire there until its time-out: so that news is told once more.
   */
  async #resolveAgain(receiver: Receiver, alertId: string, body: string): Promise<void> {
    const renewal = this.#renewals.get(receiver.name);
    if (!renewal?.alertIds.has(alertId)) return;
    if (renewal.endedAt !== null && performance.now() - renewal.endedAt > TIMEOUT_MS) return;
    await renewal.running;
    // It fires again: then that is the news.
    if (!this.#told.get(receiver.name)?.has(alertId)) await this.#post(receiver, body, renewal.signal);
  }

  async #post(receiver: Receiver, body: string, signal: AbortSignal): Promise<void> {
    const at = new Date();
    const headers = { ...receiver.headers, ...receiver.sign(`keep_alive_${at.getTime()}`, at, body) };
    const result = await attempt(
      { url: receiver.url, body, headers, policy: this.#policy, now: at.getTime() },
      { timeoutMs: TIMEOUT_MS, signal },
    );
    if (signal.aborted) return;
    const fields = { event_type: 'keep_alive', receiver: receiver.name };
    if (result.outcome === 'delivered') {
      if (this.#failing.delete(receiver.name))
        this.#log.info(fields, `${receiver.name} hears again what still fires`);
    } else if (!this.#failing.has(receiver.name)) {
      this.#failing.add(receiver.name);
      this.#log.warn(fields, `${receiver.name} could not be told what still fires: ${result.reason}`);
    }
  }
}
