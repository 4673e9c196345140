import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { LiveLimits } from '../../src/http/limits.js';
import { LiveHub } from '../../src/http/live.js';
import { type ServerMessage, serverMessage } from '../../src/http/messages.js';
import { HandDrivenView, row } from './view.js';

type Of<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>;

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function setUp(limits: Partial<LiveLimits> = {}) {
  const view = new HandDrivenView();
  const failures: unknown[] = [];
  const hub = new LiveHub(view, { limits, onError: (error) => failures.push(error) });
  const server = createServer();
  server.on('upgrade', (request, socket, head) => hub.handleUpgrade(request, socket, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  endings.push(async () => {
    await hub.close(200);
    server.close();
    expect(failures).toEqual([]);
  });
  const { port } = server.address() as AddressInfo;
  return { view, hub, failures, connect: () => Client.open(`ws://127.0.0.1:${port}/ws`) };
}

/** A client that checks every message against the protocol's schema and lets a test wait for one. */
class Client {
  readonly socket: WebSocket;
  readonly messages: ServerMessage[] = [];
  #read = 0;
  #wake: (() => void) | undefined;
  #closed: number | undefined;

  constructor(url: string) {
    this.socket = new WebSocket(url);
    this.socket.on('message', (data) => {
      this.messages.push(serverMessage.parse(JSON.parse(String(data))));
      this.#wake?.();
    });
    this.socket.on('close', (code) => {
      this.#closed = code;
      this.#wake?.();
    });
    endings.push(async () => this.socket.terminate());
  }

  static async open(url: string): Promise<Client> {
    const client = new Client(url);
    await client.next('hello');
    return client;
  }

  /** The next message of a type; those of other types before it are passed over. */
  async next<T extends ServerMessage['type']>(type: T): Promise<Of<T>> {
    for (;;) {
      const message = this.messages[this.#read];
      if (message !== undefined) {
        this.#read += 1;
        if (message.type === type) return message as Of<T>;
        continue;
      }
      if (this.#closed !== undefined) throw new Error(`closed with ${this.#closed} before "${type}" came`);
      await this.#wait();
    }
  }

  async closed(): Promise<number> {
    while (this.#closed === undefined) await this.#wait();
    return this.#closed;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  subscribe(topics: readonly string[], rest: object = {}): void {
    this.send({ type: 'subscribe', topics, ...rest });
  }

  /** Subscribes and waits until that is in force: `health` is answered at once. */
  async settle(topics: readonly string[], rest: object = {}): Promise<void> {
    this.subscribe([...topics, 'health'], rest);
    await this.next('health');
  }

  /** The TCP socket, to stop reading from it. */
  get tcp(): Socket {
    const { _socket: socket } = this.socket as unknown as { _socket: Socket };
    return socket;
  }

  async #wait(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}

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

describe('faulty messages', () => {
  it.each([
    ['{', 'invalid_json', 'no JSON'],
    ['', 'invalid_json', 'no JSON'],
    ['[]', 'invalid_message', 'must be a JSON object'],
    ['null', 'invalid_message', 'must be a JSON object'],
    ['42', 'invalid_message', 'this is 42'],
    ['{}', 'unknown_type', '"type" is undefined'],
    ['{"type":"publish"}', 'unknown_type', '"publish"'],
    ['{"type":"subscribe"}', 'invalid_subscription', 'in "topics"'],
    ['{"type":"subscribe","topics":["news"]}', 'invalid_subscription', 'in "topics.0"'],
    ['{"type":"subscribe","topics":"events"}', 'invalid_subscription', 'in "topics"'],
    ['{"type":"subscribe","topics":[],"extra":1}', 'invalid_subscription', 'extra'],
    [
      '{"type":"subscribe","topics":["events"],"filter":{"status":["x"]}}',
      'invalid_subscription',
      'in "filter"',
    ],
    [
      '{"type":"subscribe","topics":["events"],"filter":{"statuses":[]}}',
      'invalid_subscription',
      'filter.statuses',
    ],
    [
      '{"type":"subscribe","topics":["events"],"filter":{"customer_id":1.5}}',
      'invalid_subscription',
      'customer_id',
    ],
    [
      '{"type":"subscribe","topics":["events"],"since":{"epoch":"e","seq":-1}}',
      'invalid_subscription',
      'since.seq',
    ],
    [
      '{"type":"subscribe","topics":["snapshot"],"since":{"epoch":"e","seq":1}}',
      'invalid_subscription',
      'since',
    ],
  ])('%s', async (text, code, part) => {
    const { connect } = await setUp();
    const client = await connect();
    client.send(text);
    const error = await client.next('error');
    expect(error.code).toBe(code);
    expect(error.message).toContain(part);
  });

  it('end the connection at the tenth', async () => {
    const { hub, connect } = await setUp();
    const client = await connect();
    for (let count = 0; count < 12; count += 1) client.send('nonsense');
    expect(await client.closed()).toBe(1008);
    expect(client.messages.filter((message) => message.type === 'error').length).toBe(10);
    expect(hub.stats().faults).toBe(10);
  });

  it('are named and end the connection when longer than 16 KiB', async () => {
    const { connect } = await setUp();
    const client = await connect();
    const envelope = '{"type":"subscribe","topics":[]}'.length;
    client.send(`{"type":"subscribe","topics":[]${' '.repeat(16 * 1024 - envelope)}}`);
    client.send(`{"type":"subscribe","topics":[]${' '.repeat(16 * 1024 - envelope + 1)}}`);
    expect(await client.next('error')).toMatchObject({
      code: 'message_too_long',
      message: 'The message is 16385 bytes long; at most 16384 are read.',
    });
    expect(await client.closed()).toBe(1009);
  });

  it('that are longer still are not read at all', async () => {
    const { hub, connect } = await setUp();
    const client = await connect();
    client.send('x'.repeat(300 * 1024));
    expect(await client.closed()).toBe(1009);
    expect(hub.stats().socketErrors).toBe(1);
  });

  it('may be binary, which is a fault', async () => {
    const { connect } = await setUp();
    const client = await connect();
    client.socket.send(Buffer.from('{"type":"subscribe","topics":[]}'));
    expect((await client.next('error')).code).toBe('binary');
  });

  it('never harm the hub, whatever they hold', async () => {
    const { view, connect } = await setUp({ faults: 1e9 });
    view.tick();
    const client = await connect();
    const watch = await connect();
    await watch.settle(['events']);
    const nearly = fc.record(
      {
        type: fc.constantFrom('subscribe', 'hello', 1, null),
        topics: fc.oneof(
          fc.array(fc.constantFrom('events', 'snapshot', 'alerts', 'health', 'x')),
          fc.jsonValue(),
        ),
        filter: fc.oneof(
          fc.record({ statuses: fc.jsonValue(), customer_id: fc.jsonValue() }, { requiredKeys: [] }),
          fc.jsonValue(),
        ),
        since: fc.oneof(
          fc.record({ epoch: fc.constantFrom('epoch-1', 'x'), seq: fc.integer() }),
          fc.jsonValue(),
        ),
      },
      { requiredKeys: ['type'] },
    );
    const messages = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      nearly.map((value) => JSON.stringify(value)),
    );
    for (const message of fc.sample(messages, 400)) client.send(message);
    await client.settle([]);
    view.fold([row()]);
    await watch.next('events');
    expect(client.socket.readyState).toBe(WebSocket.OPEN);
  });
});
