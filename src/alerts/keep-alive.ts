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

export class KeepAlive {
  readonly #receivers: readonly Receiver[];
  readonly #policy: AddressPolicy;
  readonly #log: AlertLog;
  /** By receiver and alert: what was posted for it. */
  readonly #told = new Map<string, Map<string, string>>();
  readonly #failing = new Set<string>();

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
  told({ receiver, alertId, kind, body }: Pick<Notice, 'receiver' | 'alertId' | 'kind' | 'body'>): void {
    if (!this.#receivers.some(({ name }) => name === receiver)) return;
    const alerts = this.#told.get(receiver) ?? new Map<string, string>();
    if (kind === 'resolved') alerts.delete(alertId);
    else alerts.set(alertId, body);
    this.#told.set(receiver, alerts);
  }

  /** Tells once more. Never throws. */
  async renew(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#receivers.map((receiver) => this.#renewAt(receiver, signal)));
  }

  async #renewAt(receiver: Receiver, signal: AbortSignal): Promise<void> {
    const alerts = [...(this.#told.get(receiver.name)?.values() ?? [])];
    if (alerts.length === 0) return;
    const body = `[${alerts.map((one) => one.trim().slice(1, -1)).join(',')}]`;
    const at = new Date();
    const headers = { ...receiver.headers, ...receiver.sign(`keep_alive_${at.getTime()}`, at, body) };
    const result = await attempt(
      { url: receiver.url, body, headers, policy: this.#policy, now: at.getTime() },
      { timeoutMs: 10_000, signal },
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
