/** What a replay takes of the fold is what a snapshot says. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SeenNumbers } from '../../streams/alert.js';
import type { SyncRow } from '../../streams/event.js';
import { Fold } from '../../streams/fold.js';
import { WINDOW_NAMES } from '../../streams/snapshot.js';

const START = Date.UTC(2026, 2, 10);
const TYPES = ['export_to_1c', 'sync_changes', 'own_type'];
const WANTED = { types: TYPES.slice(1), durations: true };

const row = fc.record({
  operationType: fc.constantFrom(...TYPES),
  status: fc.constantFrom('success', 'success', 'error', 'failed', 'pending', 'odd'),
  gap: fc.integer({ min: 0, max: 200_000 }),
  durationMs: fc.option(fc.constantFrom(-1, 0, 1, 7, 1_001, 1_003, 5_000, 90_000), { nil: null }),
});

const KEYS = [
  ...(['total_operations', 'error_count', 'error_rate', 'throughput_per_minute', 'duration_count'] as const),
  ...(['duration_p50_ms', 'duration_p95_ms', 'duration_p99_ms', 'duration_avg_ms'] as const),
];
const picked = (numbers: SeenNumbers) => Object.fromEntries(KEYS.map((key) => [key, numbers[key]]));

test('at every moment, for every window and type that is wanted', () => {
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 60 }),
      fc.subarray([...WINDOW_NAMES]),
      (rows, windows) => {
        const fold = new Fold();
        // Keeps no more than it is asked for, as a replay does.
        const some = new Fold({ windows });
        const wanted = WINDOW_NAMES.map((name) => (windows.includes(name) ? WANTED : null));
        let now = START;
        rows.forEach(({ gap, ...of }, i) => {
          now += gap;
          const one: SyncRow = {
            ...{ id: i + 1, createdAt: now, customerId: null, customerEmail: null, onecId: null },
            ...{ correlationId: null, errorMessage: null, conflictSource: null, identificationMethod: null },
            ...{ emailSent: false, batch: null, ...of },
          };
          const batch = { origin: 'start', rows: [one], updates: [], removals: [], now } as const;
          fold.apply(batch);
          some.apply(batch);
          // First, so that it cannot profit from what the snapshot looked for.
          const seen = fold.seen([WANTED, WANTED, WANTED, WANTED]);
          const snapshot = fold.snapshot();
          expect(seen.queue).toEqual(snapshot.queue);
          const kept = some.seen(wanted);
          for (const name of windows) expect(kept.windows[name]).toEqual(seen.windows[name]);
          for (const name of WINDOW_NAMES) {
            expect(picked(seen.windows[name])).toEqual(picked(snapshot.windows[name]));
            for (const type of WANTED.types) {
              const is = seen.windows[name].by_type[type];
              const ought = snapshot.windows[name].by_type[type];
              expect(is && picked(is)).toEqual(ought && picked(ought));
            }
            expect(Object.keys(seen.windows[name].by_type)).not.toContain(TYPES[0]);
          }
        });
      },
    ),
    { numRuns: 150 },
  );
});

test('what is not wanted is empty, and counts need no durations', () => {
  const fold = new Fold();
  fold.advance({ now: START, completeness: { state: 'complete', ratio: 1, reasons: [] }, lagMs: 0 });
  const { windows } = fold.seen([null, { types: [], durations: false }, null, null]);
  expect(windows['1h'].total_operations).toBe(0);
  expect(windows['5m']).toMatchObject({ error_rate: null, by_type: {} });
});
