/**
 * The sample portal: writes rows into `customer_sync_logs` at a rate, finishes pending ones, has errors, slow spells
 * and bulk imports. It outlives restarts of the database and stops at once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { between, chance, createRandom, logNormal, type Random, waitingTime } from './traffic-random.js';
import { type DemoRow, generateRow } from './traffic-row.js';
import { type Finished, TrafficStore } from './traffic-store.js';
import { Forecast, type Incident, type Weather } from './traffic-weather.js';

export interface TrafficOptions {
  readonly url: string;
  /** Rows a second on average, above 0. */
  readonly rate: number;
  readonly incidents?: readonly Incident[];
  readonly seed: number;
  readonly log: Logger;
  /** What the traffic is like when; drawn from the seed and the incidents unless given. */
  readonly forecast?: Pick<Forecast, 'at' | 'bulkDue'>;
}

export interface Traffic {
  /** Rows committed so far. */
  written(): number;
  /** Ends within a second; an import that is under way rolls back. Idempotent. */
  stop(): Promise<void>;
}

/** Pending rows that are remembered; more stay pending until the next start. */
const MAX_WAITING = 5_000;
/** One statement's rows; what a slow database makes us miss beyond that is never written. */
const MAX_AT_ONCE = 500;
const RETRY_MS = 500;
/** Pending rows end, and spells begin, between two rows of a slow rate too. */
const LOOK_MS = 250;
const BULK_PART = 200;

/** Begins to write. The table must exist. */
export function startTraffic(options: TrafficOptions): Traffic {
  const stopping = new AbortController();
  const writer = new Writer(options, stopping.signal);
  const running = writer.run();
  return {
    written: () => writer.written,
    async stop() {
      stopping.abort();
      await writer.close();
      await running;
    },
  };
}

class Writer {
  readonly #options: TrafficOptions;
  readonly #signal: AbortSignal;
  readonly #random: Random;
  readonly #forecast: Pick<Forecast, 'at' | 'bulkDue'>;
  readonly #store: TrafficStore;
  /** A bulk import stays open for seconds while single rows go on. */
  readonly #bulkStore: TrafficStore;
  readonly #waiting: (Finished & { readonly dueAt: number })[] = [];
  #bulk: Promise<void> | null = null;
  #adopted = false;
  #troubled = false;
  written = 0;

  constructor(options: TrafficOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#random = createRandom(options.seed);
    this.#forecast = options.forecast ?? new Forecast(this.#random, options.incidents ?? []);
    this.#store = new TrafficStore(options.url);
    this.#bulkStore = new TrafficStore(options.url);
  }

  async close(): Promise<void> {
    await Promise.all([this.#store.close(), this.#bulkStore.close()]);
    await this.#bulk;
  }

  async run(): Promise<void> {
    const began = performance.now();
    let next = began;
    while (!this.#signal.aborted) {
      try {
        const now = performance.now();
        const weather = this.#forecast.at(now - began);
        await this.#adopt(now);
        let due = 0;
        for (; next <= now; next += waitingTime(this.#random, this.#options.rate)) due += 1;
        if (!weather.stopped) await this.#write(Math.min(due, MAX_AT_ONCE), weather);
        if (!weather.stuck) await this.#finish(now);
        if (this.#forecast.bulkDue(now - began)) this.#startBulk(weather);
        this.#recovered();
        await this.#pause(Math.min(next - performance.now(), LOOK_MS));
      } catch (error) {
        if (this.#signal.aborted) return;
        this.#trouble(error);
        await this.#pause(RETRY_MS);
        // The rows of the outage are not made up for, as a portal that is cut off does nothing either.
        next = performance.now();
      }
    }
  }

  /** Rows that an earlier run left pending end soon, as a queue that is worked off again. */
  async #adopt(now: number): Promise<void> {
    if (this.#adopted) return;
    for (const id of await this.#store.pendingIds(MAX_WAITING)) {
      this.#wait(id, now, {
        afterMs: between(this.#random, 500, 15_000),
        status: chance(this.#random, 0.95) ? 'success' : 'failed',
        duration_ms: Math.round(logNormal(this.#random, 300, 0.7)),
        error_message: null,
      });
    }
    this.#adopted = true;
  }

  async #write(count: number, weather: Weather): Promise<void> {
    if (count === 0) return;
    const rows = Array.from({ length: count }, () => generateRow(this.#random, weather));
    const ids = await this.#store.insert(rows);
    this.written += count;
    this.#remember(rows, ids);
  }

  #remember(rows: readonly DemoRow[], ids: ReadonlyMap<string, string>): void {
    for (const row of rows) {
      const id = ids.get(row.correlation_id);
      if (row.ending && id !== undefined) this.#wait(id, performance.now(), row.ending);
    }
  }

  #wait(id: string, now: number, ending: Finished | Omit<Finished, 'id'>): void {
    if (!Number.isFinite(ending.afterMs) || this.#waiting.length >= MAX_WAITING) return;
    this.#waiting.push({ ...ending, id, dueAt: now + ending.afterMs });
  }

  async #finish(now: number): Promise<void> {
    const due = this.#waiting.filter((row) => row.dueAt <= now).slice(0, MAX_AT_ONCE);
    if (due.length === 0) return;
    await this.#store.finish(due);
    const ended = new Set(due);
    this.#waiting.splice(0, Infinity, ...this.#waiting.filter((row) => !ended.has(row)));
  }

  #startBulk(weather: Weather): void {
    if (this.#bulk) return;
    this.#bulk = this.#importInBulk(weather)
      .catch((error) => {
        if (!this.#signal.aborted) this.#trouble(error);
      })
      .finally(() => {
        this.#bulk = null;
      });
  }

  /** One transaction, open for as long as the parts take to come. */
  async #importInBulk(weather: Weather): Promise<void> {
    const parts = between(this.#random, 3, 11);
    const store = this.#bulkStore;
    await store.query('BEGIN');
    const pending: [DemoRow[], Map<string, string>][] = [];
    for (let part = 0; part < parts; part++) {
      const rows = Array.from({ length: BULK_PART }, () =>
        generateRow(this.#random, weather, 'import_from_1c'),
      );
      pending.push([rows, await store.insert(rows)]);
      await this.#pause(between(this.#random, 100, 300));
    }
    const summary = generateRow(this.#random, weather, 'batch_operation');
    await store.insert([summary]);
    await store.query('COMMIT');
    this.written += parts * BULK_PART + 1;
    for (const [rows, ids] of pending) this.#remember(rows, ids);
    this.#options.log.info({ event_type: 'demo_bulk_import', rows: parts * BULK_PART }, 'sample bulk import');
  }

  async #pause(ms: number): Promise<void> {
    if (ms <= 0) return;
    // The only way this sleep fails is that it is time to stop.
    await sleep(ms, undefined, { signal: this.#signal }).catch(() => undefined);
  }

  #trouble(error: unknown): void {
    if (this.#troubled) return;
    this.#troubled = true;
    const reason = (error as Error).message;
    this.#options.log.warn({ event_type: 'demo_traffic_interrupted', reason }, 'sample traffic interrupted');
  }

  #recovered(): void {
    if (!this.#troubled) return;
    this.#troubled = false;
    this.#options.log.info({ event_type: 'demo_traffic_resumed' }, 'sample traffic goes on');
  }
}
