import { setTimeout as sleep } from 'node:timers/promises';
import { type Observable, Subject } from 'rxjs';
import type { RefoldSpan } from '../../streams/checkpoint.js';
import type { Batch, Completeness, SyncRow } from '../../streams/event.js';
import type { SourceState } from '../../streams/source-state.js';
import { Alarm } from './alarm.js';
import { type BellSetting, Bells } from './bells.js';
import { DatabaseClock } from './clock.js';
import { Link } from './connection.js';
import { Continuity } from './continuity.js';
import { Cycle } from './cycle.js';
import { faultOf } from './fault.js';
import type { SourceHistory } from './history-port.js';
import { Journal, notStarted, type SourceLog } from './journal.js';
import { Keeper, type Keys, keysOf } from './keeper.js';
import { Listener } from './listener.js';
import { Reader } from './reader.js';
import { ResetNeededError } from './reading.js';
import { type Described, describeState } from './state.js';
import { discoverTable, TableError, type TableInfo } from './table.js';

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
  /** What survives a restart; without it the windows are filled by a scan at each start. */
  readonly history?: SourceHistory;
  /** Default: as fast as it goes. */
  readonly backfillRowsPerSecond?: number;
}

/** How often in a row a refused statement is taken for a change of the table. */
const REDISCOVERIES = 5;

/** For reading in general: no row can be hidden by a policy, no transaction of ours is long, nothing is written. */
export const QUERY_SESSION = `SET default_transaction_isolation = 'read committed'; SET default_transaction_read_only = on;
  SET row_security = off; SET statement_timeout = 10000; SET lock_timeout = 1000; SET jit = off;
  SET search_path = pg_catalog; SET extra_float_digits = 1; SET timezone = 'UTC'`;

/**
 * For the reader: its few statements all walk an index, and are planned once; planning anew took longer than running
 * them wherever the planner took the general plan for the dearer one.
 */
export const READER_SESSION = `${QUERY_SESSION}; SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan`;

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
  readonly #cycle: Cycle;
  #table: TableInfo;
  #stopped = false;
  #loop: Promise<void> | undefined;
  /** Why the windows and the cursor are to be loaded again. */
  #reloadReason: string | undefined;
  readonly #alarm = new Alarm();
  readonly #seen: Described = notStarted();
  readonly #journal: Journal;

  constructor(options: SourceOptions) {
    this.#options = options;
    this.#table = options.table;
    this.#journal = new Journal(this.#seen, options.log);
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
        if (!this.#bells.storm(now)) this.#alarm.ring();
      },
      onChange: (proven, reason) => {
        this.#journal.listener(proven, reason);
        this.#alarm.ring();
      },
    });
    this.#reader = new Reader(options.table, {
      link: this.#link,
      keys: this.keys,
      clock: this.clock,
      emit: (batch) => this.#batches.next(batch),
      historyMs: options.historyMs,
      pendingLimit: options.pendingLimit,
      history: options.history,
      backfillRowsPerSecond: options.backfillRowsPerSecond,
    });
    this.#cycle = new Cycle({
      reader: this.#reader,
      keeper: this.#keeper,
      listener: this.#listener,
      bells: this.#bells,
      continuity: this.#continuity,
      seen: this.#seen,
      history: options.history,
      cadenceMs: options.cadenceMs ?? 15,
    });
  }

  /** Begins to follow; returns at once and never throws: from here on outages heal. */
  start(): void {
    if (this.#bells.setting !== 'off') this.#listener.start();
    this.#loop = this.#run();
  }

  /** Ends the loop and every connection. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#alarm.ring();
    await this.#listener.stop();
    await Promise.race([this.#loop, sleep(2_000, undefined, { ref: false })]);
    this.#seen.role = 'stopped';
    this.#continuity.release();
    for (const link of [this.#link, this.#anchor]) link.close();
    this.#keeper.close();
    await this.#loop;
  }

  /** As it was found last: the owner may have changed it since the start. */
  get table(): TableInfo {
    return this.#table;
  }

  /** Rows that were pending when last read: they are in the windows and not in history. */
  pendingRows(): Iterable<SyncRow> {
    return this.#reader.pending.rows();
  }

  /** Reads parts of the windows again, within the next rounds. */
  refold(spans: readonly RefoldSpan[]): void {
    this.#reader.refold(spans);
    this.#alarm.ring();
  }

  /** What history holds is not what was folded: fills the windows from it again, and reads on from there. */
  reload(reason: string): void {
    this.#reloadReason = reason;
    this.#alarm.ring();
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
        while (!this.#stopped) {
          this.#takeReload();
          const pause = await this.#cycle.run(this.#alarm.taken());
          this.#journal.restored();
          this.#journal.backfill(this.#reader.backfill?.state() ?? null);
          attempt = 0;
          if (!this.#stopped) await this.#alarm.sleep(pause);
        }
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
      this.#journal.leads();
      return true;
    }
    if (this.#journal.standsBy()) {
      // What it does not follow it does not know.
      this.#reader.forget();
      this.#link.close();
      this.#anchor.close();
    }
    this.#journal.restored();
    return false;
  }

  #takeReload(): void {
    const reason = this.#reloadReason;
    this.#reloadReason = undefined;
    if (reason !== undefined) throw new ResetNeededError(reason);
  }

  async #connectReader(): Promise<void> {
    if (!this.#link.connected) await this.#link.connect();
    if (this.#reader.cursor && !(await this.#continuity.proven()))
      this.#drop('no connection outlived the gap');
    if (!this.#anchor.connected) await this.#anchor.connect();
    if (this.#reader.cursor) return;
    this.#reloadReason = undefined;
    const filled = this.#journal.filling(this.#reader.rowsRead);
    const how = await this.#reader.start();
    this.#cycle.restarted(filled(how, this.#reader.rowsRead));
  }

  async #recover(error: unknown, attempt: number): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    const fault = faultOf(error);
    if (fault === 'reset') return this.#drop(message);
    if (fault === 'busy') this.#seen.behind = true;
    else if (fault === 'slow') this.#reader.shrinkPages();
    else if (fault === 'changed' && (await this.#rediscover(message))) {
      // Found as before and refused again: this is no change of the table, and it lasts.
      if (attempt >= REDISCOVERIES) this.#journal.lost(message);
    } else {
      // The first loss of one backend is mended at once, without a word.
      if (fault === 'connection' && attempt === 0) return;
      this.#journal.lost(message);
    }
    await this.#pause(Math.min(2_000, 50 * 2 ** Math.min(attempt, 6)) * (0.5 + Math.random()));
  }

  /** The table is not what it was: look again. @returns false when it could not be looked at. */
  async #rediscover(reason: string): Promise<boolean> {
    try {
      const table = await discoverTable(this.#link, this.#options.table.qualified);
      this.#reader.useTable(table);
      this.#table = table;
      // Its prepared statements are those of the old columns. The anchor proves that nothing else has changed.
      this.#link.close();
      this.#journal.tableChanged(reason, table.warnings);
      return true;
    } catch (error) {
      if (!(error instanceof TableError)) return false;
      this.#journal.lost(error.message);
      return true;
    }
  }

  #drop(reason: string): void {
    this.#reader.forget();
    this.#journal.reset(reason);
  }

  async #pause(ms: number): Promise<void> {
    for (const until = performance.now() + ms; !this.#stopped && performance.now() < until; )
      await sleep(Math.min(100, ms));
  }
}
