import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { type TailOptions, tail } from '../../src/cli/tail.js';
import type { FeedEvent } from '../../streams/event.js';

/** A server that says what a test tells it to: what no healthy monitor says on demand can be said here. */
class Station {
  readonly http: Server = createServer();
  readonly sockets = new WebSocketServer({ noServer: true });
  readonly subscriptions: Record<string, unknown>[] = [];
  readonly requests: IncomingMessage[] = [];
  refuse: number | null = null;
  onSubscribe: (socket: WebSocket, message: Record<string, unknown>, connection: number) => void = () =>
    undefined;
  hello: Record<string, unknown> = { type: 'hello', protocol: 1, epoch: 'e1', heartbeat_ms: 5_000 };
  url = '';

  async listen(): Promise<this> {
    this.http.on('upgrade', (request, socket, head) => {
      this.requests.push(request);
      if (this.refuse !== null) return socket.end(`HTTP/1.1 ${this.refuse} No\r\nContent-Length: 0\r\n\r\n`);
      this.sockets.handleUpgrade(request, socket, head, (client) => {
        const connection = this.requests.length;
        client.on('message', (data) => {
          const message = JSON.parse(data.toString());
          this.subscriptions.push(message);
          this.onSubscribe(client, message, connection);
        });
        client.send(JSON.stringify(this.hello));
      });
    });
    this.http.listen(0, '127.0.0.1');
    await once(this.http, 'listening');
    this.url = `ws://127.0.0.1:${(this.http.address() as AddressInfo).port}/ws`;
    return this;
  }

  close(): void {
    for (const client of this.sockets.clients) client.terminate();
    this.http.close();
  }
}

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

async function station(): Promise<Station> {
  const made = await new Station().listen();
  cleanups.push(() => made.close());
  return made;
}

function start(url: string, more: Partial<TailOptions> = {}) {
  const stop = new AbortController();
  const lines: string[] = [];
  const notes: string[] = [];
  const done = tail({
    url,
    filter: {},
    since: null,
    json: true,
    colours: false,
    print: (line) => lines.push(line),
    note: (text) => notes.push(text),
    signal: stop.signal,
    ...more,
  });
  cleanups.push(() => stop.abort());
  return { stop, lines, notes, done, seqs: () => lines.map((line) => JSON.parse(line).seq) };
}

function event(seq: number, more: Partial<FeedEvent> = {}): FeedEvent {
  return {
    ...{ seq, change: 'insert', id: seq, operation_type: 'created', status: 'success', customer_id: null },
    ...{ customer_email: null, onec_id: null, duration_ms: 1, correlation_id: null, error_message: null },
    ...{ conflict_source: null, identification_method: null, batch: null },
    created_at: new Date(Date.UTC(2026, 0, 1) + seq * 1000).toISOString(),
    ...more,
  };
}

const say = (socket: WebSocket, message: unknown) => socket.send(JSON.stringify(message));
const events = (seqs: number[], more: Record<string, unknown> = {}) => ({
  ...{ type: 'events', epoch: 'e1', dropped: 0, events: seqs.map((seq) => event(seq)) },
  ...more,
});
const soon = { timeout: 15_000, interval: 10 };

it('subscribes with its filter, prints each event once, and sums up', async () => {
  const server = await station();
  server.onSubscribe = (socket) => {
    say(socket, { type: 'gap', from_seq: 1, to_seq: 4 });
    say(socket, events([5, 6]));
    say(socket, events([6, 7], { dropped: 3 }));
  };
  const filter = { operation_types: ['created'], statuses: ['success'] };
  const { lines, notes, seqs, stop, done } = start(server.url, { filter, token: 'secret' });
  await expect.poll(() => lines, soon).toHaveLength(3);
  expect(seqs()).toEqual([5, 6, 7]);
  expect(server.subscriptions[0]).toMatchObject({ type: 'subscribe', topics: ['events'], filter });
  expect(server.requests[0]?.headers.authorization).toBe('Bearer secret');
  expect(notes).toEqual(['3 events were dropped: this end reads too slowly']);
  stop.abort();
  expect(await done).toBe(true);
  expect(notes.at(-1)).toMatch(/^3 events in \d+ s: success 3; 3 dropped, 0 gaps, 0 lost connections$/);
});

it('resumes behind the last event when the connection is lost', async () => {
  const server = await station();
  server.onSubscribe = (socket, _message, connection) => {
    if (connection > 1) return say(socket, events([7, 8]));
    say(socket, { type: 'gap', from_seq: 1, to_seq: 5 });
    say(socket, events([6, 7]));
    socket.close(1001, 'the monitor is stopping');
  };
  const { seqs, notes } = start(server.url);
  await expect.poll(seqs, soon).toEqual([6, 7, 8]);
  expect(server.subscriptions[1]).toMatchObject({ since: { epoch: 'e1', seq: 7 } });
  expect(notes).toEqual(['connection lost (the monitor is stopping); trying again', 'connected again']);
});

it('resumes from where the feed stood when there was no event before the loss', async () => {
  const server = await station();
  server.onSubscribe = (socket, _message, connection) => {
    if (connection > 1) return say(socket, events([12]));
    say(socket, { type: 'gap', from_seq: 1, to_seq: 11 });
    socket.close(1013, 'reads too slowly');
  };
  const { seqs } = start(server.url);
  await expect.poll(seqs, soon).toEqual([12]);
  expect(server.subscriptions[1]).toMatchObject({ since: { epoch: 'e1', seq: 11 } });
});

it('says what is missing when the feed no longer holds it', async () => {
  const server = await station();
  server.onSubscribe = (socket, _message, connection) => {
    if (connection === 1) {
      say(socket, events([1]));
      say(socket, { type: 'gap', from_seq: 1, to_seq: 1 });
      return socket.terminate();
    }
    say(socket, { type: 'gap', from_seq: 2, to_seq: 90 });
    say(socket, events([91]));
  };
  const { seqs, notes } = start(server.url);
  await expect.poll(seqs, soon).toContain(91);
  expect(notes).toContain('gap: 89 events of the feed are no longer kept (2 to 90)');
});

it('takes all that a monitor has had since it was started anew', async () => {
  const server = await station();
  server.onSubscribe = (socket, _message, connection) => {
    if (connection === 1) {
      say(socket, { type: 'gap', from_seq: 1, to_seq: 500 });
      server.hello = { ...server.hello, epoch: 'e2' };
      return socket.terminate();
    }
    say(socket, events([1, 2], { epoch: 'e2' }));
  };
  const { seqs, notes } = start(server.url);
  await expect.poll(seqs, soon).toEqual([1, 2]);
  expect(server.subscriptions[1]).toMatchObject({ since: { epoch: 'e2', seq: 0 } });
  expect(notes.join('\n')).toContain('the monitor was started anew');
});

it('chooses past events by time, and later ones whatever their time', async () => {
  const server = await station();
  server.onSubscribe = (socket, _message, connection) => {
    expect(connection).toBe(1);
    if (server.subscriptions.length === 1) return say(socket, { type: 'gap', from_seq: 1, to_seq: 20_000 });
    say(socket, events([19_997, 19_998, 19_999, 20_000]));
    say(socket, events([], { events: [event(20_001, { created_at: '2020-01-01T00:00:00Z' })] }));
  };
  const since = Date.UTC(2026, 0, 1) + 19_999_000;
  const { seqs } = start(server.url, { since });
  await expect.poll(seqs, soon).toEqual([19_999, 20_000, 20_001]);
  expect(server.subscriptions[1]).toMatchObject({ since: { epoch: 'e1', seq: 10_500 } });
});

it('leaves a connection on which nothing is heard', async () => {
  const server = await station();
  server.hello = { ...server.hello, heartbeat_ms: 100 };
  const { notes } = start(server.url);
  await expect.poll(() => notes, soon).toContain('connection lost (nothing heard for 1 s); trying again');
  await expect.poll(() => notes, soon).toContain('connected again');
});

it.each([
  [401, /HTTP 401: give --token/],
  [403, /HTTP 403: this token, or this Host, may not/],
  [404, /HTTP 404: there is no monitor at this address/],
  [503, /HTTP 503 \(is "sync-monitor serve" running there\?\)/],
])('ends when the first answer is %i', async (status, message) => {
  const server = await station();
  server.refuse = status;
  const { done, notes } = start(server.url);
  expect(await done).toBe(false);
  expect(notes).toHaveLength(1);
  expect(notes[0]).toMatch(message);
});

it('goes on trying when a monitor that it knew is away for a while', async () => {
  const server = await station();
  server.onSubscribe = (socket, _message, connection) => {
    if (connection > 1) return say(socket, events([2]));
    say(socket, { type: 'gap', from_seq: 1, to_seq: 1 });
    server.refuse = 503;
    socket.terminate();
    setTimeout(() => {
      server.refuse = null;
    }, 600);
  };
  const { seqs, notes } = start(server.url);
  await expect.poll(seqs, soon).toEqual([2]);
  expect(notes.filter((note) => note.startsWith('connection lost'))).toHaveLength(1);
});

it('ends when nobody listens, when the filter is refused, and when it meets something else', async () => {
  const server = await station();
  server.onSubscribe = (socket) => {
    say(socket, {
      type: 'error',
      code: 'invalid_subscription',
      message: 'The subscription is\u001b not valid.',
    });
    socket.close(1008);
  };
  const refused = start(server.url);
  expect(await refused.done).toBe(false);
  expect(refused.notes[0]).toContain('the monitor says: The subscription is\ufffd not valid.');

  server.hello = 'not an object' as unknown as Record<string, unknown>;
  const strange = start(server.url);
  expect(await strange.done).toBe(false);
  expect(strange.notes[0]).toContain("does not speak the monitor's protocol");

  server.close();
  const nobody = start(server.url);
  expect(await nobody.done).toBe(false);
  expect(nobody.notes[0]).toContain('ECONNREFUSED');
});
