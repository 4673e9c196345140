/** A 1C that is up, or whatever else may answer at its address; counts who asks. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';

export interface StandIn {
  readonly url: string;
  /** Connections that were ever made, that are open now, and that were open at a time at most. */
  readonly connections: { made: number; open: number; most: number };
  /** Requests that came; of a server that speaks HTTP. */
  readonly requests: { readonly method: string; readonly url: string; readonly authorization?: string }[];
  close(): Promise<void>;
}

export function httpStandIn(answer: RequestListener): Promise<StandIn> {
  const requests: StandIn['requests'][number][] = [];
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    const { authorization } = headers;
    requests.push({ method, url, ...(authorization !== undefined && { authorization }) });
    answer(request, response);
  });
  return listening(server, 'http', requests);
}

export function tcpStandIn(connected: (socket: Socket) => void): Promise<StandIn> {
  return listening(
    createTcpServer((socket) => {
      // A client that gives up resets.
      socket.on('error', () => undefined);
      // Unread, it would not notice that the client has gone.
      socket.resume();
      connected(socket);
    }),
    'http',
    [],
  );
}

export function tlsStandIn(key: string, cert: string, answer: RequestListener): Promise<StandIn> {
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, answer);
  // A client that does not trust the certificate says so and goes.
  server.on('tlsClientError', () => undefined);
  return listening(server, 'https', []);
}

async function listening(
  server: Server,
  scheme: string,
  requests: StandIn['requests'][number][],
): Promise<StandIn> {
  const connections = { made: 0, open: 0, most: 0 };
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    connections.made += 1;
    connections.open += 1;
    connections.most = Math.max(connections.most, connections.open);
    socket.on('close', () => {
      sockets.delete(socket);
      connections.open -= 1;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    ...{ connections, requests },
    url: `${scheme}://127.0.0.1:${port}/`,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
