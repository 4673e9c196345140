/**
 * One WebSocket client: what it subscribed to, where it stands in the feed, and what its slowness costs it.
 * It decides about itself; when it is asked is the hub's business (live.ts).
 */
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { EVENTS_PER_FRAME, type EventChunk, eventsFrame, type SnapshotFrame } from './frames.js';
import type { LiveLimits } from './limits.js';
import type { Topic } from './messages.js';
import { type EventFilter, readMessage, type Subscription } from './subscription.js';
import type { FeedPosition, MonitorView } from './view.js';
import { textFrame } from './wire.js';

/** Counted over all clients since the start; read by /metrics. */
export interface LiveCounters {
  droppedEvents: number;
  skippedSnapshots: number;
  faults: number;
  /** Closed with 1013 for reading too slowly. */
  closedSlow: number;
  /** Cut off because a ping stayed unanswered. */
  closedSilent: number;
  socketErrors: number;
}

export interface ClientOptions {
  readonly socket: WebSocket;
  /** What it is upgraded from: without compression `ws` writes whole frames to it at once, and so may we. */
  readonly stream: Duplex;
  readonly view: MonitorView;
  readonly limits: LiveLimits;
  readonly counters: LiveCounters;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** The newest sequence number of the feed that was heard of. */
  readonly feedSeq: () => number;
  readonly onSubscribe: (client: LiveClient) => void;
}

const NO_TOPICS: ReadonlySet<Topic> = new Set();

export class LiveClient {
  readonly #options: ClientOptions;
  readonly #socket: WebSocket;
  #topics: ReadonlySet<Topic> = NO_TOPICS;
  #filter: EventFilter | undefined;
  /** Events up to here were sent, dropped, or are not wanted. */
  #seq = 0;
  /** Grows with each subscription: a replay under way for an older one stops. */
  #generation = 0;
  #replaying = false;
  /** Events lost since the last `events` message. */
  #dropped = 0;
  #snapshotSeq = 0;
  #snapshotAt = Number.NEGATIVE_INFINITY;
  #sentAt: number;
  #pingedAt: number;
  #answered = true;
  #fullSince: number | undefined;
  #faults = 0;
  /** Messages since `#secondAt`. */
  #received = 0;
  #secondAt = Number.NEGATIVE_INFINITY;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.#sentAt = options.now();
    this.#pingedAt = this.#sentAt;
    this.#socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    this.#socket.on('pong', () => {
      this.#answered = true;
    });
    this.#socket.on('error', () => {
      // A reset or a malformed frame; `close` follows and does the rest.
      options.counters.socketErrors += 1;
    });
  }

  get open(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  wants(topic: Topic): boolean {
    return this.#topics.has(topic);
  }

  get filter(): EventFilter | undefined {
    return this.#filter;
  }

  /** @param message a whole frame (wire.ts), or the text for one */
  send(message: Buffer | string, sent?: () => void): void {
    if (!this.open) return;
    this.#sentAt = this.#options.now();
    const frame = typeof message === 'string' ? textFrame(message) : message;
    if (sent === undefined) this.#options.stream.write(frame);
    else
      this.#options.stream.write(frame, (error) => {
        // A failed write ends in `close`; the callback is for pacing only, so it runs after success alone.
        if (error === undefined || error === null) sent();
      });
  }

  /** Sends an alert, or ends a client that is too far behind for it: it reconnects, and asks what it missed. */
  sendAlert(frame: Buffer): void {
    if (!this.open) return;
    if (this.#socket.bufferedAmount > this.#options.limits.alertBufferBytes) this.#closeSlow();
    else this.send(frame);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  /**
   * Sends the snapshot unless the client has it, had another a moment ago, or is slow.
   * @returns false when the client still lacks it and must be asked again.
   */
  offerSnapshot(frame: SnapshotFrame): boolean {
    if (!this.open || frame.seq === this.#snapshotSeq) return true;
    const { limits, counters, now } = this.#options;
    if (now() - this.#snapshotAt < limits.snapshotIntervalMs) return false;
    if (this.#socket.bufferedAmount > limits.snapshotBufferBytes) {
      counters.skippedSnapshots += 1;
      return false;
    }
    const bytes = frame.bytes();
    if (bytes === null) return true;
    this.#snapshotSeq = frame.seq;
    this.#snapshotAt = now();
    this.send(bytes);
    return true;
  }

  offerEvents(chunk: EventChunk): void {
    // One that replays finds these events in the feed's ring when it gets there.
    if (this.#replaying || !this.open) return;
    const count = chunk.countAfter(this.#seq);
    if (count === 0) return;
    this.#seq = chunk.lastSeq;
    if (this.#socket.bufferedAmount > this.#options.limits.eventBufferBytes) {
      this.#dropped += count;
      this.#options.counters.droppedEvents += count;
      return;
    }
    this.send(chunk.frame(count, this.#dropped));
    this.#dropped = 0;
  }

  /** Heartbeat, half-open sockets, and the end of a client that does not read. */
  sweep(): void {
    if (!this.open) return;
    const { limits, counters, now, view } = this.#options;
    const time = now();
    const buffered = this.#socket.bufferedAmount;
    if (buffered <= limits.closeBufferBytes) this.#fullSince = undefined;
    else this.#fullSince ??= time;
    if (this.#fullSince !== undefined && time - this.#fullSince >= limits.closeAfterMs) {
      this.#closeSlow();
      return;
    }
    if (time - this.#pingedAt >= limits.pingMs) {
      if (!this.#answered) {
        counters.closedSilent += 1;
        this.terminate();
        return;
      }
      this.#answered = false;
      this.#pingedAt = time;
      this.#socket.ping();
    }
    if (this.#dropped > 0 && this.wants('events') && buffered <= limits.eventBufferBytes) {
      // No event may come for hours: say now what was lost.
      this.send(eventsFrame(view.epoch, [], this.#dropped));
      this.#dropped = 0;
    }
    // One sweep early rather than late: the client counts on the interval it was told.
    if (time - this.#sentAt >= limits.heartbeatMs - limits.sweepMs) {
      this.send(JSON.stringify({ type: 'heartbeat', at: new Date().toISOString() }));
    }
  }

  #receive(data: RawData, isBinary: boolean): void {
    this.#answered = true;
    const bytes = Buffer.isBuffer(data)
      ? data
      : Array.isArray(data)
        ? Buffer.concat(data)
        : Buffer.from(data);
    const limit = this.#options.limits.messageBytes;
    if (bytes.length > limit) {
      this.#fault(
        'message_too_long',
        `The message is ${bytes.length} bytes long; at most ${limit} are read.`,
      );
      this.close(1009, 'message too long');
      return;
    }
    if (this.#tooMany()) return;
    if (isBinary) {
      this.#fault('binary', 'The message is binary; send JSON as text.');
      return;
    }
    const result = readMessage(bytes.toString('utf8'));
    if ('code' in result) this.#fault(result.code, result.message);
    else this.#subscribe(result);
  }

  /** Each subscription costs a snapshot and perhaps a replay. */
  #tooMany(): boolean {
    const { limits, now } = this.#options;
    if (now() - this.#secondAt >= 1_000) {
      this.#secondAt = now();
      this.#received = 0;
    }
    this.#received += 1;
    if (this.#received <= limits.messagesPerSecond) return false;
    this.#fault('too_many_messages', `At most ${limits.messagesPerSecond} messages a second are read.`);
    return true;
  }

  #closeSlow(): void {
    this.#options.counters.closedSlow += 1;
    this.close(1013, 'reads too slowly');
  }

  #fault(code: string, message: string): void {
    if (!this.open) return;
    this.#options.counters.faults += 1;
    this.#faults += 1;
    this.send(JSON.stringify({ type: 'error', code, message }));
    if (this.#faults >= this.#options.limits.faults) this.close(1008, 'too many faulty messages');
  }

  #subscribe(subscription: Subscription): void {
    this.#topics = subscription.topics;
    this.#filter = subscription.filter;
    this.#generation += 1;
    this.#replaying = false;
    // "At once on subscription", also where the same one was sent under an earlier subscription.
    this.#snapshotSeq = 0;
    this.#options.onSubscribe(this);
    if (subscription.since !== undefined) {
      this.#replaying = true;
      this.#replay(subscription.since, this.#generation, true);
    }
  }

  /**
   * Replays the feed from a position, one frame at a time: the next is read out of the ring when the last one has
   * left, so that a replay holds one frame in memory and a slow reader meets a `gap` rather than a growing queue.
   */
  #replay(since: FeedPosition, generation: number, first: boolean): void {
    if (generation !== this.#generation || !this.open) return;
    const { view } = this.#options;
    const result = view.replay(since);
    if ('gap' in result) {
      const { from_seq, to_seq } = result.gap;
      this.send(JSON.stringify({ type: 'gap', from_seq, to_seq }));
      this.#seq = to_seq;
      // What the ring still holds after the gap follows; a gap that leads nowhere ends the replay.
      const next = { epoch: view.epoch, seq: to_seq };
      if (next.epoch !== since.epoch || next.seq > since.seq) this.#replay(next, generation, false);
      else this.#replaying = false;
      return;
    }
    const events = result.events.slice(0, EVENTS_PER_FRAME);
    const last = events.at(-1);
    if (last === undefined) {
      // Not simply `since`: a client may claim to have read what does not exist yet, and would then wait for ever.
      this.#seq = Math.min(since.seq, this.#options.feedSeq());
      this.#replaying = false;
      // An answer even when there is nothing to replay: the client may wait for one.
      if (first) this.send(eventsFrame(view.epoch, [], 0));
      return;
    }
    this.#seq = last.seq;
    const json: string[] = [];
    const filter = this.#filter;
    for (const event of events) {
      if (filter === undefined || filter.matches(event)) json.push(JSON.stringify(event));
    }
    const next = { epoch: view.epoch, seq: last.seq };
    if (json.length === 0 && !first) setImmediate(() => this.#replay(next, generation, false));
    else this.send(eventsFrame(view.epoch, json, 0), () => this.#replay(next, generation, false));
  }
}
