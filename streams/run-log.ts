/** What came of the runs of something that runs again and again: the last one, and how many. */
import { isoOf } from './iso.js';
import type { Outcome, ScheduleState } from './schedules.js';

export interface Ran {
  readonly outcome: Outcome;
  /** Why it failed or was skipped, one sentence. */
  readonly message?: string;
}

/** Of a schedule, all but what it is and when it runs next. */
export type RunCounts = Omit<ScheduleState, 'name' | 'every_seconds' | 'cron' | 'next_run_at'>;

export class RunLog {
  #startedAt: number | null = null;
  #running = false;
  #durationMs: number | null = null;
  #last: Ran | null = null;
  #runs = 0;
  #failures = 0;
  #inARow = 0;

  /** Failures since the last success. */
  get failedInARow(): number {
    return this.#inARow;
  }

  /** @param at ms of the Unix epoch */
  begin(at: number): void {
    this.#startedAt = at;
    this.#running = true;
    this.#runs += 1;
  }

  end(ran: Ran, durationMs: number): void {
    this.#durationMs = durationMs;
    this.#running = false;
    this.#last = ran;
    if (ran.outcome === 'failed') {
      this.#failures += 1;
      this.#inARow += 1;
    } else this.#inARow = 0;
  }

  counts(): RunCounts {
    return {
      running: this.#running,
      last_run_at: this.#startedAt === null ? null : isoOf(Math.floor(this.#startedAt)),
      last_duration_ms: this.#durationMs === null ? null : Math.round(this.#durationMs * 10) / 10,
      last_outcome: this.#last?.outcome ?? null,
      last_message: this.#last?.message ?? null,
      runs: this.#runs,
      failures: this.#failures,
      consecutive_failures: this.#inARow,
    };
  }
}
