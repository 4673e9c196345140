import type { BackfillState } from '../../streams/source-state.js';
import { steadyNow } from './clock.js';
import type { StartedHow } from './reader.js';
import type { Described } from './state.js';

/** What the source tells the log; pino's shape. */
export interface SourceLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Before the first round. */
export function notStarted(): Described {
  return {
    role: 'starting',
    connected: true,
    connectedSince: steadyNow(),
    lostReason: '',
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

/** How often the backfill's progress is told. ms. */
const PROGRESS_MS = 10_000;

/** Notes what happens to the source, and tells the log once for each thing that begins or ends. */
export class Journal {
  readonly #seen: Described;
  readonly #log: SourceLog;
  #backfill: { readonly beganAt: number; toldAt: number; rows: number } | undefined;

  constructor(seen: Described, log: SourceLog) {
    this.#seen = seen;
    this.#log = log;
  }

  leads(): void {
    if (this.#seen.role === 'standby')
      this.#log.info({ event_type: 'leader' }, 'the other monitor has ended: taking over');
    this.#seen.role = 'leader';
  }

  /** @returns whether it is new that it stands by */
  standsBy(): boolean {
    if (this.#seen.role === 'standby') return false;
    this.#log.info({ event_type: 'standby' }, 'another monitor follows this table: standing by');
    this.#seen.role = 'standby';
    return true;
  }

  /** The windows are being filled; call what it returns when they are. */
  filling(rowsBefore: number): (how: StartedHow, rowsAfter: number) => number {
    this.#seen.scanning = true;
    const before = performance.now();
    return (started, rowsAfter) => {
      this.#seen.scanning = false;
      const tookMs = performance.now() - before;
      const fields = { rows: rowsAfter - rowsBefore, duration_ms: Math.round(tookMs) };
      if (started.how === 'scanned')
        this.#log.info({ event_type: 'start_scan', ...fields }, 'windows filled from the table');
      else if (started.how === 'resumed')
        this.#log.info(
          { event_type: 'resumed', ...fields },
          'windows filled from history, going on from there',
        );
      else
        this.#log.info(
          { event_type: 'history_begun', reason: started.reason, ...fields },
          `history begins anew: ${started.reason}`,
        );
      return tookMs;
    };
  }

  /** Called with every round; null when there is nothing of it. */
  backfill(state: BackfillState | null): void {
    const now = performance.now();
    const told = this.#backfill;
    if (!state) {
      this.#backfill = undefined;
      if (!told) return;
      const seconds = (now - told.beganAt) / 1000;
      const fields = { rows: told.rows, duration_ms: Math.round(seconds * 1000) };
      this.#log.info(
        { event_type: 'backfill_done', ...fields },
        `the whole table is in history: ${told.rows} rows in ${Math.round(seconds)} s`,
      );
      return;
    }
    if (!told) {
      this.#backfill = { beganAt: now, toldAt: now, rows: state.rows };
      this.#log.info({ event_type: 'backfill' }, 'reading what was written before, newest first');
      return;
    }
    told.rows = state.rows;
    if (now - told.toldAt < PROGRESS_MS) return;
    told.toldAt = now;
    const left = state.secondsLeft === null ? '' : `, ${Math.round(state.secondsLeft)} s left`;
    this.#log.info(
      { event_type: 'backfill', ...state },
      `backfill: ${state.percent.toFixed(1)} %, ${Math.round(state.rowsPerSecond)} rows/s${left}`,
    );
  }

  reset(reason: string): void {
    this.#seen.resets++;
    this.#seen.lastResetReason = reason;
    this.#seen.scanning = true;
    this.#log.warn({ event_type: 'reset', reason }, `rebuilding the windows: ${reason}`);
  }

  listener(proven: boolean, reason: string): void {
    this.#log[proven ? 'info' : 'warn'](
      { event_type: 'listener', proven, reason },
      `listener ${proven ? 'proven' : 'lost'}: ${reason}`,
    );
  }

  tableChanged(reason: string, warnings: readonly string[]): void {
    // An outage is told once; that it ended, when a row could be read.
    if (!this.#seen.connected) return;
    this.#log.warn(
      { event_type: 'table_changed', reason, warnings },
      'the table was changed: discovered again',
    );
  }

  lost(reason: string): void {
    if (!this.#seen.connected) return;
    this.#seen.connected = false;
    this.#seen.lostReason = reason;
    this.#seen.connectedSince = steadyNow();
    this.#log.error({ event_type: 'database_lost', reason }, `nothing can be read: ${reason}`);
  }

  restored(): void {
    if (this.#seen.connected) return;
    const seconds = Math.round((steadyNow() - (this.#seen.connectedSince ?? steadyNow())) / 1000);
    this.#seen.connected = true;
    this.#seen.connectedSince = steadyNow();
    this.#log.info({ event_type: 'database_back', seconds }, `reading again after ${seconds} s`);
  }
}
