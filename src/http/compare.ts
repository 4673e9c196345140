/** `compare=day,week`: the same answer for the same period one day and one week earlier. */
import { ApiError } from './errors.js';
import { quoted, single } from './period.js';

export const SPANS = ['day', 'week'] as const;
export type Span = (typeof SPANS)[number];

const DAYS: Readonly<Record<Span, number>> = { day: 1, week: 7 };
const DAY_MS = 86_400_000;

interface Bounds {
  readonly start: number;
  readonly end: number;
}

export interface Comparison<T> {
  /** Null: there is no such period any more, see `compare_reasons`. */
  readonly compare: Readonly<Partial<Record<Span, T | null>>>;
  readonly compare_reasons?: Readonly<Partial<Record<Span, string>>>;
}

export interface Compared<T> {
  /** The period of the answer itself, ms. */
  readonly period: Bounds;
  /** That many days earlier: by the clock, or by the calendar of a zone. */
  readonly earlier: (time: number, days: number) => number;
  /** What began before is not compared with, ms. */
  readonly keptFrom: number;
  readonly retentionDays: number;
  readonly ask: (start: Date, end: Date) => Promise<T>;
}

export const byTheClock = (time: number, days: number): number => time - days * DAY_MS;

/**
 * What a query asks to be compared with; nothing where it does not.
 * @throws ApiError 400: another word than day and week, or given twice.
 */
export function parseCompare(query: URLSearchParams): readonly Span[] {
  const value = single(query, 'compare');
  if (value === undefined) return [];
  const words = value.split(',').map((word) => word.trim());
  const isSpan = (word: string): word is Span => (SPANS as readonly string[]).includes(word);
  if (!words.every(isSpan)) {
    const message = `compare is ${quoted(value)}; allowed: day, week, or day,week.`;
    throw new ApiError(400, 'invalid_parameter', message, { parameter: 'compare' });
  }
  return SPANS.filter((span) => words.includes(span));
}

/** The comparisons, one after the other: one request shall not hold all connections. Empty where none is asked for. */
export async function compareWith<T>(
  spans: readonly Span[],
  { period, earlier, keptFrom, retentionDays, ask }: Compared<T>,
): Promise<Comparison<T> | Record<never, never>> {
  if (spans.length === 0) return {};
  const compare: Partial<Record<Span, T | null>> = {};
  const reasons: Partial<Record<Span, string>> = {};
  for (const span of spans) {
    const [start, end] = [earlier(period.start, DAYS[span]), earlier(period.end, DAYS[span])];
    if (start >= keptFrom) compare[span] = await ask(new Date(start), new Date(end));
    else {
      compare[span] = null;
      reasons[span] =
        `The period one ${span} earlier begins at ${new Date(start).toISOString()}, and only ${retentionDays} days ` +
        'are kept (ROLLUP_RETENTION_DAYS).';
    }
  }
  return { compare, ...(Object.keys(reasons).length === 0 ? {} : { compare_reasons: reasons }) };
}
