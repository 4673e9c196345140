import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HistoryLostError } from '../../src/history/db.js';
import { newestVersion } from '../setup/database.js';
import { batch, row } from '../streams/rows.js';
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
  TABLE,
  upTo,
} from './scene.js';

const NOTHING = { rows: 0, minutes: 0, bytes: 0 };

describe.each(newestVersion())('the store of history on PostgreSQL %i', (version) => {
  let place: Scene;
  beforeEach(async () => {
    place = await scene(version);
  });
  afterEach(() => place.close());

  test('has nothing at first; what was begun and flushed is opened as it was', async () => {
    const { store, link } = place.store();
    expect(await store.open(IDENTITY)).toBeUndefined();
    await store.begin(IDENTITY, upTo(10, { floor: 10 }));
    expect([store.minutesFrom, store.rollupsFrom]).toEqual([
      floorTo(QUARTER)(NOW - 35 * DAY),
      floorTo(DAY)(NOW - 400 * DAY),
    ]);
    const rows = [
      row(11, { createdAt: NOW, durationMs: 120, customerId: 7, emailSent: true }),
      row(12, { createdAt: NOW - MINUTE, status: 'retried', operationType: 'audit' }),
      row(13, { createdAt: NOW, operationType: 'conflict_resolution', conflictSource: 'elsewhere' }),
      row('9223372036854775806', { createdAt: NOW, customerId: '9223372036854775807' }),
      row(15, { createdAt: NOW, status: 'pending' }),
      row(16, { createdAt: Number.POSITIVE_INFINITY }),
    ];
    store.apply(live(...rows));
    const state = {
      high: 16,
      floor: 4,
      holes: [
        [2, 3],
        [7, 7],
      ] as const,
      pending: [15, '9223372036854775807', 1, 2, 3],
      ahead: ['9223372036854775806', 900],
    };
    expect(store.capture(state)).toBe(true);
    expect(await store.flush()).toMatchObject({ rows: 4, minutes: 3, bytes: expect.any(Number) });

    const { store: next, link: nextLink } = place.store();
    expect(await next.open('another table')).toBeUndefined();
    expect(await next.open(IDENTITY)).toEqual({ ...state, pending: [1, 2, 3, 15, '9223372036854775807'] });
    expect(await kept(link, store.checkpointId, 0)).toEqual(rolled(rows.slice(0, 4), floorTo(MINUTE)));
    expect(next.words.unknown()).toEqual({
      types: ['audit'],
      statuses: ['retried'],
      sources: ['elsewhere'],
      methods: [],
    });
    expect([next.minutesFrom, next.rollupsFrom]).toEqual([store.minutesFrom, store.rollupsFrom]);
    expect(nextLink.connected).toBe(true);
  });

  test('adds to what is there, and leaves alone what did not change', async () => {
    const { store, link } = place.store();
    await store.begin(IDENTITY, upTo(0));
    const rows = [1, 2, 3, 4].map((id) =>
      row(id, { createdAt: NOW + (id % 2) * MINUTE, durationMs: id * 100, customerId: id % 3 }),
    );
    for (const [i, one] of rows.entries()) {
      store.apply(live(one));
      expect(store.capture(upTo(i + 1, { pending: [77], holes: [[5, 6]], ahead: [99] }))).toBe(true);
      expect(await store.flush()).toMatchObject({ rows: 1, minutes: 1 });
    }
    expect(await kept(link, store.checkpointId, 0)).toEqual(rolled(rows, floorTo(MINUTE)));
    expect(store.waitingRows).toBe(0);
    // An idle table costs no write at all.
    expect(store.capture(upTo(4, { pending: [77], holes: [[5, 6]], ahead: [99] }))).toBe(false);
    expect(await store.flush()).toMatchObject(NOTHING);
    expect(
      await place.sql(
        'SELECT flush_no::int, high::int, pending::text, holes::text, ahead::text FROM sync_monitor.checkpoint',
      ),
    ).toEqual([{ flush_no: 4, high: 4, pending: '{[77,78)}', holes: '{[5,7)}', ahead: '{99}' }]);
    // The cursor alone is new.
    expect(store.capture(upTo(9))).toBe(true);
    expect(await store.flush()).toMatchObject(NOTHING);
    expect(await place.sql('SELECT high::int, pending::text FROM sync_monitor.checkpoint')).toEqual([
      { high: 9, pending: '{}' },
    ]);
  });

  test('marks quarter, day and month of each minute; rows older than the minutes go into their quarter hour', async () => {
    const { store, link } = place.store();
    await store.begin(IDENTITY, upTo(0));
    const old = store.minutesFrom - 7 * MINUTE;
    const rows = [
      row(1, { createdAt: NOW }),
      row(2, { createdAt: store.minutesFrom }),
      row(3, { createdAt: old, durationMs: 5 }),
      row(4, { createdAt: old + MINUTE, durationMs: 7, customerId: 9 }),
      row(5, { createdAt: store.rollupsFrom + 10 }),
      row(6, { createdAt: store.rollupsFrom - 1 }),
      row(7, { createdAt: Date.UTC(12_000, 0) }),
    ];
    store.apply(live(...rows));
    store.capture(upTo(7));
    await store.flush();
    expect(await kept(link, store.checkpointId, 0)).toEqual(rolled(rows.slice(0, 2), floorTo(MINUTE)));
    expect(await kept(link, store.checkpointId, 1)).toEqual(rolled(rows.slice(2, 5), floorTo(QUARTER)));
    // Once more, into the same quarter hour.
    store.apply(live(row(8, { createdAt: old, durationMs: 900 })));
    store.capture(upTo(8));
    await store.flush();
    expect(await kept(link, store.checkpointId, 1)).toEqual(
      rolled([...rows.slice(2, 5), row(8, { createdAt: old, durationMs: 900 })], floorTo(QUARTER)),
    );
    const day = floorTo(DAY);
    const todo = await place.sql(
      `SELECT level, (extract(epoch FROM start) * 1000)::float8 AS start FROM sync_monitor.rollup_todo ORDER BY 1, 2`,
    );
    expect(todo.map(({ level, start }) => [level, start])).toEqual([
      [1, store.minutesFrom],
      [1, floorTo(QUARTER)(NOW)],
      [2, store.rollupsFrom],
      ...[...new Set([day(old), day(store.minutesFrom)])].map((start) => [2, start]),
      [2, day(NOW)],
      // The month in which everything begins is not whole.
      [3, Date.UTC(2025, 4)],
      [3, Date.UTC(2025, 5)],
    ]);
  });

  test('a pending row counts once it is settled, in the minute in which it was written', async () => {
    const { store, link } = place.store();
    await store.begin(IDENTITY, upTo(0));
    const pending = row(1, { createdAt: NOW - MINUTE, status: 'pending' });
    const done = { ...pending, status: 'success' };
    store.apply(live(pending));
    store.capture(upTo(1, { pending: [1] }));
    await store.flush();
    expect((await kept(link, store.checkpointId, 0)).size).toBe(0);
    store.apply(batch(NOW, { updates: [{ row: done, previous: pending }] }));
    store.apply(batch(NOW, { origin: 'window', rows: [row(9)] }));
    store.capture(upTo(1));
    await store.flush();
    expect(await kept(link, store.checkpointId, 0)).toEqual(rolled([done], floorTo(MINUTE)));
  });

  test('gives back the minutes for the windows, and the smallest id among them', async () => {
    const { store } = place.store();
    await store.begin(IDENTITY, upTo(0));
    const rows = Array.from({ length: 400 }, (_, i) =>
      row(1000 - i, { createdAt: NOW - i * 5 * MINUTE, durationMs: i, customerId: i }),
    );
    rows.push(row(3, { createdAt: store.minutesFrom - MINUTE }));
    store.apply(live(...rows));
    store.capture(upTo(1000));
    await store.flush();
    const from = floorTo(5 * MINUTE)(NOW) - DAY;
    const to = floorTo(5 * MINUTE)(NOW) - 65 * MINUTE;
    let chunks = 0;
    const found = [];
    for await (const chunk of store.minutes(from, to)) {
      chunks += 1;
      found.push(...chunk);
    }
    expect(chunks).toBeGreaterThan(5);
    const within = rows.filter(({ createdAt }) => createdAt >= from && createdAt < to);
    expect(
      new Map(found.map((one) => [`${new Date(one.start).toISOString()} ${one.operationType}`, one.rollup])),
    ).toEqual(rolled(within, floorTo(MINUTE)));
    expect(await store.firstId(from)).toBe(
      Math.min(...rows.filter(({ createdAt }) => createdAt >= from).map(({ id }) => Number(id))),
    );
    expect(await store.firstId(store.minutesFrom)).toBe(601);
    expect(await store.firstId(store.minutesFrom - MINUTE)).toBe(3);
    expect(await store.firstId(NOW + MINUTE)).toBeNull();
  });

  test('is full while too much waits, and gives up what waits before memory ends', async () => {
    const { store, link } = place.store({ limits: { fullCells: 2, mostCells: 4 } });
    await store.begin(IDENTITY, upTo(0));
    await store.flush();
    const rows = [0, 1, 2, 3, 4].map((i) => row(i + 1, { createdAt: NOW + i * MINUTE }));
    store.apply(live(...rows.slice(0, 1)));
    expect(store.full).toBe(false);
    store.apply(live(...rows.slice(1, 2)));
    expect(store.full).toBe(true);
    store.capture(upTo(2));
    expect(store.full).toBe(true);
    await place.sql('ALTER TABLE sync_monitor.checkpoint RENAME TO gone');
    await expect(store.flush()).rejects.toThrow('sync_monitor.checkpoint');
    expect([store.fault, store.generations().length]).toEqual([undefined, 2]);
    store.apply(live(...rows.slice(2)));
    expect(store.fault).toContain('5 rows that waited for it were dropped');
    expect([store.full, store.waitingRows, store.generations()]).toEqual([false, 0, []]);
    expect(place.log).toEqual([expect.stringContaining('error history could not be written')]);
    store.apply(live(row(6)));
    expect([store.waitingRows, store.capture(upTo(6))]).toEqual([0, false]);
    // Only when it can be written is it worth while to read all that again.
    await expect(store.flush()).rejects.not.toBeInstanceOf(HistoryLostError);
    await place.sql('ALTER TABLE sync_monitor.gone RENAME TO checkpoint');
    await expect(store.flush()).rejects.toBeInstanceOf(HistoryLostError);
    expect(await store.open(IDENTITY)).toEqual(upTo(0));
    expect(store.fault).toBeUndefined();
    store.apply(live(...rows.slice(0, 4)));
    store.capture(upTo(4));
    await store.flush();
    expect(await kept(link, store.checkpointId, 0)).toEqual(rolled(rows.slice(0, 4), floorTo(MINUTE)));
  });

  test('begins anew in an empty place, and the one who wrote before notices', async () => {
    const { store: before } = place.store();
    await before.begin(IDENTITY, upTo(0));
    before.apply(live(row(1)));
    before.capture(upTo(1));
    await before.flush();
    const { store, link } = place.store();
    await store.begin('restored elsewhere', upTo(5));
    expect((await kept(link, store.checkpointId, 0)).size).toBe(0);
    before.apply(live(row(2)));
    before.capture(upTo(2));
    await expect(before.flush()).rejects.toThrow('another process writes this history');
    expect(await before.open(IDENTITY)).toBeUndefined();
    const rows = await place.sql(
      'SELECT table_name, identity, high::int FROM sync_monitor.checkpoint ORDER BY id',
    );
    expect(rows).toEqual([
      { table_name: null, identity: IDENTITY, high: 1 },
      { table_name: TABLE, identity: 'restored elsewhere', high: 5 },
    ]);
  });
});
