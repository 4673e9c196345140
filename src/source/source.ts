import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Observable, Subject } from 'rxjs';
import type { Batch, Completeness } from '../../streams/event.js';
import type { SourceState } from '../../streams/source-state.js';
import { type BellSetting, Bells } from './bells.js';
import { DatabaseClock } from './clock.js';
import { ConnectionLostError, Link } from './connection.js';
import { Continuity } from './continuity.js';
import { Keeper, type Keys, keysOf } from './keeper.js';
import { Listener } from './listener.js';
import { Reader, ResetNeededError } from './reader.js';
import { type Described, describeState } from './state.js';
import { discoverTable, TableError, type TableInfo } from './table.js';

/** What the source tells the log; pino's shape. */
export interface SourceLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface SourceOptions {
  readonly url: string;
  readonly table: TableInfo;
  /** In force: where the trigger may not be installed this is off, with the reason. */
  readonly bell: {
    readonly configured: BellSetting;
    readonly effective: BellSetting;
    readonly reason?: string;
  };
  readonly log: SourceLog;
  /** Milliseconds of history that the windows need. */
  readonly historyMs: number;
  /** How often to look for rows while the bell is not armed. ms. */
  readonly cadenceMs?: number;
  readonly pendingLimit?: number;
}

/** No row can be hidden by a policy, no transaction of ours is long, no index is left unused, no notice is slow. */
export const READER_SESSION = `SET default_transaction_isolation = 'read committed'; SET default_transaction_read_only = on;
  SET row_security = off; SET statement_timeout = 10000; SET lock_timeout = 1000; SET jit = off; SET enable_seqscan = off;
  SET search_path = pg_catalog; SET extra_float_digits = 1; SET timezone = 'UTC'`;

const POLL_MS = 1_000;
const IDLE_CADENCE_MS = 50;
/** A rebuild follows pending rows beyond the bound; not more often than this. ms. */
const SWEEP_MS = 60_000;

/**
 * Follows the table: waits for the bell or the cadence, reads what is new, emits it as batches, keeps its connections
 * alive, and knows how complete its numbers are. One loop; everything in it happens one after the other.
 */
export class Source {
  readonly batches$: Observable<Batch>;
  readonly clock = new DatabaseClock();
  readonly keys: Keys;
  readonly #batches = new Subject<Batch>();
  readonly #options: SourceOptions;
  readonly #link: Link;
  readonly #keeper: Keeper;
  readonly #anchor: Link;
  readonly #continuity: Continuity;
  readonly #listener: Listener;
  readonly #bells: Bells;
  readonly #reader: Reader;
  #table: TableInfo;
  #stopped = false;
  #loop: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #woken = false;
  readonly #seen: Described;

  constructor(options: SourceOptions) {
    this.#options = options;
    this.#table = options.table;
    this.keys = keysOf(options.table.qualified);
    this.batches$ = this.#batches.asObservable();
    const { url } = options;
    this.#link = new Link('reader', { url, session: READER_SESSION });
    this.#anchor = new Link('anchor', { url, queryTimeoutMs: 2_000 });
    this.#keeper = new Keeper(url, this.keys);
    this.#continuity = new Continuity([this.#link, this.#anchor, this.#keeper.link]);
    this.#bells = new Bells(options.bell.effective, options.bell.reason);
    this.#listener = new Listener({
      url,
      channel: this.keys.channel,
      onBell: () => {
        const now = performance.now();
        this.#bells.rang(now);
        if (!this.#bells.storm(now)) this.#wakeUp();
      },
      onChange: (proven, reason) => {
        options.log[proven ? 'info' : 'warn'](
          { event_type: 'listener', proven, reason },
          `listener ${proven ? 'proven' : 'lost'}: ${reason}`,
        );
        this.#wakeUp();
      },
    });
    this.#reader = new Reader(options.table, {
      link: this.#link,
      keys: this.keys,
      clock: this.clock,
      emit: (batch) => this.#batches.next(batch),
      historyMs: options.historyMs,
      ...(options.pendingLimit === undefined ? {} : { pendingLimit: options.pendingLimit }),
    });
    this.#seen = {
      role: 'starting',
      connected: true,
      connectedSince: Date.now(),
      armedAt: Number.POSITIVE_INFINITY,
      bellReason: 'starting',
      polls: 0,
      upToDateAt: undefined,
      scanning: true,
      behind: false,
      resets: 0,
      lastResetReason: null,
    };
  }

  /** Begins to follow; returns at once and never throws: from here on outages heal. */
  start(): void {
    if (this.#bells.setting !== 'off') this.#listener.start();
    this.#loop = this.#run();
  }

  /** Ends the loop and every connection. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wakeUp();
    await this.#listener.stop();
    await Promise.race([this.#loop, sleep(2_000, undefined, { ref: false })]);
    this.#seen.role = 'stopped';
    for (const link of [this.#link, this.#anchor]) link.close();
    this.#keeper.close();
    await this.#loop;
  }

  state(): SourceState {
    return this.#described().state;
  }

  completeness(): Completeness {
    return this.#described().completeness;
  }

  /** ms since all that was committed was last known to be read; null while the database cannot be asked. */
  lagMs(): number | null {
    return this.#described().lagMs;
  }

  #described() {
    return describeState(this.#seen, {
      configured: this.#options.bell.configured,
      now: performance.now(),
      databaseNow: this.clock.now(),
      bells: this.#bells,
      keeper: this.#keeper,
      listener: this.#listener,
      reader: this.#reader,
      warnings: this.#table.warnings,
    });
  }

  async #run(): Promise<void> {
    for (let attempt = 0; !this.#stopped; ) {
      try {
        if (!(await this.#lead())) {
          await this.#pause(1_000);
          continue;
        }
        await this.#connectReader();
        this.#restored();
        attempt = 0;
        while (!this.#stopped) await this.#wait(await this.#cycle());
      } catch (error) {
        if (this.#stopped) return;
        await this.#recover(error, attempt++);
      }
    }
  }

  /** Only one monitor follows a table; a second one stands by with nothing but a connection. */
  async #lead(): Promise<boolean> {
    if (!this.#keeper.link.connected) await this.#keeper.connect();
    if (await this.#keeper.lead()) {
      if (this.#seen.role === 'standby')
        this.#options.log.info({ event_type: 'leader' }, 'the other monitor has ended: taking over');
      this.#seen.role = 'leader';
      return true;
    }
    if (this.#seen.role !== 'standby') {
      this.#options.log.info({ event_type: 'standby' }, 'another monitor follows this table: standing by');
      this.#seen.role = 'standby';
      // What it does not follow it does not know.
      this.#reader.forget();
      this.#link.close();
      this.#anchor.close();
    }
    this.#restored();
    return false;
  }

  async #connectReader(): Promise<void> {
    if (!this.#link.connected) await this.#link.connect();
    if (this.#reader.cursor && !(await this.#continuity.proven()))
      this.#drop('no connection outlived the gap');
    if (!this.#anchor.connected) await this.#anchor.connect();
    if (this.#reader.cursor) return;
    this.#seen.scanning = true;
    const before = performance.now();
    const rows = this.#reader.rowsRead;
    await this.#reader.start();
    this.#seen.scanning = false;
    this.#scannedAt = performance.now();
    this.#options.log.info(
      {
        event_type: 'start_scan',
        rows: this.#reader.rowsRead - rows,
        duration_ms: Math.round(this.#scannedAt - before),
      },
      'windows filled from the table',
    );
  }

  #scannedAt = 0;
  #pendingAt = 0;
  #pendingMs = 0;
  #aheadAt = 0;
  #rowsAt = 0;
  #bellsAtLook = 0;

  /** Reads once what there is. @returns ms to wait before the next cycle. */
  async #cycle(): Promise<number> {
    const reader = this.#reader;
    const bellsBefore = this.#bells.heard;
    const armedBefore = this.#keeper.armed && performance.now() - this.#seen.armedAt > 500;
    const woken = this.#woken;
    this.#woken = false;
    if (reader.pending.untracked > 0 && performance.now() - this.#scannedAt > SWEEP_MS)
      throw new ResetNeededError(`${reader.pending.untracked} pending rows beyond the bound are swept`);
    const { rows, more } = await reader.poll();
    this.#seen.polls++;
    const now = performance.now();
    if (rows > 0) this.#rowsAt = now;
    this.#bells.read(rows, armedBefore && !woken && bellsBefore === this.#bells.heard, now);
    await this.#lookIfDue(now);
    await this.#pendingIfDue(woken);
    const aheadMore = await this.#aheadIfDue();
    this.#continuity.mark();
    await this.#bellPolicy(more);
    this.#seen.behind = more;
    if (!more) this.#seen.upToDateAt = performance.now();
    if (more || aheadMore) return 0;
    return this.#pauseLength();
  }

  async #lookIfDue(now: number): Promise<void> {
    const reader = this.#reader;
    const sinceLook = this.#lookedAt === undefined ? Number.POSITIVE_INFINITY : now - this.#lookedAt;
    // A slow flush hides a storm of bells from their rate; some bells since the last look are reason for one.
    const ringing = this.#bells.heard - this.#bellsAtLook >= 3 && sinceLook >= 50;
    if (!(reader.lookWanted || ringing || sinceLook >= POLL_MS) || reader.lookDueIn > 0) return;
    this.#bellsAtLook = this.#bells.heard;
    const look = await reader.look();
    this.#lookedAt = performance.now();
    this.#bells.saw(look, this.#lookedAt);
    // Believe pg_locks, not our memory: a key that we do not hold rings no bell.
    if (this.#keeper.armed && look.keyHolder !== this.#keeper.link.pid) this.#keeper.notHolding();
  }

  #lookedAt: number | undefined;

  async #pendingIfDue(woken: boolean): Promise<void> {
    const since = performance.now() - this.#pendingAt;
    const due = !this.#reader.pending.roundDone || woken || since >= (this.#keeper.armed ? POLL_MS : 100);
    if (this.#reader.pending.tracked === 0 || !due || since < 10 * this.#pendingMs) return;
    const before = performance.now();
    await this.#reader.rereadPending();
    this.#pendingAt = performance.now();
    this.#pendingMs = this.#pendingAt - before;
  }

  async #aheadIfDue(): Promise<boolean> {
    if (performance.now() - this.#aheadAt < POLL_MS) return false;
    const { more } = await this.#reader.readAhead();
    if (!more) this.#aheadAt = performance.now();
    return more;
  }

  async #bellPolicy(backlog: boolean): Promise<void> {
    const now = performance.now();
    if (!this.#keeper.link.connected || !this.#keeper.leader) {
      // The reader goes on; the loop of #lead decides who follows.
      await this.#keeper.connect();
      if (!(await this.#keeper.lead())) throw new ConnectionLostError('keeper', 'another monitor leads');
    }
    const decision = this.#bells.decide({
      now,
      armed: this.#keeper.armed,
      leading: this.#keeper.leader,
      listenerProven: this.#listener.proven,
      backlog,
    });
    this.#seen.bellReason = decision.reason;
    if (decision.action === 'disarm') {
      await this.#keeper.disarm();
      this.#seen.armedAt = Number.POSITIVE_INFINITY;
    } else if (decision.action === 'arm') {
      this.#bells.tried(now);
      if (await this.#keeper.arm()) {
        this.#seen.armedAt = performance.now();
        this.#woken = true; // every silent writer has ended: poll once more, then sleep
      } else this.#seen.bellReason = 'a writer holds the key';
    }
  }

  #pauseLength(): number {
    if (this.#woken) return 0;
    const now = performance.now();
    const cadence = this.#options.cadenceMs ?? 15;
    const asleep = (this.#keeper.armed || this.#bells.setting === 'always') && !this.#bells.storm(now);
    if (asleep) {
      // A bell may have rung for a hole that the ration of looks did not let us read yet.
      if (this.#reader.lookWanted) return Math.max(1, Math.min(POLL_MS, this.#reader.lookDueIn, 50));
      return POLL_MS;
    }
    return now - this.#rowsAt < 1_000 ? cadence : Math.max(cadence, IDLE_CADENCE_MS);
  }

  /** Sleeps until the time is up, a bell rings (while it is listened to) or the source stops. */
  async #wait(ms: number): Promise<void> {
    if (ms <= 0 || this.#stopped) {
      // Sockets and timers have their turn even under a backlog.
      await new Promise((resolve) => setImmediate(resolve));
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, ms);
      const wake = () => done();
      function done() {
        clearTimeout(timer);
        resolve();
      }
      this.#wake = wake;
      if (this.#woken) done();
    });
    this.#wake = undefined;
  }

  #wakeUp(): void {
    this.#woken = true;
    this.#wake?.();
  }

  async #recover(error: unknown, attempt: number): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof ResetNeededError) {
      this.#drop(message);
      return;
    }
    const code = error instanceof pg.DatabaseError ? error.code : undefined;
    if (code === '55P03') {
      // The owner changes the table; our statement stepped aside after a second.
      this.#seen.behind = true;
      await this.#pause(200);
      return;
    }
    if (code === '57014') {
      this.#reader.shrinkPages();
      return;
    }
    if (code !== undefined && /^(42|0A|55)/.test(code) && (await this.#rediscover(message))) return;
    if (this.#seen.connected && !(error instanceof ConnectionLostError && attempt === 0)) this.#lost(message);
    // The first loss of one backend is mended at once; an outage is waited out.
    if (attempt > 0)
      await this.#pause(Math.min(2_000, 50 * 2 ** Math.min(attempt, 6)) * (0.5 + Math.random()));
  }

  /** The table is not what it was: look again. @returns false when it cannot be watched now. */
  async #rediscover(reason: string): Promise<boolean> {
    try {
      const table = await discoverTable(this.#link, this.#options.table.qualified);
      this.#reader.useTable(table);
      this.#table = table;
      this.#options.log.warn(
        { event_type: 'table_changed', reason, warnings: table.warnings },
        'the table was changed: discovered again',
      );
      return true;
    } catch (error) {
      if (error instanceof TableError) this.#lost(error.message);
      return false;
    }
  }

  #drop(reason: string): void {
    this.#reader.forget();
    this.#seen.resets++;
    this.#seen.lastResetReason = reason;
    this.#seen.scanning = true;
    this.#options.log.warn(
      { event_type: 'reset', reason },
      `rebuilding the windows from the table: ${reason}`,
    );
  }

  #lost(reason: string): void {
    if (!this.#seen.connected) return;
    this.#seen.connected = false;
    this.#seen.connectedSince = Date.now();
    this.#options.log.error({ event_type: 'database_lost', reason }, `database not available: ${reason}`);
  }

  #restored(): void {
    if (this.#seen.connected) return;
    const seconds = Math.round((Date.now() - (this.#seen.connectedSince ?? Date.now())) / 1000);
    this.#seen.connected = true;
    this.#seen.connectedSince = Date.now();
    this.#options.log.info(
      { event_type: 'database_back', seconds },
      `database available again after ${seconds} s`,
    );
  }

  async #pause(ms: number): Promise<void> {
    for (const until = performance.now() + ms; !this.#stopped && performance.now() < until; )
      await sleep(Math.min(100, ms));
  }
}
