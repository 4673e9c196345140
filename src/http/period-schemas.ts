/** The answers about a period, and what may be asked of one; as strict as in schemas.ts. */
import { z } from '@hono/zod-openapi';
import type { DayNumbers, HourNumbers } from '../../streams/breakdown.js';
import { type PeriodSeries, SERIES_POINTS_AT_MOST, SERIES_STEPS } from '../../streams/period-series.js';
import type { BusinessMetrics, OperationMetrics } from '../../streams/snapshot.js';
import { businessMetrics, count, instant, millis, operationMetrics, percent } from './schemas.js';

const aligned = z
  .literal(true)
  .optional()
  .openapi({
    description:
      'The period begins or ends where only quarter hours are kept, and was widened to them: period_start and period_end ' +
      'say what the numbers are of. Absent: it is the period that was asked for.',
  });

// Made of shapes: what is extended becomes an allOf in the document, and strict objects refuse each other's keys.
const metrics = z.strictObject({ ...operationMetrics.shape, aligned }).openapi('PeriodMetrics');
const business = z.strictObject({ ...businessMetrics.shape, aligned }).openapi('PeriodBusiness');

/** An answer that can carry the same of earlier periods. */
function comparable<S extends z.ZodRawShape>(answer: z.ZodObject<S>) {
  const earlier = z.strictObject({
    day: answer.nullable().optional().openapi({ description: 'One day earlier.' }),
    week: answer.nullable().optional().openapi({ description: 'One week earlier.' }),
  });
  return z.strictObject({
    ...answer.shape,
    compare: earlier.optional().openapi({
      description: 'Only where it was asked for. Null: that period is not kept any more.',
    }),
    compare_reasons: z
      .strictObject({ day: z.string().optional(), week: z.string().optional() })
      .optional()
      .openapi({ description: 'Why a compared period is null.' }),
  });
}

export const operationAnswer = comparable(metrics).openapi(
  'OperationAnswer',
) satisfies z.ZodType<OperationMetrics>;

/** zod's optional keys may be undefined. */
type Money = 'automation_money_saved';
export const businessAnswer = comparable(business).openapi('BusinessAnswer') satisfies z.ZodType<
  Omit<BusinessMetrics, Money> & { readonly [Key in Money]?: BusinessMetrics[Key] | undefined }
>;

const numbers = {
  total_operations: count,
  successful_operations: count,
  failed_operations: count.openapi({ description: 'Rows with the status error or failed.' }),
  success_rate: percent,
  avg_duration_ms: millis,
  p95_duration_ms: millis,
  p99_duration_ms: millis,
};

const begins = z.iso.datetime({ offset: true }).openapi({
  description: 'When it begins, ISO 8601: with the offset of the time zone that was asked for, else UTC.',
  example: '2026-10-25T02:00:00+01:00',
});
const byType = z.record(z.string(), z.strictObject(numbers).openapi('BreakdownNumbers'));

const hour = z
  .strictObject({ hour: begins, ...numbers, by_type: byType })
  .openapi('Hour') satisfies z.ZodType<HourNumbers>;
const day = z
  .strictObject({ day: begins, ...numbers, by_type: byType })
  .openapi('Day') satisfies z.ZodType<DayNumbers>;

const rows = <S extends z.ZodType>(row: S) =>
  z.strictObject({
    rows: z.array(row).openapi({ description: 'Oldest first; those without operations too.' }),
    tz: z.string().openapi({ description: 'Whose hours and days they are.', example: 'Europe/Moscow' }),
    period_start: instant.openapi({ description: 'Where the first row begins.' }),
    period_end: instant.openapi({ description: 'Where the last row ends.' }),
  });

export const hourlyAnswer = comparable(rows(hour).openapi('Hours')).openapi('HourlyAnswer');
export const dailyAnswer = comparable(rows(day).openapi('Days')).openapi('DailyAnswer');

const most = count.nullable().openapi({
  description: 'The most at once; null where this process did not see it: it is not in the table.',
});

// One literal of many values would be described as the first of them.
const [ten, ...longer] = SERIES_STEPS;
const stepSeconds = z.union([z.literal(ten), ...longer.map((step) => z.literal(step))]);

const point = z
  .strictObject({
    start: instant.openapi({ description: 'When the step begins, a multiple of it.' }),
    partial: z.boolean().openapi({ description: 'The step is not over yet.' }),
    total_operations: count,
    by_status: z.record(z.string(), count).openapi({ description: 'As of a period.' }),
    error_count: count,
    error_rate: percent,
    duration_p50_ms: millis,
    duration_p95_ms: millis,
    duration_p99_ms: millis,
    pending_max: most,
    export_queue_max: most,
  })
  .openapi('SeriesPoint');

export const seriesAnswer = z
  .strictObject({
    step_seconds: stepSeconds.openapi({
      description: 'Length of a step; longer than asked for where only quarter hours are kept.',
    }),
    period_start: instant.openapi({ description: 'Where the first point begins.' }),
    period_end: instant.openapi({ description: 'Where the last point ends, or will end.' }),
    points: z
      .array(point)
      .max(SERIES_POINTS_AT_MOST)
      .readonly()
      .openapi({ description: 'Oldest first, those without operations too; none of the future.' }),
  })
  .openapi('SeriesAnswer') satisfies z.ZodType<PeriodSeries>;

const compare = z.string().optional().openapi({
  description: 'day, week or day,week: adds the same for the period one day, one week earlier.',
  example: 'day,week',
});

/** Described for the document; period.ts and compare.ts read the values, because their rules span several. */
export const periodQuery = z.object({
  start_date: z.string().optional().openapi({
    description: 'ISO 8601, inclusive; UTC where no offset is given. Default: 24 hours before the end.',
    example: '2026-01-31T00:00:00Z',
  }),
  end_date: z
    .string()
    .optional()
    .openapi({ description: 'ISO 8601, exclusive. Default: now.', example: '2026-02-01' }),
  compare,
});

/** @param standard what the default of the start is */
export const breakdownQuery = (standard: string) =>
  z.object({
    start_date: z
      .string()
      .optional()
      .openapi({
        description: `ISO 8601, inclusive; in the zone of tz where no offset is given. Default: ${standard}.`,
        example: '2026-01-31',
      }),
    end_date: z
      .string()
      .optional()
      .openapi({ description: 'ISO 8601, exclusive, likewise. Default: now.', example: '2026-02-01' }),
    tz: z.string().optional().openapi({
      description: 'Whose hours and days: a name of the tz database. Default: UTC.',
      example: 'Europe/Moscow',
    }),
    compare,
  });

export const seriesQuery = z.object({
  start_date: periodQuery.shape.start_date,
  end_date: periodQuery.shape.end_date,
  points: z
    .string()
    .regex(/^\d{1,3}$/)
    .optional()
    .openapi({
      description: `Points at most, 1 to ${SERIES_POINTS_AT_MOST}; default ${SERIES_POINTS_AT_MOST}.`,
      example: '200',
    }),
});
