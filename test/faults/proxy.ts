/** A TCP proxy that can stop forwarding without closing anything: a cable pulled, a firewall that forgot. */
import { createServer, connect as dial, type Socket } from 'node:net';

export interface Cable {
  /** The same URL, through the proxy. */
  url(direct: string): string;
  /** Stops forwarding for the connections that the server knows by these client ports, for good. */
  freeze(clientPorts: readonly number[]): void;
  /** Stops forwarding for all there are, and for those to come until `heal`. The old ones stay dead. */
  blackhole(): void;
  heal(): void;
  /** Connections made through it so far. */
  connections(): number;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  frozen: boolean;
}

/** @param port of the server, on 127.0.0.1 */
export async function startProxy(port: number): Promise<Cable> {
  const pairs = new Set<Pair>();
  let dead = false;
  let made = 0;
  const freezePair = (pair: Pair) => {
    pair.frozen = true;
    for (const socket of [pair.client, pair.upstream]) {
      socket.unpipe();
      // A paused socket reads neither data nor the other side's end.
      socket.pause();
    }
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    made++;
    const upstream = dial({ port, host: '127.0.0.1', allowHalfOpen: true });
    const pair: Pair = { client, upstream, frozen: false };
    pairs.add(pair);
    client.pipe(upstream).pipe(client);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      // A broken side is passed on as a close; what a frozen one does, nobody learns.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        if (pair.frozen) return;
        pairs.delete(pair);
        other.destroy();
      });
    }
    if (dead) freezePair(pair);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    url(direct) {
      const url = new URL(direct);
      url.host = `127.0.0.1:${address.port}`;
      return url.href;
    },
    freeze(clientPorts) {
      const found = [...pairs].filter(({ upstream }) => clientPorts.includes(upstream.localPort ?? 0));
      if (found.length === 0) throw new Error(`no connection with client port ${clientPorts.join(', ')}`);
      for (const pair of found) freezePair(pair);
    },
    blackhole() {
      dead = true;
      for (const pair of pairs) freezePair(pair);
    },
    heal() {
      dead = false;
    },
    connections: () => made,
    async close() {
      for (const { client, upstream } of pairs) {
        client.destroy();
        upstream.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
