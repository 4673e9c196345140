/** The bounds of the listening socket. Times in milliseconds, sizes in bytes. */
export interface ServerLimits {
  /** All of a request's headers are to be there by then, of TLS the handshake; counted from the connection. */
  readonly headersMs: number;
  /** All of a request. */
  readonly requestMs: number;
  /** Between two requests of a connection. */
  readonly keepAliveMs: number;
  /** A connection on which nothing moves in either direction; longer than the slowest answer takes. */
  readonly idleMs: number;
  /** How often the first two are looked at. */
  readonly checkMs: number;
  /** Request line and headers together; more is 431. */
  readonly headerBytes: number;
  readonly connections: number;
  /** How often the files of TLS are looked at. */
  readonly certificateLookMs: number;
}

export const SERVER_LIMITS: ServerLimits = {
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 10_000,
  idleMs: 60_000,
  checkMs: 5_000,
  headerBytes: 16 * 1024,
  connections: 2_000,
  certificateLookMs: 5_000,
};

/** The bounds of the WebSocket hub. Times in milliseconds, sizes in bytes. */
export interface LiveLimits {
  /** Least time between two snapshots to one client: at most 4 a second. */
  readonly snapshotIntervalMs: number;
  /** Longest time an event waits for company under load; a first event after a pause does not wait. */
  readonly eventBatchMs: number;
  /** Something is sent at least this often. */
  readonly heartbeatMs: number;
  /** How often a ping goes out; a client that has not answered one by the next is cut off. */
  readonly pingMs: number;
  /** How often heartbeats, pings and slow clients are looked at. */
  readonly sweepMs: number;
  /** A client with more than this unsent skips the snapshot. */
  readonly snapshotBufferBytes: number;
  /** A client with more than this unsent loses events, counted. */
  readonly eventBufferBytes: number;
  /** A client with more than this unsent is closed with 1013 where an alert would follow: none is dropped. */
  readonly alertBufferBytes: number;
  /** A client that has more than this unsent for `closeAfterMs` is closed with 1013. */
  readonly closeBufferBytes: number;
  readonly closeAfterMs: number;
  /** A longer message ends the connection. */
  readonly messageBytes: number;
  /** More messages in one second are faulty, whatever they say. */
  readonly messagesPerSecond: number;
  /** This many faulty messages end the connection. */
  readonly faults: number;
  readonly clients: number;
}

export const LIVE_LIMITS: LiveLimits = {
  snapshotIntervalMs: 250,
  eventBatchMs: 15,
  heartbeatMs: 5_000,
  pingMs: 15_000,
  sweepMs: 500,
  snapshotBufferBytes: 256 * 1024,
  eventBufferBytes: 1024 * 1024,
  alertBufferBytes: 4 * 1024 * 1024,
  closeBufferBytes: 2 * 1024 * 1024,
  closeAfterMs: 30_000,
  messageBytes: 16 * 1024,
  messagesPerSecond: 20,
  faults: 10,
  clients: 1_000,
};
