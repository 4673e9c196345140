import { randomUUID } from 'node:crypto';
import pgListen, { type Subscriber as AnySubscriber } from 'pg-listen';
import { clientConfig } from './connection.js';

type Subscriber = AnySubscriber<Record<string, string>>;

export interface ListenerOptions {
  readonly url: string;
  /** The bell's channel. */
  readonly channel: string;
  /** A nonce is sent to ourselves when nothing was heard for this long. ms. */
  readonly proveEveryMs?: number;
  /** A nonce that takes longer condemns the listener. ms. */
  readonly proofTimeoutMs?: number;
  readonly onBell: () => void;
  /** Proven (again), or no longer. */
  readonly onChange: (proven: boolean, reason: string) => void;
}

/**
 * Hears the bell, and proves that it can: `connected` fires before LISTEN is in force and a half-open socket looks
 * healthy from this side, so only a nonce that came back through NOTIFY counts. A listener in doubt is thrown away
 * whole and made anew, for ever, with jittered backoff.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #nonceChannel = `sync_monitor_nonce_${randomUUID().replaceAll('-', '')}`;
  #subscriber: Subscriber | undefined;
  #timer: NodeJS.Timeout | undefined;
  #attempt = 0;
  #stopped = false;
  #proven = false;
  #provenAt: number | null = null;
  #restarts = 0;
  #awaited: string | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  get proven(): boolean {
    return this.#proven;
  }

  /** This host's clock, ms. */
  get provenAt(): number | null {
    return this.#provenAt;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Begins to connect; never throws, tries for ever. */
  start(): void {
    this.#stopped = false;
    void this.#connect();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const subscriber = this.#subscriber;
    this.#subscriber = undefined;
    this.#proven = false;
    if (subscriber) await discard(subscriber);
  }

  async #connect(): Promise<void> {
    // One life only: pg-listen's own reconnecting gives up after a while and cannot see a half-open socket.
    const subscriber = pgListen.default<Record<string, string>>(clientConfig(this.#options.url), {
      retryLimit: 1,
      retryTimeout: 1,
      paranoidChecking: false,
      // Any role can NOTIFY; a payload is never parsed.
      parse: (payload: string) => payload,
      serialize: (payload: string) => payload,
    });
    this.#subscriber = subscriber;
    subscriber.events.on('error', (error: Error) => this.#condemn(subscriber, error.message));
    subscriber.events.on('reconnect', () => this.#condemn(subscriber, 'the connection ended'));
    subscriber.notifications.on(this.#options.channel, () => {
      if (this.#subscriber !== subscriber) return;
      this.#heard();
      this.#options.onBell();
    });
    subscriber.notifications.on(this.#nonceChannel, (payload) => {
      if (this.#subscriber === subscriber && payload === this.#awaited) this.#prove();
    });
    // The connect itself may hang on a dead network; the proof's deadline covers it.
    this.#timer = setTimeout(() => this.#condemn(subscriber, 'not connected in time'), 10_000);
    try {
      await subscriber.connect();
      await subscriber.listenTo(this.#options.channel);
      await subscriber.listenTo(this.#nonceChannel);
      if (this.#subscriber === subscriber) await this.#challenge(subscriber);
    } catch (error) {
      this.#condemn(subscriber, error instanceof Error ? error.message : String(error));
    }
  }

  /** Sends a nonce and waits for it to come back. */
  async #challenge(subscriber: Subscriber): Promise<void> {
    this.#awaited = randomUUID();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#condemn(subscriber, 'its nonce did not come back'),
      this.#options.proofTimeoutMs ?? 4_000,
    );
    await subscriber.notify(this.#nonceChannel, this.#awaited);
  }

  #prove(): void {
    this.#awaited = undefined;
    this.#attempt = 0;
    this.#provenAt = Date.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#renew(), this.#options.proveEveryMs ?? 9_000);
    if (this.#proven) return;
    this.#proven = true;
    this.#options.onChange(true, 'its nonce came back');
  }

  /** A bell proves that the socket lives: the next challenge is due one interval later. */
  #heard(): void {
    if (!this.#proven || this.#awaited !== undefined) return;
    this.#provenAt = Date.now();
    this.#timer?.refresh();
  }

  #renew(): void {
    const subscriber = this.#subscriber;
    if (!subscriber) return;
    this.#challenge(subscriber).catch((error: unknown) =>
      this.#condemn(subscriber, error instanceof Error ? error.message : String(error)),
    );
  }

  #condemn(subscriber: Subscriber, reason: string): void {
    if (this.#subscriber !== subscriber) return;
    this.#subscriber = undefined;
    this.#awaited = undefined;
    clearTimeout(this.#timer);
    void discard(subscriber);
    this.#restarts++;
    const was = this.#proven;
    this.#proven = false;
    if (was) this.#options.onChange(false, reason);
    if (this.#stopped) return;
    const pause = Math.min(5_000, 50 * 2 ** Math.min(this.#attempt++, 7)) * (0.5 + Math.random());
    this.#timer = setTimeout(() => void this.#connect(), pause);
  }
}

/** Closes a subscriber without waiting for a socket that may be dead. */
async function discard(subscriber: Subscriber): Promise<void> {
  // Its late errors are those of a connection nobody uses any more.
  subscriber.events.removeAllListeners('error').removeAllListeners('reconnect');
  subscriber.events.on('error', () => undefined);
  await Promise.race([
    subscriber.close().catch(() => undefined),
    new Promise((resolve) => setTimeout(resolve, 500).unref()),
  ]);
}
