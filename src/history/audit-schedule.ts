/**
 * When to look at what: pure. Newest minutes often, old ones rarely; a part whose round takes many steps keeps its place,
 * and where there is not time enough for all, each gets its share of it. Times are monotonic ms unless it says otherwise.
 */
import { AUDIT_ZONES, type AuditZone } from '../../streams/audit-state.js';
import type { Span } from '../../streams/event.js';
import type { RunLog } from '../../streams/run-log.js';
import type { ScheduleState } from '../../streams/schedules.js';
import { ceilTo, floorTo } from './audit-known.js';
import { MINUTE_MS, QUARTER_MS } from './cover.js';
import { KEPT_UNTIL } from './rollup-rows.js';

/** `again`: old periods whose rows vanished, looked at once more. */
export type Turn = AuditZone | 'again';

const TURNS: readonly Turn[] = [...AUDIT_ZONES, 'again'];

/** Of the time that is left to those that are due. */
const SHARES: Readonly<Record<Turn, number>> = { newest: 4, hour: 3, day: 2, old: 1, again: 1 };

export interface Pace {
  /** From the start of a round to that of the next. */
  readonly every: Readonly<Record<AuditZone, number>>;
  /** Rests after a step for so many times what it took: 19 for a twentieth of the time. */
  readonly rest: number;
  /** Rests at least so long after a step that failed. */
  readonly restAfterFailure: number;
}

interface Place {
  /** Where the next step begins and the round ends: times of rows. */
  readonly at: number;
  readonly end: number;
}

interface TurnState {
  /** When the next round may begin. */
  readonly dueAt: number;
  /** Of the round under way. */
  readonly place: Place | null;
  /** Time used, by its share. */
  readonly used: number;
  readonly finished: number;
}

export interface Schedule {
  readonly restUntil: number;
  readonly turns: Readonly<Record<Turn, TurnState>>;
}

export type Decision =
  | { readonly kind: 'step'; readonly turn: Turn; readonly place: Place | null }
  | { readonly kind: 'wait'; readonly ms: number };

const HOUR_MS = 60 * MINUTE_MS;
/** Rows of the immediate future, by a clock that is ahead. */
const AHEAD_MS = 2 * MINUTE_MS;

/**
 * What a new round looks at. Times of rows here, ms.
 * @param now the database's clock
 * @param from as far back as there is anything to compare
 */
export function roundOf(zone: AuditZone, now: number, from: number): Span {
  const since = (ms: number) => floorTo(now - ms, MINUTE_MS);
  const day = floorTo(now - 25 * HOUR_MS, QUARTER_MS);
  if (zone === 'old') return { from, to: Math.max(day, from) };
  if (zone === 'day') return { from: day, to: KEPT_UNTIL };
  return {
    from: since(zone === 'newest' ? 10 * MINUTE_MS : 70 * MINUTE_MS),
    to: ceilTo(now + AHEAD_MS, MINUTE_MS),
  };
}

export function newSchedule(now: number): Schedule {
  const turn = (dueAt: number): TurnState => ({ dueAt, place: null, used: 0, finished: 0 });
  return {
    restUntil: now,
    turns: {
      newest: turn(now),
      hour: turn(now),
      day: turn(now),
      old: turn(now),
      again: turn(Number.POSITIVE_INFINITY),
    },
  };
}

/** What to do now; `place` null: a new round begins. */
export function decide({ restUntil, turns }: Schedule, now: number): Decision {
  if (now < restUntil) return { kind: 'wait', ms: restUntil - now };
  const due = TURNS.filter((turn) => isDue(turns[turn], now));
  const [first] = due.sort((a, b) => turns[a].used - turns[b].used);
  if (first !== undefined) return { kind: 'step', turn: first, place: turns[first].place };
  return { kind: 'wait', ms: Math.min(...TURNS.map((turn) => turns[turn].dueAt)) - now };
}

/** ms until the next step. */
export function dueIn(schedule: Schedule, now: number): number {
  const decision = decide(schedule, now);
  return decision.kind === 'wait' ? decision.ms : 0;
}

/** @param next when the next step is, ms of the Unix epoch; null where there is none */
export function scheduleOf({ every }: Pace, next: number | null, runs: RunLog): ScheduleState {
  return {
    ...{ name: 'audit', every_seconds: every.newest / 1_000, cron: null },
    next_run_at: next === null ? null : new Date(next).toISOString(),
    ...runs.counts(),
  };
}

/** A step of `turn` ended at `now` after `tookMs`; `next` is where its round goes on, null where that is finished. */
export function stepped(
  schedule: Schedule,
  turn: Turn,
  done: { readonly now: number; readonly tookMs: number; readonly next: Place | null },
  pace: Pace,
): Schedule {
  const { now, tookMs, next } = done;
  const before = schedule.turns[turn];
  const began = before.place === null;
  // Who was not due saved no time for later.
  const others = TURNS.filter((other) => other !== turn && isDue(schedule.turns[other], now));
  const least = Math.min(...others.map((other) => schedule.turns[other].used));
  const from = began && Number.isFinite(least) ? Math.max(before.used, least) : before.used;
  const every = turn === 'again' ? Number.POSITIVE_INFINITY : pace.every[turn];
  const after: TurnState = {
    dueAt: began ? now - tookMs + every : before.dueAt,
    place: next,
    used: from + tookMs / SHARES[turn],
    finished: before.finished + (next === null ? 1 : 0),
  };
  return {
    restUntil: now + pace.rest * tookMs,
    turns: { ...schedule.turns, [turn]: after },
  };
}

/** A step of `turn` failed: it keeps its place. */
export function failed(
  schedule: Schedule,
  done: { readonly now: number; readonly tookMs: number },
  pace: Pace,
): Schedule {
  const rest = Math.max(pace.rest * done.tookMs, pace.restAfterFailure);
  return { ...schedule, restUntil: done.now + rest };
}

/** A round of `turn` begins not later than at `at`. */
export function hurried(schedule: Schedule, turn: Turn, at: number): Schedule {
  const before = schedule.turns[turn];
  return {
    ...schedule,
    turns: { ...schedule.turns, [turn]: { ...before, dueAt: Math.min(before.dueAt, at) } },
  };
}

function isDue({ place, dueAt }: TurnState, now: number): boolean {
  return place !== null || dueAt <= now;
}
