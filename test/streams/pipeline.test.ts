import { config, map, Subject } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import type { Batch, FeedEvent, SyncRow, Tick } from '../../streams/event.js';
import { pipeline } from '../../streams/pipeline.js';
import type { Snapshot } from '../../streams/snapshot.js';
import { batch, NOON, row, tick } from './rows.js';

function setUp() {
  const batches$ = new Subject<Batch>();
  const ticks$ = new Subject<Tick>();
  const line = pipeline({ batches$, ticks$, epoch: 'one', options: { manualResolutionMinutes: 5 } });
  const snapshots: Snapshot[] = [];
  const events: FeedEvent[][] = [];
  return { batches$, ticks$, line, snapshots, events };
}

const counts = (snapshots: readonly Snapshot[]): number[] =>
  snapshots.map(({ windows }) => windows['1m'].total_operations);

describe('the pipeline', () => {
  test('nothing flows before it is connected, and nothing after it is disconnected', () => {
    const { batches$, ticks$, line, snapshots } = setUp();
    line.snapshots$.subscribe((snapshot) => snapshots.push(snapshot));
    expect([batches$.observed, line.latest(), line.totals().conflicts]).toEqual([false, null, 0]);
    const connection = line.connect();
    expect([batches$.observed, ticks$.observed]).toEqual([true, true]);
    batches$.next(batch(NOON, { rows: [row(1)] }));
    connection.unsubscribe();
    expect([batches$.observed, ticks$.observed]).toEqual([false, false]);
    expect(counts(snapshots)).toEqual([1]);
    expect(line.latest()).toBe(snapshots[0]);
  });

  test('every tick gives a snapshot, the same one to all', () => {
    const { ticks$, line, snapshots } = setUp();
    const others: Snapshot[] = [];
    line.snapshots$.subscribe((snapshot) => snapshots.push(snapshot));
    line.snapshots$.subscribe((snapshot) => others.push(snapshot));
    line.connect();
    for (const ms of [0, 10, 20]) ticks$.next(tick(NOON + ms));
    expect(snapshots).toHaveLength(3);
    others.forEach((snapshot, i) => {
      expect(snapshot).toBe(snapshots[i]);
    });
  });

  test('a batch gives one when the last is older than 250 ms by the time of the batches', () => {
    const { batches$, ticks$, line, snapshots } = setUp();
    line.snapshots$.subscribe((snapshot) => snapshots.push(snapshot));
    line.connect();
    let id = 0;
    const send = (now: number): void => {
      id += 1;
      batches$.next(batch(now, { rows: [row(id)] }));
    };
    for (const ms of [0, 100, 249, 250, 300, 499, 500]) send(NOON + ms);
    expect(counts(snapshots)).toEqual([1, 4, 7]);
    ticks$.next(tick(NOON + 510));
    send(NOON + 759);
    expect(counts(snapshots)).toEqual([1, 4, 7, 7]);
    send(NOON + 760);
    expect(counts(snapshots)).toEqual([1, 4, 7, 7, 9]);
    batches$.next(
      batch(NOON - 5000, { reset: true, origin: 'start', rows: [row(99, { createdAt: NOON - 6000 })] }),
    );
    expect(counts(snapshots).at(-1)).toBe(1);
  });

  test('who comes late gets the newest at once', () => {
    const { ticks$, line, snapshots } = setUp();
    line.connect();
    ticks$.next(tick(NOON));
    ticks$.next(tick(NOON + 1000));
    line.snapshots$.subscribe((snapshot) => snapshots.push(snapshot));
    expect(snapshots.map(({ at }) => at)).toEqual(['2025-06-15T12:00:01.000Z']);
    ticks$.next(tick(NOON + 2000));
    expect(snapshots).toHaveLength(2);
  });

  test('live rows become events in fold order, in the call in which they arrive', () => {
    const { batches$, line, events } = setUp();
    line.events$.subscribe((some) => events.push([...some]));
    line.connect();
    const pending = row(2, { status: 'pending' });
    batches$.next(batch(NOON, { origin: 'start', rows: [row(100)] }));
    batches$.next(batch(NOON, { rows: [row(1), pending] }));
    batches$.next(batch(NOON));
    batches$.next(batch(NOON, { updates: [{ row: { ...pending, status: 'error' }, previous: pending }] }));
    expect(events.map((some) => some.map(({ seq, id, change }) => [seq, id, change]))).toEqual([
      [
        [1, 1, 'insert'],
        [2, 2, 'insert'],
      ],
      [[3, 2, 'update']],
    ]);
    expect(line.replay({ epoch: line.epoch, seq: 2 })).toEqual({ events: events[1] });
    expect(
      line.totals().operations.find(({ status, count }) => status === 'error' && count > 0),
    ).toBeDefined();
    expect([line.lastSeq(), line.stats().mismatches]).toEqual([3, 0]);
  });

  test('who connects again starts from nothing', () => {
    const { batches$, ticks$, line } = setUp();
    line.connect().unsubscribe();
    const connection = line.connect();
    batches$.next(batch(NOON, { rows: [row(1)] }));
    connection.unsubscribe();
    line.connect();
    expect(line.latest()).toBeNull();
    ticks$.next(tick(NOON));
    expect(counts([line.latest() as Snapshot])).toEqual([0]);
    expect(line.replay({ epoch: 'one', seq: 0 })).toEqual({ events: [] });
  });

  test('an error of the input ends it for all who watch', () => {
    const { batches$, line } = setUp();
    const errors: unknown[] = [];
    line.snapshots$.subscribe({ error: (error) => errors.push(error) });
    line.events$.subscribe({ error: (error) => errors.push(error) });
    line.connect();
    batches$.error(new Error('the reader is broken'));
    expect(errors).toEqual([new Error('the reader is broken'), new Error('the reader is broken')]);
  });
});

describe('a watcher that throws', () => {
  afterEach(() => {
    config.onUnhandledError = null;
  });

  test('does not disturb the fold nor the others', async () => {
    const { batches$, ticks$, line, snapshots, events } = setUp();
    const reported: unknown[] = [];
    const allReported = new Promise<void>((resolve) => {
      config.onUnhandledError = (error) => {
        reported.push(error);
        if (reported.length === 3) resolve();
      };
    });
    const failed: unknown[] = [];
    line.snapshots$.subscribe(() => {
      throw new Error('a watcher');
    });
    line.snapshots$
      .pipe(
        map((): SyncRow => {
          throw new Error('an operator');
        }),
      )
      .subscribe({ error: (error) => failed.push(error) });
    line.snapshots$.subscribe((snapshot) => snapshots.push(snapshot));
    line.events$.subscribe((some) => events.push([...some]));
    line.connect();
    batches$.next(batch(NOON, { rows: [row(1)] }));
    ticks$.next(tick(NOON + 1));
    batches$.next(batch(NOON + 400, { rows: [row(2)] }));
    expect(counts(snapshots)).toEqual([1, 1, 2]);
    expect(events.flat()).toHaveLength(2);
    expect(failed).toEqual([new Error('an operator')]);
    await allReported;
    expect(reported).toEqual([new Error('a watcher'), new Error('a watcher'), new Error('a watcher')]);
  });
});
