import { expect, it } from 'vitest';
import { daysBack, earlier, refreshMs, shownOf, spanOf } from '../../dashboards/live/src/period.js';
import type { Range } from '../../dashboards/live/src/view.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 4, 10, 12, 30);

it.each([
  ['5m', 'window', 1, 10_000],
  ['1h', 'window', 1, 36_000],
  ['24h', 'window', 1, 300_000],
  ['7d', 'range', 7, 300_000],
  ['30d', 'range', 30, 300_000],
] as const)('%s is a %s, stands beside the same time %i days before, asked for each %i ms', (...row) => {
  const [range, kind, days, every] = row;
  const shown = shownOf({ range, zoom: null });
  expect(shown.kind).toBe(kind);
  const span = spanOf(shown, NOW);
  expect(span.to).toBe(NOW);
  expect([daysBack(span), refreshMs(span)]).toEqual([days, every]);
  // Never the same rows twice.
  expect(earlier(span, days).to).toBeLessThanOrEqual(NOW - DAY);
  expect(earlier(span, days).to <= span.from).toBe(true);
});

it.each([
  [HOUR, 1],
  [DAY, 1],
  [DAY + 1, 2],
  [36 * HOUR, 2],
  [10 * DAY, 10],
])('of %i ms zoomed into is %i days back, whatever the range', (length, days) => {
  const zoom = { from: NOW - length, to: NOW };
  const ranges: readonly Range[] = ['5m', '30d'];
  for (const range of ranges) {
    const shown = shownOf({ range, zoom });
    expect(spanOf(shown, NOW + 5 * DAY)).toEqual(zoom);
    expect(daysBack(zoom)).toBe(days);
  }
});
