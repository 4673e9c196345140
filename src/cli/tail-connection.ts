/** One WebSocket connection to a monitor, from the first byte to the last: how it went is its value. */
import WebSocket from 'ws';
import type { AlertMessage } from '../../streams/alerts-view.js';
import type { Completeness, FeedEvent } from '../../streams/event.js';
import type { Snapshot } from '../../streams/snapshot.js';

/** How the monitor itself is doing; sent when it changes. */
export interface HealthMessage {
  readonly type: 'health';
  readonly at: string;
  readonly connected: boolean;
  readonly role: 'starting' | 'leader' | 'standby' | 'stopped';
  readonly bell: { readonly mode: 'armed' | 'disarmed' | 'off' | 'dead'; readonly reason: string };
  readonly listener_proven: boolean;
  readonly completeness: Completeness;
}

/** The messages of protocol 1 that the command line understands; it ignores others. */
export type LiveMessage =
  | {
      readonly type: 'hello';
      readonly protocol: number;
      readonly epoch: string;
      readonly heartbeat_ms: number;
    }
  | {
      readonly type: 'events';
      readonly epoch: string;
      readonly events: readonly FeedEvent[];
      readonly dropped: number;
    }
  | { readonly type: 'gap'; readonly from_seq: number; readonly to_seq: number }
  | (Snapshot & { readonly type: 'snapshot'; readonly seq: number })
  | AlertMessage
  | HealthMessage
  | { readonly type: 'error'; readonly code: string; readonly message: string };

export type Ending =
  /** It was open and ended. */
  | { readonly how: 'lost'; readonly reason: string }
  /** It never opened, and may another time. */
  | { readonly how: 'unreachable'; readonly reason: string }
  /** It never opened, and will not: wrong address or token. */
  | { readonly how: 'refused'; readonly reason: string };

export interface ConnectionOptions {
  readonly url: string;
  readonly token?: string | undefined;
  readonly signal: AbortSignal;
  /** `send` answers on the same connection. */
  readonly onMessage: (message: LiveMessage, send: (message: unknown) => void) => void;
}

const HANDSHAKE_MS = 10_000;
/** Missed heartbeats after which a silent connection counts as dead. */
const PATIENCE = 3;
const FIRST_PATIENCE_MS = 15_000;
/** A frame of the monitor is far below this. */
const MAX_FRAME = 64 * 1024 * 1024;
const REFUSALS = [400, 401, 403, 404, 426];

/** Connects and stays until the connection ends or the signal says so. Never rejects. */
export function connect({ url, token, signal, onMessage }: ConnectionOptions): Promise<Ending> {
  return new Promise((settle) => {
    const socket = new WebSocket(url, {
      ...(token ? { headers: { authorization: `Bearer ${token}` } } : {}),
      handshakeTimeout: HANDSHAKE_MS,
      perMessageDeflate: false,
      maxPayload: MAX_FRAME,
    });
    let opened = false;
    let patience = FIRST_PATIENCE_MS;
    let watchdog: NodeJS.Timeout | undefined;
    let reason = '';
    let refused = false;
    const abort = () => socket.terminate();
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => {
        reason = `nothing heard for ${patience / 1000} s`;
        socket.terminate();
      }, patience);
    };
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    socket.on('open', () => {
      opened = true;
      alive();
    });
    socket.on('unexpected-response', (_request, response) => {
      refused = REFUSALS.includes(response.statusCode ?? 0);
      reason = `HTTP ${response.statusCode}${hintFor(response.statusCode)}`;
      response.resume();
      socket.terminate();
    });
    socket.on('message', (data) => {
      const message = parse(data);
      if (message === null) {
        refused = true;
        reason = `${url} does not speak the monitor's protocol`;
        socket.terminate();
        return;
      }
      if (message.type === 'hello') patience = Math.max(1_000, message.heartbeat_ms * PATIENCE);
      alive();
      onMessage(message, (answer) => socket.send(JSON.stringify(answer)));
    });
    // `close` follows; a reason that is known already is better than "socket hang up".
    socket.on('error', (error) => {
      reason ||= error.message || (error as NodeJS.ErrnoException).code || 'unknown error';
    });
    socket.on('close', (code, text) => {
      clearTimeout(watchdog);
      signal.removeEventListener('abort', abort);
      reason ||= text.toString() || `closed with code ${code}`;
      settle({ how: refused ? 'refused' : opened ? 'lost' : 'unreachable', reason });
    });
  });
}

function hintFor(status: number | undefined): string {
  if (status === 401) return ': give --token (an AUTH_TOKEN or VIEWER_TOKEN of the monitor)';
  if (status === 403) return ': this token, or this Host, may not read the feed';
  if (status === 404) return ': there is no monitor at this address (the path is /ws)';
  return '';
}

function parse(data: WebSocket.RawData): LiveMessage | null {
  try {
    const message: unknown = JSON.parse(data.toString());
    const named = typeof message === 'object' && message !== null && 'type' in message;
    return named ? (message as LiveMessage) : null;
  } catch {
    // Not JSON: the caller names the address that answered.
    return null;
  }
}
