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
  faults: 10,
  clients: 1_000,
};
