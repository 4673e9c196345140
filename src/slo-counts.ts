/**
 * What only history knows of alerts: the long windows of the service level objective, and the same hour a week ago.
 * Read now and then, so that no step of the rules waits for the database.
 */
import type { SloCount, SloReading } from '../streams/alert.js';
import { sloReading } from '../streams/slo.js';
import type { OperationNumbers, Snapshot } from '../streams/snapshot.js';
import type { HourNumbers } from './alerts/evidence.js';
import type { SourceLog } from './source/journal.js';

export interface SloSettings {
  /** Percent of operations that ought not to be errors. */
  readonly target: number;
  readonly windowDays: number;
}

export interface SloCountsOptions extends SloSettings {
  /** Numbers of the half-open period. */
  readonly operations: (start: Date, end: Date) => Promise<OperationNumbers>;
  /** Whether those can be had now without reading the table. */
  readonly ready: () => boolean;
  /** How far back they reach, days. */
  readonly reachDays: number;
  /** The database's clock, ms. */
  readonly clock: () => number;
  readonly log: SourceLog;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SHORT_MS = 30_000;
const LONG_MS = 5 * MINUTE;
/** Numbers older than this say nothing about now. */
const STALE_MS = 15 * MINUTE;

interface Read {
  readonly at: number;
  readonly numbers: OperationNumbers;
}

type Period = '30m' | '6h' | '3d' | 'budget' | 'lastWeek';

export class SloCounts {
  readonly #options: SloCountsOptions;
  readonly #read = new Map<Period, Read>();
  readonly #tries = new Map<Period, number>();
  #reading: Promise<void> | undefined;
  /** Every period was asked for once, or cannot be. */
  #settled = false;
  #failing = false;
  #stopped = false;

  constructor(options: SloCountsOptions) {
    this.#options = options;
  }

  /** Reads what is due, one after the other, in the background. To be called while this process leads, any time. */
  refresh(): void {
    if (this.#reading || this.#stopped) return;
    if (!this.#options.ready()) {
      this.#settled = true;
      return;
    }
    this.#reading = this.#readDue()
      .then(() => {
        this.#failing = false;
      })
      .catch((error: unknown) => {
        if (!this.#failing && !this.#stopped)
          this.#options.log.warn(
            { event_type: 'slo_unread', error },
            'the long windows of the SLO cannot be read now',
          );
        this.#failing = true;
      })
      .finally(() => {
        this.#settled = true;
        this.#reading = undefined;
      });
  }

  /** Null while it is not known. 5 min and 1 h are those of the snapshot; null there: not known, likewise. */
  reading(snapshot: Snapshot | null): SloReading | null {
    if (!this.#settled) return null;
    const { target, windowDays } = this.#options;
    const of = (window: '5m' | '1h') => (snapshot ? countOf(snapshot.windows[window]) : null);
    const kept = (period: Period) => {
      const numbers = this.#fresh(period);
      return numbers ? countOf(numbers) : null;
    };
    const windows = {
      ...{ '5m': of('5m'), '30m': kept('30m'), '1h': of('1h'), '6h': kept('6h'), '3d': kept('3d') },
    };
    return sloReading({ windows, budget: kept('budget') }, { target, windowDays });
  }

  /** The hour a week ago; null where it is not known. */
  lastWeek(): HourNumbers | null {
    const numbers = this.#fresh('lastWeek');
    return numbers && hourOf(numbers);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#reading;
  }

  #fresh(period: Period): OperationNumbers | null {
    const read = this.#read.get(period);
    return read && Math.abs(this.#options.clock() - read.at) < STALE_MS ? read.numbers : null;
  }

  async #readDue(): Promise<void> {
    const { windowDays, reachDays } = this.#options;
    await this.#readOne('30m', SHORT_MS, 30 * MINUTE);
    await this.#readOne('6h', SHORT_MS, 6 * HOUR);
    if (reachDays > 7) await this.#readOne('lastWeek', LONG_MS, HOUR, 7 * DAY);
    await this.#readOne('3d', LONG_MS, 3 * DAY);
    await this.#readOne('budget', LONG_MS, windowDays * DAY);
  }

  /** Whole minutes, which history holds as they are. */
  async #readOne(period: Period, everyMs: number, length: number, ago = 0): Promise<void> {
    const now = this.#options.clock();
    const last = this.#tries.get(period);
    if (this.#stopped || (last !== undefined && now >= last && now - last < everyMs)) return;
    this.#tries.set(period, now);
    const end = Math.floor((now - ago) / MINUTE) * MINUTE;
    const numbers = await this.#options.operations(new Date(end - length), new Date(end));
    this.#read.set(period, { at: now, numbers });
  }
}

/** What a notice shows of an hour. */
export function hourOf({ total_operations, error_count, error_rate }: OperationNumbers): HourNumbers {
  return { operations: total_operations, errors: error_count, error_rate };
}

function countOf({ error_count, total_operations }: OperationNumbers): SloCount {
  return { errors: error_count, total: total_operations };
}
