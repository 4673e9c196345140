/** When the sample traffic has errors, is slow, or imports in bulk: spells drawn from a seed, and incidents on demand. */
import { between, type Random } from './traffic-random.js';
import { CALM, type Mood } from './traffic-row.js';

/** errors: 40 % fail. slow: ten times as slow. stopped: nothing is written. backlog: pending rows never finish. */
export const INCIDENTS = ['errors', 'slow', 'stopped', 'backlog'] as const;
export type Incident = (typeof INCIDENTS)[number];

export interface Weather extends Mood {
  readonly stopped: boolean;
}

/** A little normal traffic first, so that the incident is seen to begin. */
export const INCIDENT_STARTS_MS = 15_000;

interface Spell {
  readonly from: number;
  readonly to: number;
}

/** What the traffic is like at a time; asked in order of time. */
export class Forecast {
  readonly #random: Random;
  readonly #incidents: ReadonlySet<Incident>;
  #errors: Spell;
  #slow: Spell;
  #bulkAt: number;

  constructor(random: Random, incidents: readonly Incident[]) {
    this.#random = random;
    this.#incidents = new Set(incidents);
    this.#errors = { from: 40_000, to: 60_000 };
    this.#slow = { from: 100_000, to: 130_000 };
    this.#bulkAt = 75_000;
  }

  /** @param elapsed ms since the traffic began. */
  at(elapsed: number): Weather {
    if (elapsed >= this.#errors.to) this.#errors = this.#after(elapsed, 120_000, 360_000, 15_000, 45_000);
    if (elapsed >= this.#slow.to) this.#slow = this.#after(elapsed, 180_000, 540_000, 30_000, 90_000);
    const incident = (name: Incident) => elapsed >= INCIDENT_STARTS_MS && this.#incidents.has(name);
    return {
      errors: incident('errors') ? 0.4 : within(this.#errors, elapsed) ? 0.25 : CALM.errors,
      slowness: incident('slow') ? 10 : within(this.#slow, elapsed) ? 4 : CALM.slowness,
      stuck: incident('backlog'),
      stopped: incident('stopped'),
    };
  }

  /** Whether a bulk import begins now; true once for each. */
  bulkDue(elapsed: number): boolean {
    if (elapsed < this.#bulkAt || this.at(elapsed).stopped) return false;
    this.#bulkAt = elapsed + between(this.#random, 180_000, 480_000);
    return true;
  }

  #after(elapsed: number, pauseFrom: number, pauseTo: number, from: number, to: number): Spell {
    const start = elapsed + between(this.#random, pauseFrom, pauseTo);
    return { from: start, to: start + between(this.#random, from, to) };
  }
}

function within(spell: Spell, elapsed: number): boolean {
  return elapsed >= spell.from && elapsed < spell.to;
}
