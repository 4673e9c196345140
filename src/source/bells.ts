import type { BellMode } from '../../streams/source-state.js';
import { type BellDecision, type BellObservation, decideBell } from './bell-policy.js';
import type { Look } from './look.js';

/** How long the bell counts as dead after rows came without it. Then it gets another chance. ms. */
const SILENT_ROWS_PENALTY_MS = 60_000;
/** A notification may arrive a little after the poll that met its row. ms. */
const GRACE_MS = 300;
const SLOT_MS = 50;

export type BellSetting = 'auto' | 'always' | 'off';

/** What is known of the bell: how often it rings, whether it works, what hinders it. Times are monotonic ms. */
export class Bells {
  /** The setting in force; may be off although auto is configured, with the reason. */
  #setting: BellSetting;
  #offReason: string;
  #heard = 0;
  #slot = 0;
  #slots: [previous: number, current: number] = [0, 0];
  #rows: { at: number; n: number }[] = [];
  #contendedAt = Number.NEGATIVE_INFINITY;
  #commitWaiters = 0;
  #queueUsage: number | null = null;
  #triedAt = Number.NEGATIVE_INFINITY;
  #trigger: string | null = null;
  #silentAt: number | undefined;
  #suspicion: { at: number; heard: number } | undefined;

  constructor(setting: BellSetting, offReason = 'BELL=off') {
    this.#setting = setting;
    this.#offReason = offReason;
  }

  get setting(): BellSetting {
    return this.#setting;
  }

  get heard(): number {
    return this.#heard;
  }

  get queueUsage(): number | null {
    return this.#queueUsage;
  }

  /** The trigger may not be used although it was wanted. */
  turnOff(reason: string): void {
    this.#setting = 'off';
    this.#offReason = reason;
  }

  /** A notification arrived. Anybody may have sent it: only counted, never parsed. */
  rang(now: number): void {
    this.#heard++;
    this.#turn(now);
    this.#slots[1]++;
  }

  /** Notifications within the last 50 to 100 ms. */
  recent(now: number): number {
    this.#turn(now);
    return this.#slots[0] + this.#slots[1];
  }

  /** A storm: waking for each bell would cost more than polling. */
  storm(now: number): boolean {
    return this.recent(now) >= 20;
  }

  /** Rows were read. `unannounced`: the key was held since before they can have been written, and no bell rang. */
  read(rows: number, unannounced: boolean, now: number): void {
    if (rows > 0) this.#rows.push({ at: now, n: rows });
    if (rows > 0 && unannounced) this.#suspicion ??= { at: now, heard: this.#heard };
    const suspicion = this.#suspicion;
    if (!suspicion) return;
    if (this.#heard > suspicion.heard) this.#suspicion = undefined;
    else if (now - suspicion.at >= GRACE_MS) {
      this.#suspicion = undefined;
      this.#silentAt = now;
    }
  }

  saw(look: Look, now: number): void {
    this.#trigger = look.trigger;
    this.#queueUsage = look.queueUsage;
    this.#commitWaiters = look.commitWaiters;
    if (look.commitWaiters > 0) this.#contendedAt = now;
    if (this.#triggerFault() !== undefined) this.#explained();
  }

  tried(now: number): void {
    this.#triedAt = now;
  }

  /** Undefined while the bell may be used; else why it is dead. */
  deadBecause(now: number, listenerProven: boolean): string | undefined {
    if (this.#setting === 'off') return undefined;
    const fault = this.#triggerFault();
    if (fault !== undefined) return fault;
    if (!listenerProven) return 'the listener has not proven that it hears';
    if (this.#silentAt !== undefined && now - this.#silentAt < SILENT_ROWS_PENALTY_MS)
      return 'rows arrived that it did not announce (replica role, or written straight into a partition)';
    return undefined;
  }

  decide(seen: {
    now: number;
    armed: boolean;
    leading: boolean;
    listenerProven: boolean;
    backlog: boolean;
  }): BellDecision {
    if (!seen.listenerProven) this.#explained();
    while (this.#rows[0] && seen.now - this.#rows[0].at > 250) this.#rows.shift();
    const observation: BellObservation = {
      now: seen.now,
      armed: seen.armed,
      usable:
        this.#setting === 'auto' &&
        seen.leading &&
        this.deadBecause(seen.now, seen.listenerProven) === undefined,
      recentBells: this.recent(seen.now),
      recentRows: this.#rows.reduce((sum, { n }) => sum + n, 0),
      commitWaiters: this.#commitWaiters,
      queueUsage: this.#queueUsage ?? 0,
      backlog: seen.backlog,
      contendedAt: this.#contendedAt,
      triedAt: this.#triedAt,
    };
    // What the last look saw counts once.
    this.#commitWaiters = 0;
    return decideBell(observation);
  }

  mode(
    now: number,
    armed: boolean,
    listenerProven: boolean,
    lastReason: string,
  ): { mode: BellMode; reason: string } {
    if (this.#setting === 'off') return { mode: 'off', reason: this.#offReason };
    const dead = this.deadBecause(now, listenerProven);
    if (dead !== undefined) return { mode: 'dead', reason: dead };
    if (this.#setting === 'always') return { mode: 'armed', reason: 'BELL=always' };
    return { mode: armed ? 'armed' : 'disarmed', reason: lastReason };
  }

  #triggerFault(): string | undefined {
    if (this.#trigger === null) return 'its trigger is not on the table';
    if (this.#trigger === 'D' || this.#trigger === 'R') return 'its trigger is disabled';
    return undefined;
  }

  /** Rows came without a bell for a reason that can be seen to end: no penalty outlives it. */
  #explained(): void {
    this.#suspicion = undefined;
    this.#silentAt = undefined;
  }

  #turn(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    if (slot === this.#slot) return;
    this.#slots = slot === this.#slot + 1 ? [this.#slots[1], 0] : [0, 0];
    this.#slot = slot;
  }
}
