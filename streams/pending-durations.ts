/**
 * The durations of rows that are still pending, kept apart from those that are final: such a row may change or vanish,
 * and the exact minimum and maximum must then be known without reading the others again.
 */

/** How many distinct pending durations all buckets together may hold. */
export class PendingBudget {
  readonly limit: number;
  used = 0;
  /** Durations taken as final because the limit was reached: their minimum and maximum can outlive them. */
  refused = 0;

  constructor(limit: number) {
    this.limit = limit;
  }
}

class Multiset {
  readonly counts = new Map<number, number>();
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  // Set when an extreme left: it is looked for at the next read, however many leave until then.
  stale = false;

  refresh(): this {
    if (!this.stale) return this;
    this.stale = false;
    this.min = Number.POSITIVE_INFINITY;
    this.max = Number.NEGATIVE_INFINITY;
    for (const value of this.counts.keys()) {
      if (value < this.min) this.min = value;
      if (value > this.max) this.max = value;
    }
    return this;
  }
}

export class PendingDurations {
  private readonly budget: PendingBudget;
  private readonly byType = new Map<number, Multiset>();

  constructor(budget: PendingBudget) {
    this.budget = budget;
  }

  /** False where there is no room left; the duration is then not kept here. */
  add(type: number, durationMs: number): boolean {
    let set = this.byType.get(type);
    const count = set?.counts.get(durationMs) ?? 0;
    if (count === 0) {
      if (this.budget.used >= this.budget.limit) {
        this.budget.refused += 1;
        return false;
      }
      this.budget.used += 1;
    }
    if (set === undefined) {
      set = new Multiset();
      this.byType.set(type, set);
    }
    set.counts.set(durationMs, count + 1);
    if (durationMs < set.min) set.min = durationMs;
    if (durationMs > set.max) set.max = durationMs;
    return true;
  }

  /** Takes back one `add`; one that was refused is no longer here to be taken. */
  remove(type: number, durationMs: number): void {
    const set = this.byType.get(type);
    const count = set?.counts.get(durationMs);
    if (set === undefined || count === undefined) return;
    if (count > 1) {
      set.counts.set(durationMs, count - 1);
      return;
    }
    set.counts.delete(durationMs);
    this.budget.used -= 1;
    if (durationMs === set.min || durationMs === set.max) set.stale = true;
  }

  /** Infinity where there is none. */
  min(type: number): number {
    return this.byType.get(type)?.refresh().min ?? Number.POSITIVE_INFINITY;
  }

  /** -Infinity where there is none. */
  max(type: number): number {
    return this.byType.get(type)?.refresh().max ?? Number.NEGATIVE_INFINITY;
  }

  /** Calls with every duration, as often as it is here. */
  each(visit: (type: number, durationMs: number) => void): void {
    for (const [type, { counts }] of this.byType) {
      for (const [durationMs, count] of counts) for (let i = 0; i < count; i++) visit(type, durationMs);
    }
  }

  /** Gives its part of the budget back. */
  release(): void {
    for (const set of this.byType.values()) this.budget.used -= set.counts.size;
    this.byType.clear();
  }
}
