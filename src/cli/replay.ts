/**
 * Past rows through the very same fold, incidents and rules, on virtual time. Without a clock and without a database:
 * rows come in order of created_at, and with them the time.
 */
import type {
  AlertLimits,
  Evidence,
  Observation,
  Rule,
  RuleState,
  SloNumbers,
  Transition,
} from '../../streams/alert.js';
import type { Completeness, SyncRow } from '../../streams/event.js';
import { Fold } from '../../streams/fold.js';
import { Incidents } from '../../streams/incidents.js';
import type { WantedWindows } from '../../streams/periods.js';
import { type Stepped, step } from '../../streams/rules.js';
import { measure } from '../../streams/rules-measure.js';
import { sloNumbers } from '../../streams/slo.js';
import { SloCounter } from '../../streams/slo-counter.js';
import { WINDOW_NAMES } from '../../streams/snapshot.js';
import { evidenceWindow, wantedBy } from './replay-wanted.js';

/** Between two steps of virtual time: what lasts for less can be missed. ms */
export const REPLAY_STEP_MS = 15_000;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WINDOW_MS = [MINUTE, 5 * MINUTE, HOUR, DAY] as const;
/** The longest window of the objective that a rule looks at. */
const SLO_DAYS = 3;
/** Without rows for so long there is no burn rate: each looks at a window no longer than this. */
const SLO_QUIET_MS = 6 * HOUR + 2 * MINUTE;
/** Windows end and begin with a step of theirs, the largest of which is this. */
const SLACK_MS = 5 * MINUTE;
const COMPLETE: Completeness = { state: 'complete', ratio: 1, reasons: [] };

export interface ReplayOptions {
  /** Those over health are left out: nobody knows how components were. */
  readonly rules: readonly Rule[];
  readonly limits: AlertLimits;
  /** Percent. */
  readonly sloTarget: number;
  readonly batchErrors: number;
  /** The first and the last step, ms. */
  readonly from: number;
  readonly to: number;
  /** For tests: no stretch is skipped. */
  readonly everyStep?: boolean;
}

/** An alert that would have been sent. */
export interface ReplayedAlert {
  readonly rule: Rule;
  readonly startsAt: number;
  /** When the notice would have gone out: later than the start by the rate limit. */
  readonly noticeAt: number;
  /** It fired at the first step: when it began is not known. */
  readonly before: boolean;
  /** When it was seen to be over; null: it still fires at the end. */
  endsAt: number | null;
  /** When it was noticed. */
  readonly value: number | null;
  peak: number | null;
  peakAt: number;
  readonly evidence: Evidence | null;
}

export class Replay {
  readonly alerts: ReplayedAlert[] = [];
  /** By rule: how often it fired for so short a time that the rate limit let no notice out. */
  readonly unsent = new Map<string, number>();
  readonly rules: readonly Rule[];
  /** Names of the rules that are not judged. */
  readonly notJudged: readonly string[];
  /** From here on rows are needed, before it minute counts; a whole minute, ms. */
  readonly rowsFrom: number;
  /** From here on minute counts are needed; not before `rowsFrom` where no rule asks for the objective. ms */
  readonly countsFrom: number;
  /** Whether it matters when the newest row before `rowsFrom` came. */
  readonly needsNewest: boolean;
  /** Rows in the period itself. */
  rows = 0;
  steps = 0;
  readonly #options: ReplayOptions;
  readonly #fold: Fold;
  readonly #incidents: Incidents;
  readonly #slo: SloCounter | null;
  readonly #wanted: WantedWindows;
  /** So long after the last row all that rules look at stands still, ages apart. ms */
  readonly #settles: number;
  readonly #open = new Map<string, ReplayedAlert>();
  readonly #peakAt = new Map<string, number>();
  #state: Readonly<Record<string, RuleState>> = {};
  #next: number;
  #sloAt = Number.NaN;
  #sloLast: SloNumbers | null = null;
  #lastRowAt = Number.NEGATIVE_INFINITY;

  constructor(options: ReplayOptions) {
    const { from, batchErrors } = options;
    this.#options = options;
    this.rules = options.rules.filter(({ over }) => over === 'rows');
    this.notJudged = options.rules.filter(({ over }) => over === 'health').map(({ name }) => name);
    this.needsNewest = this.rules.some((rule) => rule.measure === 'minutes_without_rows');
    const slo = this.rules.some((rule) => rule.measure.startsWith('slo_'));
    this.#slo = slo ? new SloCounter(SLO_DAYS) : null;
    this.#incidents = new Incidents({ batchErrors });
    this.#wanted = wantedBy(this.rules);
    const windows = WINDOW_NAMES.filter((_, i) => this.#wanted[i] !== null);
    this.#fold = new Fold({ customers: 0, windows });
    const longest = Math.max(5 * MINUTE, ...WINDOW_MS.filter((_, i) => this.#wanted[i] !== null));
    this.#settles = Math.max(longest + SLACK_MS, slo ? SLO_QUIET_MS : 0);
    // Evidence is of an hour.
    this.rowsFrom = minuteOf(from - Math.max(longest, HOUR) - SLACK_MS);
    this.countsFrom = slo ? minuteOf(from - SLO_DAYS * DAY - MINUTE) : this.rowsFrom;
    this.#next = from;
    this.#slo?.advance(this.rowsFrom);
    this.#incidents.advance(this.rowsFrom);
  }

  /** The rows of a minute before `rowsFrom`. */
  addMinute(start: number, errors: number, total: number): void {
    this.#slo?.add(start, errors, total);
  }

  /** The newest row before `rowsFrom`, where `needsNewest`. */
  addNewest(createdAt: number): void {
    // To incidents a row of a minute is one that was written then; what it was does not matter here.
    const row = { ...NO_ROW, createdAt };
    this.#incidents.apply(batchOf([row], this.rowsFrom));
  }

  /** Pending rows of before `rowsFrom`. */
  addPending(rows: readonly SyncRow[]): void {
    this.#fold.apply(batchOf(rows, this.rowsFrom));
  }

  /** Rows from `rowsFrom` on, in order of created_at over all calls; time goes on with them. */
  add(rows: readonly SyncRow[]): void {
    let first = 0;
    for (let i = 0; i < rows.length; i++) {
      const { createdAt } = rows[i] as SyncRow;
      if (createdAt >= this.#options.from) this.rows += 1;
      if (createdAt <= this.#next) continue;
      this.#take(rows.slice(first, i), this.#next);
      first = i;
      this.#stepUntil(createdAt);
    }
    const last = rows.at(-1);
    if (last !== undefined) this.#take(rows.slice(first), last.createdAt);
  }

  /** Goes on to the end. */
  finish(): void {
    this.#stepUntil(this.#options.to + 1);
  }

  #take(rows: readonly SyncRow[], now: number): void {
    const last = rows.at(-1);
    if (last === undefined) return;
    const batch = batchOf(rows, now);
    this.#fold.apply(batch);
    this.#incidents.apply(batch);
    this.#slo?.apply(batch);
    this.#lastRowAt = last.createdAt;
  }

  /** All steps before a time at which there is something new. */
  #stepUntil(time: number): void {
    const end = Math.min(time, this.#options.to + 1);
    while (this.#next < end) {
      const seen = this.#observe(this.#next);
      const stepped = this.#step(seen);
      this.#next += REPLAY_STEP_MS;
      if (this.#next < end && this.#isStill(stepped, seen)) this.#skip(end, seen);
    }
  }

  #observe(now: number): Observation {
    this.#fold.advance({ now, completeness: COMPLETE, lagMs: 0 });
    this.#incidents.advance(now);
    this.#slo?.advance(now);
    return {
      now,
      snapshot: this.#fold.seen(this.#wanted),
      measurable: true,
      unmeasurableReason: null,
      unmeasurableSince: null,
      starting: false,
      components: {},
      slo: this.#sloNumbers(now),
      incidents: this.#incidents.view(),
    };
  }

  /** Once a minute, as minutes are what is counted. */
  #sloNumbers(now: number): SloNumbers | null {
    const minute = minuteOf(now);
    if (this.#slo === null || minute === this.#sloAt) return this.#sloLast;
    this.#sloAt = minute;
    const target = this.#options.sloTarget;
    this.#sloLast = sloNumbers(this.#slo.counts(), { target, windowDays: SLO_DAYS });
    return this.#sloLast;
  }

  #step(seen: Observation): Stepped {
    const before = this.#state;
    const stepped = step(this.rules, before, seen, this.#options.limits);
    this.steps += 1;
    this.#state = stepped.state;
    if (stepped.state !== before) this.#follow(before, stepped.state, seen.now);
    for (const transition of stepped.transitions) this.#note(transition, seen);
    return stepped;
  }

  #follow(before: Stepped['state'], after: Stepped['state'], now: number): void {
    for (const [name, state] of Object.entries(after)) {
      const was = before[name];
      if (was === state) continue;
      if (state.peak !== null && was?.peak !== state.peak) {
        this.#peakAt.set(name, now);
        const open = this.#open.get(name);
        if (open) Object.assign(open, { peak: state.peak, peakAt: now });
      }
      if (was?.phase === 'firing' && !was.noticed && state.phase === 'inactive')
        this.unsent.set(name, (this.unsent.get(name) ?? 0) + 1);
    }
  }

  #note({ rule: name, kind, startsAt, endsAt, value, peak }: Transition, { now }: Observation): void {
    if (kind === 'resolved') {
      const open = this.#open.get(name);
      if (open) open.endsAt = endsAt;
      this.#open.delete(name);
    }
    const rule = this.rules.find((one) => one.name === name);
    if (kind !== 'firing' || rule === undefined) return;
    const window = evidenceWindow(rule);
    const evidence = window && this.#incidents.evidence(window);
    const before = startsAt <= this.#options.from;
    const peakAt = this.#peakAt.get(name) ?? now;
    const alert = { rule, startsAt, noticeAt: now, before, endsAt: null, value, peak, peakAt, evidence };
    this.#open.set(name, alert);
    this.alerts.push(alert);
  }

  /** Nothing will change before the next row but ages, and nothing is being waited for. */
  #isStill({ reasons }: Stepped, { now }: Observation): boolean {
    const { everyStep, limits } = this.#options;
    if (everyStep === true || now < this.#lastRowAt + this.#settles) return false;
    return Object.values(reasons).every((reason) => {
      if (reason === 'over') return limits.reminderSeconds === 0;
      return reason === 'below' || reason === 'no_data' || reason === 'too_few_events';
    });
  }

  /** To the last step before the end, or to the last one before an age crosses its line. */
  #skip(end: number, seen: Observation): void {
    let until = end - 1;
    for (const rule of this.rules) {
      const unit = AGES[rule.measure];
      const value = unit === undefined ? null : measure(rule, seen).value;
      if (unit === undefined || value === null) continue;
      const crosses = seen.now + (rule.threshold - value) * unit;
      if (crosses >= seen.now) until = Math.min(until, crosses);
    }
    const steps = Math.floor((until - this.#next) / REPLAY_STEP_MS);
    if (steps > 0) this.#next += steps * REPLAY_STEP_MS;
  }
}

/** Measures that grow while nothing happens: ms of one of their units. */
const AGES: Readonly<Record<string, number>> = { minutes_without_rows: MINUTE, pending_age_seconds: 1000 };

const NO_ROW: SyncRow = {
  ...{ id: 0, operationType: '', status: '', createdAt: 0, customerId: null, customerEmail: null },
  ...{ onecId: null, correlationId: null, errorMessage: null, durationMs: null, conflictSource: null },
  ...{ identificationMethod: null, emailSent: false, batch: null },
};

function batchOf(rows: readonly SyncRow[], now: number) {
  return { origin: 'start', rows, updates: [], removals: [], now } as const;
}

function minuteOf(time: number): number {
  return Math.floor(time / MINUTE) * MINUTE;
}
