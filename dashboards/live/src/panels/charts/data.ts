/** The period that the charts show, kept fresh: all of it now and then, its newest two steps often. */
import { computed, effect, signal } from '@preact/signals';
import type { AlertWire } from '../../../../../streams/alerts-view.js';
import type { PeriodSeries } from '../../../../../streams/period-series.js';
import type { AlertsAnswer } from '../../answers.js';
import { ask } from '../../api.js';
import { onReconnect } from '../../on-reconnect.js';
import { type Shown, shownOf, spanOf } from '../../period.js';
import { resource } from '../../resource.js';
import { alerts, snapshot, view } from '../../state.js';
import type { Span } from '../../view.js';
import { alertBands } from './alert-bands.js';
import { type Points, pointsOf, tailOf, wholeSteps, withLive, withTail } from './points.js';

const MINUTE = 60_000;
/** Rows that were pending may change steps that are long over. */
const WHOLE_EVERY_MS = 5 * MINUTE;

/** More would be less than a pixel each. */
const narrow = matchMedia('(max-width: 760px)');
const points = signal(narrow.matches ? 150 : 400);
narrow.addEventListener('change', () => {
  points.value = narrow.matches ? 150 : 400;
});

const shown = computed<Shown>(() => shownOf(view.value));

/** The newest snapshot, once a second at most: curves that change oftener are no easier to read. */
const live = signal(snapshot.peek());
const LIVE_MS = 1_000;
let late = 0;
effect(() => {
  const next = snapshot.value;
  if (late !== 0 && live.peek() !== null) return;
  live.value = next;
  late = window.setTimeout(() => {
    late = 0;
    live.value = snapshot.peek();
  }, LIVE_MS);
});

/** The database's clock as far as the page knows it, ms. */
const databaseNow = (): number => {
  const at = live.value?.at;
  return at === undefined ? Date.now() : Date.parse(at);
};

interface Key {
  readonly shown: Shown;
  readonly points: number;
}

const seriesOf = ({ from, to }: Span, count: number, signal: AbortSignal): Promise<PeriodSeries> => {
  const query = new URLSearchParams({
    start_date: new Date(from).toISOString(),
    end_date: new Date(to).toISOString(),
    points: String(count),
  });
  return ask(`api/monitoring/series/?${query}`, { signal });
};

let whole: { readonly key: Key; readonly at: number; readonly points: Points } | null = null;

async function newest(key: Key, signal: AbortSignal): Promise<Points> {
  const { from, to } = spanOf(key.shown, databaseNow());
  const now = performance.now();
  if (whole?.key === key && now - whole.at < WHOLE_EVERY_MS) {
    const tail = tailOf(whole.points, to);
    if (tail !== null) {
      const newer = pointsOf(await seriesOf({ from: tail.from, to }, tail.points, signal));
      const joined = withTail(whole.points, newer, from);
      if (joined !== null) {
        whole = { ...whole, points: joined };
        return joined;
      }
    }
  }
  const all = pointsOf(await seriesOf({ from, to }, key.points, signal));
  whole = { key, at: now, points: all };
  return all;
}

function everyMs({ shown: what }: Key): number {
  const { from, to } = spanOf(what, databaseNow());
  if (what.kind === 'span') return to < databaseNow() ? Number.POSITIVE_INFINITY : 15_000;
  return Math.min(MINUTE, Math.max(5_000, (to - from) / 360));
}

export const series = resource<Key, Points>({
  key: () => ({ shown: shown.value, points: points.value }),
  ask: newest,
  everyMs,
});

/** What is drawn: as the server said it, with what the newest snapshot knows. */
export const drawn = computed(() => {
  const known = series.value.value;
  if (known === null) return null;
  const now = databaseNow();
  const span = spanOf(shown.value, now);
  const { points: all, stepMs } = withLive(known, live.value, span.to);
  // The oldest step leaves when none of it is in the period any more, not when the server is asked next.
  const kept = all.filter(({ start }) => start + stepMs > span.from);
  return { points: kept, stepMs, span: wholeSteps(span, stepMs), now };
});
export type Drawn = NonNullable<typeof drawn.value>;

/** Those of the period; asked anew when one fires or ends. */
const past = resource<{ readonly shown: Shown; readonly active: string }, readonly AlertWire[]>({
  key: () => ({ shown: shown.value, active: (alerts.value.value?.alerts ?? []).map(({ id }) => id).join() }),
  ask: async (key, signal) => {
    const before = new Date(spanOf(key.shown, databaseNow()).to).toISOString();
    const query = new URLSearchParams({ state: 'all', limit: '200', before });
    return (await ask<AlertsAnswer>(`api/alerts/?${query}`, { signal })).alerts;
  },
  everyMs: () => 5 * MINUTE,
});

export const bands = computed(() => {
  const data = drawn.value;
  if (data === null) return [];
  const firing = alerts.value.value?.alerts ?? [];
  const over = (past.value.value ?? []).filter(({ ends_at }) => ends_at !== null);
  return alertBands([...over, ...firing], data.span, data.now);
});

onReconnect(() => {
  // What was missed meanwhile may be older than the newest two steps.
  whole = null;
  series.reload();
  past.reload();
});
