/** What the curves are drawn of. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatOf } from '../../dashboards/live/src/format.js';
import { alertBands } from '../../dashboards/live/src/panels/charts/alert-bands.js';
import { chartsOf, columnsOf, rangeOf } from '../../dashboards/live/src/panels/charts/curves.js';
import {
  BANDS,
  type Points,
  perMinute,
  pointsOf,
  tailOf,
  wholeSteps,
  withLive,
  withTail,
} from '../../dashboards/live/src/panels/charts/points.js';
import { timeAxis } from '../../dashboards/live/src/panels/charts/time-axis.js';
import {
  NOTHING_IN_STEP,
  type PeriodSeries,
  SERIES_STEPS,
  type SeriesPoint,
  type SeriesStep,
  seriesBounds,
  stepFor,
} from '../../streams/period-series.js';
import { COMPLETE, HandDrivenView, row, START } from '../http/view.js';

const MINUTE = 60_000;

function answer(
  step: SeriesStep,
  from: number,
  to: number,
  of: (at: number) => Partial<SeriesPoint>,
): PeriodSeries {
  const bounds = seriesBounds(from, to, step);
  const iso = (at: number | undefined): string => new Date(at ?? 0).toISOString();
  return {
    step_seconds: step,
    period_start: iso(bounds[0]),
    period_end: iso(bounds.at(-1)),
    points: bounds.slice(0, -1).map((at) => ({
      ...{ start: iso(at), partial: at + step * 1_000 > to, ...NOTHING_IN_STEP },
      ...{ pending_max: null, export_queue_max: null, ...of(at) },
    })),
  };
}

const counted = (n: number): Partial<SeriesPoint> => ({
  total_operations: n + 5,
  by_status: { success: n, error: 1, failed: 1, warning: 1, odd: 1, other: 1 },
  error_count: 2,
});

describe('the bands of a step', () => {
  it('are all of its rows: errors of both names, and unknown statuses with the others', () => {
    const [point] = pointsOf(answer(60, START, START + MINUTE, () => counted(7))).points;
    expect(point?.bands).toEqual({ success: 7, error: 2, warning: 1, skipped: 0, pending: 0, other: 2 });
    expect(BANDS.reduce((sum, band) => sum + (point?.bands[band] ?? 0), 0)).toBe(point?.total);
  });
});

describe('the newest steps, asked for again', () => {
  it('come in the same steps, whatever their length', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SERIES_STEPS),
        fc.integer({ min: 2, max: 59 }),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        (step, steps, part) => {
          const from = Math.floor(START / 86_400_000) * 86_400_000;
          const ms = step * 1_000;
          const known = pointsOf(answer(step, from, from + 2 * ms, () => ({})));
          const to = from + Math.ceil((steps - 1 + part) * ms);
          if (step === 10 && to - from > 10 * MINUTE) return;
          const tail = tailOf(known, to);
          expect(tail?.from).toBe(from);
          expect(stepFor(from, to, tail?.points ?? 0)).toBe(step);
        },
      ),
    );
  });

  it('replace what was known of them, and what is too old goes', () => {
    const of = (from: number, to: number, n: number): Points =>
      pointsOf(answer(60, from, to, () => counted(n)));
    const known = of(START, START + 10 * MINUTE, 1);
    const tail = tailOf(known, START + 10 * MINUTE + 1);
    expect(tail).toEqual({ from: START + 8 * MINUTE, points: 3 });
    const joined = withTail(known, of(START + 8 * MINUTE, START + 11 * MINUTE, 2), START + 90_000);
    const minutes = joined?.points.map(({ start, bands }) => [(start - START) / MINUTE, bands.success]);
    expect(minutes).toEqual([
      ...[1, 2, 3, 4, 5, 6, 7].map((minute) => [minute, 1]),
      ...[8, 9, 10].map((minute) => [minute, 2]),
    ]);
  });

  it('are not joined to longer steps, and after a long sleep everything is asked for', () => {
    const known = pointsOf(answer(60, START, START + 10 * MINUTE, () => ({})));
    expect(withTail(known, pointsOf(answer(900, START, START + MINUTE, () => ({}))), 0)).toBeNull();
    expect(withTail(known, { stepMs: MINUTE, points: [] }, 0)).toBeNull();
    expect(tailOf(known, START + 3 * 3_600_000)).toBeNull();
    expect(tailOf({ stepMs: MINUTE, points: [] }, START)).toBeNull();
  });
});

describe('what snapshots know', () => {
  function scene() {
    const view = new HandDrivenView();
    const at = (ms: number, status = 'success') => row({ createdAt: START - 4 * MINUTE + ms, status });
    view.fold([at(0), at(1_000), at(200_000, 'failed'), at(239_000, 'pending'), at(239_500)]);
    view.tick();
    const live = view.latest();
    if (live === null) throw new Error('no snapshot');
    return { view, live };
  }

  it('stands over the newer counts of the server, and begins steps that it did not know', () => {
    const { live } = scene();
    const known = pointsOf(
      answer(60, START - 10 * MINUTE, START - 2 * MINUTE, () => ({ ...counted(9), duration_p95_ms: 8 })),
    );
    const { points } = withLive(known, live, START + 1);
    expect(points.map(({ start, total, p95 }) => [(start - START) / MINUTE, total, p95])).toEqual([
      ...[-10, -9, -8, -7, -6].map((minute) => [minute, 14, 8]),
      ...[
        [-5, 14, 8],
        [-4, 2, 8],
        [-3, 0, 8],
        [-2, 0, null],
        [-1, 3, null],
        [0, 0, null],
      ],
    ]);
    const last = points.at(-2);
    // The snapshot does not say which status the third row has.
    expect(last?.bands).toEqual({ success: 1, error: 1, warning: 0, skipped: 0, pending: 0, other: 1 });
    expect(last?.errorRate).toBe(33.33);
    // Nothing happened is not the same as not known.
    expect(points.at(-1)).toMatchObject({ partial: true, total: 0, errorRate: null, p50: null, pending: 1 });
    expect(points.filter(({ partial }) => partial)).toHaveLength(1);
  });

  it('is not used while it is not complete, nor across a hole', () => {
    const { view, live } = scene();
    const known = pointsOf(answer(60, START - 10 * MINUTE, START - 2 * MINUTE, () => counted(9)));
    view.tick(0, { state: 'catching_up', ratio: 0.5, reasons: [] });
    expect(withLive(known, view.latest(), START + 1)).toBe(known);
    const old = pointsOf(answer(60, START - 30 * MINUTE, START - 20 * MINUTE, () => counted(9)));
    expect(withLive(old, live, START + 1)).toBe(old);
    expect(withLive(known, null, START)).toBe(known);
    expect(COMPLETE.state).toBe('complete');
  });

  it('leaves steps alone that are not wholly in it, and the end of a zoom', () => {
    const { live } = scene();
    const long = pointsOf(answer(900, START - 60 * MINUTE, START, () => counted(9)));
    expect(withLive(long, live, START + 1).points.slice(0, 4)).toEqual(long.points);
    const zoomed = pointsOf(answer(60, START - 10 * MINUTE, START - 4 * MINUTE, () => counted(9)));
    expect(withLive(zoomed, live, START - 4 * MINUTE).points.at(-1)?.start).toBe(START - 5 * MINUTE);
  });
});

describe('columns', () => {
  const words = {
    throughput: 't',
    errorRate: 'e',
    durations: 'd',
    queue: 'q',
    pending: 'p',
    exports: 'x',
    statuses: {},
  };
  const [throughput, errors, durations, queue] = chartsOf(words, formatOf('en-GB'));
  const points = pointsOf(
    answer(300, START, START + 15 * MINUTE, (at) =>
      at === START
        ? { ...counted(10), error_rate: 13.33, duration_p50_ms: 0, duration_p99_ms: 900, pending_max: 0 }
        : {},
    ),
  );
  const of = (chart: typeof throughput) => (chart ? columnsOf(chart, points.points, points.stepMs) : []);

  it('of a stack begin with its top, per minute, and have no bar where there is nothing', () => {
    const [middles, ...stack] = of(throughput);
    expect(middles?.[0]).toBe(START + 150_000);
    expect(stack.map(([first]) => first)).toEqual([3, null, null, 2.6, 2.4, 2]);
    expect(stack.every(([, second]) => second === null)).toBe(true);
  });

  it('of curves have a gap where there is nothing, and 0 where it is 0', () => {
    expect(of(errors)[1]).toEqual([13.33, null, null]);
    expect(of(queue).slice(1)).toEqual([
      [0, null, null],
      [null, null, null],
    ]);
    // Below the axis there is no room.
    expect(
      of(durations)
        .slice(1)
        .map(([first]) => first),
    ).toEqual([1, null, 900]);
  });

  it('have axes that hold them', () => {
    expect(rangeOf('log', 3, 1_500)).toEqual([1, 10_000]);
    expect(rangeOf('log', 100, 100)).toEqual([100, 1_000]);
    expect(rangeOf('log', null, null)).toEqual([1, 1_000]);
    expect(rangeOf('percent', 0, 100)).toEqual([0, 100]);
    expect(rangeOf('count', null, null)[1]).toBeGreaterThanOrEqual(1);
    expect(perMinute(10, 300_000)).toBe(2);
    expect(wholeSteps({ from: START + 1, to: START + MINUTE + 1 }, MINUTE)).toEqual({
      from: START,
      to: START + 2 * MINUTE,
    });
  });
});

describe('periods of alerts', () => {
  const alert = (severity: 'critical' | 'warning', from: number, to: number | null) => ({
    severity,
    starts_at: new Date(START + from * MINUTE).toISOString(),
    ends_at: to === null ? null : new Date(START + to * MINUTE).toISOString(),
  });

  it('are cut to the period, without overlap, each severity by itself; one that fires lasts until now', () => {
    const found = alertBands(
      [
        alert('critical', 8, null),
        alert('warning', 5, 20),
        alert('critical', -5, 2),
        alert('critical', 1, 4),
        alert('critical', -9, -1),
        alert('critical', 15, 16),
      ],
      { from: START, to: START + 12 * MINUTE },
      START + 10 * MINUTE,
    );
    expect(
      found.map(({ severity, from, to }) => [severity, (from - START) / MINUTE, (to - START) / MINUTE]),
    ).toEqual([
      ['warning', 5, 12],
      ['critical', 0, 4],
      ['critical', 8, 10],
    ]);
  });
});

describe('moments below a chart', () => {
  const of = (locale: string, zone: string, stepMs: number, ...texts: string[]) =>
    timeAxis(locale, zone)(
      texts.map((text) => Date.parse(text)),
      stepMs,
    );

  it('are as fine as their steps, in the zone and language of the viewer, and name a new day', () => {
    expect(of('en-GB', 'Europe/Moscow', 10_000, '2026-03-10T12:00:10Z')).toEqual(['15:00:10']);
    expect(
      of('en-GB', 'Europe/Moscow', 3_600_000, '2026-03-10T20:00Z', '2026-03-10T21:00Z', '2026-03-10T22:00Z'),
    ).toEqual(['23:00', '11 Mar', '01:00']);
    expect(of('ru', 'UTC', 86_400_000, '2026-03-10T00:00Z')).toEqual(['10 мар.']);
  });
});
