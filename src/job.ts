/** Something that runs by itself, at an interval or at times of the day; never twice at once. */
import { Cron } from 'croner';
import { type Backoff, backoff } from '../streams/backoff.js';
import { type Ran, RunLog } from '../streams/run-log.js';
import type { ScheduleState } from '../streams/schedules.js';

export interface JobOptions {
  readonly name: string;
  /** From start to start, ms, or a cron pattern in this host's time. A run that takes longer is followed at once. */
  readonly when: number | string;
  /** What throws has failed, with the error's message. The signal says that the monitor stops. */
  readonly run: (signal: AbortSignal) => Promise<Ran>;
  /** Pauses before the next try after failures: the first, doubled each time up to the longest. Else the regular time. */
  readonly retry?: Backoff;
  /** The first run of an interval comes at once. Default true. */
  readonly atOnce?: boolean;
}

/** The wall clock can be set, and a laptop sleeps: the time of the day is looked at at least so often. ms */
const LOOK_MS = 30_000;

export class Job {
  readonly #options: JobOptions;
  readonly #runs = new RunLog();
  readonly #stop = new AbortController();
  readonly #cron: Cron | undefined;
  /** By the clock that the kind goes by: monotonic for intervals, this host's for times of the day. */
  #dueAt: number | null = null;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(options: JobOptions) {
    this.#options = options;
    if (typeof options.when === 'string') this.#cron = new Cron(options.when, { paused: true });
  }

  /** Begins to keep its times; a second call does nothing. */
  start(): void {
    if (this.#dueAt !== null || this.#stop.signal.aborted) return;
    const { when, atOnce = true } = this.#options;
    this.#plan(typeof when === 'number' ? this.#now() + (atOnce ? 0 : when) : this.#nextOfDay());
  }

  /** Runs as soon as may be: now, or after the run under way. */
  hurry(): void {
    if (this.#dueAt !== null) this.#plan(this.#now());
  }

  state(): ScheduleState {
    const { name, when } = this.#options;
    const due = this.#dueAt;
    const left = due === null || !Number.isFinite(due) ? null : Math.max(0, due - this.#now());
    return {
      name,
      every_seconds: typeof when === 'number' ? when / 1_000 : null,
      cron: typeof when === 'string' ? when : null,
      next_run_at: left === null ? null : new Date(Date.now() + left).toISOString(),
      ...this.#runs.counts(),
    };
  }

  /** No run begins any more; the one under way is told. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#dueAt = null;
    clearTimeout(this.#timer);
    this.#cron?.stop();
    await this.#running;
  }

  #now(): number {
    return this.#cron ? Date.now() : performance.now();
  }

  #nextOfDay(): number {
    return this.#cron?.nextRun()?.getTime() ?? Number.POSITIVE_INFINITY;
  }

  #plan(dueAt: number): void {
    clearTimeout(this.#timer);
    if (this.#stop.signal.aborted) return;
    this.#dueAt = dueAt;
    // Looked at again when the run under way has ended.
    if (this.#running) return;
    const wait = dueAt - this.#now();
    if (wait <= 0) {
      this.#running = this.#run().finally(() => {
        this.#running = undefined;
        this.#plan(this.#dueAt ?? this.#now());
      });
      return;
    }
    this.#timer = setTimeout(() => this.#plan(dueAt), Math.min(Math.ceil(wait), LOOK_MS));
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    const { run, when, retry } = this.#options;
    const began = this.#now();
    // Whoever hurries meanwhile sets it to an earlier time.
    const regular = typeof when === 'number' ? began + when : this.#nextOfDay();
    this.#dueAt = regular;
    this.#runs.begin(Date.now());
    const start = performance.now();
    let ran: Ran;
    try {
      ran = await run(this.#stop.signal);
    } catch (error) {
      ran = { outcome: 'failed', message: error instanceof Error ? error.message : String(error) };
    }
    this.#runs.end(ran, performance.now() - start);
    if (ran.outcome !== 'failed' || !retry || this.#dueAt !== regular) return;
    const pause = backoff(this.#runs.failedInARow - 1, retry, Math.random());
    this.#dueAt = Math.min(regular, this.#now() + pause);
  }
}
