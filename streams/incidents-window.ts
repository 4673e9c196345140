/**
 * The errors of one sliding window: how many, of how many distinct customers, with which messages. Each step of time has
 * a slot of its own, so that what was added leaves again exactly, and a span can be replaced. All of it is bounded.
 */
import type { ErrorGroup } from './alert.js';
import type { BigId } from './event.js';

/** An error reduced to what a notice can show of it. */
export interface IncidentError {
  readonly createdAt: number;
  readonly customerId: BigId | null;
  readonly correlationId: string | null;
  /** The same for errors that are to be counted together; null: with the others. */
  readonly group: string | null;
  /** What is shown of the group; asked for once, masking costs. */
  readonly describe: () => Omit<ErrorGroup, 'count'>;
}

export interface WindowBounds {
  readonly stepMs: number;
  readonly steps: number;
  /** Customers of each slot, added up: exact up to here. */
  readonly customers: number;
  /** Different messages. */
  readonly groups: number;
}

/** Correlation ids that are kept of each slot, and shown of the window. */
export const CORRELATION_IDS = 5;

interface Group {
  readonly key: string;
  readonly shown: Omit<ErrorGroup, 'count'>;
  count: number;
}

interface Slot {
  errors: number;
  readonly customers: Set<BigId>;
  /** Errors whose customer found no room. */
  customersLost: number;
  readonly groups: Map<Group, number>;
  /** Newest last. */
  correlationIds: string[];
}

export class IncidentsWindow {
  errors = 0;
  /** Errors in the window whose customer found no room. */
  customersLost = 0;
  private readonly bounds: WindowBounds;
  private readonly slots = new Map<number, Slot>();
  /** In how many slots a customer is. */
  private readonly seen = new Map<BigId, number>();
  private pairs = 0;
  private readonly groups = new Map<string, Group>();
  // ms; nothing older than `start` is held, nothing from `end` on.
  private start = Number.NEGATIVE_INFINITY;
  private end = Number.NEGATIVE_INFINITY;

  constructor(bounds: WindowBounds) {
    this.bounds = bounds;
  }

  /** Distinct customers of the errors. */
  get customers(): number {
    return this.seen.size;
  }

  /** Slides to `end` (exclusive, ms, a whole second), which never goes back; bounds as those of the live windows. */
  advance(end: number): void {
    const { stepMs, steps } = this.bounds;
    const start = (Math.ceil(end / stepMs) - steps) * stepMs;
    if (this.slots.size > 0) {
      // What is shorter: the steps that pass, or the slots there are (the clock can leap).
      if ((start - this.start) / stepMs <= this.slots.size) {
        for (let time = this.start; time < start; time += stepMs) this.leave(time);
      } else {
        for (const time of [...this.slots.keys()]) if (time < start) this.leave(time);
      }
    }
    this.start = start;
    this.end = end;
  }

  /** Whether there is no room for one more message. */
  get full(): boolean {
    return this.groups.size >= this.bounds.groups;
  }

  holds(time: number): boolean {
    return time >= this.start && time < this.end;
  }

  /** Errors of a time that it does not hold are ignored. */
  add(error: IncidentError): void {
    const { createdAt, customerId, correlationId } = error;
    if (!this.holds(createdAt)) return;
    const slot = this.slotOf(createdAt);
    slot.errors += 1;
    this.errors += 1;
    if (customerId !== null) this.addCustomer(slot, customerId);
    if (correlationId !== null) addCorrelationId(slot, correlationId);
    const group = this.groupOf(error);
    if (group === null) return;
    group.count += 1;
    slot.groups.set(group, (slot.groups.get(group) ?? 0) + 1);
  }

  /** Empties a span of time, whole steps. */
  forget(from: number, to: number): void {
    for (const time of [...this.slots.keys()]) if (time >= from && time < to) this.leave(time);
  }

  /** The most frequent messages; of equally frequent ones the first by name. */
  topErrors(most: number): ErrorGroup[] {
    const groups = [...this.groups.values()];
    groups.sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1));
    return groups.slice(0, most).map(({ shown, count }) => ({ ...shown, count }));
  }

  /** Errors whose messages found no room. */
  get otherErrors(): number {
    let grouped = 0;
    for (const { count } of this.groups.values()) grouped += count;
    return this.errors - grouped;
  }

  /** Of the newest errors, newest first, each once. */
  correlationIds(): string[] {
    const found = new Set<string>();
    const times = [...this.slots.keys()].sort((a, b) => b - a);
    for (const time of times) {
      const ids = this.slots.get(time)?.correlationIds ?? [];
      for (let i = ids.length - 1; i >= 0; i--) {
        if (found.size >= CORRELATION_IDS) return [...found];
        found.add(ids[i] as string);
      }
    }
    return [...found];
  }

  private slotOf(createdAt: number): Slot {
    const time = Math.floor(createdAt / this.bounds.stepMs) * this.bounds.stepMs;
    const known = this.slots.get(time);
    if (known !== undefined) return known;
    const slot: Slot = {
      errors: 0,
      customers: new Set(),
      customersLost: 0,
      groups: new Map(),
      correlationIds: [],
    };
    this.slots.set(time, slot);
    return slot;
  }

  private addCustomer(slot: Slot, customer: BigId): void {
    if (slot.customers.has(customer)) return;
    if (this.pairs >= this.bounds.customers) {
      slot.customersLost += 1;
      this.customersLost += 1;
      return;
    }
    slot.customers.add(customer);
    this.pairs += 1;
    this.seen.set(customer, (this.seen.get(customer) ?? 0) + 1);
  }

  private groupOf({ group: key, describe }: IncidentError): Group | null {
    if (key === null) return null;
    const known = this.groups.get(key);
    if (known !== undefined) return known;
    if (this.full) return null;
    const group = { key, shown: describe(), count: 0 };
    this.groups.set(key, group);
    return group;
  }

  private leave(time: number): void {
    const slot = this.slots.get(time);
    if (slot === undefined) return;
    this.slots.delete(time);
    this.errors -= slot.errors;
    this.customersLost -= slot.customersLost;
    this.pairs -= slot.customers.size;
    for (const customer of slot.customers) {
      const slots = (this.seen.get(customer) ?? 0) - 1;
      if (slots > 0) this.seen.set(customer, slots);
      else this.seen.delete(customer);
    }
    for (const [group, count] of slot.groups) {
      group.count -= count;
      if (group.count === 0) this.groups.delete(group.key);
    }
  }
}

function addCorrelationId(slot: Slot, id: string): void {
  const { correlationIds } = slot;
  const known = correlationIds.indexOf(id);
  if (known >= 0) correlationIds.splice(known, 1);
  correlationIds.push(id);
  if (correlationIds.length > CORRELATION_IDS) correlationIds.shift();
}
