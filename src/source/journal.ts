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
    connectedSince: Date.now(),
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

/** Notes what happens to the source, and tells the log once for each thing that begins or ends. */
export class Journal {
  readonly #seen: Described;
  readonly #log: SourceLog;

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
  scanning(rowsBefore: number): (rowsAfter: number) => void {
    this.#seen.scanning = true;
    const before = performance.now();
    return (rowsAfter) => {
      this.#seen.scanning = false;
      const fields = { rows: rowsAfter - rowsBefore, duration_ms: Math.round(performance.now() - before) };
      this.#log.info({ event_type: 'start_scan', ...fields }, 'windows filled from the table');
    };
  }

  reset(reason: string): void {
    this.#seen.resets++;
    this.#seen.lastResetReason = reason;
    this.#seen.scanning = true;
    this.#log.warn({ event_type: 'reset', reason }, `rebuilding the windows from the table: ${reason}`);
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
    this.#seen.connectedSince = Date.now();
    this.#log.error({ event_type: 'database_lost', reason }, `nothing can be read: ${reason}`);
  }

  restored(): void {
    if (this.#seen.connected) return;
    const seconds = Math.round((Date.now() - (this.#seen.connectedSince ?? Date.now())) / 1000);
    this.#seen.connected = true;
    this.#seen.connectedSince = Date.now();
    this.#log.info({ event_type: 'database_back', seconds }, `reading again after ${seconds} s`);
  }
}
