import {
  AUDIT_ZONES,
  type AuditFind,
  type AuditState,
  type AuditZone,
  FIND_KINDS,
  type FindKind,
} from '../../streams/audit-state.js';
import type { Comparison, Difference } from './audit-compare.js';
import { periodMs } from './audit-known.js';
import type { Turn } from './audit-schedule.js';
import { MINUTE_LEVEL, MINUTE_MS } from './cover.js';

interface Agreement {
  agreeing: number;
  all: number;
}

/** Finds that are shown. */
const LAST_FINDS = 20;

/** Counts what the audit does. Times are ms of the database's clock. */
export class AuditTally {
  readonly #running: Record<AuditZone, Agreement> = perZone(() => ({ agreeing: 0, all: 0 }));
  readonly #finished: Record<AuditZone, Agreement | null> = perZone(() => null);
  readonly #rounds: Record<AuditZone, { finished: number; at: number | null }> = perZone(() => ({
    finished: 0,
    at: null,
  }));
  readonly #kinds = Object.fromEntries(FIND_KINDS.map((kind) => [kind, 0])) as Record<FindKind, number>;
  #finds = 0;
  #lastFinds: AuditFind[] = [];
  #lastStepAt: number | null = null;
  #minutes = 0;
  #rows = 0;
  #busyMs = 0;
  #notCompared = 0;
  #rawFrom: number | null = null;
  #retentionMoves = 0;
  #failures = 0;
  #lastFailure: string | null = null;
  refolded = 0;
  awaiting = 0;

  compared(
    turn: Turn,
    { periods, level, rows, agreeing, all, notCompared }: Comparison,
    began: boolean,
  ): void {
    this.#minutes += (periods * periodMs(level)) / MINUTE_MS;
    this.#rows += rows;
    this.#notCompared += notCompared;
    if (turn === 'again') return;
    const running = this.#running[turn];
    if (began) Object.assign(running, { agreeing: 0, all: 0 });
    running.agreeing += agreeing;
    running.all += all;
  }

  /** So many of the rows of the last step agree by now, or are not expected to. */
  settled(turn: Turn, rows: number): void {
    if (turn !== 'again') this.#running[turn].agreeing += rows;
  }

  found(
    differences: readonly Difference[],
    { level }: Comparison,
    now: number,
    truncatedBefore: number | null,
  ): void {
    for (const { start, operationType, kind: seen, what } of differences) {
      const gone = seen === 'deleted' && truncatedBefore !== null && start < truncatedBefore;
      const kind = gone ? 'truncated' : seen;
      this.#finds += 1;
      this.#kinds[kind] += 1;
      this.#lastFinds.unshift({
        found_at: iso(now),
        start: iso(start),
        minutes: level === MINUTE_LEVEL ? 1 : 15,
        operation_type: operationType,
        kind,
        what,
      });
    }
    this.#lastFinds = this.#lastFinds.slice(0, LAST_FINDS);
  }

  /** A step went well. */
  stepped(turn: Turn, finished: boolean, now: number, rawFrom: number | null): void {
    this.#lastStepAt = now;
    this.#lastFailure = null;
    this.#rawFrom = rawFrom;
    if (!finished || turn === 'again') return;
    this.#finished[turn] = { ...this.#running[turn] };
    this.#rounds[turn] = { finished: this.#rounds[turn].finished + 1, at: now };
  }

  took(ms: number): void {
    this.#busyMs += ms;
  }

  retentionMoved(): void {
    this.#retentionMoves += 1;
  }

  skipped(): void {
    this.#notCompared += 1;
  }

  /** @returns whether it is the first since a step that went well */
  failed(message: string): boolean {
    const first = this.#lastFailure === null;
    this.#failures += 1;
    this.#lastFailure = message;
    return first;
  }

  get failing(): boolean {
    return this.#lastFailure !== null;
  }

  state(): AuditState {
    return {
      completeness_ratio: this.#ratio(),
      rounds: perZone((zone) => {
        const { finished, at } = this.#rounds[zone];
        return { finished, finished_at: at === null ? null : iso(at) };
      }),
      last_step_at: this.#lastStepAt === null ? null : iso(this.#lastStepAt),
      minutes_compared: this.#minutes,
      rows_compared: this.#rows,
      busy_ms: this.#busyMs,
      finds: this.#finds,
      finds_by_kind: { ...this.#kinds },
      last_find_at: this.#lastFinds[0]?.found_at ?? null,
      last_finds: this.#lastFinds,
      refolded: this.refolded,
      awaiting_confirmation: this.awaiting,
      not_compared: this.#notCompared,
      raw_from: this.#rawFrom === null ? null : iso(this.#rawFrom),
      retention_moves: this.#retentionMoves,
      failures: this.#failures,
      last_failure: this.#lastFailure,
    };
  }

  /** Of the last whole round of each part, or what there is of the first. */
  #ratio(): number | null {
    let [agreeing, all] = [0, 0];
    for (const zone of AUDIT_ZONES) {
      const of = this.#finished[zone] ?? this.#running[zone];
      agreeing += of.agreeing;
      all += of.all;
    }
    if (this.#lastStepAt === null) return null;
    return all === 0 ? 1 : agreeing / all;
  }
}

function perZone<T>(make: (zone: AuditZone) => T): Record<AuditZone, T> {
  return Object.fromEntries(AUDIT_ZONES.map((zone) => [zone, make(zone)])) as Record<AuditZone, T>;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
