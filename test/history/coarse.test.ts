import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { foldCoarse } from '../../src/history/coarse.js';
import { startOf } from '../../src/history/cover.js';
import type { HistoryStore } from '../../src/history/store.js';
import type { Link } from '../../src/source/connection.js';
import type { SyncRow } from '../../streams/event.js';
import { newestVersion } from '../setup/database.js';
import { row } from '../streams/rows.js';
import { rowsArb } from './rollups.js';
import { DAY, IDENTITY, kept, live, MINUTE, NOW, QUARTER, rolled, type Scene, scene, upTo } from './scene.js';

describe.each(newestVersion())('coarse periods on PostgreSQL %i', (version) => {
  let place: Scene;
  let store: HistoryStore;
  let link: Link;
  beforeEach(async () => {
    place = await scene(version);
    ({ store, link } = place.store());
    await store.begin(IDENTITY, upTo(0));
  });
  afterEach(() => place.close());

  async function write(rows: readonly SyncRow[], floor: number | null = null): Promise<void> {
    store.apply(live(...rows));
    store.capture(upTo(Math.max(...rows.map(({ id }) => Number(id))), { floor }));
    await store.flush();
  }

  const fold = (now: number) => foldCoarse(store, { now: () => now });

  async function todo(): Promise<[level: number, start: string][]> {
    const rows = await place.sql(
      'SELECT level, start FROM sync_monitor.rollup_todo ORDER BY level DESC, start',
    );
    return rows.map(({ level, start }) => [Number(level), (start as Date).toISOString()]);
  }

  /** Each level against the rows, in the periods that are not still to be folded. */
  async function expectLevels(rows: readonly SyncRow[]): Promise<void> {
    const unfolded = new Set((await todo()).map(([level, start]) => `${level} ${start}`));
    for (const level of [1, 2, 3] as const) {
      const wanted = rolled(rows, (at) => startOf(level, at));
      for (const key of wanted.keys())
        if (unfolded.has(`${level} ${key.slice(0, key.indexOf(' '))}`)) wanted.delete(key);
      const there = await kept(link, store.checkpointId, level);
      for (const key of there.keys())
        if (unfolded.has(`${level} ${key.slice(0, key.indexOf(' '))}`)) there.delete(key);
      expect(there).toEqual(wanted);
    }
  }

  test('each is folded once it has ended, when all in it are', async () => {
    const at = Date.UTC(2025, 4, 31, 23, 40);
    const rows = [
      row(1, { createdAt: at, durationMs: 5 }),
      row(2, { createdAt: at + QUARTER, customerId: 3 }),
    ];
    await write(rows);
    const [month, day] = ['2025-05-01T00:00:00.000Z', '2025-05-31T00:00:00.000Z'];
    const quarters = ['2025-05-31T23:30:00.000Z', '2025-05-31T23:45:00.000Z'];
    const all = [
      [3, month],
      [2, day],
      [1, quarters[0]],
      [1, quarters[1]],
    ];
    const end = Date.UTC(2025, 5, 1);
    // A minute more, for those who are late.
    expect(await fold(end - QUARTER + MINUTE - 1)).toEqual({ quarters: 0, days: 0, months: 0 });
    expect(await todo()).toEqual(all);
    expect(await fold(end - QUARTER + MINUTE)).toEqual({ quarters: 1, days: 0, months: 0 });
    expect(await todo()).toEqual([all[0], all[1], all[3]]);
    await expectLevels(rows);
    expect(await fold(end + MINUTE - 1)).toEqual({ quarters: 0, days: 0, months: 0 });
    expect(await fold(end + MINUTE)).toEqual({ quarters: 1, days: 1, months: 1 });
    expect(await todo()).toEqual([]);
    await expectLevels(rows);
    expect(await fold(end + DAY)).toEqual({ quarters: 0, days: 0, months: 0 });
  });

  test('a late row makes its quarter, day and month be folded anew; one older than the minutes its day and month', async () => {
    const at = NOW - 3 * DAY;
    const old = store.minutesFrom - 10 * DAY;
    const rows = [row(1, { createdAt: at }), row(2, { createdAt: old, durationMs: 8 })];
    await write(rows);
    await fold(NOW + 40 * DAY);
    expect(await todo()).toEqual([]);
    for (const createdAt of [at, old, at + MINUTE, old + MINUTE]) {
      rows.push(row(rows.length + 1, { createdAt, durationMs: rows.length, customerId: rows.length }));
      await write(rows.slice(-1));
      expect((await todo()).map(([level]) => level)).toEqual(
        createdAt < store.minutesFrom ? [3, 2] : [3, 2, 1],
      );
      await expectLevels(rows);
      await fold(NOW + 40 * DAY);
      expect(await todo()).toEqual([]);
      await expectLevels(rows);
    }
  });

  test('equals the rows, whatever comes when', async () => {
    const times = fc.oneof(
      fc.integer({ min: NOW - 2 * DAY, max: NOW }),
      fc.integer({ min: NOW - 5 * QUARTER, max: NOW }),
      fc.integer({ min: NOW - 100 * DAY, max: NOW }),
      fc.integer({ min: store.minutesFrom - QUARTER, max: store.minutesFrom + QUARTER }),
      fc.constantFrom(Date.UTC(2025, 5, 1), Date.UTC(2025, 5, 1) - 1, Date.UTC(2025, 4, 31)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(rowsArb(times), fc.integer({ min: 0, max: 3 * DAY })), {
          minLength: 1,
          maxLength: 5,
        }),
        async (steps) => {
          await store.begin(IDENTITY, upTo(0));
          const rows: SyncRow[] = [];
          for (const [some, later] of steps) {
            const next = some.map((fields, i) => ({ ...fields, id: rows.length + i + 1 }));
            rows.push(...next);
            if (next.length > 0) await write(next);
            await fold(NOW + later);
            await expectLevels(rows);
          }
          await fold(NOW + 40 * DAY);
          expect(await todo()).toEqual([]);
          await expectLevels(rows);
        },
      ),
      { numRuns: 10 },
    );
  });

  test('while the backfill goes on, what it has reached last waits', async () => {
    const rows = [0, 1, 2].map((days) => row(100 - days, { createdAt: NOW - (days + 1) * DAY }));
    await write(rows, 50);
    expect(await fold(NOW)).toEqual({ quarters: 2, days: 2, months: 0 });
    const last = new Date(startOf(2, NOW - 3 * DAY)).toISOString();
    expect((await todo()).filter(([level]) => level === 2)).toEqual([[2, last]]);
    await write([row(101, { createdAt: NOW - 3 * DAY })]);
    expect(await fold(NOW)).toEqual({ quarters: 1, days: 1, months: 0 });
    await expectLevels([...rows, row(101, { createdAt: NOW - 3 * DAY })]);
  });

  test('what the audit took away of a type is gone from the coarse ones too', async () => {
    const rows = [
      row(1, { createdAt: NOW - DAY }),
      row(2, { createdAt: NOW - DAY, operationType: 'export_to_1c' }),
    ];
    await write(rows);
    await fold(NOW + 40 * DAY);
    await store.exclusive(async (tx, { id }) => {
      await tx.query(
        `DELETE FROM sync_monitor.rollup WHERE checkpoint_id = $1 AND level = 0 AND operation_type = 'export_to_1c'`,
        [id],
      );
      await tx.query(
        `INSERT INTO sync_monitor.rollup_todo SELECT DISTINCT checkpoint_id, level, start FROM sync_monitor.rollup WHERE level > 0`,
      );
    });
    await fold(NOW + 40 * DAY);
    await expectLevels(rows.slice(0, 1));
  });

  test('many customers are read type by type', async () => {
    const rows = Array.from({ length: 80_000 }, (_, i) =>
      row(i + 1, {
        createdAt: NOW - DAY + (i % 300) * MINUTE,
        operationType: i % 2 === 0 ? 'export_to_1c' : 'created',
        customerId: String((BigInt(i) ** 3n * 0x9e3779b97f4a7c15n) % 2n ** 62n),
      }),
    );
    await write(rows);
    await fold(NOW + 40 * DAY);
    const [size] = await place.sql(
      'SELECT sum(length(customers))::int AS bytes FROM sync_monitor.rollup WHERE level = 1',
    );
    expect(size?.bytes).toBeGreaterThan(500_000);
    await expectLevels(rows);
  });

  test('stops when it is told to, after the transaction under way', async () => {
    await write(Array.from({ length: 50 }, (_, i) => row(i + 1, { createdAt: NOW - (i + 2) * QUARTER })));
    const stop = new AbortController();
    let asked = 0;
    const now = () => {
      asked += 1;
      if (asked === 3) stop.abort();
      return NOW;
    };
    const { quarters } = await foldCoarse(store, { now, signal: stop.signal });
    expect(quarters).toBeGreaterThan(0);
    expect(quarters).toBeLessThan(50);
    expect((await todo()).filter(([level]) => level === 1)).toHaveLength(50 - quarters);
    expect((await fold(NOW)).quarters).toBe(50 - quarters);
  });
});
