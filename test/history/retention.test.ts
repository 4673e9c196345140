import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { foldCoarse } from '../../src/history/coarse.js';
import { startOf } from '../../src/history/cover.js';
import { dropOld } from '../../src/history/retention.js';
import type { HistoryStore } from '../../src/history/store.js';
import type { Link } from '../../src/source/connection.js';
import type { SyncRow } from '../../streams/event.js';
import { newestVersion } from '../setup/database.js';
import { row } from '../streams/rows.js';
import {
  DAY,
  floorTo,
  IDENTITY,
  kept,
  live,
  MINUTE,
  NOW,
  QUARTER,
  rolled,
  type Scene,
  scene,
  upTo,
} from './scene.js';

describe.each(newestVersion())('retention on PostgreSQL %i', (version) => {
  let place: Scene;
  let store: HistoryStore;
  let link: Link;
  let rows: SyncRow[];
  beforeEach(async () => {
    place = await scene(version);
    ({ store, link } = place.store());
    await store.begin(IDENTITY, upTo(0));
    rows = [];
  });
  afterEach(() => place.close());

  async function write(...times: number[]): Promise<void> {
    for (const createdAt of times) rows.push(row(rows.length + 1, { createdAt, durationMs: rows.length }));
    store.apply(live(...rows.slice(-times.length)));
    store.capture(upTo(rows.length));
    await store.flush();
  }

  const drop = (now: number, options: { retentionDays?: number; rows?: number; signal?: AbortSignal } = {}) =>
    dropOld(store, { now: () => now, retentionDays: 400, pauseMs: 0, ...options });
  const fold = (now: number) => foldCoarse(store, { now: () => now });
  const within = (from: number) => rows.filter(({ createdAt }) => createdAt >= from);
  const NOTHING = { minutes: 0, quarters: 0, days: 0, months: 0, abandoned: 0 };

  test('minutes go after 35 days, and their quarter hours stay; by whole quarter hours', async () => {
    await write(...Array.from({ length: 50 }, (_, i) => NOW - 3 * DAY + i * MINUTE));
    await fold(NOW);
    expect(await drop(NOW)).toEqual(NOTHING);
    const later = NOW - 3 * DAY + 35 * DAY + 22 * MINUTE;
    const from = floorTo(QUARTER)(later - 35 * DAY);
    const gone = rows.length - within(from).length;
    // Smaller steps come to the same.
    expect(await drop(later, { rows: 7 })).toEqual({ ...NOTHING, minutes: gone });
    expect(await kept(link, store.checkpointId, 0)).toEqual(rolled(within(from), floorTo(MINUTE)));
    expect(await kept(link, store.checkpointId, 1)).toEqual(rolled(rows, floorTo(QUARTER)));
    expect(gone).toBeGreaterThan(7);
    // What comes late from there on goes into the quarter hours, after a restart too.
    const { store: next } = place.store();
    await next.open(IDENTITY);
    expect(next.minutesFrom).toBe(from);
    store = next;
    await write(NOW - 3 * DAY, from, from - 1);
    expect(await kept(link, store.checkpointId, 1)).toEqual(
      rolled([...rows.filter(({ id }) => id !== 52)], floorTo(QUARTER)),
    );
    expect(await kept(link, store.checkpointId, 0)).toEqual(rolled(within(from), floorTo(MINUTE)));
    await fold(later + 40 * DAY);
    expect(await kept(link, store.checkpointId, 1)).toEqual(rolled(rows, floorTo(QUARTER)));
    expect(await kept(link, store.checkpointId, 2)).toEqual(rolled(rows, floorTo(DAY)));
  });

  test('the store that writes knows the new times at once', async () => {
    await write(NOW - DAY);
    await fold(NOW);
    const { minutesFrom } = store;
    await drop(NOW + 35 * DAY);
    expect(store.minutesFrom).toBeGreaterThan(minutesFrom);
    await write(NOW - DAY);
    expect((await kept(link, store.checkpointId, 0)).size).toBe(0);
    expect(await kept(link, store.checkpointId, 1)).toEqual(rolled(rows, floorTo(QUARTER)));
  });

  test('minutes that are in no quarter hour yet stay, and all after them', async () => {
    await write(NOW - 2 * DAY, NOW - DAY, NOW);
    await fold(NOW - DAY - MINUTE);
    expect(await drop(NOW + 60 * DAY)).toEqual({ ...NOTHING, minutes: 1 });
    expect(await kept(link, store.checkpointId, 0)).toEqual(rolled(rows.slice(1), floorTo(MINUTE)));
    await fold(NOW + 60 * DAY);
    expect(await drop(NOW + 60 * DAY)).toEqual({ ...NOTHING, minutes: 2 });
    expect(await kept(link, store.checkpointId, 1)).toEqual(rolled(rows, floorTo(QUARTER)));
  });

  test('everything goes after the retention, by whole days; what begins before is not marked any more', async () => {
    const day = floorTo(DAY)(NOW);
    await write(day - 400 * DAY, day - 300 * DAY, day - 20 * DAY, day - 9 * DAY, day - 9 * DAY - 1, NOW);
    await fold(NOW);
    const retentionDays = 9;
    const from = day - 9 * DAY;
    const [before] = await place.sql('SELECT count(*)::int AS n FROM sync_monitor.rollup');
    const dropped = await drop(NOW, { retentionDays });
    const [after] = await place.sql('SELECT count(*)::int AS n FROM sync_monitor.rollup');
    const { minutes, quarters, days, months, abandoned } = dropped;
    expect(minutes + quarters + days + months + abandoned).toBe(Number(before?.n) - Number(after?.n));
    expect([store.minutesFrom, store.rollupsFrom]).toEqual([from, from]);
    for (const [level, length] of [
      [0, MINUTE],
      [1, QUARTER],
      [2, DAY],
    ] as const) {
      const wanted = rolled(within(from), floorTo(length));
      if (level !== 0) for (const key of wanted.keys()) if (startsLate(key, level)) wanted.delete(key);
      expect(await kept(link, store.checkpointId, level)).toEqual(wanted);
    }
    // June began before.
    expect((await kept(link, store.checkpointId, 3)).size).toBe(0);
    await write(from - 1, from + MINUTE);
    expect(
      await place.sql('SELECT level, start FROM sync_monitor.rollup_todo WHERE start < now() ORDER BY 1, 2'),
    ).toEqual([
      { level: 1, start: new Date(from) },
      { level: 1, start: new Date(floorTo(QUARTER)(NOW)) },
      { level: 2, start: new Date(from) },
      { level: 2, start: new Date(day) },
    ]);
    expect(await kept(link, store.checkpointId, 0)).toEqual(rolled(within(from), floorTo(MINUTE)));
  });

  /** Periods that have not ended at NOW are not folded. */
  function startsLate(key: string, level: 1 | 2): boolean {
    return Date.parse(key.slice(0, key.indexOf(' '))) === startOf(level, NOW);
  }

  test("what began anew is dropped whole, and nobody else's", async () => {
    await write(...Array.from({ length: 30 }, (_, i) => NOW - i * DAY));
    const old = store.checkpointId;
    const { store: next } = place.store();
    await next.begin('restored', upTo(5));
    store = next;
    rows = [];
    await write(NOW);
    const stop = new AbortController();
    stop.abort();
    expect(await drop(NOW, { signal: stop.signal })).toEqual(NOTHING);
    expect((await kept(link, old, 0)).size).toBe(30);
    expect(await drop(NOW, { rows: 7 })).toEqual({ ...NOTHING, abandoned: 30 });
    expect(
      await place.sql(
        'SELECT DISTINCT checkpoint_id AS id FROM sync_monitor.rollup UNION SELECT id FROM sync_monitor.checkpoint UNION SELECT checkpoint_id FROM sync_monitor.rollup_todo',
      ),
    ).toEqual([{ id: next.checkpointId }]);
  });
});
