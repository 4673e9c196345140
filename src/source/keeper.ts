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
/** The reading waits for this session now and then: a dead socket must not cost it more than this. */
const QUERY_TIMEOUT_MS = 2_000;

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
  #self: Backend | undefined;
  /** Our session before this one. Behind a dead socket it lives on for a while, and holds the keys. */
  #former: Backend | undefined;

  constructor(url: string, keys: Keys) {
    this.#keys = keys;
    this.link = new Link('keeper', { url, session: SESSION, queryTimeoutMs: QUERY_TIMEOUT_MS });
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
    this.#former = this.#self ?? this.#former;
    this.#self = undefined;
    await this.link.connect();
    const [row] = await this.link.query(
      `SELECT date_part('epoch', backend_start) FROM pg_stat_activity WHERE pid = pg_backend_pid()`,
    );
    this.#self = { pid: this.link.pid, startedAt: row?.[0] ?? '' };
    clearInterval(this.#heartbeat);
    this.#heartbeat = setInterval(() => {
      // A failure closes the link, which says it through onLost.
      this.link.query('SELECT 1').catch(() => undefined);
    }, HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  /** Tries to become the one monitor that arms the bell. False while another one is. */
  async lead(): Promise<boolean> {
    if (!this.#leader) this.#leader = await this.#try(this.#keys.leader);
    // Not another monitor, only what is left of ourselves: waiting for its time-out would leave rows uncounted.
    if (!this.#leader && (await this.#endFormer())) this.#leader = await this.#try(this.#keys.leader);
    return this.#leader;
  }

  /**
   * Tries to take K. Success proves that every writer that stayed silent has ended: poll once more, then sleep.
   * @throws ConnectionLostError
   */
  async arm(): Promise<boolean> {
    if (!this.#armed) {
      if (!this.#leader) throw new ConnectionLostError('keeper', 'not the leader');
      this.#armed = await this.#try(this.#keys.bell);
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

  async #try(key: string): Promise<boolean> {
    const [row] = await this.link.query('SELECT pg_try_advisory_lock($1::int8)', [key]);
    return row?.[0] === 't';
  }

  /** Ends our former session. Any role may end its own. @returns whether there was one and it has ended. */
  async #endFormer(): Promise<boolean> {
    const former = this.#former;
    if (!former) return false;
    this.#former = undefined;
    const [row] = await this.link.query(
      `SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
       WHERE pid = $1 AND date_part('epoch', backend_start) = $2::float8`,
      [former.pid, former.startedAt],
    );
    return row?.[0] === 't';
  }
}

/** A process id alone may be somebody else's by now. */
interface Backend {
  readonly pid: number;
  /** Seconds since the epoch, as the server prints it. */
  readonly startedAt: string;
}
