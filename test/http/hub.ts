/** A hub on a real socket, and a client of it that holds every message against the protocol. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect } from 'vitest';
import { WebSocket } from 'ws';
import type { LiveLimits } from '../../src/http/limits.js';
import { LiveHub } from '../../src/http/live.js';
import { type ServerMessage, serverMessage } from '../../src/http/messages.js';
import { HandDrivenView } from './view.js';

export type Of<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>;

const endings: (() => Promise<void>)[] = [];
/** Ends what a test has started; for its `afterEach`. */
export async function endAll(): Promise<void> {
  for (const end of endings.splice(0).reverse()) await end();
}

export async function setUpHub(limits: Partial<LiveLimits> = {}) {
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
export class Client {
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
