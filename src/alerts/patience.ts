/** Waiting for the database, but not for long: an alert about the database must not wait for the database. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AlertLog } from './db.js';

export class Patience {
  readonly #log: AlertLog;
  readonly #ms: number;
  /** The last question was not answered well, or not in time: until one is, nobody waits. */
  #down = false;

  constructor(log: AlertLog, ms: number) {
    this.#log = log;
    this.#ms = ms;
  }

  /**
   * Waits until this is done or patience ends; it goes on in any case. Never throws: what is wrong is said once, and
   * once that it is well again.
   */
  async wait(question: Promise<unknown>): Promise<void> {
    const asked = question.then(
      () => this.#answered(),
      (error: unknown) => this.#failed(error),
    );
    const patience = new AbortController();
    const enough = sleep(this.#down ? 0 : this.#ms, true, { signal: patience.signal }).catch(() => false);
    const late = await Promise.race([asked.then(() => false), enough]);
    patience.abort();
    if (late) this.#failed(new Error(`no answer within ${this.#ms} ms`));
  }

  #answered(): void {
    if (this.#down) this.#log.info({ event_type: 'alerts_kept' }, 'alerts are written down again');
    this.#down = false;
  }

  #failed(error: unknown): void {
    if (!this.#down)
      this.#log.error(
        { event_type: 'alerts_not_kept', error },
        'alerts cannot be written down now; they go out all the same, and are kept in memory until they can',
      );
    this.#down = true;
  }
}
