/**
 * Operations per step over the last five minutes, for the chart.
 */
import { ERROR_STATUS, FAILED_STATUS, SUCCESS_STATUS } from './fact.js';
import { isoOf } from './iso.js';
import { type Aggregate, Ring } from './ring.js';
import type { ThroughputSeries } from './snapshot.js';

const STEP_SECONDS = 5;
const STEPS = 60;

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
    stepMs: STEP_SECONDS * 1000,
    size: STEPS,
    empty: () => new Step(),
  });

  advance(end: number): void {
    this.ring.advance(end);
  }

  /** A row of that time and status (its index) came (1) or was taken back (-1). */
  count(time: number, status: number, by: 1 | -1): void {
    const step = this.ring.locate(time);
    if (step === null) return;
    step.total += by;
    if (status === SUCCESS_STATUS) step.success += by;
    else if (status === ERROR_STATUS || status === FAILED_STATUS) step.errors += by;
  }

  snapshot(): ThroughputSeries {
    const total: number[] = [];
    const success: number[] = [];
    const errors: number[] = [];
    for (const step of this.ring.newest(STEPS)) {
      total.push(step?.total ?? 0);
      success.push(step?.success ?? 0);
      errors.push(step?.errors ?? 0);
    }
    return {
      step_seconds: STEP_SECONDS,
      start: isoOf(this.ring.start(STEPS)) ?? '',
      total,
      success,
      errors,
    };
  }
}
