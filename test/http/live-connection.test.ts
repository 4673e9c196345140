import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { endAll, setUpHub as setUp } from './hub.js';
import { row } from './view.js';

afterEach(endAll);

describe('health', () => {
  it('comes on subscription and on each change, once', async () => {
    const { view, connect } = await setUp({ sweepMs: 5 });
    view.tick();
    const client = await connect();
    client.subscribe(['health']);
    expect(await client.next('health')).toMatchObject({
      connected: true,
      role: 'leader',
      bell: { mode: 'armed' },
    });
    view.setSource({
      bell: { configured: 'auto', mode: 'dead', reason: 'The trigger is disabled.', since: 0 },
    });
    expect((await client.next('health')).bell).toEqual({ mode: 'dead', reason: 'The trigger is disabled.' });
    view.tick(0, { state: 'incomplete', ratio: 0.5, reasons: ['Rows are missing.'] });
    expect((await client.next('health')).completeness.state).toBe('incomplete');
    view.setSource({ connected: false });
    expect((await client.next('health')).connected).toBe(false);
    expect(client.messages.filter((message) => message.type === 'health').length).toBe(4);
  });

  it('says that nothing is known before the first snapshot', async () => {
    const { connect } = await setUp();
    const client = await connect();
    client.subscribe(['health', 'alerts', 'snapshot']);
    expect((await client.next('health')).completeness.state).toBe('unknown');
  });
});

describe('the connection', () => {
  it('is kept alive by heartbeats where nothing else is sent', async () => {
    const { connect } = await setUp({ heartbeatMs: 20, sweepMs: 5 });
    const client = await connect();
    await client.next('heartbeat');
    await client.next('heartbeat');
  });

  it('is cut off where pings stay unanswered', async () => {
    const { hub, connect } = await setUp({ pingMs: 20, sweepMs: 5 });
    const [client, silent] = [await connect(), await connect()];
    // A half-open connection: the bytes arrive nowhere, so no pong comes back.
    silent.tcp.pause();
    silent.tcp.on('error', () => silent.tcp.destroy());
    while (hub.stats().clients > 1) await once(client.socket, 'ping');
    expect(hub.stats()).toMatchObject({ clients: 1, closedSilent: 1 });
    expect(client.socket.readyState).toBe(WebSocket.OPEN);
  });

  it('is ended with 1001 when the monitor stops', async () => {
    const { hub, connect } = await setUp();
    const client = await connect();
    const stuck = await connect();
    stuck.tcp.pause();
    await hub.close(50);
    expect(await client.closed()).toBe(1001);
    expect(hub.stats().clients).toBeLessThanOrEqual(1);
    expect(hub.accepting).toBe(false);
  });

  it('is refused beyond the bound', async () => {
    const { hub, connect } = await setUp({ clients: 1 });
    expect(hub.accepting).toBe(true);
    await connect();
    expect(hub.accepting).toBe(false);
  });
});

describe('the end of the input', () => {
  it('is reported, and the clients stay', async () => {
    const { view, failures, connect } = await setUp({ heartbeatMs: 20, sweepMs: 5 });
    const client = await connect();
    await client.settle(['events']);
    const error = new Error('the reader is gone');
    view.break(error);
    expect(failures.splice(0)).toEqual([error, error]);
    await client.next('heartbeat');
  });
});

describe('a slow client', () => {
  const big = () => Array.from({ length: 500 }, () => row({ errorMessage: 'x'.repeat(200) }));

  it('loses events, is told how many, and holds nobody up', async () => {
    const { view, hub, connect } = await setUp({ eventBufferBytes: 100_000, sweepMs: 5 });
    const [slow, fast] = [await connect(), await connect()];
    await slow.settle(['events']);
    await fast.settle(['events']);
    slow.tcp.pause();
    let folded = 0;
    while (hub.stats().droppedEvents === 0) {
      view.fold(big());
      folded += 500;
      await fast.next('events');
    }
    const before = hub.stats().droppedEvents;
    slow.tcp.resume();
    let [received, dropped] = [0, 0];
    while (received + dropped < folded) {
      const message = await slow.next('events');
      received += message.events.length;
      dropped += message.dropped;
    }
    expect([received + dropped, dropped]).toEqual([folded, before]);
  });

  it('skips snapshots and gets the newest when it has drained', async () => {
    const { view, hub, connect } = await setUp({
      snapshotBufferBytes: 50_000,
      snapshotIntervalMs: 1,
      eventBufferBytes: 1e9,
    });
    view.tick();
    const slow = await connect();
    await slow.settle(['snapshot', 'events']);
    slow.tcp.pause();
    let folded = 0;
    while (hub.stats().skippedSnapshots === 0) {
      view.fold(big());
      folded += 500;
      view.tick();
      await new Promise((resolve) => setImmediate(resolve));
    }
    slow.tcp.resume();
    let newest = await slow.next('snapshot');
    while (newest.windows['1m'].total_operations < folded) newest = await slow.next('snapshot');
    expect(newest.windows['1m'].total_operations).toBe(folded);
  });

  it('is closed with 1013 when it does not drain', async () => {
    const limits = { closeBufferBytes: 100_000, closeAfterMs: 10, sweepMs: 5, eventBufferBytes: 300_000 };
    const { view, hub, connect } = await setUp(limits);
    const [slow, watch] = [await connect(), await connect()];
    await slow.settle(['events']);
    await watch.settle(['events']);
    slow.tcp.pause();
    while (hub.stats().closedSlow === 0) {
      view.fold(big());
      await watch.next('events');
    }
    slow.tcp.resume();
    expect(await slow.closed()).toBe(1013);
  });
});
