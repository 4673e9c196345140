/** What runs by itself and when: the wire form of `/api/monitoring/schedules/`. Times are ISO 8601 UTC. */
export interface ScheduleState {
  readonly name: string;
  /** One of the two: from start to start, or a cron pattern in this host's time. */
  readonly every_seconds: number | null;
  readonly cron: string | null;
  readonly running: boolean;
  /** When the last run began; null before the first. */
  readonly last_run_at: string | null;
  /** Of the last run that has ended. */
  readonly last_duration_ms: number | null;
  /** `skipped`: it was not this process's turn, or there was nothing to do it on. */
  readonly last_outcome: Outcome | null;
  /** Why it failed or was skipped, one sentence. */
  readonly last_message: string | null;
  /** Null where it is not known, and once it is stopped. After a failure: when it is tried again. */
  readonly next_run_at: string | null;
  readonly runs: number;
  readonly failures: number;
  readonly consecutive_failures: number;
}

export const OUTCOMES = ['succeeded', 'failed', 'skipped'] as const;
export type Outcome = (typeof OUTCOMES)[number];
