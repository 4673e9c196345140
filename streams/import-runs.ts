/**
 * Imports as they run: `import_from_1c` rows of one correlation id, and how much of the machines was used meanwhile at
 * most. Pure; bounded in runs.
 */
import { type Batch, isError } from './event.js';
import { isoOf } from './iso.js';
import { peakOf, type Resources, type ResourceUse } from './resources.js';

const IMPORT = 'import_from_1c';
/** Without a row for so long a run has ended. ms */
const QUIET_MS = 60_000;
/** Runs at a time: where each row has an id of its own, there are no runs to be told apart. */
const MOST_RUNNING = 32;
const MOST_FINISHED = 50;

const NOTHING: ResourceUse = {
  memory_used_bytes: null,
  cpu_used_ratio: null,
  db_connections_used: null,
  notification_queue_ratio: null,
  disk_used_ratio: null,
};

export interface ImportRun {
  /** Null: rows without one. */
  readonly correlation_id: string | null;
  /** When its first and last row were seen, ISO 8601 UTC. */
  readonly started_at: string;
  readonly last_row_at: string;
  readonly running: boolean;
  readonly rows: number;
  readonly errors: number;
  /** The most that was used while it ran. */
  readonly peak: ResourceUse;
}

export interface ImportRunsView {
  /** Newest first, as are those that have ended. */
  readonly running: readonly ImportRun[];
  readonly finished: readonly ImportRun[];
  /** Rows that belong to none of them: too many runs at a time. */
  readonly rows_not_followed: number;
}

/** What is used now, and what imports used at most. */
export interface ResourcesState {
  readonly timestamp: string;
  readonly now: Resources;
  readonly imports: ImportRunsView;
}

interface Run {
  readonly id: string | null;
  readonly startedAt: number;
  lastAt: number;
  rows: number;
  errors: number;
  peak: ResourceUse;
}

export class ImportRuns {
  readonly #running = new Map<string | null, Run>();
  readonly #finished: Run[] = [];
  #notFollowed = 0;

  /** Whether there is anything to measure. */
  get active(): boolean {
    return this.#running.size > 0;
  }

  /** Takes live rows in; others tell of another time. */
  apply({ origin, rows, updates, now }: Batch): void {
    if (origin !== 'live') return;
    for (const row of rows) {
      if (row.operationType !== IMPORT) continue;
      const run = this.#at(row.correlationId, now);
      if (run === undefined) continue;
      run.rows += 1;
      if (isError(row.status)) run.errors += 1;
    }
    for (const { row, previous } of updates) {
      if (row.operationType !== IMPORT) continue;
      const run = this.#at(row.correlationId, now);
      if (run !== undefined && isError(row.status) && !isError(previous.status)) run.errors += 1;
    }
  }

  /** What is used now, by whoever: every run that goes on has it. */
  measured(use: ResourceUse): void {
    for (const run of this.#running.values()) run.peak = peakOf(run.peak, use);
  }

  /** Ends what has been quiet. @param now the database's clock, ms */
  advance(now: number): void {
    for (const [id, run] of this.#running) {
      if (now - run.lastAt < QUIET_MS) continue;
      this.#running.delete(id);
      this.#finished.unshift(run);
    }
    this.#finished.length = Math.min(this.#finished.length, MOST_FINISHED);
  }

  view(): ImportRunsView {
    return {
      running: [...this.#running.values()].reverse().map((run) => viewOf(run, true)),
      finished: this.#finished.map((run) => viewOf(run, false)),
      rows_not_followed: this.#notFollowed,
    };
  }

  #at(id: string | null, now: number): Run | undefined {
    let run = this.#running.get(id);
    if (run === undefined) {
      if (this.#running.size >= MOST_RUNNING) this.advance(now);
      if (this.#running.size >= MOST_RUNNING) {
        this.#notFollowed += 1;
        return undefined;
      }
      run = { id, startedAt: now, lastAt: now, rows: 0, errors: 0, peak: NOTHING };
      this.#running.set(id, run);
    }
    run.lastAt = now;
    return run;
  }
}

function viewOf({ id, startedAt, lastAt, rows, errors, peak }: Run, running: boolean): ImportRun {
  return {
    ...{ correlation_id: id, running, rows, errors, peak },
    started_at: isoOf(Math.floor(startedAt)) ?? '',
    last_row_at: isoOf(Math.floor(lastAt)) ?? '',
  };
}
