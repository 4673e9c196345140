/** What leaves a window leaves nothing behind, however the rows came: one by one, or as a run that is only marked whole. */
import { expect, test } from 'vitest';
import { OPERATION_TYPES, STATUSES, type SyncRow } from '../../streams/event.js';
import { Fold } from '../../streams/fold.js';
import { WINDOW_NAMES } from '../../streams/snapshot.js';
import { batch, NOON, row, tick } from './rows.js';

const SECOND = 1000;
const HOUR = 3_600_000;
const SETTLED = [...STATUSES.filter((status) => status !== 'pending'), 'a status of its own'];

/** In one second: every type, statuses and business counters among them. */
const rows: SyncRow[] = Array.from({ length: 84 }, (_, i) =>
  row(i + 1, {
    createdAt: NOON + i,
    operationType: OPERATION_TYPES[i % OPERATION_TYPES.length] as string,
    status: SETTLED[i % SETTLED.length] as string,
    durationMs: 100 + i,
    emailSent: i % 3 === 0,
  }),
);

test.each([1, 2, 16, 17, 84])('%i rows at a time', (size) => {
  const fold = new Fold();
  const one = new Fold();
  for (let i = 0; i < rows.length; i += size)
    fold.apply(batch(NOON + SECOND, { rows: rows.slice(i, i + size) }));
  for (const each of rows) one.apply(batch(NOON + SECOND, { rows: [each] }));
  // Through every ring, and out of the last one.
  for (const age of [
    0,
    59 * SECOND,
    61 * SECOND,
    299 * SECOND,
    301 * SECOND,
    HOUR - SECOND,
    HOUR + SECOND,
    23 * HOUR,
    25 * HOUR,
  ]) {
    fold.advance(tick(NOON + SECOND + age));
    one.advance(tick(NOON + SECOND + age));
    const { windows } = fold.snapshot();
    expect(windows).toEqual(one.snapshot().windows);
    for (const [name, length] of WINDOW_NAMES.map(
      (of, i) => [of, [60, 300, 3600, 86_400][i] as number] as const,
    )) {
      // A window is up to one step shorter than its name says; none of these ages lies in its last step.
      const inside = age < length * SECOND - 2 * SECOND;
      if (!inside && age < (length + 1) * SECOND) continue;
      const { total_operations, duration_count, by_type, business } = windows[name];
      expect([name, age, total_operations, duration_count]).toEqual([
        name,
        age,
        inside ? 84 : 0,
        inside ? 84 : 0,
      ]);
      expect(Object.keys(by_type)).toHaveLength(inside ? OPERATION_TYPES.length : 0);
      expect(business.admin_notifications_sent).toBe(inside ? 28 : 0);
    }
  }
});
