/**
 * The database's clock, carried on between queries by this host's monotonic one: a step of the host's wall clock
 * moves no window.
 */
export class DatabaseClock {
  #offset: number | undefined;

  /** A reading that a query brought, ms of the epoch. */
  set(databaseNow: number): void {
    if (Number.isFinite(databaseNow)) this.#offset = databaseNow - performance.now();
  }

  /** Whether the database was asked at least once. */
  get known(): boolean {
    return this.#offset !== undefined;
  }

  /** ms of the epoch; this host's own clock until the database was asked for the first time. */
  now(): number {
    return performance.now() + (this.#offset ?? performance.timeOrigin);
  }
}

/**
 * ms of the epoch by this host's clock as it was set when the process began, so that a step of it is no time that has
 * passed: for what is compared or subtracted.
 */
export function steadyNow(): number {
  return performance.timeOrigin + performance.now();
}
