/** A period hour by hour or day by day. Keys are snake_case because this is the wire form. */

/** The operation numbers of an hour or a day, of all types or of one. A rate or duration of nothing is null. */
export interface BreakdownNumbers {
  readonly total_operations: number;
  readonly successful_operations: number;
  /** `error` + `failed`. */
  readonly failed_operations: number;
  /** Percent of the total, two decimals. */
  readonly success_rate: number | null;
  readonly avg_duration_ms: number | null;
  readonly p95_duration_ms: number | null;
  readonly p99_duration_ms: number | null;
}

interface ByType extends BreakdownNumbers {
  readonly by_type: Readonly<Record<string, BreakdownNumbers>>;
}

export interface HourNumbers extends ByType {
  /** When the hour begins, ISO 8601: with the offset of the asked time zone, else UTC. */
  readonly hour: string;
}

export interface DayNumbers extends ByType {
  /** When the day begins, likewise: not always midnight, and not always 24 hours before the next. */
  readonly day: string;
}
