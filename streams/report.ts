/** The summary of a day or a week, as `sync-monitor report --format json` prints it; hence the snake_case keys. */
import type { BigId } from './event.js';
import type { BusinessMetrics, OperationMetrics } from './snapshot.js';

/** Errors whose messages say the same but for numbers, ids and addresses. */
export interface ErrorGroup {
  /** Masked, each number or id a `#`, at most 200 characters. */
  readonly message: string;
  readonly count: number;
  readonly by_type: Readonly<Record<string, number>>;
  /** The newest of them, by id. */
  readonly sample: {
    readonly id: BigId;
    readonly created_at: string;
    readonly correlation_id: string | null;
    /** Masked as everywhere, numbers as they are. */
    readonly message: string;
  };
}

export interface ReportedErrors {
  /** Most frequent first. */
  readonly top: readonly ErrorGroup[];
  /** Groups there are in all, as far as they were read. */
  readonly groups: number;
  readonly without_message: number;
  /** Errors with so rare messages that they were not read. */
  readonly not_grouped: number;
}

export interface AffectedCustomers {
  /** Distinct customers of rows in error. */
  readonly count: number;
  /** Rows in error that name no customer. */
  readonly errors_without_customer: number;
  /** Those with most errors first. */
  readonly top: readonly {
    readonly customer_id: BigId;
    readonly errors: number;
    readonly last_error_at: string;
  }[];
}

export interface ReportedPeriod {
  /** ISO 8601 with the offset of the zone; half-open. */
  readonly period_start: string;
  readonly period_end: string;
  readonly operations: OperationMetrics;
  readonly business: BusinessMetrics;
  readonly affected_customers: number;
}

export interface Report extends ReportedPeriod {
  readonly kind: 'day' | 'week';
  /** First day of the period, in the zone. */
  readonly date: string;
  readonly tz: string;
  /** False: the period is not over, these are its numbers so far. */
  readonly complete: boolean;
  readonly table: string;
  readonly generated_at: string;
  readonly errors: ReportedErrors;
  readonly customers: AffectedCustomers;
  /** As much of the day or week before. */
  readonly before: ReportedPeriod;
}
