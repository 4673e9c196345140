import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HistoryLostError } from '../../src/history/db.js';
import { ConnectionLostError } from '../../src/source/connection.js';
import type { SyncRow } from '../../streams/event.js';
import { newestVersion } from '../setup/database.js';
import { ask } from '../setup/postgres.js';
import { row } from '../streams/rows.js';
import { type Cutter, startCutter } from './cutter.js';
import {
  floorTo,
  flushed,
  IDENTITY,
  kept,
  live,
  MINUTE,
  NOW,
  rolled,
  type Scene,
  scene,
  upTo,
} from './scene.js';

describe.each(newestVersion())('faults while history is written, on PostgreSQL %i', (version) => {
  let place: Scene;
  let cutter: Cutter | undefined;
  let made: SyncRow[];
  beforeEach(async () => {
    place = await scene(version);
    made = [];
  });
  afterEach(async () => {
    await cutter?.close();
    cutter = undefined;
    await place.close();
  });

  /** Some rows of some minutes: each flush changes old rows and adds new ones. */
  function nextRows(): SyncRow[] {
    const rows = [0, 1, 2].map((i) =>
      row(made.length + i + 1, {
        createdAt: NOW + ((made.length + i) % 7) * MINUTE,
        durationMs: made.length + i,
        customerId: (made.length + i) % 11,
      }),
    );
    made.push(...rows);
    return rows;
  }

  test('a connection that is cut at any message loses nothing and writes nothing twice', async () => {
    cutter = await startCutter(Number(new URL(place.db.url).port));
    const { store } = place.store({ url: cutter.url(place.db.url) });
    const direct = place.store().link;
    await store.begin(IDENTITY, upTo(0));
    let recognised = 0;
    let cuts = 0;
    for (const heard of [false, true]) {
      for (let n = 1; ; n++) {
        store.apply(live(...nextRows()));
        expect(store.capture(upTo(made.length))).toBe(true);
        cutter.cutAt(n, heard);
        const error = await store.flush().then(
          () => undefined,
          (reason: unknown) => reason,
        );
        const [there] = await ask(place.db.url, 'SELECT high::int FROM sync_monitor.checkpoint');
        if (error === undefined) {
          // The flush has fewer messages than that.
          cutter.cutAt(0, false);
          expect(there?.high).toBe(made.length);
          break;
        }
        cuts += 1;
        expect(error).toBeInstanceOf(ConnectionLostError);
        expect(store.fault).toBeUndefined();
        const arrived = there?.high === made.length;
        // What comes meanwhile waits for the next flush; the next capture has to wait too.
        store.apply(live(...nextRows()));
        expect(store.capture(upTo(made.length))).toBe(false);
        await flushed(store);
        if (arrived) recognised += 1;
        expect(store.capture(upTo(made.length))).toBe(true);
        await flushed(store);
        expect(await kept(direct, store.checkpointId, 0)).toEqual(rolled(made, floorTo(MINUTE)));
      }
    }
    expect(await kept(direct, store.checkpointId, 0)).toEqual(rolled(made, floorTo(MINUTE)));
    expect(cuts).toBeGreaterThan(10);
    // Its COMMIT was done, and only its answer was lost.
    expect(recognised).toBeGreaterThan(0);
  });

  test('a backend that is ended again and again while it flushes', async () => {
    const { store } = place.store();
    const direct = place.store().link;
    await store.begin(IDENTITY, upTo(0));
    const killer = new pg.Client(place.db.url);
    await killer.connect();
    let failures = 0;
    let rounds = 0;
    try {
      for (; failures < 8 && rounds < 500; rounds++) {
        store.apply(live(...nextRows()));
        store.capture(upTo(made.length));
        const flushing = flushed(store);
        await killer.query(
          `SELECT pg_sleep(${(rounds % 8) * 0.0005}), pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'`,
        );
        failures += (await flushing).length;
      }
    } finally {
      await killer.end();
    }
    expect([failures >= 8, store.fault]).toEqual([true, undefined]);
    expect(await kept(direct, store.checkpointId, 0)).toEqual(rolled(made, floorTo(MINUTE)));
    expect(await place.sql('SELECT flush_no::int AS n FROM sync_monitor.checkpoint')).toEqual([
      { n: rounds },
    ]);
  });

  test('a statement that fails leaves nothing behind, and what it would have written waits', async () => {
    const { store, link } = place.store();
    await store.begin(IDENTITY, upTo(0));
    // As a full disk: the rows are there and the checkpoint is not.
    await place.sql(`CREATE FUNCTION sync_monitor.full_disk() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
      CREATE TRIGGER full_disk BEFORE UPDATE ON sync_monitor.checkpoint FOR EACH ROW EXECUTE FUNCTION sync_monitor.full_disk()`);
    store.apply(live(...nextRows()));
    store.capture(upTo(made.length));
    for (let i = 0; i < 3; i++) await expect(store.flush()).rejects.toThrow('could not extend file');
    expect((await kept(link, store.checkpointId, 0)).size).toBe(0);
    expect(await place.sql('SELECT * FROM sync_monitor.rollup_todo')).toEqual([]);
    expect([store.waitingRows, store.generations().length]).toEqual([3, 2]);
    await place.sql('DROP TRIGGER full_disk ON sync_monitor.checkpoint');
    expect(await store.flush()).toMatchObject({ rows: 3 });
    expect(await kept(link, store.checkpointId, 0)).toEqual(rolled(made, floorTo(MINUTE)));
  });

  test('the one from whom the pen was taken overwrites nothing', async () => {
    const { store: first } = place.store();
    await first.begin(IDENTITY, upTo(0));
    first.apply(live(...nextRows()));
    first.capture(upTo(3));
    await first.flush();
    first.apply(live(...nextRows()));
    first.capture(upTo(6));
    const { store: second, link } = place.store();
    expect(await second.open(IDENTITY)).toEqual(upTo(3));
    const error = await first.flush().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(HistoryLostError);
    expect(String(error)).toContain('another process writes this history');
    await expect(first.exclusive((tx) => tx.query('DELETE FROM sync_monitor.rollup'))).rejects.toBeInstanceOf(
      HistoryLostError,
    );
    expect([first.capture(upTo(9)), first.generations(), first.waitingRows]).toEqual([false, [], 0]);
    second.apply(live(...made.slice(3)));
    second.capture(upTo(6));
    await second.flush();
    expect(await kept(link, second.checkpointId, 0)).toEqual(rolled(made, floorTo(MINUTE)));
    // It may come back, and then the other one has lost.
    expect(await first.open(IDENTITY)).toEqual(upTo(6));
    second.apply(live(...nextRows()));
    second.capture(upTo(9));
    await expect(second.flush()).rejects.toBeInstanceOf(HistoryLostError);
    expect(await place.sql('SELECT high::int FROM sync_monitor.checkpoint')).toEqual([{ high: 6 }]);
  });

  test('taking the pen waits for a transaction of the one before, and sees what it wrote', async () => {
    const { store: first } = place.store();
    await first.begin(IDENTITY, upTo(0));
    const { store: second } = place.store();
    let opened = false;
    let opening: Promise<unknown> = Promise.resolve();
    await first.exclusive(async (tx, { id }) => {
      opening = second.open(IDENTITY).then((state) => {
        opened = true;
        return state;
      });
      for (let waiting = 0; waiting === 0; ) {
        const [row] = await tx.query('SELECT count(*) FROM pg_locks WHERE NOT granted');
        waiting = Number(row?.[0]);
      }
      expect(opened).toBe(false);
      await tx.query('UPDATE sync_monitor.checkpoint SET high = 5, flush_no = flush_no + 1 WHERE id = $1', [
        id,
      ]);
    });
    expect(await opening).toEqual(upTo(5));
    first.apply(live(...nextRows()));
    first.capture(upTo(9));
    await expect(first.flush()).rejects.toBeInstanceOf(HistoryLostError);
  });

  test('what was counted by nobody we know of is not built upon', async () => {
    const { store } = place.store();
    await store.begin(IDENTITY, upTo(0));
    store.apply(live(...nextRows()));
    store.capture(upTo(3));
    await place.sql('UPDATE sync_monitor.checkpoint SET flush_no = 1');
    await expect(store.flush()).rejects.toThrow('history stands at flush 1 and not at 0');
    expect(store.fault).toContain('history stands at flush 1');
    await expect(store.flush()).rejects.toBeInstanceOf(HistoryLostError);
    expect(await store.open(IDENTITY)).toEqual(upTo(0));
    await place.sql('DELETE FROM sync_monitor.checkpoint');
    store.apply(live(...made));
    store.capture(upTo(3));
    await expect(store.flush()).rejects.toThrow('what was kept of history is gone');
  });

  test('generations: what a snapshot of the database lacks is exactly in those above its flush', async () => {
    const { store } = place.store();
    await store.begin(IDENTITY, upTo(0));
    const life = store.life;
    const shown = () => store.generations().map(({ flushNo, changes }) => [flushNo, changes.rows]);
    expect(shown()).toEqual([[1, 0]]);
    store.apply(live(...nextRows()));
    store.capture(upTo(3));
    store.apply(live(row(4)));
    expect(shown()).toEqual([
      [1, 3],
      [2, 1],
    ]);
    await store.flush();
    expect(shown()).toEqual([[2, 1]]);
    store.capture(upTo(4));
    await store.exclusive((tx) => tx.query('SELECT 1'));
    expect(shown()).toEqual([
      [2, 1],
      [3, 0],
    ]);
    expect(store.life).toBe(life);
    await store.open(IDENTITY);
    expect(shown()).toEqual([[2, 0]]);
    expect(store.life).toBeGreaterThan(life);
  });
});
