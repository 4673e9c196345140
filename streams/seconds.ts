/**
 * A Prometheus histogram: fixed bounds in seconds, recorded in milliseconds, with the latest exemplar of each bucket.
 */

/** A row behind a bucket of the histogram. */
export interface Exemplar {
  readonly correlation_id: string;
  /** Seconds. */
  readonly value: number;
  /** Its created_at, seconds of the Unix epoch; null where that is infinite. */
  readonly timestamp: number | null;
}

export interface SecondsHistogramView {
  /** Upper bounds, seconds; +Inf is implied. */
  readonly bounds: readonly number[];
  /** Cumulative: at most this bound; one more than there are bounds, the last is the count. */
  readonly cumulative: readonly number[];
  /** By bucket, as `cumulative`. */
  readonly exemplars: readonly (Exemplar | null)[];
  readonly sum: number;
  readonly count: number;
}

// OpenMetrics 1.0: names and values of an exemplar's labels have 128 characters together.
const CORRELATION_ID_LIMIT = 128 - 'correlation_id'.length;

export class SecondsHistogram {
  private readonly bounds: readonly number[];
  private readonly boundsMs: readonly number[];
  private readonly counts: Float64Array;
  private readonly exemplarIds: (string | null)[];
  private readonly exemplarMs: Float64Array;
  private readonly exemplarTimes: Float64Array;
  private sumMs = 0;

  /** `bounds`: seconds, ascending. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.boundsMs = bounds.map((bound) => bound * 1000);
    const buckets = bounds.length + 1;
    this.counts = new Float64Array(buckets);
    this.exemplarIds = new Array<string | null>(buckets).fill(null);
    this.exemplarMs = new Float64Array(buckets);
    this.exemplarTimes = new Float64Array(buckets);
  }

  record(ms: number, correlationId: string | null, createdAt: number): void {
    const { boundsMs, counts } = this;
    let bucket = 0;
    while (bucket < boundsMs.length && ms > (boundsMs[bucket] as number)) bucket += 1;
    counts[bucket] = (counts[bucket] as number) + 1;
    this.sumMs += ms;
    if (correlationId === null || correlationId === '' || correlationId.length > CORRELATION_ID_LIMIT) return;
    this.exemplarIds[bucket] = correlationId;
    this.exemplarMs[bucket] = ms;
    this.exemplarTimes[bucket] = createdAt;
  }

  view(): SecondsHistogramView {
    let count = 0;
    const cumulative: number[] = [];
    for (const inBucket of this.counts) {
      count += inBucket;
      cumulative.push(count);
    }
    return {
      bounds: this.bounds,
      cumulative,
      exemplars: this.exemplarIds.map((id, bucket) => (id === null ? null : this.exemplar(id, bucket))),
      sum: this.sumMs / 1000,
      count,
    };
  }

  private exemplar(id: string, bucket: number): Exemplar {
    const time = this.exemplarTimes[bucket] as number;
    return {
      correlation_id: id,
      value: (this.exemplarMs[bucket] as number) / 1000,
      timestamp: Number.isFinite(time) ? time / 1000 : null,
    };
  }
}
