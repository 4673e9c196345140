/**
 * The WebSocket hub at /ws: takes what the monitor emits to all clients.
 * Events go out in the very call in which they were folded when it is quiet, and at most `eventBatchMs` later under
 * load. Snapshots go out at most 4 a second, only when they say something new, and only the newest.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Subscription as RxSubscription } from 'rxjs';
import { WebSocketServer } from 'ws';
import type { AlertMessage, AlertsView } from '../../streams/alerts-view.js';
import { type CelerySummary, celerySummary } from '../../streams/celery-summary.js';
import type { FeedEvent } from '../../streams/event.js';
import { LiveClient, type LiveCounters } from './client.js';
import { EventFlush, SnapshotFrame } from './frames.js';
import { LIVE_LIMITS, type LiveLimits } from './limits.js';
import { liveHealth } from './live-health.js';
import { PROTOCOL } from './messages.js';
import type { Session } from './session.js';
import type { MonitorView } from './view.js';
import { textFrame } from './wire.js';

export interface LiveStats extends Readonly<LiveCounters> {
  readonly clients: number;
}

export interface LiveHubOptions {
  readonly limits?: Partial<LiveLimits>;
  /** Told when a stream of the monitor ends in an error; the clients stay connected. */
  readonly onError: (error: unknown, where: string) => void;
}

// Events waiting for company; a batch that makes it more goes out at once.
const PENDING_EVENTS = 500;
// A message longer than LiveLimits.messageBytes is answered with what is wrong; beyond this it is not even read.
const MAX_PAYLOAD_BYTES = 256 * 1024;
const CLOSE_TIMEOUT_MS = 2_000;
const SIGNED_OUT = 'the session has ended';

export class LiveHub {
  readonly #view: MonitorView;
  readonly #limits: LiveLimits;
  readonly #onError: LiveHubOptions['onError'];
  readonly #server: WebSocketServer;
  readonly #clients = new Set<LiveClient>();
  /** Whose page opened a client, where it was a page that somebody signed in on. */
  readonly #sessions = new WeakMap<LiveClient, Pick<Session, 'id' | 'expiresAt'>>();
  readonly #counters: LiveCounters = {
    droppedEvents: 0,
    skippedSnapshots: 0,
    faults: 0,
    closedSlow: 0,
    closedSilent: 0,
    socketErrors: 0,
  };
  readonly #snapshot = new SnapshotFrame();
  readonly #subscriptions: RxSubscription[];
  readonly #sweepTimer: NodeJS.Timeout;
  #snapshotTimer: NodeJS.Timeout | undefined;
  #snapshotAt = Number.NEGATIVE_INFINITY;
  #pending: FeedEvent[] = [];
  #flushTimer: NodeJS.Timeout | undefined;
  #flushedAt = Number.NEGATIVE_INFINITY;
  #events: RxSubscription | undefined;
  #alertsView: AlertsView | undefined;
  #alerts: RxSubscription | undefined;
  #health = '';
  #closing = false;
  #onEmpty: (() => void) | undefined;

  constructor(view: MonitorView, options: LiveHubOptions) {
    this.#view = view;
    this.#limits = { ...LIVE_LIMITS, ...options.limits };
    this.#onError = options.onError;
    // A variable, because the published types do not know `closeTimeout` yet.
    const serverOptions = {
      noServer: true,
      clientTracking: false,
      // Compression costs more time than these frames take on the wire, and memory per client.
      perMessageDeflate: false,
      maxPayload: MAX_PAYLOAD_BYTES,
      closeTimeout: CLOSE_TIMEOUT_MS,
    };
    this.#server = new WebSocketServer(serverOptions);
    this.#subscriptions = [
      view.snapshots$.subscribe({
        next: () => this.#onSnapshot(),
        error: (error) => this.#onError(error, 'live: snapshots'),
      }),
    ];
    this.#watchAlerts();
    this.#sweepTimer = setInterval(() => this.#sweep(), this.#limits.sweepMs);
    // The listening socket keeps the process alive; a hub whose server could not start must not.
    this.#sweepTimer.unref();
  }

  stats(): LiveStats {
    return { ...this.#counters, clients: this.#clients.size };
  }

  /** False when there are as many clients as may be, or the hub is closing. */
  get accepting(): boolean {
    return !this.#closing && this.#clients.size < this.#limits.clients;
  }

  /** Completes an upgrade that the access rule has let through. */
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    session?: Pick<Session, 'id' | 'expiresAt'>,
  ): void {
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      const client = new LiveClient({
        socket: ws,
        stream: socket,
        view: this.#view,
        limits: this.#limits,
        counters: this.#counters,
        now: () => performance.now(),
        feedSeq: () => this.#view.lastSeq(),
        onSubscribe: (subscriber) => this.#onSubscribe(subscriber),
      });
      this.#clients.add(client);
      if (session !== undefined) this.#sessions.set(client, session);
      ws.on('close', () => {
        this.#clients.delete(client);
        this.#watchEvents();
        if (this.#clients.size === 0) this.#onEmpty?.();
      });
      client.send(
        JSON.stringify({
          type: 'hello',
          protocol: PROTOCOL,
          epoch: this.#view.epoch,
          server_time: new Date().toISOString(),
          heartbeat_ms: this.#limits.heartbeatMs,
        }),
      );
    });
  }

  /** Ends the clients of a session that was ended. */
  endSession(id: string): void {
    for (const client of this.#clients)
      if (this.#sessions.get(client)?.id === id) client.close(1008, SIGNED_OUT);
  }

  /** Tells every client to go (1001) and cuts off who has not gone after `graceMs`. */
  async close(graceMs = 1_000): Promise<void> {
    this.#closing = true;
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#events?.unsubscribe();
    this.#alerts?.unsubscribe();
    this.#flush();
    clearInterval(this.#sweepTimer);
    clearTimeout(this.#snapshotTimer);
    for (const client of this.#clients) client.close(1001, 'the monitor is stopping');
    if (this.#clients.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, graceMs);
        this.#onEmpty = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    for (const client of this.#clients) client.terminate();
    this.#server.close();
  }

  /** An event is masked and made when somebody asks for it: without a viewer the feed costs next to nothing. */
  #watchEvents(): void {
    const wanted = !this.#closing && this.#anyWants('events');
    if (wanted === (this.#events !== undefined)) return;
    this.#events?.unsubscribe();
    this.#events = wanted
      ? this.#view.events$.subscribe({
          next: (events) => this.#onEvents(events),
          error: (error) => this.#onError(error, 'live: events'),
        })
      : undefined;
  }

  /** Alerts can be there later than the hub: what may be written is known after the first connection. */
  #watchAlerts(): void {
    const view = this.#closing ? undefined : this.#view.alerts?.();
    if (view === this.#alertsView) return;
    this.#alerts?.unsubscribe();
    this.#alertsView = view;
    this.#alerts = view?.transitions$.subscribe({
      next: (message) => this.#onAlert(message),
      error: (error) => this.#onError(error, 'live: alerts'),
    });
  }

  #onAlert(message: AlertMessage): void {
    // The rows that crossed the line come before what they led to.
    this.#flush();
    const frame = textFrame(JSON.stringify(message));
    for (const client of this.#clients) if (client.wants('alerts')) client.sendAlert(frame);
  }

  #onSubscribe(client: LiveClient): void {
    this.#watchEvents();
    if (client.wants('snapshot')) {
      const latest = this.#view.latest();
      if (latest !== null) {
        this.#snapshot.update(latest, () => this.#celery());
        if (!client.offerSnapshot(this.#snapshot)) this.#scheduleSnapshot();
      }
    }
    if (client.wants('health')) {
      const health = liveHealth(this.#view);
      // A change found here is everybody's, this client included.
      if (health.key === this.#health) client.send(health.frame());
      else this.#checkHealth();
    }
  }

  #onSnapshot(): void {
    this.#watchAlerts();
    this.#checkHealth();
    if (this.#snapshotTimer !== undefined || this.#clients.size === 0) return;
    const wait = this.#snapshotAt + this.#limits.snapshotIntervalMs - performance.now();
    if (wait <= 0) this.#sendSnapshot();
    else this.#scheduleSnapshot(wait);
  }

  #celery(): CelerySummary | undefined {
    const state = this.#view.celery?.()?.state();
    return state && celerySummary(state);
  }

  #scheduleSnapshot(wait = this.#limits.snapshotIntervalMs): void {
    // A timer may fire a little early by this clock, and a client would then be found not yet due.
    this.#snapshotTimer ??= setTimeout(() => {
      this.#snapshotTimer = undefined;
      this.#sendSnapshot();
    }, Math.ceil(wait) + 1);
  }

  #sendSnapshot(): void {
    const latest = this.#view.latest();
    if (latest === null || !this.#anyWants('snapshot')) return;
    const before = this.#snapshot.seq;
    this.#snapshot.update(latest, () => this.#celery());
    if (this.#snapshot.seq !== before) this.#snapshotAt = performance.now();
    let lacking = false;
    for (const client of this.#clients) {
      if (client.wants('snapshot') && !client.offerSnapshot(this.#snapshot)) lacking = true;
    }
    // A slow client gets the newest one when it has drained, also when nothing changes any more.
    if (lacking) this.#scheduleSnapshot();
  }

  #onEvents(events: readonly FeedEvent[]): void {
    if (events.length === 0) return;
    for (const event of events) this.#pending.push(event);
    const wait = this.#flushedAt + this.#limits.eventBatchMs - performance.now();
    if (wait <= 0 || this.#pending.length >= PENDING_EVENTS) this.#flush();
    else this.#flushTimer ??= setTimeout(() => this.#flush(), wait);
  }

  #flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    if (this.#pending.length === 0) return;
    this.#flushedAt = performance.now();
    const flush = new EventFlush(this.#view.epoch, this.#pending);
    this.#pending = [];
    for (const client of this.#clients) {
      if (!client.wants('events')) continue;
      for (const chunk of flush.chunksFor(client.filter)) client.offerEvents(chunk);
    }
  }

  #anyWants(topic: 'snapshot' | 'events' | 'health'): boolean {
    for (const client of this.#clients) if (client.wants(topic)) return true;
    return false;
  }

  #sweep(): void {
    this.#watchAlerts();
    this.#checkHealth();
    for (const client of this.#clients) {
      const expiresAt = this.#sessions.get(client)?.expiresAt ?? Number.POSITIVE_INFINITY;
      if (expiresAt <= Date.now()) client.close(1008, SIGNED_OUT);
      client.sweep();
    }
  }

  #checkHealth(): void {
    if (!this.#anyWants('health')) return;
    const health = liveHealth(this.#view);
    if (health.key === this.#health) return;
    this.#health = health.key;
    const frame = textFrame(health.frame());
    for (const client of this.#clients) if (client.wants('health')) client.send(frame);
  }
}
