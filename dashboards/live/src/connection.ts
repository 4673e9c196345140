/**
 * The WebSocket to the monitor. Connects for ever: after a loss with growing pauses, at once when the browser is online
 * again, the page is looked at again, or the viewer asks. Missed events are asked for by position.
 */
import type { EventsMessage, GapMessage, ServerMessage, Subscribe, SubscribeFilter } from './messages.js';
import { type ConnectionState, pauseAfter, silenceMs } from './reconnect.js';

export interface ConnectionOptions {
  readonly url: string;
  /** Everything but events. */
  readonly onMessage: (message: ServerMessage) => void;
  readonly onState: (state: ConnectionState) => void;
  /** A message that is no JSON. */
  readonly onFault: (error: unknown) => void;
}

export interface EventsWanted {
  readonly filter: SubscribeFilter;
  readonly onEvents: (message: EventsMessage | GapMessage) => void;
  /** From here on every event comes; those before are to be read elsewhere. Not after a loss that was made up for. */
  readonly onBegin: () => void;
}

/** Until `hello` says otherwise. */
const HEARTBEAT_MS = 5_000;

/** Beyond every event: answered, as every position is, but with nothing. So it is known from when on events come. */
const END = Number.MAX_SAFE_INTEGER;

export class Connection {
  readonly #options: ConnectionOptions;
  #socket: WebSocket | null = null;
  #state: ConnectionState = 'connecting';
  #failures = 0;
  #heartbeatMs = HEARTBEAT_MS;
  #silence = 0;
  #retry = 0;
  #events: EventsWanted | null = null;
  /** The numbering of events; '' before the first `hello`. */
  #epoch = '';
  /** The subscription without a position has not been answered yet. */
  #beginning = false;
  /** Up to where events were read. */
  #position: { epoch: string; seq: number } | null = null;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    addEventListener('online', () => this.retry());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.retry();
    });
    this.#open();
  }

  /** Tries now rather than after the pause; nothing while it is connected. */
  retry(): void {
    if (this.#state === 'open' || this.#socket !== null) return;
    clearTimeout(this.#retry);
    this.#open();
  }

  /** Follows the feed from now on, or with null no more; another filter begins anew. */
  follow(events: EventsWanted | null): void {
    this.#events = events;
    this.#position = null;
    if (this.#socket?.readyState === WebSocket.OPEN) this.#subscribe(this.#socket);
  }

  #open(): void {
    const socket = new WebSocket(this.#options.url);
    this.#socket = socket;
    this.#listen(socket);
    // Not after `hello`: the first numbers are here one round trip earlier.
    socket.addEventListener('open', () => this.#subscribe(socket));
    socket.addEventListener('message', ({ data }) => {
      if (socket === this.#socket) this.#receive(socket, data);
    });
    socket.addEventListener('close', () => this.#lost(socket));
  }

  #subscribe(socket: WebSocket): void {
    this.#beginning = this.#events !== null && this.#position === null;
    const message: Subscribe = {
      type: 'subscribe',
      topics: ['snapshot', 'alerts', 'health', ...(this.#events ? (['events'] as const) : [])],
      ...(this.#events && { filter: this.#events.filter }),
      ...(this.#events && { since: this.#position ?? { epoch: this.#epoch, seq: END } }),
    };
    socket.send(JSON.stringify(message));
  }

  #listen(socket: WebSocket): void {
    clearTimeout(this.#silence);
    this.#silence = window.setTimeout(() => this.#lost(socket), silenceMs(this.#heartbeatMs));
  }

  #receive(socket: WebSocket, data: unknown): void {
    this.#listen(socket);
    let message: ServerMessage;
    try {
      message = JSON.parse(String(data));
    } catch (error) {
      this.#options.onFault(error);
      return;
    }
    if (message.type === 'hello') {
      this.#heartbeatMs = message.heartbeat_ms;
      this.#epoch = message.epoch;
      this.#failures = 0;
      this.#become('open');
    }
    if (message.type === 'events' || message.type === 'gap') this.#receiveEvents(message);
    else this.#options.onMessage(message);
  }

  #receiveEvents(message: EventsMessage | GapMessage): void {
    const last = message.type === 'gap' ? message.to_seq : message.events.at(-1)?.seq;
    if (this.#beginning) {
      // Sent under the subscription before.
      if (last !== undefined && message.type === 'events') return;
      this.#beginning = false;
      this.#events?.onBegin();
    } else this.#events?.onEvents(message);
    if (last !== undefined) this.#position = { epoch: this.#epoch, seq: last };
  }

  /** Does not wait for `close`: over a dead line the browser tells it only after a minute. */
  #lost(socket: WebSocket): void {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearTimeout(this.#silence);
    socket.close();
    this.#become('lost');
    this.#retry = window.setTimeout(() => this.#open(), pauseAfter(this.#failures, Math.random()));
    this.#failures += 1;
  }

  #become(state: ConnectionState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState(state);
  }
}
