/** Questions about any period: answered out of history where there is one, else out of the table. */
import type { BreakdownNumbers } from '../streams/breakdown.js';
import type { Savings } from '../streams/business.js';
import type { BusinessMetrics, OperationMetrics } from '../streams/snapshot.js';
import { Zone } from '../streams/zone.js';
import { breakdownOfPeriod } from './history/breakdown.js';
import { type EventPage, type EventRequest, eventsOfTable } from './history/events-query.js';
import type { HistoryInMemory } from './history/moment.js';
import { businessOfPeriod, operationsOfPeriod } from './history/period-query.js';
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

export class PeriodAnswers {
  readonly #options: PeriodAnswersOptions;
  readonly #pool: ReadPool;

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

  events(request: EventRequest): Promise<EventPage> {
    const table = readable(this.#options.source.table);
    return this.#pool.snapshot((query) => eventsOfTable(query, table, request, SEARCH));
  }

  close(): void {
    this.#pool.close();
  }
}
