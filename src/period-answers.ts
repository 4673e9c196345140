/** Questions about any period: answered out of history where there is one, else out of the table. */
import type { BreakdownNumbers } from '../streams/breakdown.js';
import type { Savings } from '../streams/business.js';
import { type PeriodSeries, type SeriesStep, seriesBounds } from '../streams/period-series.js';
import { QueueLog } from '../streams/queue-log.js';
import type { BusinessMetrics, OperationMetrics, Snapshot } from '../streams/snapshot.js';
import { Zone } from '../streams/zone.js';
import { breakdownOfPeriod } from './history/breakdown.js';
import { type EventPage, type EventRequest, eventsOfTable } from './history/events-query.js';
import type { HistoryInMemory } from './history/moment.js';
import { businessOfPeriod, operationsOfPeriod } from './history/period-query.js';
import { stepsOfPeriod } from './history/series.js';
import { ReadPool } from './source/pool.js';
import { readable } from './source/readable.js';
import { QUERY_SESSION, type Source } from './source/source.js';

export interface PeriodAnswersOptions {
  readonly url: string;
  readonly source: Source;
  /** Undefined while history is off or not to be trusted. */
  readonly history: () => HistoryInMemory | undefined;
  readonly savings: Savings;
}

/** What one page of past events may cost; the rows take about half a second where nothing has to be read from disk. */
const SEARCH = { rows: 1_000_000, milliseconds: 2_000, now: () => performance.now() };

export interface Slice extends BreakdownNumbers {
  readonly by_type: Readonly<Record<string, BreakdownNumbers>>;
}

/** Nothing that is kept is coarser. */
const QUARTER = 900;

export class PeriodAnswers {
  readonly #options: PeriodAnswersOptions;
  readonly #pool: ReadPool;
  readonly #queue = new QueueLog();

  constructor(options: PeriodAnswersOptions) {
    this.#options = options;
    this.#pool = new ReadPool({ url: options.url, session: QUERY_SESSION });
  }

  operations(start: Date, end: Date): Promise<OperationMetrics> {
    const { source, history } = this.#options;
    const memory = history();
    return this.#pool.snapshot((query) => operationsOfPeriod(query, source.table, memory, start, end));
  }

  business(start: Date, end: Date): Promise<BusinessMetrics> {
    const { source, history, savings } = this.#options;
    const memory = history();
    return this.#pool.snapshot((query) => businessOfPeriod(query, source.table, memory, start, end, savings));
  }

  /** @returns the start of each hour or day, as it is shown, with its numbers */
  async breakdown(
    unit: 'hours' | 'days',
    start: Date,
    end: Date,
    tz: string | undefined,
  ): Promise<readonly (readonly [shown: string, Slice])[]> {
    const zone = new Zone(tz ?? 'UTC');
    const bounds = zone[unit](start.getTime(), end.getTime());
    const { source, history } = this.#options;
    const memory = history();
    const { spans } = await this.#pool.snapshot((query) =>
      breakdownOfPeriod(query, source.table, memory, bounds),
    );
    return spans.map((numbers, i) => {
      const at = bounds[i] as number; // as many bounds as spans, and one more
      return [tz === undefined ? new Date(at).toISOString() : zone.iso(at), numbers] as const;
    });
  }

  /**
   * Each step that the period touches up to now, whole, steps without rows included; in steps of a quarter of an hour where
   * nothing shorter is kept. @param now ms, by the database's clock
   */
  async series(start: Date, end: Date, asked: SeriesStep, now: number): Promise<PeriodSeries> {
    const { source, history } = this.#options;
    const iso = (at = start.getTime()): string => new Date(at).toISOString();
    for (let step = asked; ; step = QUARTER) {
      const bounds = seriesBounds(start.getTime(), Math.min(end.getTime(), Math.floor(now) + 1), step);
      const memory = history();
      const { steps, aligned } = await this.#pool.snapshot((query) =>
        stepsOfPeriod(query, source.table, memory, bounds),
      );
      if (aligned && step < QUARTER) continue;
      const points = steps.map((numbers, i) => {
        const at = bounds[i] as number; // as many bounds as steps, and one more
        const most = this.#queue.mostIn(at, step);
        return {
          ...{ start: iso(at), partial: at + step * 1_000 > now, ...numbers },
          ...{ pending_max: most?.pending ?? null, export_queue_max: most?.exports ?? null },
        };
      });
      return { step_seconds: step, period_start: iso(bounds[0]), period_end: iso(bounds.at(-1)), points };
    }
  }

  /** Remembers how much waited. */
  see({ at, queue, completeness: { state } }: Snapshot): void {
    // Before that it counts what it has found so far.
    if (state === 'complete' || state === 'incomplete') this.#queue.add(Date.parse(at), queue);
  }

  events(request: EventRequest): Promise<EventPage> {
    const table = readable(this.#options.source.table);
    return this.#pool.snapshot((query) => eventsOfTable(query, table, request, SEARCH));
  }

  close(): void {
    this.#pool.close();
  }
}
