/**
 * Operations per step over the last five minutes, for the chart.
 */
import type { Facts } from './facts.js';
import { isoOf } from './iso.js';
import { ERROR_STATUS, FAILED_STATUS, SUCCESS_STATUS } from './kinds.js';
import { type Aggregate, Ring } from './ring.js';
import type { ThroughputSeries } from './snapshot.js';

const STEP_SECONDS = 5;
const STEPS = 60;
const STEP_MS = STEP_SECONDS * 1000;

class Step implements Aggregate {
  total = 0;
  success = 0;
  errors = 0;
  // Three numbers have no smaller form and hold nothing to give back.
  settle(): void {}
  seal(): void {}
  release(): void {}
}

export class Throughput {
  private readonly ring = new Ring<Step>({
    stepMs: STEP_MS,
    size: STEPS,
    empty: () => new Step(),
  });

  private end = 0;

  /** Slides on to `end` (exclusive), ms. */
  advance(end: number): void {
    this.end = Math.ceil(end / STEP_MS) * STEP_MS;
    this.ring.advance(this.end - STEPS * STEP_MS, this.end, () => {});
  }

  /** The rows came (1), or were taken back (-1). */
  count(facts: Facts, by: 1 | -1): void {
    const { createdAt, status, size } = facts;
    for (let i = 0; i < size; i++) {
      const step = this.ring.locate(createdAt[i] as number);
      if (step === null) continue;
      step.total += by;
      if (status[i] === SUCCESS_STATUS) step.success += by;
      else if (status[i] === ERROR_STATUS || status[i] === FAILED_STATUS) step.errors += by;
    }
  }

  /** Nothing came from `from` to `to` (exclusive), ms, multiples of a step. */
  forget(from: number, to: number): void {
    this.ring.takeOut(from, to, () => {});
  }

  snapshot(): ThroughputSeries {
    const total: number[] = [];
    const success: number[] = [];
    const errors: number[] = [];
    const start = this.end - STEPS * STEP_MS;
    for (let time = start; time < this.end; time += STEP_MS) {
      const step = this.ring.peek(time);
      total.push(step?.total ?? 0);
      success.push(step?.success ?? 0);
      errors.push(step?.errors ?? 0);
    }
    return {
      step_seconds: STEP_SECONDS,
      start: isoOf(start) ?? '',
      total,
      success,
      errors,
    };
  }
}
