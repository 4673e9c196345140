/**
 * The numbers of any period: its rollups and single rows, added up in the sums of a window, so that what is answered
 * is computed and rounded as the live windows do it.
 */
import { businessMetrics, type Savings } from './business.js';
import type { SyncRow } from './event.js';
import { Facts } from './facts.js';
import { IdSet } from './id-set.js';
import { operationMetrics, type Period } from './operations.js';
import { Reading } from './reading.js';
import type { Rollup } from './rollup.js';
import { rollupFacts } from './rollup-facts.js';
import { Segment } from './segment.js';
import type { BusinessMetrics, OperationMetrics } from './snapshot.js';
import { Vocabulary } from './vocabulary.js';

export class RollupSum {
  private readonly kept: Vocabulary;
  // Its own, because a row that somebody asks for must not take the room of names that history is yet to meet.
  private words: Vocabulary;
  private readonly segment = new Segment();
  private readonly customers = new IdSet();
  private readonly facts = new Facts();
  private readonly sums = new Reading();
  private readStale = true;

  /** `words`: the names of history, in which those of the rollups are. Takes several megabytes: make few, clear them. */
  constructor(words: Vocabulary) {
    this.kept = words;
    this.words = new Vocabulary(words.unknown());
  }

  /** Adds the rows of one operation type that a rollup stands for. */
  add(operationType: string, rollup: Rollup): void {
    this.segment.addRollup(rollupFacts(rollup, this.words.types.index(operationType), this.words));
    this.customers.addAll(rollup.customers);
    this.readStale = true;
  }

  /** Adds a row of whatever status and time that no rollup stands for. */
  addRow(row: SyncRow): void {
    const { words, facts } = this;
    if (facts.full) this.enter();
    facts.push(row, words.types.index(row.operationType), words.statuses.index(row.status), words);
  }

  /** Of all that was added. */
  operations(period: Period): OperationMetrics {
    const { types, statuses } = this.words;
    return operationMetrics({ reading: this.read(), types, statuses, period });
  }

  /** Of all that was added. */
  business(period: Period, savings: Savings): BusinessMetrics {
    return businessMetrics(this.read().numbers, this.customers.size, this.words, period, savings);
  }

  /** Begins anew with nothing, for the next period. */
  clear(): void {
    this.words = new Vocabulary(this.kept.unknown());
    this.segment.clear();
    this.customers.clear();
    this.facts.clear();
    this.readStale = true;
  }

  private enter(): void {
    const { facts } = this;
    if (facts.size === 0) return;
    this.segment.add(facts, 0, facts.size);
    for (let i = 0; i < facts.size; i++) {
      if (facts.hasCustomer[i] === 0) continue;
      this.customers.add(facts.customerLow[i] as number, facts.customerHigh[i] as number);
    }
    facts.clear();
    this.readStale = true;
  }

  private read(): Reading {
    this.enter();
    const { sums, segment } = this;
    if (!this.readStale) return sums;
    sums.clear();
    // Nothing has left the segment, so no bucket has to be asked for its extremes.
    sums.include(
      segment,
      segment.minAndMax(() => []),
    );
    this.readStale = false;
    return sums;
  }
}
