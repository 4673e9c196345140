import { afterEach, describe, expect, it } from 'vitest';
import { endAll, type Of, setUpHub as setUp } from './hub.js';
import { row } from './view.js';

afterEach(endAll);

const ids = (message: Of<'events'>): unknown[] => message.events.map((event) => event.id);

describe('hello', () => {
  it('comes at once and tells the epoch and the heartbeat', async () => {
    const { connect } = await setUp();
    const client = await connect();
    expect(client.messages[0]).toMatchObject({ protocol: 1, epoch: 'epoch-1', heartbeat_ms: 5_000 });
  });
});

describe('snapshots', () => {
  it('come on subscription, then when something changed, with growing seq', async () => {
    const { view, connect } = await setUp({ snapshotIntervalMs: 0 });
    view.tick();
    const client = await connect();
    client.subscribe(['snapshot']);
    const first = await client.next('snapshot');
    expect(first.windows['5m'].total_operations).toBe(0);
    view.fold([row()]);
    view.tick();
    const second = await client.next('snapshot');
    expect(second.windows['5m'].total_operations).toBe(1);
    expect(second.seq).toBeGreaterThan(first.seq);
  });

  it('do not come when nothing changed but the time and the jitter of the lag', async () => {
    const { view, connect } = await setUp({ snapshotIntervalMs: 0 });
    view.tick();
    const client = await connect();
    await client.settle(['snapshot']);
    for (let lag = 0; lag < 20; lag += 1) view.tick(1, undefined, lag);
    view.tick(0, undefined, 9_000);
    await client.next('snapshot');
    const [first, second, ...more] = client.messages.filter((message) => message.type === 'snapshot');
    expect([first?.lag_ms, second?.lag_ms, more.length]).toEqual([4, 9_000, 0]);
  });

  it('come at most once an interval, and then the newest', async () => {
    const { view, connect } = await setUp({ snapshotIntervalMs: 200 });
    view.tick();
    const client = await connect();
    client.subscribe(['snapshot']);
    await client.next('snapshot');
    for (let count = 0; count < 10; count += 1) {
      view.fold([row()]);
      view.tick();
    }
    const second = await client.next('snapshot');
    expect(second.windows['1m'].total_operations).toBe(10);
    expect(client.messages.filter((message) => message.type === 'snapshot').length).toBe(2);
  });

  it('come again at once on another subscription, but not to a client without one', async () => {
    const { view, connect } = await setUp({ snapshotIntervalMs: 0 });
    view.tick();
    const [client, other] = [await connect(), await connect()];
    await other.settle(['events']);
    client.subscribe(['snapshot']);
    await client.next('snapshot');
    client.subscribe(['snapshot']);
    await client.next('snapshot');
    await client.settle([]);
    view.fold([row()]);
    view.tick();
    await other.next('events');
    expect(client.messages.filter((message) => message.type === 'snapshot').length).toBe(2);
    expect(other.messages.some((message) => message.type === 'snapshot')).toBe(false);
  });
});

describe('events', () => {
  it('come in fold order with their change', async () => {
    const { view, connect } = await setUp();
    const client = await connect();
    await client.settle(['events']);
    const pending = row({ status: 'pending', durationMs: null });
    view.fold([pending]);
    expect(await client.next('events')).toMatchObject({
      epoch: 'epoch-1',
      dropped: 0,
      events: [{ seq: 1, change: 'insert', id: pending.id, status: 'pending' }],
    });
    view.fold([], [{ row: { ...pending, status: 'failed' }, previous: pending }]);
    expect((await client.next('events')).events).toMatchObject([
      { seq: 2, change: 'update', previous_status: 'pending', status: 'failed' },
    ]);
  });

  it('are gathered under load, none lost, none twice', async () => {
    const { view, connect } = await setUp();
    const client = await connect();
    await client.settle(['events']);
    const rows = Array.from({ length: 2_300 }, () => row());
    for (let from = 0; from < rows.length; from += 10) view.fold(rows.slice(from, from + 10));
    const seen: number[] = [];
    let messages = 0;
    while (seen.length < rows.length) {
      const message = await client.next('events');
      messages += 1;
      expect(message.events.length).toBeLessThanOrEqual(500);
      seen.push(...message.events.map((event) => event.seq));
    }
    expect(seen).toEqual(rows.map((_, index) => index + 1));
    expect(messages).toBeLessThan(20);
  });

  it('of one large batch come in frames of at most 500', async () => {
    const { view, connect } = await setUp();
    const client = await connect();
    await client.settle(['events']);
    view.fold(Array.from({ length: 1_234 }, () => row()));
    const sizes = [];
    for (let frame = 0; frame < 3; frame += 1) sizes.push((await client.next('events')).events.length);
    expect(sizes).toEqual([500, 500, 234]);
  });

  it('are filtered by their new state', async () => {
    const { view, connect } = await setUp();
    const rows = [
      row({ operationType: 'export_to_1c', status: 'pending' }),
      row({ status: 'error', customerId: '9007199254740993' }),
      row({ correlationId: 'one' }),
      row({ customerId: null }),
    ];
    const [exported, failed, correlated] = rows.map((one) => one.id);
    const cases: [object | undefined, unknown[]][] = [
      [{ operation_types: ['export_to_1c', 'batch_operation'] }, [exported]],
      [{ statuses: ['error', 'failed'] }, [failed]],
      [{ correlation_id: 'one' }, [correlated]],
      [{ customer_id: '9007199254740993' }, [failed]],
      [{ customer_id: 42, statuses: ['pending'] }, [exported]],
      [{ customer_id: '42', operation_types: ['sync_changes'] }, [correlated]],
      [{}, rows.map((one) => one.id)],
      [undefined, rows.map((one) => one.id)],
    ];
    const clients = await Promise.all(
      cases.map(async ([filter]) => {
        const client = await connect();
        await client.settle(['events'], filter === undefined ? {} : { filter });
        return client;
      }),
    );
    view.fold(rows);
    const got = await Promise.all(clients.map(async (client) => ids(await client.next('events'))));
    expect(got).toEqual(cases.map(([, expected]) => expected));
  });

  it('that do not pass anybody are not sent', async () => {
    const { view, connect } = await setUp({ eventBatchMs: 0 });
    const client = await connect();
    await client.settle(['events'], { filter: { statuses: ['error'] } });
    view.fold([row()]);
    view.fold([row({ status: 'error' })]);
    const message = await client.next('events');
    expect(message.events.map((event) => event.seq)).toEqual([2]);
  });
});

describe('resuming', () => {
  it('replays what came since, in frames, then goes on live without a hole', async () => {
    const { view, connect } = await setUp();
    view.fold(Array.from({ length: 1_300 }, () => row()));
    const client = await connect();
    client.subscribe(['events'], { since: { epoch: 'epoch-1', seq: 100 } });
    const seen: number[] = [];
    let more = 0;
    while (seen.length < 1_210) {
      seen.push(...(await client.next('events')).events.map((event) => event.seq));
      // Live rows while the replay is under way, and after it.
      if (more < 10) view.fold([row()]);
      more += 1;
      if (seen.length >= 1_200 && more < 10) {
        for (; more < 10; more += 1) view.fold([row()]);
      }
    }
    expect(seen).toEqual(Array.from({ length: 1_210 }, (_, index) => 101 + index));
  });

  it('is answered also when there is nothing to replay', async () => {
    const { view, connect } = await setUp();
    view.fold([row()]);
    const client = await connect();
    client.subscribe(['events'], { since: { epoch: 'epoch-1', seq: 1 } });
    expect((await client.next('events')).events).toEqual([]);
    view.fold([row()]);
    expect((await client.next('events')).events.map((event) => event.seq)).toEqual([2]);
  });

  it('applies the filter', async () => {
    const { view, connect } = await setUp();
    view.fold([row(), row({ status: 'error' }), row()]);
    const client = await connect();
    client.subscribe(['events'], { since: { epoch: 'epoch-1', seq: 0 }, filter: { statuses: ['error'] } });
    expect((await client.next('events')).events.map((event) => event.seq)).toEqual([2]);
  });

  it('of a filter that lets little through is answered with that little', async () => {
    const { view, connect } = await setUp();
    view.fold([...Array.from({ length: 1_700 }, () => row()), row({ status: 'error' })]);
    const client = await connect();
    client.subscribe(['events'], { since: { epoch: 'epoch-1', seq: 0 }, filter: { statuses: ['error'] } });
    expect((await client.next('events')).events).toEqual([]);
    expect((await client.next('events')).events.map((event) => event.seq)).toEqual([1_701]);
  });

  it.each([
    ['another epoch', { epoch: 'epoch-0', seq: 3 }, { from_seq: 1, to_seq: 10_005 }],
    ['too old', { epoch: 'epoch-1', seq: 2 }, { from_seq: 3, to_seq: 10_005 }],
  ])('from %s says which events are missing, then goes on', async (_name, since, gap) => {
    const { view, connect } = await setUp();
    view.fold(Array.from({ length: 10_005 }, () => row()));
    const client = await connect();
    client.subscribe(['events'], { since });
    expect(await client.next('gap')).toEqual({ type: 'gap', ...gap });
    view.fold([row()]);
    expect((await client.next('events')).events.map((event) => event.seq)).toEqual([10_006]);
  });

  it('from the future goes on with what comes', async () => {
    const { view, connect } = await setUp();
    view.fold([row()]);
    const client = await connect();
    client.subscribe(['events'], { since: { epoch: 'epoch-1', seq: 1_000_000 } });
    await client.next('events');
    view.fold([row()]);
    expect((await client.next('events')).events.map((event) => event.seq)).toEqual([2]);
  });
});
