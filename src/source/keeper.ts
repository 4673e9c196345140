import { createHash } from 'node:crypto';
import { ConnectionLostError, Link } from './connection.js';

/**
 * The advisory keys of one watched table: K, whose shared try decides in the trigger whether the bell rings, and the
 * key that the leader holds. Made from the qualified name, so that a restored database rings the same bell.
 */
export interface Keys {
  /** Signed decimal, for SQL. */
  readonly bell: string;
  /** Its two words as pg_locks shows them (classid, objid), unsigned decimals. */
  readonly bellWords: readonly [high: string, low: string];
  readonly leader: string;
  readonly channel: string;
}

export function keysOf(qualifiedName: string): Keys {
  const digest = createHash('sha256').update(`customer-sync-monitor ${qualifiedName}`).digest();
  return {
    bell: digest.readBigInt64BE(0).toString(),
    bellWords: [String(digest.readUInt32BE(0)), String(digest.readUInt32BE(4))],
    leader: digest.readBigInt64BE(8).toString(),
    channel: `sync_monitor_bell_${digest.subarray(0, 8).toString('hex')}`,
  };
}

/** The server ends this session by itself when it hears nothing for this long: a frozen monitor lets go of K. */
const IDLE_SESSION_TIMEOUT_MS = 15_000;
const HEARTBEAT_MS = 4_000;

const SESSION = `SET idle_session_timeout = ${IDLE_SESSION_TIMEOUT_MS}; SET statement_timeout = 5000; SET lock_timeout = 1000;
  SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3; SET tcp_user_timeout = 10000`;

/**
 * The session that holds what only one monitor may hold: leadership, and while idle the bell's key.
 * It never waits for a lock: a waiting request would make every new writer ring for as long as one long import lasts.
 */
export class Keeper {
  readonly link: Link;
  readonly #keys: Keys;
  #armed = false;
  #leader = false;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(url: string, keys: Keys) {
    this.#keys = keys;
    this.link = new Link('keeper', { url, session: SESSION, queryTimeoutMs: 4_000 });
    this.link.onLost = () => {
      this.#armed = false;
      this.#leader = false;
      clearInterval(this.#heartbeat);
    };
  }

  get armed(): boolean {
    return this.#armed;
  }

  get leader(): boolean {
    return this.#leader;
  }

  /** @throws the driver's error when the connection cannot be made. */
  async connect(): Promise<void> {
    await this.link.connect();
    clearInterval(this.#heartbeat);
    this.#heartbeat = setInterval(() => {
      // A failure closes the link, which says it through onLost.
      this.link.query('SELECT 1').catch(() => undefined);
    }, HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  /** Tries to become the one monitor that arms the bell. False while another one is. */
  async lead(): Promise<boolean> {
    if (!this.#leader) {
      const [row] = await this.link.query('SELECT pg_try_advisory_lock($1::int8)', [this.#keys.leader]);
      this.#leader = row?.[0] === 't';
    }
    return this.#leader;
  }

  /**
   * Tries to take K. Success proves that every writer that stayed silent has ended: poll once more, then sleep.
   * @throws ConnectionLostError
   */
  async arm(): Promise<boolean> {
    if (!this.#armed) {
      if (!this.#leader) throw new ConnectionLostError('keeper', 'not the leader');
      const [row] = await this.link.query('SELECT pg_try_advisory_lock($1::int8)', [this.#keys.bell]);
      this.#armed = row?.[0] === 't';
    }
    return this.#armed;
  }

  /** Lets K go: from the next statement on no writer notifies. */
  async disarm(): Promise<void> {
    if (!this.#armed) return;
    this.#armed = false;
    await this.link.query('SELECT pg_advisory_unlock($1::int8)', [this.#keys.bell]);
  }

  /** The look found that our backend does not hold K (any more): believe pg_locks. */
  notHolding(): void {
    this.#armed = false;
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.link.close();
  }
}
