import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SloCount } from '../../streams/alert.js';
import { isError, type SyncRow } from '../../streams/event.js';
import { RollupBuilder } from '../../streams/rollup.js';
import { SloCounter } from '../../streams/slo-counter.js';
import { Vocabulary } from '../../streams/vocabulary.js';
import { batch, NOON, row } from './rows.js';

const MINUTE = 60_000;
const FIVE_MINUTES = 5 * MINUTE;
const LENGTHS = { '5m': 5, '30m': 30, '1h': 60, '6h': 360, '3d': 4320 } as const;
const BUDGET_DAYS = 4;

const rows = fc.record({
  status: fc.constantFrom('success', 'error', 'failed', 'pending', 'skipped'),
  age: fc.oneof(
    fc.integer({ min: -3 * MINUTE, max: 8 * MINUTE }),
    fc.integer({ min: 0, max: 400 * MINUTE }),
    fc.integer({ min: -1_400 * MINUTE, max: 6_000 * MINUTE }),
    fc.constantFrom(Infinity, -Infinity),
  ),
});
const steps = fc.record({
  later: fc.constantFrom(
    0,
    1,
    30_000,
    MINUTE,
    7 * MINUTE,
    400 * MINUTE,
    5_000 * MINUTE,
    90_000 * MINUTE,
    -MINUTE,
  ),
  kind: fc.constantFrom('live', 'live', 'tick', 'update', 'removal', 'refold', 'minutes', 'reset'),
  span: fc.nat(80),
  rows: fc.array(rows, { maxLength: 12 }),
});

test('every window holds what a look at all the rows would count, to the minute', () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 14 }), (given) => {
      const counter = new SloCounter(BUDGET_DAYS);
      let known: SyncRow[] = [];
      let now = NOON;
      let latest = NOON;
      let id = 0;
      counter.advance(now);
      for (const step of given) {
        now += step.later;
        if (step.kind === 'reset') latest = now;
        latest = Math.max(latest, now);
        const made = step.rows.map(({ age, status }) => row(id++, { status, createdAt: latest - age }));
        const pending = known.filter(({ status }) => status === 'pending');
        if (step.kind === 'tick') {
          counter.advance(now);
        } else if (step.kind === 'update') {
          const updates = pending.map((previous) => ({ previous, row: { ...previous, status: 'error' } }));
          counter.apply(batch(now, { updates }));
          known = known.map((one) => (one.status === 'pending' ? { ...one, status: 'error' } : one));
        } else if (step.kind === 'removal') {
          counter.apply(batch(now, { removals: pending }));
          known = known.filter(({ status }) => status !== 'pending');
        } else if (step.kind === 'refold') {
          const from = (Math.floor(latest / FIVE_MINUTES) - step.span) * FIVE_MINUTES;
          const span = { from, to: from + 2 * FIVE_MINUTES };
          const inside = made.map((one, i) => ({ ...one, createdAt: from + i * 40_000 }));
          counter.apply(batch(now, { origin: 'refold', span, rows: inside }));
          known = known.filter(({ createdAt }) => createdAt < span.from || createdAt >= span.to);
          known.push(...inside);
        } else if (step.kind === 'minutes') {
          const settled = made.filter((one) => one.status !== 'pending' && Number.isFinite(one.createdAt));
          const words = new Vocabulary();
          const minutes = settled.map((one) => {
            const builder = new RollupBuilder();
            builder.add(one, {
              status: words.statuses.name(words.statuses.index(one.status)),
              source: null,
              method: null,
            });
            const start = Math.floor(one.createdAt / MINUTE) * MINUTE;
            return { start, operationType: one.operationType, rollup: builder.build() };
          });
          counter.apply(batch(now, { origin: 'window', minutes }));
          known.push(...settled);
        } else {
          if (step.kind === 'reset') known = [];
          counter.apply(batch(now, { rows: made, reset: step.kind === 'reset' }));
          known.push(...made);
        }
        const minute = Math.floor(latest / MINUTE);
        // What was older than all windows when it came, or has been, does not come back.
        known = known.filter(({ createdAt }) => Math.floor(createdAt / MINUTE) > minute - BUDGET_DAYS * 1440);
        const within = (minutes: number): SloCount => {
          const inside = known.filter(({ createdAt }) => {
            const of = Math.floor(createdAt / MINUTE);
            return of <= minute && of > minute - minutes;
          });
          return { errors: inside.filter(({ status }) => isError(status)).length, total: inside.length };
        };
        expect(counter.counts()).toEqual({
          windows: {
            '5m': within(LENGTHS['5m']),
            '30m': within(LENGTHS['30m']),
            '1h': within(LENGTHS['1h']),
            '6h': within(LENGTHS['6h']),
            '3d': within(LENGTHS['3d']),
          },
          budget: within(BUDGET_DAYS * 1440),
        });
        expect(counter.dropped).toBe(0);
      }
    }),
    { numRuns: 300 },
  );
});

test('a row of the day after tomorrow is left out, and counted', () => {
  const counter = new SloCounter(30);
  counter.apply(batch(NOON, { rows: [row(1, { createdAt: NOON + 1441 * MINUTE })] }));
  counter.advance(NOON + 1441 * MINUTE);
  expect(counter.dropped).toBe(1);
  expect(counter.counts().budget).toEqual({ errors: 0, total: 0 });
});
